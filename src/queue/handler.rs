//! The handler of one connection: its method, and the events whose turn has come. A run takes the
//! handler out of its mailbox, and so calls it without the lock.

use core::any::Any;
use core::sync::atomic::Ordering;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use super::first_panic::FirstPanic;
use super::flavor::QueueFlavor;
use super::inbox::{AnyInbox, Discarded};
use super::pace::{Paced, RunClock};
use crate::raw::Shared;
use crate::raw::{SlotState, StateCell};
use crate::slots::Connection;

pub(super) struct QueuedHandler<E: 'static, H: QueueFlavor> {
    pub(super) method: H::Method<E>,
    pub(super) connection: Connection<Shared>,
    /// The state of the slot's entry in the signal. It says whether the slot may be called now,
    /// however long ago its event was emitted.
    pub(super) gate: Arc<StateCell<Shared>>,
    /// `usize::MAX` means no limit.
    pub(super) calls_left: usize,
    /// Created when the first event comes.
    pub(super) in_flight: Option<Box<InFlight<E>>>,
}

pub(super) struct InFlight<E> {
    /// Events whose turn has come.
    ready: VecDeque<E>,
    /// The only event in `ready` must not be delivered. It is there so that it is dropped without
    /// the lock.
    is_passed_over: bool,
}

impl<E> Default for InFlight<E> {
    fn default() -> Self {
        InFlight { ready: VecDeque::new(), is_passed_over: false }
    }
}

/// A [`QueuedHandler`] with its event type erased.
pub(super) trait AnyHandler<H: QueueFlavor>: Send {
    fn connection(&self) -> &Connection<Shared>;
    /// Takes the next `count` events from the inbox.
    fn take(&mut self, inbox: &mut dyn AnyInbox, count: usize);
    /// Takes the next event. Reads the clock only if a debounce or throttle needs the time.
    fn take_one(&mut self, inbox: &mut dyn AnyInbox, clock: &mut RunClock);
    /// Closes the window, and takes the event that was held back until then.
    fn close_window(&mut self, inbox: &mut dyn AnyInbox, now: Instant);
    /// Gives back the events that were not delivered, and returns how many they are.
    fn give_back(&mut self, inbox: &mut dyn AnyInbox) -> usize;
    /// How many events remain to be delivered.
    fn count(&self) -> usize;
    /// Takes out all events, because the connection has ended.
    fn take_all(&mut self) -> Discarded;
    /// Called for a batch of this connection alone. If there is nothing to deliver, drops the event
    /// that was passed over, and ends the connection if its owner is gone.
    fn tidy(&mut self, loop_side: &H::LoopSide);
    /// Calls the method with the next event. Returns false if the method was not called.
    fn call_next(&mut self, loop_side: &H::LoopSide) -> bool;
    /// Whether the owner is gone for good, where only the loop's thread can see that.
    fn is_gone(&mut self, loop_side: &H::LoopSide) -> bool;
    /// Turns it into a value that can be dropped on this thread: see [`QueueFlavor::release`].
    fn release(self: Box<Self>, loop_side: &H::LoopSide) -> Box<dyn Any>;
}

