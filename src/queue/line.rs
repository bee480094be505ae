//! The two halves of a connection in its queue. Its *mail*, events that wait, is under the queue's lock.
//! Its *course*, events whose turn has come and what to call with them, is taken along by the run while
//! it calls the handler, without the lock.

use core::sync::atomic::Ordering;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use super::first_panic::FirstPanic;
use super::home::Home;
use super::pace::{Pace, Taken};
use super::run::Clock;
use crate::connection::Connection;
use crate::family::Shared;
use crate::raw::{Ward, Warded};
use crate::state::{SlotState, StateCell};

/// What a queue has of one connection.
pub(super) struct Line<H: Home> {
    pub(super) mail: Arc<dyn Mail>,
    /// It is debounced or throttled.
    pub(super) is_paced: bool,
    /// Its next event is taken right before its call: it is paced, or at most one event of it waits.
    pub(super) comes_alone: bool,
    /// None while a run has taken it.
    pub(super) course: Option<Box<dyn Course<H>>>,
    /// Then: the place of the course in the run's batch.
    pub(super) at: u32,
    pub(super) connection: Connection<Shared>,
    /// Of its method.
    pub(super) key: H::Key,
    /// How many were connected before it.
    pub(super) number: u64,
    /// When its window closes, as the queue's timers know it.
    pub(super) timer: Option<Instant>,
    /// How many of its first turns are of events that were flushed or cancelled, and call nothing.
    pub(super) void: usize,
    /// How many of its first events the flush that is under way still has to take.
    pub(super) in_flush: usize,
}

impl<H: Home> Line<H> {
    /// The connection ends. The result is what waited.
    pub(super) fn end(&self, ward: &mut Ward) -> Box<dyn Send> {
        self.mail.end(ward);
        self.mail.take_all(ward).0
    }

    /// A turn of it comes up, or is dropped; whether there is an event that has this turn.
    pub(super) fn ends_turn(&mut self) -> bool {
        let is_void = self.void > 0;
        self.void -= usize::from(is_void);
        !is_void
    }

    /// Whoever took the event whose turn is first. Not the flush: its turns stay.
    pub(super) fn take_oldest(&mut self, ward: &mut Ward) -> Option<Box<dyn Send>> {
        self.in_flush = self.in_flush.saturating_sub(1);
        self.mail.take_oldest(ward)
    }

    /// Takes out everything, and says how many there were. Their turns stay.
    pub(super) fn cancel(&mut self, ward: &mut Ward) -> (usize, Box<dyn Send>) {
        let waited = self.mail.len(ward);
        self.void += waited;
        self.in_flush = 0;
        let (events, was_held) = self.mail.take_all(ward);
        (waited + usize::from(was_held), events)
    }
}

/// Events of one connection, whatever their type.
pub(super) trait Mail: Send + Sync {
    fn len(&self, ward: &mut Ward) -> usize;
    /// When the window closes, of a debounce or throttle.
    fn due(&self, ward: &mut Ward) -> Option<Instant>;
    /// Takes out the event that has waited longest.
    fn take_oldest(&self, ward: &mut Ward) -> Option<Box<dyn Send>>;
    /// And the one that came last.
    fn take_newest(&self, ward: &mut Ward) -> Option<Box<dyn Send>>;
    /// Takes out everything but the event that came last, and says how many they were.
    fn take_older(&self, ward: &mut Ward) -> (usize, Box<dyn Send>);
    /// Takes out everything, what a debounce or throttle holds back included, and says whether one was.
    fn take_all(&self, ward: &mut Ward) -> (Box<dyn Send>, bool);
    /// From now on nothing comes in.
    fn end(&self, ward: &mut Ward);
}

pub(super) struct Events<E> {
    pub(super) waiting: VecDeque<E>,
    pub(super) pace: Option<Pace<E>>,
    /// The connection has ended.
    pub(super) is_over: bool,
}

impl<E: Send + 'static> Mail for Warded<Events<E>> {
    fn len(&self, ward: &mut Ward) -> usize {
        ward.open(self).waiting.len()
    }
    fn due(&self, ward: &mut Ward) -> Option<Instant> {
        ward.open(self).pace.as_ref().and_then(Pace::due)
    }
    fn take_oldest(&self, ward: &mut Ward) -> Option<Box<dyn Send>> {
        Some(Box::new(ward.open(self).waiting.pop_front()?))
    }
    fn take_newest(&self, ward: &mut Ward) -> Option<Box<dyn Send>> {
        Some(Box::new(ward.open(self).waiting.pop_back()?))
    }
    fn take_older(&self, ward: &mut Ward) -> (usize, Box<dyn Send>) {
        let waiting = &mut ward.open(self).waiting;
        let newest = waiting.len().saturating_sub(1);
        let newest = waiting.split_off(newest);
        let older = std::mem::replace(waiting, newest);
        (older.len(), Box::new(older))
    }
    fn take_all(&self, ward: &mut Ward) -> (Box<dyn Send>, bool) {
        let Events { waiting, pace, .. } = ward.open(self);
        let held = pace.as_mut().and_then(Pace::cancel);
        let was_held = held.is_some();
        (Box::new((std::mem::take(waiting), held)), was_held)
    }
    fn end(&self, ward: &mut Ward) {
        ward.open(self).is_over = true;
    }
}

