//! Debounce and throttle: which of the events of a connection come to its handler, and when.
//!
//! A *window* opens with the first event. A debounce's window closes when no event came for a
//! while; a throttle's closes after a while whatever comes, and the next opens at once if there was
//! something to call the handler with. Whoever asks brings the time along, and closes a window that
//! has run out before the next event is taken.

use std::time::{Duration, Instant};

/// Where in its window a debounced or throttled handler is called: see
/// [`QueuedSlot::edges`](crate::generic::QueuedSlot::edges).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Edges {
    /// As it opens, with the event that opened it. Events that come meanwhile are passed over.
    Leading,
    /// As it closes, with the last event.
    Trailing,
    /// As it opens, and again as it closes if more events came.
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
    /// What the handler is called with as the window closes. None outside a window.
    held: Option<E>,
}

#[derive(Clone, Copy)]
enum Window {
    Shut,
    /// Closes at a time, or never: a time that the clock cannot tell does not come.
    Open(Option<Instant>),
}

/// The time of a run, looked up when it is first asked for.
pub(super) struct RunClock(pub(super) Option<Instant>);

impl RunClock {
    pub(super) fn now(&mut self) -> Instant {
        *self.0.get_or_insert_with(Instant::now)
    }
}

/// What becomes of an event.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Paced<E> {
    Call(E),
    /// Not now. It may have taken the place of another, which is to be dropped.
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

    /// The window closes; what the handler is to be called with.
    pub(super) fn close(&mut self, now: Instant) -> Option<E> {
        self.window = Window::Shut;
        let held = self.held.take();
        if held.is_some() && self.rule.kind == PaceKind::Throttle {
            self.open(now);
        }
        held
    }

    /// As if nothing had ever come. Gives what is to be dropped.
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

    /// The events at these times, and what is called when, a clock ticking by 1.
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
