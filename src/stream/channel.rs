//! Where events wait between a slot and a consumer.
//!
//! One lock, held for a few moves of values and no longer: events are cloned before it is taken, and
//! what is to be dropped or woken is carried out of it.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::fmt;
use core::future::Future;
use core::mem;
use core::panic::RefUnwindSafe;
use core::pin::Pin;
use core::task::{Context, Poll, Waker, ready};

use super::{Lost, WhenFull};
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
    when_full: WhenFull,
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
    /// Those there is no room for yet, and their senders. The last one was not taken back.
    ahead: VecDeque<Early<T>>,
    /// That of the first of these.
    ticket: Ticket,
}

impl<T> Default for More<T> {
    fn default() -> Self {
        let (events, ahead) = (VecDeque::new(), VecDeque::new());
        More { events, lost: 0, missed: 0, ahead, ticket: 0 }
    }
}

/// An event for which there is no room yet.
struct Early<T> {
    /// How many events were lost right before it, and it too if it was taken back.
    lost: u64,
    event: Option<T>,
    sender: Option<Waker>,
}

/// Of an event that its sender waits with. They follow each other.
type Ticket = u64;

/// What became of an event.
enum Put<T> {
    /// It waits for the consumer.
    In,
    /// It does so too, but there is no room for it yet.
    Ahead(Ticket),
    /// It, or the one it replaced.
    Dropped(T),
}

impl<T> State<T> {
    #[inline(always)]
    fn put(&mut self, event: T) -> Put<T> {
        if self.first.is_some() {
            return self.put_behind(event);
        }
        self.first = Some(event);
        Put::In
    }

    #[inline(never)]
    fn put_behind(&mut self, event: T) -> Put<T> {
        let more = self.more.get_or_insert_default();
        if 1 + more.events.len() < self.capacity as usize {
            more.events.push_back((mem::take(&mut more.lost), event));
            self.has_more = true;
            return Put::In;
        }
        let WhenFull::Lose(overflow) = self.when_full else {
            self.has_more = true;
            return Put::Ahead(more.queue_up(event));
        };
        more.missed += 1;
        let dropped = match overflow {
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
        };
        dropped.map_or(Put::In, Put::Dropped)
    }

    /// What the consumer gets next, and who is to be woken because there is room now.
    #[inline(always)]
    fn take(&mut self, sender: &mut Option<Waker>) -> Poll<Option<Result<T, Lost>>> {
        if self.lost > 0 {
            return Poll::Ready(Some(Err(Lost(mem::take(&mut self.lost)))));
        }
        match self.first.take() {
            Some(event) => {
                if self.has_more {
                    *sender = self.move_up();
                }
                Poll::Ready(Some(Ok(event)))
            }
            None if self.ended => Poll::Ready(None),
            None => Poll::Pending,
        }
    }

    /// There is a new first event, or else some were lost after the former one.
    #[inline(never)]
    fn move_up(&mut self) -> Option<Waker> {
        let more = self.more.as_mut()?;
        let sender = more.let_one_in();
        match more.events.pop_front() {
            Some((lost, first)) => {
                self.lost = lost;
                self.first = Some(first);
            }
            None => self.lost = mem::take(&mut more.lost),
        }
        self.has_more = !(more.events.is_empty() && more.ahead.is_empty()) || more.lost > 0;
        sender
    }

    fn missed(&self) -> u64 {
        self.more.as_ref().map_or(0, |more| more.missed)
    }
}

impl<T> More<T> {
    fn queue_up(&mut self, event: T) -> Ticket {
        let ticket = self.ticket + self.ahead.len() as Ticket;
        let lost = mem::take(&mut self.lost);
        self.ahead.push_back(Early { lost, event: Some(event), sender: None });
        ticket
    }

    /// The event with this ticket, if there is no room for it yet.
    fn early(&mut self, ticket: Ticket) -> Option<&mut Early<T>> {
        let place = ticket.checked_sub(self.ticket)?;
        self.ahead.get_mut(usize::try_from(place).ok()?)
    }

    /// There is room for one more. Returns who waits for that.
    fn let_one_in(&mut self) -> Option<Waker> {
        let mut before = 0;
        loop {
            let Early { lost, event, sender } = self.ahead.pop_front()?;
            self.ticket += 1;
            before += lost;
            if let Some(event) = event {
                self.events.push_back((before, event));
                return sender;
            }
        }
    }

    /// Takes an event back, and leaves word of that in its place.
    fn take_back(&mut self, ticket: Ticket) -> Option<(T, Option<Waker>)> {
        let early = self.early(ticket)?;
        let event = early.event.take()?;
        let sender = early.sender.take();
        early.lost += 1;
        self.missed += 1;
        while self.ahead.back().is_some_and(|last| last.event.is_none()) {
            self.lost += self.ahead.pop_back().map_or(0, |last| last.lost);
        }
        Some((event, sender))
    }
}