/// How a run goes on with one connection.
pub(super) trait Course<H: Home>: Send {
    /// Takes over the next `count` events, which wait.
    fn take(&mut self, ward: &mut Ward, count: usize);
    /// Takes over the next event, if it is to be delivered now at all. Asks for the time only if that
    /// decides.
    fn take_one(&mut self, ward: &mut Ward, clock: &mut Clock);
    /// Takes over what the window closes with.
    fn close_window(&mut self, ward: &mut Ward, now: Instant);
    /// Gives back what was not delivered, and says how many that is.
    fn give_back(&mut self, ward: &mut Ward) -> usize;
    /// How many events it has taken over.
    fn len(&self) -> usize;
    /// Drops what is not to be delivered, and looks after the owner if nothing is.
    fn look_after(&mut self, methods: &H::Methods);
    /// Calls the handler with the next event; false if it must not be called.
    fn deliver(&mut self, methods: &H::Methods) -> bool;
}

/// Whether a slot may be called now, however long ago its event was emitted.
pub(super) struct Gate {
    /// What the signal's own entry of the slot says.
    pub(super) state: Arc<StateCell<Shared>>,
    pub(super) connection: Connection<Shared>,
}

impl Gate {
    #[inline]
    fn is_open(&self) -> bool {
        match self.state.load(Ordering::Acquire) {
            SlotState::Call => true,
            SlotState::Gone => false,
            SlotState::Ask | SlotState::Incomplete => !self.connection.is_silenced(),
        }
    }
}

pub(super) struct Handler<E: 'static, H: Home> {
    pub(super) mail: Arc<Warded<Events<E>>>,
    pub(super) ready: VecDeque<E>,
    /// Events that are not to be delivered.
    pub(super) spent: Vec<E>,
    pub(super) kept: H::Kept<E>,
    pub(super) gate: Gate,
    pub(super) calls_left: Option<usize>,
}

impl<E: 'static, H: Home> Handler<E, H> {
    /// Ends the connection if its owner is gone and emitting threads cannot tell.
    #[cold]
    #[inline(never)]
    fn end_with_owner(&self, methods: &H::Methods) {
        if H::is_gone(methods, &self.kept) {
            self.gate.connection.disconnect();
        }
    }
}

impl<E: Send + 'static, H: Home> Course<H> for Handler<E, H> {
    fn take(&mut self, ward: &mut Ward, count: usize) {
        let waiting = &mut ward.open(&self.mail).waiting;
        if count == waiting.len() {
            std::mem::swap(waiting, &mut self.ready);
        } else {
            self.ready.extend(waiting.drain(..count));
        }
    }

    fn take_one(&mut self, ward: &mut Ward, clock: &mut Clock) {
        let Events { waiting, pace, .. } = ward.open(&self.mail);
        let Some(event) = waiting.pop_front() else { return };
        let taken = match pace {
            None => Taken::Call(event),
            Some(pace) => pace.take(event, clock.now()),
        };
        match taken {
            Taken::Call(event) => self.ready.push_back(event),
            Taken::Nothing(dropped) => self.spent.extend(dropped),
        }
    }

    fn close_window(&mut self, ward: &mut Ward, now: Instant) {
        let pace = ward.open(&self.mail).pace.as_mut();
        self.ready.extend(pace.and_then(|pace| pace.close(now)));
    }

    fn give_back(&mut self, ward: &mut Ward) -> usize {
        let waiting = &mut ward.open(&self.mail).waiting;
        let count = self.ready.len();
        while let Some(event) = self.ready.pop_back() {
            waiting.push_front(event);
        }
        count
    }

    fn len(&self) -> usize {
        self.ready.len()
    }

    fn look_after(&mut self, methods: &H::Methods) {
        self.spent.clear();
        if self.ready.is_empty() {
            self.end_with_owner(methods);
        }
    }

    fn deliver(&mut self, methods: &H::Methods) -> bool {
        let Some(event) = self.ready.pop_front() else { return false };
        if !self.gate.is_open() {
            self.end_with_owner(methods);
            return false;
        }
        let mut is_last = false;
        if let Some(left) = &mut self.calls_left {
            if *left == 0 || !H::is_alive(methods, &self.kept) {
                self.end_with_owner(methods);
                return false;
            }
            *left -= 1;
            is_last = *left == 0;
        }
        let connection = &self.gate.connection;
        // What waits for a slot that has no calls left is dropped, and that may panic. It is called all
        // the same.
        let first = FirstPanic::default();
        let claim = || {
            if is_last {
                first.catch(|| _ = connection.disconnect());
            }
        };
        let mut was_called = false;
        let mut call = || was_called = H::call(methods, &self.kept, &event, claim).is_some();
        if is_last {
            first.catch(call);
        } else {
            call();
        }
        if !was_called {
            self.end_with_owner(methods);
        }
        first.resume();
        was_called
    }
}
