//! Debounce and throttle: which events of a connection reach its handler, and when.
//!
//! A *window* opens with the first event. A debounce's window closes when no event has come for a
//! while. A throttle's window closes after a while, whatever comes; if the handler was called then,
//! the next window opens at once. The caller passes the current time, and closes a window that has
//! run out before it takes the next event.

use std::time::{Duration, Instant};

/// Where in the window a debounced or throttled handler is called: see
/// [`QueuedSlot::edges`](crate::generic::QueuedSlot::edges).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Edges {
    /// When the window opens, with the event that opened it. Events that come later in the window
    /// are passed over.
    Leading,
    /// When the window closes, with the last event.
    Trailing,
    /// When the window opens, and again when it closes if more events came.
    Both,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PaceKind {
    Debounce,
    Throttle,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct PaceRule {
    pub(super) kind: PaceKind,
    pub(super) wait: Duration,
    pub(super) edges: Edges,
}

pub(super) struct Pace<E> {
    rule: PaceRule,
    window: Window,
    /// The event with which the handler is called when the window closes. `None` outside a window.
    held: Option<E>,
}

#[derive(Clone, Copy)]
enum Window {
    Shut,
    /// Open until this time. `None` if the clock cannot represent the time: then the window never
    /// closes.
    Open(Option<Instant>),
}

/// The time of a run. The clock is read when the time is first needed.
pub(super) struct RunClock(pub(super) Option<Instant>);

impl RunClock {
    pub(super) fn now(&mut self) -> Instant {
        *self.0.get_or_insert_with(Instant::now)
    }
}

/// What happens to an event.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Paced<E> {
    Call(E),
    /// The handler is not called now. The event to drop, if there is one: the event itself, or the
    /// one it replaced.
    NotNow(Option<E>),
}

impl<E> Pace<E> {
    pub(super) fn new(rule: PaceRule) -> Self {
        Pace { rule, window: Window::Shut, held: None }
    }

    /// When the window closes.
    pub(super) fn due(&self) -> Option<Instant> {
        match self.window {
            Window::Shut => None,
            Window::Open(due) => due,
        }
    }

    pub(super) fn take(&mut self, event: E, now: Instant) -> Paced<E> {
        let is_first = matches!(self.window, Window::Shut);
        if is_first || self.rule.kind == PaceKind::Debounce {
            self.open(now);
        }
        if is_first && self.rule.edges != Edges::Trailing {
            Paced::Call(event)
        } else if self.rule.edges == Edges::Leading {
            Paced::NotNow(Some(event))
        } else {
            Paced::NotNow(self.held.replace(event))
        }
    }

    /// Closes the window. Returns the event with which the handler must be called.
    pub(super) fn close(&mut self, now: Instant) -> Option<E> {
        self.window = Window::Shut;
        let held = self.held.take();
        if held.is_some() && self.rule.kind == PaceKind::Throttle {
            self.open(now);
        }
        held
    }

    /// Resets the state, as if no event had come. Returns the event to drop.
    pub(super) fn cancel(&mut self) -> Option<E> {
        self.window = Window::Shut;
        self.held.take()
    }

    fn open(&mut self, now: Instant) {
        self.window = Window::Open(now.checked_add(self.rule.wait));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends events at these times with a clock that ticks by 1. Returns the time and event of each
    /// call.
    fn called(kind: PaceKind, edges: Edges, events: &[u64]) -> Vec<(u64, u64)> {
        let start = Instant::now();
        let wait = Duration::from_millis(10);
        let mut pace = Pace::new(PaceRule { kind, wait, edges });
        let mut called = vec![];
        for tick in 0..100 {
            let now = start + Duration::from_millis(tick);
            if pace.due().is_some_and(|due| due <= now) {
                called.extend(pace.close(now).map(|event| (tick, event)));
            }
            if events.contains(&tick) {
                if let Paced::Call(event) = pace.take(tick, now) {
                    called.push((tick, event));
                }
            }
        }
        called
    }

    #[test]
    fn a_debounce_calls_once_for_a_burst_at_the_edges_it_was_told() {
        let events = [0, 5, 14, 50];
        let debounced = |edges| called(PaceKind::Debounce, edges, &events);
        assert_eq!(debounced(Edges::Trailing), [(24, 14), (60, 50)]);
        assert_eq!(debounced(Edges::Leading), [(0, 0), (50, 50)]);
        assert_eq!(debounced(Edges::Both), [(0, 0), (24, 14), (50, 50)]);
    }

    #[test]
    fn a_throttle_calls_at_most_once_in_each_interval_and_does_not_lose_the_last_event() {
        let events = [0, 5, 8, 14, 21, 50];
        let throttled = |edges| called(PaceKind::Throttle, edges, &events);
        assert_eq!(throttled(Edges::Both), [(0, 0), (10, 8), (20, 14), (30, 21), (50, 50)]);
        assert_eq!(throttled(Edges::Trailing), [(10, 8), (20, 14), (30, 21), (60, 50)]);
        assert_eq!(throttled(Edges::Leading), [(0, 0), (14, 14), (50, 50)]);
    }

    #[test]
    fn a_window_longer_than_the_clock_can_tell_stays_open() {
        let now = Instant::now();
        let rule = PaceRule { kind: PaceKind::Throttle, wait: Duration::MAX, edges: Edges::Both };
        let mut pace = Pace::new(rule);
        assert_eq!(pace.take(1, now), Paced::Call(1));
        assert_eq!(pace.take(2, now), Paced::NotNow(None));
        assert_eq!(pace.due(), None);
        assert_eq!(pace.take(3, now), Paced::NotNow(Some(2)));
        assert_eq!(pace.cancel(), Some(3));
        assert_eq!(pace.take(4, now), Paced::Call(4));
    }
}
