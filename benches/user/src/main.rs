//! Emissions as a user's program has them: what of sigwire is generic is compiled here, and the
//! rest there, each with the profile that this crate is built with. `./run` does it with both.
//!
//! `--lines=FILE` adds a line for each figure to that file, for the charts.

#[path = "../../common/mod.rs"]
mod common;

use std::fs::{File, OpenOptions};
use std::io::Write;

use common::paired::{Paired, compare};
use common::table::{Table, multiple};
use common::{Contender, Event, HandArc, HandRc, TrackedSignal, loops};

type Shared = sigwire::Signal<Event>;
type Local = sigwire::local::Signal<Event>;

/// How this crate is built.
const PROFILE: &str = if cfg!(debug_assertions) { "opt-level 0" } else { "release" };

/// The most that an emission to so many slots may take, beside the hand-written loop.
type Budgets = [(usize, Option<f64>); 3];

/// With the default release profile, and unoptimized.
struct Allowed {
    release: Budgets,
    debug: Budgets,
}

const SHARED: Allowed = Allowed {
    release: [(1, Some(1.5)), (10, None), (1_000, None)],
    debug: [(1, Some(3.0)), (10, None), (1_000, None)],
};
const TRACKED: Allowed =
    Allowed { release: [(1, Some(1.2)), (10, None), (1_000, None)], debug: SHARED.debug };
const LOCAL: Allowed =
    Allowed { release: [(1, Some(1.5)), (10, Some(1.2)), (1_000, Some(1.2))], debug: SHARED.debug };

fn main() {
    let lines =
        std::env::args().find_map(|argument| Some(argument.strip_prefix("--lines=")?.into()));
    let mut output = Output { table: Table::new(), lines: lines.map(opened) };
    output.table.flavor = PROFILE;
    emissions::<Shared, HandArc>(&mut output, "thread-safe", &SHARED);
    emissions::<TrackedSignal, HandArc>(&mut output, "tracked owners", &TRACKED);
    emissions::<Local, HandRc>(&mut output, "local", &LOCAL);
}

fn emissions<C: Contender, Hand: Contender>(output: &mut Output, name: &str, allowed: &Allowed) {
    let budgets = if cfg!(debug_assertions) { allowed.debug } else { allowed.release };
    for (slots, budget) in budgets {
        let (owners, hand_owners) = (C::owners(slots), Hand::owners(slots));
        let (measured, hand) = (C::connected(&owners), Hand::connected(&hand_owners));
        let paired = compare(
            1,
            |count| loops::emissions(&measured, count),
            |count| loops::emissions(&hand, count),
        );
        output.cell(name, slots, budget, paired);
    }
}

struct Output {
    table: Table,
    lines: Option<File>,
}

fn opened(path: String) -> File {
    OpenOptions::new().append(true).create(true).open(path).expect("the file can be written")
}

impl Output {
    fn cell(&mut self, name: &str, slots: usize, budget: Option<f64>, paired: Paired) {
        let plural = if slots == 1 { "" } else { "s" };
        let cell = format!("{name}, {} slot{plural}", grouped(slots));
        if let Some(lines) = &mut self.lines {
            let Paired { ratio, between: [low, high], first_ns, second_ns } = paired;
            let budget = budget.map_or("null".to_owned(), |budget| budget.to_string());
            let fields = [
                ("panel", format!("{:?}", format!("one emission, {PROFILE}"))),
                ("row", format!("{cell:?}")),
                ("ratio", ratio.to_string()),
                ("low", low.to_string()),
                ("high", high.to_string()),
                ("budget", budget),
                ("measured", first_ns.to_string()),
                ("by_hand", second_ns.to_string()),
                ("unit", "\"Nanoseconds\"".to_owned()),
            ];
            let fields = fields.map(|(name, value)| format!("{name:?}: {value}")).join(", ");
            writeln!(lines, "{{{fields}}}").expect("the file can be written");
        }
        self.table.cell(&cell, budget.unwrap_or(f64::INFINITY), "x", || multiple(paired));
    }
}

fn grouped(slots: usize) -> String {
    if slots < 1_000 {
        slots.to_string()
    } else {
        format!("{},{:03}", slots / 1_000, slots % 1_000)
    }
}
