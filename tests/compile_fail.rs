//! Programs that must not compile, and what the compiler must say of them.
//!
//! Each program in `tests/compile_fail/src/bin` names after `//~` what its errors must contain, and
//! after `//@ features` those features that it is compiled with, if not with all.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const ALL: &str = "tokio";

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compile_fail")
}

/// What `cargo check` says of one program, and whether it compiles.
fn check(program: &str, features: &str) -> (bool, String) {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compile_fail");
    let output = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()))
        .args(["check", "--quiet", "--offline", "--color", "never", "--bin", program])
        .args(["--no-default-features", "--features", features])
        .arg("--manifest-path")
        .arg(here().join("Cargo.toml"))
        .env("CARGO_TARGET_DIR", target)
        .env_remove("RUSTFLAGS")
        .output()
        .expect("cargo can be run, since it runs this test");
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn each_misuse_is_refused_with_a_message_that_helps() {
    let (compiles, errors) = check("control", ALL);
    assert!(compiles, "the way these programs are checked is broken:\n{errors}");
    let mut failures = Vec::new();
    let mut programs = 0;
    for entry in fs::read_dir(here().join("src/bin")).unwrap() {
        let path = entry.unwrap().path();
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
        let (compiles, errors) = check(program, features.map_or(ALL, str::trim));
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
