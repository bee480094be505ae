//! Counts instructions with valgrind and compares them with a record: `cargo bench --bench
//! instructions`. Fails if a count has risen too far. `-- --record` writes a new record.
//!
//! It does not use `gungraun`, whose baselines are profiles below `target` instead of a file to
//! review and commit, and which needs many crates and an installed runner of the same version.

mod common;

use std::collections::BTreeMap;
use std::process::{Command, ExitCode};
use std::{env, fs};

use common::{Contender, Disconnect, Event, TrackedSignal, loops};
use sigwire::generic::{Connection, Flavor, Local, Shared};

/// How much a count may rise. Counts have no noise. This allows one or two more instructions in a
/// case of hundreds, but not one more for each slot, or in an emission to one slot.
const MOST_PERCENT: f64 = 0.5;

const RECORD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions.txt");
const ACCEPT: &str = "cargo bench --bench instructions -- --record";

/// The argument that makes this program the process whose instructions are counted.
const RUN: &str = "run";

type Signal<F> = sigwire::generic::Signal<Event, (), F>;

/// Sets up, then repeats an operation this often.
type Case = fn(u64);

fn cases() -> BTreeMap<String, Case> {
    let shared = flavor::<Shared>().map(|(name, case)| (format!("thread-safe: {name}"), case));
    let local = flavor::<Local>().map(|(name, case)| (format!("local: {name}"), case));
    let tracked = [
        ("emit, 1 slot", (|count| emit::<TrackedSignal>(1, count)) as Case),
        ("emit, 10 slots", |count| emit::<TrackedSignal>(10, count)),
        ("emit, 1000 slots", |count| emit::<TrackedSignal>(1_000, count)),
    ]
    .map(|(name, case)| (format!("tracked owners: {name}"), case));
    shared.into_iter().chain(local).chain(tracked).collect()
}

fn flavor<F>() -> [(&'static str, Case); 7]
where
    F: Flavor,
    Signal<F>: Contender<Connection = Connection<F>>,
{
    [
        ("emit, 0 slots, never connected", |count| {
            loops::emissions(&Signal::<F>::default(), count);
        }),
        ("emit, 0 slots, all disconnected", |count| {
            let mut signal = Signal::<F>::default();
            Contender::connect(&mut signal, &Default::default()).end();
            loops::emissions(&signal, count);
        }),
        ("emit, 1 slot", |count| emit::<Signal<F>>(1, count)),
        ("emit, 10 slots", |count| emit::<Signal<F>>(10, count)),
        ("emit, 1000 slots", |count| emit::<Signal<F>>(1_000, count)),
        ("connect + disconnect, 10 slots", |count| connect_disconnect::<Signal<F>>(10, count)),
        ("connect + disconnect, 1000 slots", |count| connect_disconnect::<Signal<F>>(1_000, count)),
    ]
}

fn emit<C: Contender>(slots: usize, count: u64) {
    let owners = C::owners(slots);
    loops::emissions(&C::connected(&owners), count);
}

fn connect_disconnect<C>(slots: usize, count: u64)
where
    C: Contender<Connection: Disconnect>,
{
    let owners = C::owners(slots);
    loops::connections(&mut C::connected(&owners), &owners[0], count);
}

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let told_to = |option: &str| args.iter().any(|arg| arg == option);
    if let [RUN, case, count] = args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        cases()[case](count.parse().expect("a count"));
    } else if !told_to("--bench") {
        println!("only what `cargo bench` builds is counted");
    } else if told_to("--record") {
        fs::write(RECORD, Counts::now().to_text()).expect("cannot write the record");
    } else if !Counts::now().keep_to(&Counts::on_record()) {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

struct Counts {
    compiler: String,
    /// The instructions per operation of each case.
    each: BTreeMap<String, u64>,
}

impl Counts {
    fn now() -> Self {
        let each = cases().into_keys().map(|case| {
            let count = instructions_each(&case);
            println!("{case:<50} {count:>10}");
            (case, count)
        });
        Counts { each: each.collect(), compiler: compiler() }
    }

    fn on_record() -> Self {
        let text = fs::read_to_string(RECORD)
            .unwrap_or_else(|error| panic!("no {RECORD}: {error}; make it with `{ACCEPT}`"));
        let mut lines = text.lines().filter(|line| !line.starts_with('#'));
        let compiler = lines.next().expect("the record begins with the compiler").to_owned();
        let each = lines.map(|line| {
            let (case, count) =
                line.split_once(" = ").expect("a line of the record is `case = count`");
            (case.to_owned(), count.parse().expect("a count on record is a number"))
        });
        Counts { each: each.collect(), compiler }
    }

    fn to_text(&self) -> String {
        let mut text =
            format!("# Instructions per operation, from `{ACCEPT}`\n{}\n", self.compiler);
        for (case, count) in &self.each {
            text += &format!("{case} = {count}\n");
        }
        text
    }

    /// Prints the differences from the record, and returns whether they are allowed.
    fn keep_to(&self, record: &Counts) -> bool {
        let mut failures = Vec::new();
        for (case, &is) in &self.each {
            let Some(&was) = record.each.get(case) else {
                failures.push(format!("{case}: {is}, and not on record"));
                continue;
            };
            let percent = (is as f64 / was as f64 - 1.0) * 100.0;
            let change = format!("{case}: {was} on record, {is} now, {percent:+.2} %");
            if percent > MOST_PERCENT {
                failures.push(format!("{change}, more than {MOST_PERCENT} %"));
            } else if percent < -MOST_PERCENT {
                println!("\n{change}. To keep it there: {ACCEPT}");
            }
        }
        for case in record.each.keys().filter(|case| !self.each.contains_key(*case)) {
            failures.push(format!("{case}: on record, and not counted any more"));
        }
        if self.compiler != record.compiler {
            let (now, then) = (&self.compiler, &record.compiler);
            println!("\n!!! COUNTED WITH {now}, RECORDED WITH {then}: COMPARED ALL THE SAME !!!");
        }
        for failure in &failures {
            println!("\nFAILED {failure}. If it must be: {ACCEPT}");
        }
        failures.is_empty()
    }
}

/// The difference between two runs, which excludes the setup and the start of the process. Rounded,
/// because the start depends on addresses and varies by about ten instructions.
fn instructions_each(case: &str) -> u64 {
    const OPERATIONS: u64 = 1_000;
    let (once, twice) = (instructions(case, OPERATIONS), instructions(case, 2 * OPERATIONS));
    (twice - once + OPERATIONS / 2) / OPERATIONS
}

/// The instructions of a process that runs the case.
fn instructions(case: &str, count: u64) -> u64 {
    let valgrind = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env::current_exe().expect("this program has a path"))
        .args([RUN, case, &count.to_string()])
        .output()
        .expect("cannot run valgrind: is it installed?");
    let report = String::from_utf8_lossy(&valgrind.stderr);
    let collected = report.lines().find_map(|line| line.split_once("Collected : "));
    match collected {
        Some((_, collected)) if valgrind.status.success() => collected.parse().expect("a number"),
        _ => panic!("valgrind did not count `{case}`:\n{report}"),
    }
}

fn compiler() -> String {
    let rustc = env::var_os("RUSTC").unwrap_or("rustc".into());
    let output = Command::new(rustc).arg("--version").output().expect("cannot ask the compiler");
    let version = String::from_utf8(output.stdout).expect("a version is text");
    format!("{} on {}", version.trim_end(), env::consts::ARCH)
}
