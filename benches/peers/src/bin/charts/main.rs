//! Draws the charts and fills in the tables of the page from the results of the benches: `charts
//! DATA PAGE CHARTS`, where `DATA` is criterion's folder, `PAGE` the Markdown file and `CHARTS` a
//! folder for the charts. Parts that were not measured stay on the page as they are.

mod chart;
mod data;
mod field;
mod machine;
mod page;
mod units;

use std::path::{Path, PathBuf};
use std::{env, fs};

use data::{Cell, Data, Multiple};
use field::{Entrant, Row};
use page::Page;
use units::Unit;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// A table and a chart of the page. `name` is the name of the markers and of the file.
struct Section {
    name: &'static str,
    /// The contenders in it.
    field: fn(&Entrant) -> bool,
    /// The contender of whose figures those of an entrant are multiples.
    yardstick: fn(&Entrant) -> &'static str,
    workloads: &'static [Workload],
}

struct Workload {
    title: &'static str,
    /// Of criterion.
    group: &'static str,
    slots: usize,
}

const fn workload(title: &'static str, group: &'static str, slots: usize) -> Workload {
    Workload { title, group, slots }
}

const SECTIONS: [Section; 5] = [
    Section {
        name: "emit",
        field: |_| true,
        yardstick: Entrant::list,
        workloads: &[
            workload("one emission to 0 slots", "emit", 0),
            workload("one emission to 1 slot", "emit", 1),
            workload("one emission to 10 slots", "emit", 10),
            workload("one emission to 1,000 slots", "emit", 1_000),
        ],
    },
    Section {
        name: "shapes",
        field: |entrant| entrant.stands_alone,
        yardstick: Entrant::shared_list,
        workloads: &[
            workload("one cold emission to 1 slot", "cold emission", 1),
            workload("one cold emission to 3 slots", "cold emission", 3),
            workload("first connect to a new signal", "first connect", 1),
            workload("a signal is made, connected once, dropped", "new, connect, drop", 1),
        ],
    },
    Section {
        name: "connect",
        field: |_| true,
        yardstick: Entrant::list,
        workloads: &[
            workload("connect and disconnect, beside 10 slots", "connect, disconnect", 10),
            workload("connect and disconnect, beside 10,000 slots", "connect, disconnect", 10_000),
        ],
    },
    Section {
        name: "churn",
        field: |_| true,
        yardstick: Entrant::list,
        workloads: &[workload(
            "connect, emit and disconnect, beside 1,000 slots",
            "connect, emit, disconnect",
            1_000,
        )],
    },
    Section {
        name: "threads",
        field: |entrant| entrant.on_two_threads,
        yardstick: Entrant::list,
        workloads: &[
            workload("two threads at it, each emission to 10 slots", "emit on two threads", 10),
            workload(
                "two threads at it, each emission to 1,000 slots",
                "emit on two threads",
                1_000,
            ),
        ],
    },
];

const HEAP: [(&str, usize); 4] = [
    ("heap of a signal with 1 slot", 1),
    ("heap of a signal with 3 slots", 3),
    ("heap of a signal with 10 slots", 10),
    ("heap for each of 10,000 connections", 10_000),
];

/// The part of a chart and a table about one workload.
struct Panel {
    title: String,
    slots: usize,
    unit: Unit,
    /// `None` if it was not measured.
    cells: Vec<Option<Shown>>,
}

struct Shown {
    low: f64,
    median: f64,
    high: f64,
    budget: Option<f64>,
    /// In the chart.
    beside: String,
    /// In the table.
    cell: String,
}

fn main() -> Outcome<()> {
    let arguments: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    let [data, page, charts] = &arguments[..] else {
        return Err("usage: charts DATA PAGE CHARTS".into());
    };
    let data = Data::read(data)?;
    let mut page = Page::read(page)?;
    fs::create_dir_all(charts)?;

    let everyone = field::everyone();
    if data.rounds() > 0 {
        page.fill("machine", &machine::description(data.rounds()))?;
        for section in &SECTIONS {
            let field: Vec<_> =
                everyone.iter().filter(|entrant| (section.field)(entrant)).collect();
            let panels: Vec<_> = section
                .workloads
                .iter()
                .map(|workload| timings(section, workload, &field, &data))
                .collect();
            show(section.name, &rows(&field), &panels, &mut page, charts)?;
        }
    }
    if !data.heap.is_empty() {
        let field: Vec<_> = everyone.iter().collect();
        let panels = HEAP.map(|(title, slots)| heap(title, slots, &field, &data));
        show("heap", &rows(&field), &panels, &mut page, charts)?;
    }
    for (name, multiples) in [("build", &data.build), ("user", &data.user)] {
        if !multiples.is_empty() {
            let (rows, panels) = panels_of(multiples);
            show(name, &rows, &panels, &mut page, charts)?;
        }
    }
    page.write()
}

