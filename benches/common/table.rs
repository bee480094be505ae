//! Prints a table of measurements and their budgets.

use super::paired::Paired;

pub(crate) fn multiple(paired: Paired) -> (f64, String) {
    let Paired { ratio, first_ns, second_ns, .. } = paired;
    (ratio, format!("{first_ns:.1} ns beside {second_ns:.1} ns"))
}

pub(crate) fn nanoseconds(paired: Paired, yardstick: &str) -> (f64, String) {
    let Paired { ratio, first_ns, second_ns, .. } = paired;
    (first_ns, format!("{ratio:.2} x {yardstick} ({second_ns:.1} ns)"))
}

/// Prints a line for each cell as soon as it is measured.
pub(crate) struct Table {
    filter: Option<String>,
    pub(crate) flavor: &'static str,
}

impl Table {
    pub(crate) fn new() -> Self {
        // Options and their values are for other benches that the same command runs.
        let is_filter = |arg: &String| !arg.starts_with('-') && arg.parse::<f64>().is_err();
        let filter = std::env::args().skip(1).find(is_filter);
        line("cell", "measured", "budget", "", "for orientation");
        Table { filter, flavor: "" }
    }

    /// `measure` returns the measured value, and a note that explains it.
    pub(crate) fn cell(
        &self,
        name: &str,
        most: f64,
        unit: &str,
        measure: impl FnOnce() -> (f64, String),
    ) {
        let name = format!("{}: {name}", self.flavor);
        if self.filter.as_ref().is_some_and(|filter| !name.contains(filter.as_str())) {
            return;
        }
        let (measured, note) = measure();
        let verdict = match (measured <= most, most.is_finite()) {
            (true, true) => "ok",
            (true, false) => "",
            (false, _) => "OVER",
        };
        let with_unit = |value: f64| format!("{value:.2} {unit:2}");
        let budget = if most.is_finite() { with_unit(most) } else { String::new() };
        line(&name, &with_unit(measured), &budget, verdict, &note);
    }
}

fn line(cell: &str, measured: &str, budget: &str, verdict: &str, note: &str) {
    println!("{cell:<64} {measured:>10} {budget:>10}  {verdict:<4}  {note}");
}
