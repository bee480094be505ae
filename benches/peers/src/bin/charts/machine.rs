//! The machine, in general terms, the number of rounds, and the versions of what was measured.

use std::process::Command;
use std::{env, fs, thread};

use peers::{BoostTracked, Contender, Foreign, SigCpp};

pub(crate) fn description(rounds: usize) -> String {
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let virtual_machine =
        fs::read_to_string("/proc/cpuinfo").is_ok_and(|x| x.contains("hypervisor"));
    let (os, arch) = (env::consts::OS, env::consts::ARCH);
    let kind = if virtual_machine { "a virtual machine" } else { "a machine" };
    let missing = || "not found".to_owned();
    let lines = [
        format!("- {rounds} rounds on {kind} with {cores} cores, {arch}, {os}"),
        format!("- {}; {}", first_line("rustc"), first_line("c++")),
        format!(
            "- {}",
            ["signals2", "tokio", "event-listener", "bevy_ecs", "criterion"].map(locked).join(", ")
        ),
        format!(
            "- boost::signals2 {}, libsigc++ {}",
            Foreign::<BoostTracked>::version().unwrap_or_else(missing).replace('_', "."),
            Foreign::<SigCpp>::version().unwrap_or_else(missing)
        ),
    ];
    format!("\n{}\n", lines.join("\n"))
}

fn first_line(compiler: &str) -> String {
    let output = Command::new(compiler).arg("--version").output();
    let output = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let line = output.ok().and_then(|text| text.lines().next().map(str::to_owned));
    line.unwrap_or_else(|| format!("no {compiler}"))
}

/// With its version from Cargo.lock.
fn locked(package: &str) -> String {
    let lock = include_str!("../../../Cargo.lock");
    let version = lock
        .split_once(&format!("name = \"{package}\"\nversion = \""))
        .and_then(|(_, rest)| rest.split('"').next());
    format!("{package} {}", version.expect("it is a dependency"))
}
