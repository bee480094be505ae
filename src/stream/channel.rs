//! Where events wait between a slot and a consumer.
//!
//! One lock, held for a few moves of values and no longer: events are cloned before it is taken, and
//! what is to be dropped or woken is carried out of it.
//!
//! # The end
//! A slot's list holds the channel, so that an emission counts no references to call it. What is counted instead, under
//! the lock, is who keeps it from its end: the connection, and the calls that clone an event. A call takes
//! the lock twice: before its clone, to be counted if the slot is still to be called; and to put the event in. What is
//! cloned without code of the user's is cloned first, so that the lock is taken once: either the call finds the slot
//! connected, and then its event is in before the connection lets go, or no event comes.
//!
//! # When a waker or an event panics
//! Whatever of the user's is called (a waker's clone, wake and drop, an event's drop) is called with the
//! channel in order, so the panic costs nobody else anything. A waker that panics as it is woken is woken a
//! second time at once; a consumer's is also kept for the next event.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use core::any::TypeId;
use core::fmt;
use core::future::Future;
use core::mem;
use core::panic::RefUnwindSafe;
use core::pin::Pin;
use core::task::{Context, Poll, Waker, ready};
use core::time::Duration;
use std::panic::resume_unwind;
use std::time::Instant;

use crate::async_signal::waking;
use crate::base::message;
use crate::overflow::{Lagged, Overflow, WhenFull};
use crate::raw::Flavor;
use crate::raw::{CountsKeepers, Intake, Keeper, SpinGuard, SpinLock};

pub(crate) struct Channel<T, F: Flavor> {
    /// How many events may wait.
    capacity: u32,
    state: InLine<SpinLock<State<T>, F>>,
}

/// It begins where a cache line does, so that a consumer that keeps up, and who emits to it, touch one line,
/// if the event is small.
#[cfg_attr(not(sigwire_loom), repr(align(64)))]
struct InLine<V>(V);

#[cfg(not(sigwire_loom))]
const _: () = assert!(size_of::<InLine<SpinLock<State<u64>, crate::raw::Shared>>>() == 64);

struct State<T> {
    /// Only while there is nothing for the consumer, or when it panicked as it was woken.
    waker: Option<Waker>,
    /// The event that has waited longest.
    first: Option<T>,
    /// How many events were lost before `first`, or since the last one if there is none.
    lost: u64,
    /// Made when it is first needed.
    more: Option<Box<More<T>>>,
    /// Whether there is something to do in `more` when `first` is taken.
    has_more: bool,
    /// Nothing comes any more, and the consumer knows.
    end_is_told: bool,
    /// The consumer is gone.
    is_closed: bool,
    when_full: WhenFull,
    /// How many keep the channel from its end: the connection, and each call of the slot. Once there are none,
    /// nothing comes any more.
    keepers: u32,
}

/// What comes after the first event.
struct More<T> {
    /// Each with how many events were lost right before it.
    events: VecDeque<(u64, T)>,
    /// How many were lost after all of these.
    lost: u64,
    /// How many were dropped or replaced for want of room, reported or not.
    missed: u64,
    /// Those there is no room for yet, and their senders. One that is taken back leaves nothing here but a
    /// count at the next one. So this is as large as there are senders that wait, and no step over it is
    /// long: what is moved under the lock at once is a few nodes of the tree at most.
    ahead: BTreeMap<Ticket, Early<T>>,
    /// That of the next one that comes ahead.
    ticket: Ticket,
}

impl<T> Default for More<T> {
    fn default() -> Self {
        let (events, ahead) = (VecDeque::new(), BTreeMap::new());
        More { events, lost: 0, missed: 0, ahead, ticket: 0 }
    }
}

/// An event for which there is no room yet.
struct Early<T> {
    /// How many events were lost right before it.
    lost: u64,
    event: T,
    sender: Option<Waker>,
}

