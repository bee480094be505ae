//! ARCHITECTURE.md says of each folder of `src` what it imports. Here that is compared with the code.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

type Names = BTreeSet<String>;

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The rows of the map: each folder, with what it imports.
fn map() -> Vec<(String, Names)> {
    let page = read("ARCHITECTURE.md");
    let rows = page.lines().skip_while(|line| !line.starts_with("| folder |")).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    let names = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').collect();
        (cells[1].trim().trim_matches('`').to_owned(), names(cells[2]))
    })
    .collect()
}

fn files(folder: PathBuf) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(path) } else { vec![path] }).collect()
}

/// What follows `crate::` in the code of a folder, without its comments and its tests.
fn imports(folder: &str) -> Names {
    let mut names = Names::new();
    for file in files(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder)) {
        let text = read(file);
        let is_test = |line: &str| line.starts_with("mod ") && line.ends_with('{');
        let code = text.lines().take_while(|line| !is_test(line));
        for line in code.filter(|line| !line.trim_start().starts_with("//")) {
            for path in line.split("crate::").skip(1) {
                let ends = |c: char| !c.is_alphanumeric() && c != '_';
                names.insert(path.split(ends).next().unwrap().to_owned());
            }
        }
    }
    names.remove(folder);
    names
}

#[test]
fn each_folder_imports_what_the_map_says_and_only_folders_above_it() {
    let mut above = Names::new();
    for (folder, named) in map() {
        assert_eq!(imports(&folder), named, "imports of src/{folder}, and those on the map");
        assert!(named.is_subset(&above), "src/{folder} stands above what it imports");
        above.insert(folder);
    }
    assert!(above.contains("stream"), "the map was not found");
}

#[test]
fn every_file_that_the_page_names_is_there() {
    for name in read("ARCHITECTURE.md").split('`').skip(1).step_by(2) {
        if name.ends_with(".rs") && name.contains('/') {
            let root = Path::new(env!("CARGO_MANIFEST_DIR"));
            let is_there = root.join(name).exists() || root.join("src").join(name).exists();
            assert!(is_there, "{name} is named, and not there");
        }
    }
}
