//! Programs that must not compile, and what the compiler must say of them.
//!
//! Each program in `tests/compile_fail/src/bin` names after `//~` what its errors must contain, and
//! after `//@ features` those features that it is compiled with, if not with all.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const ALL: &str = "tokio";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compile_fail/src/bin")
}

/// Makes a package of the programs, in the target directory: a published package holds no other.
fn package() -> PathBuf {
    let package = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compile_fail");
    let mut manifest = format!(
        r#"
        [package]
        name = "compile_fail"
        edition = "2024"
        autobins = false
        [workspace]
        [features]
        std = ["sigwire/std"]
        async = ["sigwire/async"]
        tokio = ["sigwire/tokio"]
        [dependencies]
        sigwire = {{ path = {:?}, default-features = false }}
        tokio = {{ version = "1", default-features = false }}
        "#,
        env!("CARGO_MANIFEST_DIR")
    );
    for path in files() {
        let name = path.file_stem().unwrap().to_str().unwrap();
        manifest += &format!("[[bin]]\nname = {name:?}\npath = {path:?}\n");
    }
    fs::create_dir_all(&package).unwrap();
    fs::write(package.join("Cargo.toml"), manifest).unwrap();
    package
}

fn files() -> impl Iterator<Item = PathBuf> {
    fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path())
}

/// What `cargo check` says of one program of this package, and whether it compiles.
fn check(package: &Path, program: &str, features: &str) -> (bool, String) {
    let output = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()))
        .args(["check", "--quiet", "--offline", "--color", "never", "--bin", program])
        .args(["--no-default-features", "--features", features])
        .arg("--manifest-path")
        .arg(package.join("Cargo.toml"))
        .env("CARGO_TARGET_DIR", package.join("target"))
        .env_remove("RUSTFLAGS")
        .output()
        .expect("cargo can be run, since it runs this test");
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn each_misuse_is_refused_with_a_message_that_helps() {
    let package = package();
    let (compiles, errors) = check(&package, "control", ALL);
    assert!(compiles, "the way these programs are checked is broken:\n{errors}");
    let mut failures = Vec::new();
    let mut programs = 0;
    for path in files() {
        let program = path.file_stem().unwrap().to_str().unwrap();
        if program == "control" {
            continue;
        }
        programs += 1;
        let text = fs::read_to_string(&path).unwrap();
        let expected: Vec<&str> =
            text.lines().filter_map(|line| line.strip_prefix("//~ ")).collect();
        assert!(!expected.is_empty(), "{program} expects nothing");
        let features = text.lines().find_map(|line| line.strip_prefix("//@ features"));
        let (compiles, errors) = check(&package, program, features.map_or(ALL, str::trim));
        if compiles {
            failures.push(format!("{program} compiles"));
        }
        for phrase in expected.iter().filter(|phrase| !errors.contains(**phrase)) {
            failures.push(format!("{program} does not say `{phrase}`, but:\n{errors}"));
        }
    }
    assert!(programs >= 8, "only {programs} programs were found");
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}
