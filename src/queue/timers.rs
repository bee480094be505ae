//! The times at which the windows of a queue's debounces and throttles close.

use std::collections::BTreeSet;
use std::time::Instant;

use super::mailbox::MailboxKey;

/// An open window: when it closes, the number of its connection in the order of connecting, and the
/// connection's key. (The number is needed because keys are reused, so they do not tell the order.)
pub(super) type Timer = (Instant, u64, MailboxKey);

#[derive(Default)]
pub(super) struct Timers {
    open: BTreeSet<Timer>,
    /// How many open windows close at or before a time. With this, the next query, for a time a
    /// little later, does not count all windows again.
    counted: Option<(Instant, usize)>,
}

impl Timers {
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// The window that closes next, and when.
    pub(super) fn next(&self) -> Option<(Instant, MailboxKey)> {
        self.open.first().map(|(due, _, key)| (*due, *key))
    }

    pub(super) fn insert(&mut self, timer: Timer) {
        if self.open.insert(timer) {
            self.count(timer.0, |count| *count += 1);
        }
    }

    pub(super) fn remove(&mut self, timer: Timer) {
        if self.open.remove(&timer) {
            self.count(timer.0, |count| *count -= 1);
        }
    }

    fn count(&mut self, due: Instant, change: impl FnOnce(&mut usize)) {
        if let Some((until, count)) = &mut self.counted {
            if due <= *until {
                change(count);
            }
        }
    }

    /// How many windows close at or before `now`.
    pub(super) fn due(&mut self, now: Instant) -> usize {
        // Sorts after all windows that close at this time.
        let after = |time| (time, u64::MAX, MailboxKey::default());
        let count = match self.counted {
            Some((until, count)) if until <= now => {
                count + self.open.range(after(until)..after(now)).count()
            }
            _ => self.open.range(..after(now)).count(),
        };
        self.counted = Some((now, count));
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_is_due_is_counted_right_though_times_are_set_and_removed_between_and_the_clock_goes_back()
     {
        let (start, mut timers) = (Instant::now(), Timers::default());
        let at = |time: u64| start + Duration::from_millis(time);
        let mut set: Vec<u64> = Vec::new();
        let timer = |time, number| (at(time), number, MailboxKey::default());
        let mut random = 7_u64;
        for _ in 0..2000 {
            random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let (what, time) = (random >> 60, (random >> 33) % 20);
            match what {
                0..6 => {
                    timers.insert(timer(time, set.len() as u64));
                    set.push(time);
                }
                6..10 if !set.is_empty() => {
                    let time = set.pop().expect("it is not empty");
                    timers.remove(timer(time, set.len() as u64));
                }
                _ => {
                    let due = set.iter().filter(|due| **due <= time).count();
                    assert_eq!(timers.due(at(time)), due);
                }
            }
        }
    }
}
