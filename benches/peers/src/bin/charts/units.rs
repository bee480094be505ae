//! Formats numbers for readers.

use serde::Deserialize;

#[derive(Clone, Copy, PartialEq, Deserialize)]
pub(crate) enum Unit {
    Nanoseconds,
    Bytes,
    Multiples,
}

impl Unit {
    /// The size of the unit that suits a value of this size.
    fn scale(self, value: f64) -> (f64, &'static str) {
        match self {
            Unit::Nanoseconds if value >= 1e9 => (1e9, "s"),
            Unit::Nanoseconds if value >= 1e6 => (1e6, "ms"),
            Unit::Nanoseconds if value >= 1e3 => (1e3, "µs"),
            Unit::Nanoseconds => (1.0, "ns"),
            Unit::Bytes => (1.0, "B"),
            Unit::Multiples => (1.0, "×"),
        }
    }

    pub(crate) fn show(self, value: f64) -> String {
        let (scale, unit) = self.scale(value);
        format!("{} {unit}", digits(value / scale))
    }

    /// The value, and the range it lies in.
    pub(crate) fn show_within(self, low: f64, value: f64, high: f64) -> String {
        let (scale, _) = self.scale(value);
        format!("{} ({} to {})", self.show(value), digits(low / scale), digits(high / scale))
    }

    /// A round number on an axis.
    pub(crate) fn tick(self, value: f64) -> String {
        let (scale, unit) = self.scale(value);
        format!("{} {unit}", (value / scale * 1e3).round() / 1e3)
    }

    pub(crate) fn axis(self) -> &'static str {
        match self {
            Unit::Nanoseconds => "time (logarithmic); beside it: times the hand-written loop's",
            Unit::Multiples => "times what is done by hand; the bar is the budget",
            Unit::Bytes => "bytes (logarithmic); beside it: times the hand-written loop's",
        }
    }
}

/// Of allocations, after what they hold.
pub(crate) fn count(value: f64) -> String {
    let plural = if (0.995..1.005).contains(&value) { "" } else { "s" };
    let is_round = (value - value.round()).abs() < 0.005 || value > 10.0;
    let digits = if is_round { grouped(value.round() as usize) } else { digits(value) };
    format!(" in {digits} allocation{plural}")
}

pub(crate) fn ratio(value: f64) -> String {
    format!("{}×", digits(value))
}

/// Three of them: more than the measurement has.
fn digits(value: f64) -> String {
    match value {
        ..9.995 => format!("{value:.2}"),
        ..99.95 => format!("{value:.1}"),
        _ => grouped(value.round() as usize),
    }
}

pub(crate) fn grouped(value: usize) -> String {
    if value < 1_000 {
        return value.to_string();
    }
    format!("{},{:03}", grouped(value / 1_000), value % 1_000)
}