/// Of an event that its sender waits with. They rise.
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
    fn put(&mut self, event: T, capacity: &u32) -> Put<T> {
        if self.first.is_some() {
            return self.put_behind(event, *capacity);
        }
        self.first = Some(event);
        Put::In
    }

    #[inline(never)]
    fn put_behind(&mut self, event: T, capacity: u32) -> Put<T> {
        let more = self.more.get_or_insert_default();
        if 1 + more.events.len() < capacity as usize {
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
    fn take(&mut self, sender: &mut Option<Waker>) -> Poll<Option<Result<T, Lagged>>> {
        if self.lost > 0 {
            return Poll::Ready(Some(Err(Lagged(mem::take(&mut self.lost)))));
        }
        match self.first.take() {
            Some(event) => {
                if self.has_more {
                    *sender = self.move_up();
                }
                Poll::Ready(Some(Ok(event)))
            }
            None if self.keepers == 0 => {
                self.end_is_told = true;
                Poll::Ready(None)
            }
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

    /// Whether the consumer gets something, or the end.
    fn has_item(&self) -> bool {
        self.lost > 0 || self.first.is_some() || self.keepers == 0
    }

    /// All events.
    fn take_all(&mut self) -> (Option<T>, Option<Box<More<T>>>) {
        (self.first.take(), self.more.take())
    }

    fn missed(&self) -> u64 {
        self.more.as_ref().map_or(0, |more| more.missed)
    }
}

impl<T> More<T> {
    fn queue_up(&mut self, event: T) -> Ticket {
        let ticket = self.ticket;
        self.ticket += 1;
        let lost = mem::take(&mut self.lost);
        self.ahead.insert(ticket, Early { lost, event, sender: None });
        ticket
    }

    /// There is room for one more. Returns who waits for that.
    fn let_one_in(&mut self) -> Option<Waker> {
        let (_, Early { lost, event, sender }) = self.ahead.pop_first()?;
        self.events.push_back((lost, event));
        sender
    }

    /// Takes an event back, and leaves word of that in its place.
    fn take_back(&mut self, ticket: Ticket) -> Option<(T, Option<Waker>)> {
        let Early { lost, event, sender } = self.ahead.remove(&ticket)?;
        let next = self.ahead.range_mut(ticket..).next();
        *next.map_or(&mut self.lost, |(_, next)| &mut next.lost) += lost + 1;
        self.missed += 1;
        Some((event, sender))
    }
}

impl<T, F: Flavor> Channel<T, F> {
    pub(super) fn new(capacity: usize, when_full: WhenFull) -> Self {
        let is_latest = when_full == WhenFull::Lose(Overflow::Latest);
        let capacity = if is_latest { 1 } else { capacity };
        let state = SpinLock::new(State {
            waker: None,
            first: None,
            lost: 0,
            more: None,
            has_more: false,
            end_is_told: false,
            is_closed: false,
            when_full,
            keepers: 1,
        });
        let capacity = u32::try_from(capacity).unwrap_or(u32::MAX);
        Channel { capacity, state: InLine(state) }
    }

    #[inline(always)]
    fn lock(&self) -> SpinGuard<'_, State<T>, F> {
        self.state.0.lock()
    }

    /// Puts the event in. What became of it goes through `keep` before the consumer is woken, which may
    /// panic.
    fn push<U>(&self, event: T, keep: impl FnOnce(Put<T>) -> U) -> U {
        self.put(self.lock(), event, keep)
    }

    #[inline(always)]
    fn put<U>(
        &self,
        mut state: SpinGuard<'_, State<T>, F>,
        event: T,
        keep: impl FnOnce(Put<T>) -> U,
    ) -> U {
        let put = state.put(event, &self.capacity);
        let waker = state.waker.take();
        drop(state);
        let kept = keep(put);
        self.wake_consumer(waker);
        kept
    }

    /// If that panics, it is woken by the next event as well, or by the end.
    #[inline(always)]
    fn wake_consumer(&self, waker: Option<Waker>) {
        let Some(waker) = waker else { return };
        if let Err(panic) = waking::wake(&waker) {
            let unused = waking::keep(&mut self.lock().waker, waker);
            drop(unused);
            resume_unwind(panic);
        }
    }

    #[inline]
    pub(super) fn poll(&self, context: &Context<'_>) -> Poll<Option<Result<T, Lagged>>> {
        let mut state = self.lock();
        let mut sender = None;
        let taken = state.take(&mut sender);
        if taken.is_ready() {
            drop(state);
            if let Some(sender) = sender {
                self.wake_sender(sender);
            }
            return taken;
        }
        // This compares pointers, and calls nothing.
        if state.waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            return Poll::Pending;
        }
        drop(state);
        self.wait(context)
    }

    /// Looks again, since the lock was let go to clone the waker. Nothing is taken before that is of no use
    /// any more and dropped: if it panics, that costs no event.
    #[inline(never)]
    fn wait(&self, context: &Context<'_>) -> Poll<Option<Result<T, Lagged>>> {
        let waker = context.waker().clone();
        let mut state = self.lock();
        if state.has_item() {
            drop(state);
            drop(waker);
            return self.poll(context);
        }
        let former = state.waker.replace(waker);
        drop(state);
        drop(former);
        Poll::Pending
    }

    /// Wakes who waited for room. If that panics, the event that made room does not get to the consumer.
    #[inline(never)]
    fn wake_sender(&self, sender: Waker) {
        let lose = Lose(self);
        if let Err(panic) = waking::wake_all([sender]) {
            resume_unwind(panic);
        }
        mem::forget(lose);
    }

    /// Ready when there is room for the event with this ticket.
    fn poll_room(&self, ticket: Ticket, context: &Context<'_>) -> Poll<()> {
        let waker = context.waker().clone();
        let mut state = self.lock();
        let (polled, unused) =
            match state.more.as_mut().and_then(|more| more.ahead.get_mut(&ticket)) {
                Some(early) => (Poll::Pending, early.sender.replace(waker)),
                None => (Poll::Ready(()), Some(waker)),
            };
        drop(state);
        drop(unused);
        polled
    }

    /// Nothing is taken any more: nobody is to be woken for events, and nobody waits for room.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        let consumer = state.waker.take();
        state.when_full = WhenFull::Lose(Overflow::DropNewest);
        state.is_closed = true;
        let (first, mut more) = state.take_all();
        drop(state);
        let senders = more.iter_mut().flat_map(|more| more.ahead.values_mut());
        let woken = waking::wake_all(senders.filter_map(|early| early.sender.take()));
        drop((consumer, first, more));
        if let Err(panic) = woken {
            resume_unwind(panic);
        }
    }

    pub(super) fn missed(&self) -> u64 {
        self.lock().missed()
    }

    /// Whether the consumer has had everything, the end too.
    pub(super) fn is_over(&self) -> bool {
        self.lock().end_is_told
    }

    /// How it stands. Does not wait for the lock: then it does not say.
    pub(super) fn try_look(&self) -> Option<Look> {
        let state = self.state.0.try_lock()?;
        let more = state.more.as_ref().map_or(0, |more| more.events.len() + more.ahead.len());
        Some(Look {
            capacity: self.capacity,
            when_full: state.when_full,
            waiting: usize::from(state.first.is_some()) + more,
            missed: state.missed(),
            ended: state.keepers == 0,
        })
    }
}

