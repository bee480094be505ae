//! Draws the charts and fills in the tables of the page, from what the benches have left:
//! `charts DATA PAGE CHARTS`, with criterion's folder, the Markdown file and a folder for the charts.

mod chart;
mod data;
mod field;
mod machine;
mod page;
mod units;

use std::path::PathBuf;
use std::{env, fs};

use data::{Cell, Data};
use field::Entrant;
use page::Page;
use units::Unit;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// A table and a chart of the page. `name` is that of the markers and of the file.
struct Section {
    name: &'static str,
    /// Of criterion.
    group: &'static str,
    title: &'static str,
    slots: &'static [usize],
}

const SECTIONS: [Section; 4] = [
    Section { name: "emit", group: "emit", title: "one emission to", slots: &[0, 1, 10, 1_000] },
    Section {
        name: "connect",
        group: "connect, disconnect",
        title: "connect and disconnect, beside",
        slots: &[10, 10_000],
    },
    Section {
        name: "churn",
        group: "connect, emit, disconnect",
        title: "connect, emit and disconnect, beside",
        slots: &[1_000],
    },
    Section {
        name: "threads",
        group: "emit on two threads",
        title: "two threads at it, each emission to",
        slots: &[10, 1_000],
    },
];

/// What a chart and a table show of one workload.
struct Panel {
    title: String,
    slots: usize,
    unit: Unit,
    /// `None` for what was not measured.
    cells: Vec<Option<Shown>>,
}

struct Shown {
    low: f64,
    median: f64,
    high: f64,
    ratio: f64,
}

fn main() -> Outcome<()> {
    let arguments: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    let [data, page, charts] = &arguments[..] else {
        return Err("usage: charts DATA PAGE CHARTS".into());
    };
    let data = Data::read(data)?;
    let mut page = Page::read(page)?;
    fs::create_dir_all(charts)?;

    page.fill("machine", &machine::description(data.rounds()))?;
    let everyone = field::everyone();
    for section in &SECTIONS {
        let threads = section.name == "threads";
        let field: Vec<_> = everyone.iter().filter(|e| !threads || e.on_two_threads).collect();
        let panels: Vec<_> =
            section.slots.iter().map(|slots| timings(section, *slots, &field, &data)).collect();
        page.fill(section.name, &page::table(&field, &panels, section.name == "emit"))?;
        chart::draw(&charts.join(section.name).with_extension("svg"), &field, &panels)?;
    }
    let field: Vec<_> = everyone.iter().collect();
    let panels = [heap(&field, &data)];
    page.fill("heap", &page::table(&field, &panels, false))?;
    chart::draw(&charts.join("heap.svg"), &field, &panels)?;
    page.write()
}

fn timings(section: &Section, slots: usize, field: &[&Entrant], data: &Data) -> Panel {
    let cell = |name| data.cell(section.group, slots, name);
    let shown = |entrant: &&Entrant| {
        let ratio = cell(entrant.name)?.ratio(cell(entrant.compared_with)?);
        let [low, median, high] = cell(entrant.name).map(Cell::quartiles)?;
        Some(Shown { low, median, high, ratio })
    };
    let plural = if slots == 1 { "slot" } else { "slots" };
    Panel {
        title: format!("{} {} {plural}", section.title, units::grouped(slots)),
        slots,
        unit: Unit::Nanoseconds,
        cells: field.iter().map(shown).collect(),
    }
}

fn heap(field: &[&Entrant], data: &Data) -> Panel {
    let slots = 10_000;
    let shown = |entrant: &&Entrant| {
        let bytes = *data.heap.get(entrant.name)?;
        let ratio = bytes / data.heap.get(entrant.compared_with)?;
        Some(Shown { low: bytes, median: bytes, high: bytes, ratio })
    };
    Panel {
        title: format!("heap for each of {} connections", units::grouped(slots)),
        slots,
        unit: Unit::Bytes,
        cells: field.iter().map(shown).collect(),
    }
}
