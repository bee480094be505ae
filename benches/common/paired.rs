//! Compares the speed of two operations on a noisy machine. They alternate in short rounds, so most
//! noise affects both alike, and the median ignores the rest.

use super::loops::time;

pub(crate) const ROUNDS: usize = 151;

/// Long enough for the clock's resolution, short enough that most rounds are not interrupted.
const ROUND_NS: f64 = 50_000.0;

pub(crate) struct Paired {
    /// The median of the first time divided by the second.
    pub(crate) ratio: f64,
    /// The lower and upper quartile of the same.
    pub(crate) between: [f64; 2],
    pub(crate) first_ns: f64,
    pub(crate) second_ns: f64,
}

/// Each closure repeats its work this often. No round has fewer than `at_least` repetitions.
pub(crate) fn compare(
    at_least: u64,
    mut first: impl FnMut(u64),
    mut second: impl FnMut(u64),
) -> Paired {
    let first_count = repetitions(at_least, &mut first);
    let second_count = repetitions(at_least, &mut second);
    let first = || time_each(&mut first, first_count);
    let second = || time_each(&mut second, second_count);
    alternate(ROUNDS, first, second)
}

/// Each closure returns how many nanoseconds its work took. For work with a setup that is not
/// timed.
pub(crate) fn alternate(
    rounds: usize,
    mut first: impl FnMut() -> f64,
    mut second: impl FnMut() -> f64,
) -> Paired {
    let rounds: Vec<(f64, f64)> = (0..rounds).map(|_| (first(), second())).collect();
    let [low, ratio, high] = quartiles(rounds.iter().map(|(first, second)| first / second));
    let [_, first_ns, _] = quartiles(rounds.iter().map(|(first, _)| *first));
    let [_, second_ns, _] = quartiles(rounds.iter().map(|(_, second)| *second));
    Paired { ratio, between: [low, high], first_ns, second_ns }
}

fn time_each(work: &mut impl FnMut(u64), count: u64) -> f64 {
    time(|| work(count)).as_nanos() as f64 / count as f64
}

/// The number of repetitions that fill a round. Measuring it also warms up the caches.
fn repetitions(at_least: u64, work: &mut impl FnMut(u64)) -> u64 {
    let mut count = at_least.max(1);
    loop {
        let each = time_each(work, count);
        if each * count as f64 >= ROUND_NS {
            return at_least.max((ROUND_NS / each).ceil() as u64);
        }
        count *= 2;
    }
}

fn quartiles(values: impl Iterator<Item = f64>) -> [f64; 3] {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarters| values[values.len() * quarters / 4])
}
