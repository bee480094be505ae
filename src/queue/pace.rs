//! Debounce and throttle: which of the events of a connection come to its handler, and when.
//!
//! A *window* opens with the first event. A debounce's window closes when no event came for a while; a
//! throttle's closes after a while whatever comes, and the next opens at once if there was something to
//! call the handler with. Whoever asks brings the time along, and closes a window that has run out before
//! the next event is taken: nothing here looks at a clock.

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
pub(super) enum Kind {
    Debounce,
    Throttle,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    pub(super) kind: Kind,
    pub(super) wait: Duration,
    pub(super) edges: Edges,
}

pub(super) struct Pace<E> {
    rule: Rule,
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

/// What becomes of an event.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken<E> {
    Call(E),
    /// Nothing for now. It may have taken another's place, which is to be dropped.
    Nothing(Option<E>),
}

impl<E> Pace<E> {
    pub(super) fn new(rule: Rule) -> Self {
        Pace { rule, window: Window::Shut, held: None }
    }

    /// When the window closes.
    pub(super) fn due(&self) -> Option<Instant> {
        match self.window {
            Window::Shut => None,
            Window::Open(due) => due,
        }
    }

    pub(super) fn take(&mut self, event: E, now: Instant) -> Taken<E> {
        let is_first = matches!(self.window, Window::Shut);
        if is_first || self.rule.kind == Kind::Debounce {
            self.open(now);
        }
        if is_first && self.rule.edges != Edges::Trailing {
            Taken::Call(event)
        } else if self.rule.edges == Edges::Leading {
            Taken::Nothing(Some(event))
        } else {
            Taken::Nothing(self.held.replace(event))
        }
    }

    /// The window closes; what the handler is to be called with.
    pub(super) fn close(&mut self, now: Instant) -> Option<E> {
        self.window = Window::Shut;
        let held = self.held.take();
        if held.is_some() && self.rule.kind == Kind::Throttle {
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
    fn called(kind: Kind, edges: Edges, events: &[u64]) -> Vec<(u64, u64)> {
        let start = Instant::now();
        let wait = Duration::from_millis(10);
        let mut pace = Pace::new(Rule { kind, wait, edges });
        let mut called = vec![];
        for tick in 0..100 {
            let now = start + Duration::from_millis(tick);
            if pace.due().is_some_and(|due| due <= now) {
                called.extend(pace.close(now).map(|event| (tick, event)));
            }
            if events.contains(&tick) {
                if let Taken::Call(event) = pace.take(tick, now) {
                    called.push((tick, event));
                }
            }
        }
        called
    }

    #[test]
    fn a_debounce_calls_once_for_a_burst_at_the_edges_it_was_told() {
        let events = [0, 5, 14, 50];
        let debounced = |edges| called(Kind::Debounce, edges, &events);
        assert_eq!(debounced(Edges::Trailing), [(24, 14), (60, 50)]);
        assert_eq!(debounced(Edges::Leading), [(0, 0), (50, 50)]);
        assert_eq!(debounced(Edges::Both), [(0, 0), (24, 14), (50, 50)]);
    }

    #[test]
    fn a_throttle_calls_at_most_once_in_each_interval_and_does_not_lose_the_last_event() {
        let events = [0, 5, 8, 14, 21, 50];
        let throttled = |edges| called(Kind::Throttle, edges, &events);
        assert_eq!(throttled(Edges::Both), [(0, 0), (10, 8), (20, 14), (30, 21), (50, 50)]);
        assert_eq!(throttled(Edges::Trailing), [(10, 8), (20, 14), (30, 21), (60, 50)]);
        assert_eq!(throttled(Edges::Leading), [(0, 0), (14, 14), (50, 50)]);
    }

    #[test]
    fn a_window_longer_than_the_clock_can_tell_stays_open() {
        let now = Instant::now();
        let rule = Rule { kind: Kind::Throttle, wait: Duration::MAX, edges: Edges::Both };
        let mut pace = Pace::new(rule);
        assert_eq!(pace.take(1, now), Taken::Call(1));
        assert_eq!(pace.take(2, now), Taken::Nothing(None));
        assert_eq!(pace.due(), None);
        assert_eq!(pace.take(3, now), Taken::Nothing(Some(2)));
        assert_eq!(pace.cancel(), Some(3));
        assert_eq!(pace.take(4, now), Taken::Call(4));
    }
}