impl<T, F: Family> Channel<T, F> {
    pub(super) fn new(capacity: usize, when_full: WhenFull) -> Self {
        let is_latest = when_full == WhenFull::Lose(Overflow::Latest);
        let capacity = if is_latest { 1 } else { capacity };
        let state = Brief::new(State {
            waker: None,
            first: None,
            lost: 0,
            more: None,
            has_more: false,
            ended: false,
            when_full,
            capacity: u32::try_from(capacity).unwrap_or(u32::MAX),
        });
        Channel { state }
    }

    #[inline(always)]
    fn push(&self, event: T) -> Put<T> {
        let mut state = self.state.lock();
        let put = state.put(event);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        put
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
        let mut sender = None;
        let taken = state.take(&mut sender);
        if taken.is_ready() {
            drop(state);
            self.wake(sender);
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
        let mut sender = None;
        let taken = state.take(&mut sender);
        let unused = if taken.is_ready() { Some(waker) } else { state.waker.replace(waker) };
        drop(state);
        drop(unused);
        self.wake(sender);
        taken
    }

    /// Wakes who waited for room. If that panics, the event that made room does not get to the consumer.
    #[inline(always)]
    fn wake(&self, sender: Option<Waker>) {
        if let Some(sender) = sender {
            let lose = Lose(self);
            sender.wake();
            mem::forget(lose);
        }
    }

    /// Ready when there is room for the event with this ticket.
    fn poll_room(&self, ticket: Ticket, context: &Context<'_>) -> Poll<()> {
        let waker = context.waker().clone();
        let mut state = self.state.lock();
        let (polled, unused) = match state.more.as_mut().and_then(|more| more.early(ticket)) {
            Some(early) => (Poll::Pending, early.sender.replace(waker)),
            None => (Poll::Ready(()), Some(waker)),
        };
        drop(state);
        drop(unused);
        polled
    }

    /// Nothing is taken any more: nobody is to be woken for events, and nobody waits for room.
    pub(super) fn close(&self) {
        let mut state = self.state.lock();
        let consumer = state.waker.take();
        state.when_full = WhenFull::Lose(Overflow::DropNewest);
        let first = state.first.take();
        let mut more = state.more.take();
        drop(state);
        let mut senders = WakeAll(VecDeque::new());
        for early in more.iter_mut().flat_map(|more| &mut more.ahead) {
            senders.0.extend(early.sender.take());
        }
        senders.wake();
        drop((consumer, first, more));
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
        let more = state.more.as_ref().map_or(0, |more| more.events.len() + more.ahead.len());
        f.field("capacity", &state.capacity)
            .field("overflow", &state.when_full)
            .field("waiting", &(usize::from(state.first.is_some()) + more))
            .field("missed", &state.missed())
            .field("ended", &state.ended);
    }
}

/// Counts an event as lost, unless it is forgotten.
struct Lose<'a, T, F: Family>(&'a Channel<T, F>);

impl<T, F: Family> Drop for Lose<'_, T, F> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.lost += 1;
        if let Some(more) = &mut state.more {
            more.missed += 1;
        }
    }
}

/// Wakes all of them, also when one panics.
struct WakeAll(VecDeque<Waker>);

impl WakeAll {
    fn wake(&mut self) {
        while let Some(waker) = self.0.pop_front() {
            waker.wake();
        }
    }
}

impl Drop for WakeAll {
    fn drop(&mut self) {
        self.wake();
    }
}

/// Nothing runs under the lock that could leave it half done.
impl<T, F: Family> RefUnwindSafe for Channel<T, F> {}

/// The slot's end of a channel. It is dropped with what the slot captured, when the slot or its
/// signal ends, or when the call returns that was under way then: so the channel ends after the last
/// event. (Those that wait for room are in the channel already.)
pub struct Feed<T, F: Family>(pub(super) F::Strong<Channel<T, F>>);

impl<T, F: Family> Feed<T, F> {
    /// An event comes.
    #[inline]
    pub(super) fn push(&self, event: T) {
        drop(self.0.push(event));
    }

    /// An event comes. The future is ready when there is room for it, or where none is waited for.
    pub(crate) fn send(&self, event: T) -> Sending<T, F> {
        Sending(match self.0.push(event) {
            Put::Ahead(ticket) => Some(Ahead { channel: self.0.clone(), ticket }),
            Put::In | Put::Dropped(_) => None,
        })
    }
}

impl<T, F: Family> Drop for Feed<T, F> {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Of an event that is in its channel already. Ready when there is room for it, too.
pub(crate) struct Sending<T, F: Family>(Option<Ahead<T, F>>);

/// An event that is ahead of its time. Dropping this takes it back, if there is no room for it yet.
struct Ahead<T, F: Family> {
    channel: F::Strong<Channel<T, F>>,
    ticket: Ticket,
}

impl<T, F: Family> Unpin for Sending<T, F> {}

impl<T, F: Family> Future for Sending<T, F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if let Some(Ahead { channel, ticket }) = &self.0 {
            ready!(channel.poll_room(*ticket, context));
            self.0 = None;
        }
        Poll::Ready(())
    }
}

impl<T, F: Family> Drop for Ahead<T, F> {
    fn drop(&mut self) {
        let mut state = self.channel.state.lock();
        let taken_back = state.more.as_mut().and_then(|more| more.take_back(self.ticket));
        drop(state);
        drop(taken_back);
    }
}