/// What [`Debug`](core::fmt::Debug) tells of a channel, to be written when the lock is given back: the
/// formatter is the user's.
pub(super) struct Look {
    capacity: u32,
    when_full: WhenFull,
    waiting: usize,
    missed: u64,
    ended: bool,
}

impl Look {
    pub(super) fn tell(&self, f: &mut fmt::DebugStruct<'_, '_>) {
        f.field("capacity", &self.capacity)
            .field("overflow", &self.when_full)
            .field("waiting", &self.waiting)
            .field("missed", &self.missed)
            .field("ended", &self.ended);
    }
}

/// Counts an event as lost, unless it is forgotten.
struct Lose<'a, T, F: Flavor>(&'a Channel<T, F>);

impl<T, F: Flavor> Drop for Lose<'_, T, F> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.lost += 1;
        if let Some(more) = &mut state.more {
            more.missed += 1;
        }
    }
}

/// Nothing runs under the lock that could leave it half done.
impl<T, F: Flavor> RefUnwindSafe for Channel<T, F> {}

impl<T, F: Flavor> CountsKeepers for Channel<T, F> {
    fn try_retain(&self) -> bool {
        let mut state = self.lock();
        let is_kept = state.keepers > 0;
        state.keepers += u32::from(is_kept);
        is_kept
    }

