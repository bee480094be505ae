//! Where events wait between a slot and a consumer.
//!
//! One lock, held for a few moves of values and no longer: events are cloned before it is taken, and
//! what is to be dropped or woken is carried out of it.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::fmt;
use core::mem;
use core::panic::RefUnwindSafe;
use core::task::{Context, Poll, Waker};

use super::Lost;
use crate::family::Family;
use crate::overflow::Overflow;
use crate::raw::Brief;

/// Its state begins where a cache line does, so that a consumer that keeps up, and who emits to it,
/// touch one line, if the event is small.
#[cfg_attr(not(sigwire_loom), repr(align(64)))]
pub(super) struct Channel<T, F: Family> {
    state: Brief<State<T>, F>,
}

struct State<T> {
    /// Only while there is nothing for the consumer.
    waker: Option<Waker>,
    /// The event that has waited longest.
    first: Option<T>,
    /// How many events were lost before `first`, or since the last one if there is none.
    lost: u64,
    /// Made when it is first needed.
    more: Option<Box<More<T>>>,
    /// Whether `more` has anything for the consumer. Never without `first`.
    has_more: bool,
    /// Nothing comes any more.
    ended: bool,
    overflow: Overflow,
    /// How many events may wait, `first` included.
    capacity: u32,
}

/// What comes after the first event.
struct More<T> {
    /// Each with how many events were lost right before it.
    events: VecDeque<(u64, T)>,
    /// How many were lost after all of these.
    lost: u64,
    /// How many were dropped or replaced for want of room, reported or not.
    missed: u64,
}

impl<T> State<T> {
    /// Puts an event where there is room, and gives back what there is none for.
    #[inline(always)]
    fn put(&mut self, event: T) -> Option<T> {
        if self.first.is_some() {
            return self.put_behind(event);
        }
        self.first = Some(event);
        None
    }

    #[inline(never)]
    fn put_behind(&mut self, event: T) -> Option<T> {
        let more = self
            .more
            .get_or_insert_with(|| Box::new(More { events: VecDeque::new(), lost: 0, missed: 0 }));
        if 1 + more.events.len() < self.capacity as usize {
            more.events.push_back((mem::take(&mut more.lost), event));
            self.has_more = true;
            return None;
        }
        more.missed += 1;
        match self.overflow {
            Overflow::Latest => self.first.replace(event),
            Overflow::DropNewest => {
                more.lost += 1;
                self.has_more = true;
                Some(event)
            }
            Overflow::DropOldest => {
                self.lost += 1;
                more.events.push_back((0, event));
                let second = more.events.pop_front().map(|(_, second)| second);
                mem::replace(&mut self.first, second)
            }
        }
    }

    /// What the consumer gets next.
    #[inline(always)]
    fn take(&mut self) -> Poll<Option<Result<T, Lost>>> {
        if self.lost > 0 {
            return Poll::Ready(Some(Err(Lost(mem::take(&mut self.lost)))));
        }
        match self.first.take() {
            Some(event) => {
                if self.has_more {
                    self.move_up();
                }
                Poll::Ready(Some(Ok(event)))
            }
            None if self.ended => Poll::Ready(None),
            None => Poll::Pending,
        }
    }

    /// There is a new first event, or else some were lost after the former one.
    #[inline(never)]
    fn move_up(&mut self) {
        let Some(more) = &mut self.more else { return };
        match more.events.pop_front() {
            Some((lost, first)) => {
                self.lost = lost;
                self.first = Some(first);
            }
            None => self.lost = mem::take(&mut more.lost),
        }
        self.has_more = !more.events.is_empty() || more.lost > 0;
    }

    fn missed(&self) -> u64 {
        self.more.as_ref().map_or(0, |more| more.missed)
    }
}

impl<T, F: Family> Channel<T, F> {
    pub(super) fn new(capacity: usize, overflow: Overflow) -> Self {
        let capacity = if overflow == Overflow::Latest { 1 } else { capacity };
        let state = Brief::new(State {
            waker: None,
            first: None,
            lost: 0,
            more: None,
            has_more: false,
            ended: false,
            overflow,
            capacity: u32::try_from(capacity).unwrap_or(u32::MAX),
        });
        Channel { state }
    }

    /// Returns what found no room.
    #[inline(always)]
    fn push(&self, event: T) -> Option<T> {
        let mut state = self.state.lock();
        let dropped = state.put(event);
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
        let taken = state.take();
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
        let taken = state.take();
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
        self.state.lock().missed()
    }

    /// Whether the consumer has had everything.
    pub(super) fn is_over(&self) -> bool {
        let state = self.state.lock();
        state.ended && state.first.is_none() && state.lost == 0
    }

    /// Does not wait for the lock: then nothing is said.
    pub(super) fn debug(&self, f: &mut fmt::DebugStruct<'_, '_>) {
        let Some(state) = self.state.try_lock() else { return };
        let more = state.more.as_ref().map_or(0, |more| more.events.len());
        f.field("capacity", &state.capacity)
            .field("overflow", &state.overflow)
            .field("waiting", &(usize::from(state.first.is_some()) + more))
            .field("missed", &state.missed())
            .field("ended", &state.ended);
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