impl<E: Send + 'static, H: QueueFlavor> QueuedHandler<E, H> {
    #[inline]
    fn in_flight(&mut self) -> &mut InFlight<E> {
        self.in_flight.get_or_insert_default()
    }

    #[inline]
    fn is_open(&self) -> bool {
        match self.gate.load(Ordering::Acquire) {
            SlotState::Call => true,
            SlotState::Gone => false,
            SlotState::Ask | SlotState::Incomplete => !self.connection.is_silenced(),
        }
    }

    fn call(&mut self, loop_side: &H::LoopSide, event: &E) -> bool {
        if self.calls_left < usize::MAX {
            if self.calls_left == 0 || !H::is_alive(loop_side, &self.method) {
                return false;
            }
            self.calls_left -= 1;
            if self.calls_left == 0 {
                return self.call_last(loop_side, event);
            }
        }
        H::call(loop_side, &mut self.method, event).is_some()
    }

    /// Disconnects first, and then calls the method. Disconnecting drops the events that wait for
    /// this slot, which may panic; the method is called even then.
    #[cold]
    #[inline(never)]
    fn call_last(&mut self, loop_side: &H::LoopSide, event: &E) -> bool {
        let first = FirstPanic::default();
        let mut was_called = false;
        first.catch(|| _ = self.connection.disconnect());
        first.catch(|| was_called = H::call(loop_side, &mut self.method, event).is_some());
        first.resume();
        was_called
    }

    /// Ends the connection if its owner is gone, where emitting threads cannot see that.
    #[cold]
    #[inline(never)]
    fn end_if_gone(&mut self, loop_side: &H::LoopSide) {
        if H::is_gone(loop_side, &mut self.method) {
            self.connection.disconnect();
        }
    }
}

impl<E: Send + 'static, H: QueueFlavor> AnyHandler<H> for QueuedHandler<E, H> {
    fn connection(&self) -> &Connection<Shared> {
        &self.connection
    }

    fn take(&mut self, inbox: &mut dyn AnyInbox, count: usize) {
        let (events, ready) = (&mut inbox.of::<E>().events, &mut self.in_flight().ready);
        if count == events.len() {
            std::mem::swap(events, ready);
        } else {
            ready.extend(events.drain(..count));
        }
    }

    fn take_one(&mut self, inbox: &mut dyn AnyInbox, clock: &mut RunClock) {
        let inbox = inbox.of::<E>();
        let Some(event) = inbox.events.pop_front() else { return };
        let paced = match &mut inbox.pace {
            None => Paced::Call(event),
            Some(pace) => pace.take(event, clock.now()),
        };
        let InFlight { ready, is_passed_over } = self.in_flight();
        match paced {
            Paced::Call(event) => ready.push_back(event),
            Paced::NotNow(dropped) => {
                *is_passed_over = dropped.is_some();
                ready.extend(dropped);
            }
        }
    }

    fn close_window(&mut self, inbox: &mut dyn AnyInbox, now: Instant) {
        let pace = inbox.of::<E>().pace.as_mut();
        self.in_flight().ready.extend(pace.and_then(|pace| pace.close(now)));
    }

    fn give_back(&mut self, inbox: &mut dyn AnyInbox) -> usize {
        let (events, ready) = (&mut inbox.of::<E>().events, &mut self.in_flight().ready);
        let count = ready.len();
        while let Some(event) = ready.pop_back() {
            events.push_front(event);
        }
        count
    }

    fn count(&self) -> usize {
        let delivered = self.in_flight.as_ref().filter(|it| !it.is_passed_over);
        delivered.map_or(0, |it| it.ready.len())
    }

    fn take_all(&mut self) -> Discarded {
        Box::new(self.in_flight.take())
    }

    fn tidy(&mut self, loop_side: &H::LoopSide) {
        if let Some(in_flight) = &mut self.in_flight {
            if std::mem::take(&mut in_flight.is_passed_over) {
                in_flight.ready.clear();
            }
            if !in_flight.ready.is_empty() {
                return;
            }
        }
        self.end_if_gone(loop_side);
    }

    fn call_next(&mut self, loop_side: &H::LoopSide) -> bool {
        let next = self.in_flight.as_mut().and_then(|it| it.ready.pop_front());
        let Some(event) = next else { return false };
        let was_called = self.is_open() && self.call(loop_side, &event);
        if !was_called {
            self.end_if_gone(loop_side);
        }
        was_called
    }

    fn is_gone(&mut self, loop_side: &H::LoopSide) -> bool {
        H::is_gone(loop_side, &mut self.method)
    }

    fn release(self: Box<Self>, loop_side: &H::LoopSide) -> Box<dyn Any> {
        let QueuedHandler { method, in_flight, .. } = *self;
        Box::new((in_flight, H::release(loop_side, method)))
    }
}