    fn release(&self) {
        let mut state = self.lock();
        state.keepers -= 1;
        if state.keepers > 0 {
            return;
        }
        let waker = state.waker.take();
        // Of calls that were under way when the consumer went. So the slot's list, which may be dropped under the
        // signal's lock, never has the last pointer to an event.
        let unused = state.is_closed.then(|| state.take_all());
        drop(state);
        if std::thread::panicking() {
            // Perhaps of this very waker.
            let woken = waker.map_or(Ok(()), |waker| waking::wake_all([waker]));
            woken.unwrap_or_else(|panic| drop(message(panic)));
        } else {
            self.wake_consumer(waker);
        }
        drop(unused);
    }
}

impl<E: ?Sized + ToOwned<Owned = T> + 'static, T, F: Flavor> Intake<E> for Channel<T, F> {
    #[inline(always)]
    fn take_over(&self, event: &E, is_to_be_called: impl FnOnce() -> bool) -> bool {
        // What is cloned without code of the user's is cloned before the call begins, so that there is nothing
        // in the call to wait for. That takes one exchange less.
        if is_plain::<E>() {
            let event = event.to_owned();
            let state = self.lock();
            if state.keepers == 0 || !is_to_be_called() {
                return false;
            }
            self.put(state, event, |put| put);
            return true;
        }
        let mut state = self.lock();
        if state.keepers == 0 || !is_to_be_called() {
            return false;
        }
        state.keepers += 1;
        drop(state);
        let call = Call(self);
        let event = event.to_owned();
        let mut state = self.lock();
        // Else the end comes after the event, as the call is dropped.
        if state.keepers > 1 {
            state.keepers -= 1;
            mem::forget(call);
        }
        self.put(state, event, |put| put);
        true
    }
}

/// Whether an `E` is one of those that the standard library clones on its own. What is `Copy` in general cannot be
/// told.
#[inline(always)]
fn is_plain<E: ?Sized + 'static>() -> bool {
    macro_rules! is_one_of {
        ($($plain:ty),*) => { false $(|| TypeId::of::<E>() == TypeId::of::<$plain>())* };
    }
    is_one_of!(u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize)
        || is_one_of!(f32, f64, bool, char, (), str, &'static str, String, Duration, Instant)
}

/// A call that keeps the channel from its end.
struct Call<'a, T, F: Flavor>(&'a Channel<T, F>);

impl<T, F: Flavor> Drop for Call<'_, T, F> {
    fn drop(&mut self) {
        self.0.release();
    }
}

/// The slot's end of a channel. It is dropped when the slot or its signal ends, or when the call returns that
/// was under way then: so the channel ends after the last event. (Those that wait for room are in the channel
/// already.)
pub struct Feed<T, F: Flavor>(pub(crate) Keeper<F::Strong<Channel<T, F>>>);

impl<T, F: Flavor> Feed<T, F> {
    /// The one of a new channel.
    pub(super) fn first(channel: F::Strong<Channel<T, F>>) -> Self {
        Feed(Keeper::first(channel))
    }

    /// An event comes. The future is ready when there is room for it, or where none is waited for.
    pub(crate) fn send(&self, event: T) -> Sending<T, F> {
        let (ahead, _dropped) = self.0.push(event, |put| match put {
            Put::Ahead(ticket) => (Some(Ahead { channel: self.0.strong().clone(), ticket }), None),
            Put::Dropped(event) => (None, Some(event)),
            Put::In => (None, None),
        });
        Sending(ahead)
    }
}

/// Of an event that is in its channel already. Ready when there is room for it, too.
pub(crate) struct Sending<T, F: Flavor>(Option<Ahead<T, F>>);

/// An event that is ahead of its time. Dropping this takes it back, if there is no room for it yet.
struct Ahead<T, F: Flavor> {
    channel: F::Strong<Channel<T, F>>,
    ticket: Ticket,
}

impl<T, F: Flavor> Unpin for Sending<T, F> {}

impl<T, F: Flavor> Future for Sending<T, F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if let Some(Ahead { channel, ticket }) = &self.0 {
            ready!(channel.poll_room(*ticket, context));
            self.0 = None;
        }
        Poll::Ready(())
    }
}

impl<T, F: Flavor> Drop for Ahead<T, F> {
    fn drop(&mut self) {
        let mut state = self.channel.lock();
        let taken_back = state.more.as_mut().and_then(|more| more.take_back(self.ticket));
        drop(state);
        drop(taken_back);
    }
}
