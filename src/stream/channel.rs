//! Where events wait between a slot and a consumer.
//!
//! One lock, held for a few moves of values and no longer: events are cloned before it is taken, and
//! what is to be dropped or woken is carried out of it.

use alloc::collections::VecDeque;
use core::fmt;
use core::mem;
use core::panic::RefUnwindSafe;
use core::task::{Context, Poll, Waker};

use super::Lost;
use crate::family::{Family, Lock};
use crate::overflow::Overflow;

/// How many events there is room for at first.
const FIRST_ROOM: usize = 16;

pub(super) struct Channel<T, F: Family> {
    state: F::Lock<State<T>>,
    capacity: usize,
    overflow: Overflow,
}

/// Events are numbered as they come. Whether some are missing, and where, follows from the numbers of
/// those that are there.
struct State<T> {
    /// In the order of their numbers; at most as many as the capacity.
    queue: VecDeque<(u64, T)>,
    /// How many came: the number of the next one.
    came: u64,
    /// The number of the event whose turn it is with the consumer: delivered are those before it, or
    /// reported as lost.
    due: u64,
    /// How many were dropped for want of room.
    missed: u64,
    /// Nothing comes any more.
    ended: bool,
    /// Only while there is nothing for the consumer.
    waker: Option<Waker>,
}

impl<T> State<T> {
    /// What the consumer gets next.
    #[inline(always)]
    fn take(&mut self, overflow: Overflow) -> Poll<Option<Result<T, Lost>>> {
        let next = self.queue.front().map_or(self.came, |(number, _)| *number);
        if next != self.due && overflow != Overflow::Latest {
            let lost = next - mem::replace(&mut self.due, next);
            return Poll::Ready(Some(Err(Lost(lost))));
        }
        match self.queue.pop_front() {
            Some((number, event)) => {
                self.due = number + 1;
                Poll::Ready(Some(Ok(event)))
            }
            None if self.ended => Poll::Ready(None),
            None => Poll::Pending,
        }
    }
}

impl<T, F: Family> Channel<T, F> {
    pub(super) fn new(capacity: usize, overflow: Overflow) -> Self {
        let capacity = if overflow == Overflow::Latest { 1 } else { capacity };
        let state = State {
            queue: VecDeque::with_capacity(capacity.min(FIRST_ROOM)),
            came: 0,
            due: 0,
            missed: 0,
            ended: false,
            waker: None,
        };
        Channel { state: F::Lock::new(state), capacity, overflow }
    }

    /// Returns what found no room.
    #[inline]
    fn push(&self, event: T) -> Option<T> {
        let mut state = self.state.lock();
        let number = state.came;
        state.came += 1;
        let mut dropped = None;
        if state.queue.len() < self.capacity {
            state.queue.push_back((number, event));
        } else {
            state.missed += 1;
            if self.overflow == Overflow::DropNewest {
                dropped = Some(event);
            } else {
                dropped = state.queue.pop_front().map(|(_, oldest)| oldest);
                state.queue.push_back((number, event));
            }
        }
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        dropped
    }

    fn end(&self) {
        let mut state = self.state.lock();
        state.ended = true;
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    #[inline]
    pub(super) fn poll(&self, context: &Context<'_>) -> Poll<Option<Result<T, Lost>>> {
        let mut state = self.state.lock();
        let taken = state.take(self.overflow);
        if taken.is_ready() {
            return taken;
        }
        if state.waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            return Poll::Pending;
        }
        drop(state);
        self.wait(context.waker().clone())
    }

    /// Looks again, since the lock was let go to clone the waker.
    #[inline(never)]
    fn wait(&self, waker: Waker) -> Poll<Option<Result<T, Lost>>> {
        let mut state = self.state.lock();
        let taken = state.take(self.overflow);
        let unused = if taken.is_ready() { Some(waker) } else { state.waker.replace(waker) };
        drop(state);
        drop(unused);
        taken
    }

    /// The consumer waits no more.
    pub(super) fn stop_waiting(&self) {
        let waker = self.state.lock().waker.take();
        drop(waker);
    }

    pub(super) fn missed(&self) -> u64 {
        self.state.lock().missed
    }

    /// Whether the consumer has had everything.
    pub(super) fn is_over(&self) -> bool {
        let state = self.state.lock();
        state.ended && state.due == state.came
    }

    /// Does not wait for the lock: then some of it is missing.
    pub(super) fn debug(&self, f: &mut fmt::DebugStruct<'_, '_>) {
        f.field("capacity", &self.capacity).field("overflow", &self.overflow);
        if let Some(state) = self.state.try_lock() {
            f.field("waiting", &state.queue.len())
                .field("missed", &state.missed)
                .field("ended", &state.ended);
        }
    }
}

/// Nothing runs under the lock that could leave it half done.
impl<T, F: Family> RefUnwindSafe for Channel<T, F> {}

/// The slot's end of a channel. It is dropped with what the slot captured, when the slot or its
/// signal ends, or when the call returns that was under way then: so the channel ends after the last
/// event.
pub struct Feed<T, F: Family>(pub(super) F::Strong<Channel<T, F>>);

impl<T, F: Family> Feed<T, F> {
    /// An event comes.
    #[inline]
    pub(super) fn push(&self, event: T) {
        drop(self.0.push(event));
    }
}

impl<T, F: Family> Drop for Feed<T, F> {
    fn drop(&mut self) {
        self.0.end();
    }
}