fn show(name: &str, rows: &[Row], panels: &[Panel], page: &mut Page, charts: &Path) -> Outcome<()> {
    page.fill(name, &page::table(rows, panels, name == "emit"))?;
    chart::draw(&charts.join(name).with_extension("svg"), rows, panels)
}

fn rows(field: &[&Entrant]) -> Vec<Row> {
    field.iter().map(|entrant| entrant.row()).collect()
}

fn timings(section: &Section, workload: &Workload, field: &[&Entrant], data: &Data) -> Panel {
    let unit = Unit::Nanoseconds;
    let cell = |name| data.cell(workload.group, workload.slots, name);
    let shown = |entrant: &&Entrant| {
        let ratio = cell(entrant.name)?.ratio(cell((section.yardstick)(entrant))?);
        let [low, median, high] = cell(entrant.name).map(Cell::quartiles)?;
        let ratio = units::ratio(ratio);
        Some(Shown {
            low,
            median,
            high,
            budget: None,
            beside: format!("{} · {ratio}", unit.show(median)),
            cell: format!("**{ratio}** {}", unit.show_within(low, median, high)),
        })
    };
    Panel {
        title: workload.title.to_owned(),
        slots: workload.slots,
        unit,
        cells: field.iter().map(shown).collect(),
    }
}

fn heap(title: &str, slots: usize, field: &[&Entrant], data: &Data) -> Panel {
    let unit = Unit::Bytes;
    let cell = |name: &str| data.heap.get(name)?.get(&slots).copied();
    let shown = |entrant: &&Entrant| {
        let [bytes, allocations] = cell(entrant.name)?;
        let ratio = units::ratio(bytes / cell(entrant.list())?[0]);
        let figure = unit.show(bytes);
        // Of those that grow a list by doubling there are next to none.
        let often = if allocations < 0.5 { String::new() } else { units::count(allocations) };
        Some(Shown {
            low: bytes,
            median: bytes,
            high: bytes,
            budget: None,
            beside: format!("{figure} · {ratio}"),
            cell: format!("**{ratio}** {figure}{often}"),
        })
    };
    Panel { title: title.to_owned(), slots, unit, cells: field.iter().map(shown).collect() }
}

/// Rows and panels in the order in which they first come.
fn panels_of(multiples: &[Multiple]) -> (Vec<Row>, Vec<Panel>) {
    let names = in_order(multiples, |it| &it.row);
    let shown = |panel: &str, row: &str| {
        let it = multiples.iter().rfind(|it| it.panel == panel && it.row == row)?;
        let ratio = units::ratio(it.ratio);
        let [measured, by_hand] = [it.measured, it.by_hand].map(|value| it.unit.show(value));
        let budget = it.budget.map_or(String::new(), |most| {
            let over = if it.ratio > most { ", over" } else { "" };
            format!("; budget {}{over}", units::ratio(most))
        });
        Some(Shown {
            low: it.low,
            median: it.ratio,
            high: it.high,
            budget: it.budget,
            beside: format!("{ratio} · {measured}"),
            cell: format!("**{ratio}** {measured} beside {by_hand}{budget}"),
        })
    };
    let panels = in_order(multiples, |it| &it.panel)
        .into_iter()
        .map(|title| Panel {
            cells: names.iter().map(|row| shown(title, row)).collect(),
            title: title.to_owned(),
            slots: 0,
            unit: Unit::Multiples,
        })
        .collect();
    (names.into_iter().map(Row::ours).collect(), panels)
}

fn in_order(multiples: &[Multiple], name: fn(&Multiple) -> &String) -> Vec<&str> {
    let mut names = Vec::new();
    for multiple in multiples {
        let name = name(multiple).as_str();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
