//! The channel in which events wait between a slot and the consumer of a stream.
//!
//! A channel has one lock, which is held only to move values. No user code runs under it: events
//! are cloned before it is taken, and wakers and dropped values are moved out of it first.
//!
//! # When a channel ends
//! A channel ends when it has no keepers left. Its keepers are the connection, and the calls that
//! are cloning an event. They are counted under the lock. Nothing else is counted: the entry in the
//! slot list holds the channel itself, so an emission calls it without touching a reference count.
//!
//! A call takes the lock twice: before the clone, to become a keeper if the slot may still be
//! called, and after it, to push the event. If cloning an event runs no user code, the event is
//! cloned first and the lock is taken once. Then the call either finds the slot connected, and its
//! event is pushed before the connection stops being a keeper, or it pushes nothing.
//!
//! # When a waker or an event panics
//! User code (the clone, wake and drop of a waker, the drop of an event) runs only while the
//! channel is consistent, so its panic harms nobody else. A waker that panics when it is woken is
//! woken once more at once. The consumer's waker is also kept for the next event.

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
    /// How many events the channel has room for.
    capacity: u32,
    state: CacheAligned<SpinLock<ChannelState<T>, F>>,
}

/// Aligned to a cache line, so that emitting a small event to a consumer that keeps up touches one
/// line.
#[cfg_attr(not(sigwire_loom), repr(align(64)))]
struct CacheAligned<V>(V);

#[cfg(not(sigwire_loom))]
const _: () =
    assert!(size_of::<CacheAligned<SpinLock<ChannelState<u64>, crate::raw::Shared>>>() == 64);

struct ChannelState<T> {
    /// The consumer's waker. `Some` only while the consumer has nothing to take, or if the waker
    /// panicked when it was woken.
    waker: Option<Waker>,
    /// The oldest event.
    first: Option<T>,
    /// How many events were lost before `first`, or since the last event if there is no `first`.
    lost: u64,
    /// Allocated when it is first needed.
    backlog: Option<Box<Backlog<T>>>,
    /// Whether taking `first` must also update `backlog`.
    has_backlog: bool,
    /// Whether the consumer was told that there are no more events.
    is_terminated: bool,
    /// Whether the consumer was dropped.
    is_closed: bool,
    when_full: WhenFull,
    /// The number of keepers. At 0 the channel has ended: no more events come.
    keepers: u32,
}

/// The events after the first.
struct Backlog<T> {
    /// Each with how many events were lost right before it.
    events: VecDeque<(u64, T)>,
    /// How many events were lost after the last of `events`.
    lost: u64,
    /// How many events were dropped or replaced because there was no room, reported or not.
    missed: u64,
    /// The events that wait for room. Taking one back only adds to the `lost` of the next one. So
    /// the map is never larger than the number of waiting senders, and each operation under the
    /// lock moves at most a few of its nodes.
    waiting: BTreeMap<Ticket, WaitingEvent<T>>,
    next_ticket: Ticket,
}

impl<T> Default for Backlog<T> {
    fn default() -> Self {
        let (events, waiting) = (VecDeque::new(), BTreeMap::new());
        Backlog { events, lost: 0, missed: 0, waiting, next_ticket: 0 }
    }
}

/// An event that waits for room.
struct WaitingEvent<T> {
    /// How many events were lost right before it.
    lost: u64,
    event: T,
    sender: Option<Waker>,
}

/// Numbers the events that wait for room, in ascending order.
type Ticket = u64;

/// The outcome of pushing an event.
enum Pushed<T> {
    /// There was room.
    Stored,
    /// The event waits for room.
    Waiting(Ticket),
    /// There was no room. This event must be dropped: the new one, or the one it replaced.
    Dropped(T),
}

impl<T> ChannelState<T> {
    #[inline(always)]
    fn push(&mut self, event: T, capacity: &u32) -> Pushed<T> {
        if self.first.is_some() {
            return self.push_behind(event, *capacity);
        }
        self.first = Some(event);
        Pushed::Stored
    }

    #[inline(never)]
    fn push_behind(&mut self, event: T, capacity: u32) -> Pushed<T> {
        let backlog = self.backlog.get_or_insert_default();
        if 1 + backlog.events.len() < capacity as usize {
            backlog.events.push_back((mem::take(&mut backlog.lost), event));
            self.has_backlog = true;
            return Pushed::Stored;
        }
        let WhenFull::Lose(overflow) = self.when_full else {
            self.has_backlog = true;
            return Pushed::Waiting(backlog.enqueue(event));
        };
        backlog.missed += 1;
        let dropped = match overflow {
            Overflow::Latest => self.first.replace(event),
            Overflow::DropNewest => {
                backlog.lost += 1;
                self.has_backlog = true;
                Some(event)
            }
            Overflow::DropOldest => {
                self.lost += 1;
                backlog.events.push_back((0, event));
                let second = backlog.events.pop_front().map(|(_, second)| second);
                mem::replace(&mut self.first, second)
            }
        };
        dropped.map_or(Pushed::Stored, Pushed::Dropped)
    }

    /// Returns the consumer's next item. Sets `sender` if an emission must be woken because there
    /// is room for its event now.
    #[inline(always)]
    fn take(&mut self, sender: &mut Option<Waker>) -> Poll<Option<Result<T, Lagged>>> {
        if self.lost > 0 {
            return Poll::Ready(Some(Err(Lagged(mem::take(&mut self.lost)))));
        }
        match self.first.take() {
            Some(event) => {
                if self.has_backlog {
                    *sender = self.move_up();
                }
                Poll::Ready(Some(Ok(event)))
            }
            None if self.keepers == 0 => {
                self.is_terminated = true;
                Poll::Ready(None)
            }
            None => Poll::Pending,
        }
    }

    /// Moves the next event from the backlog to `first`. If there is none, `lost` says how many
    /// were lost after the previous one. Returns the sender whose event has room now.
    #[inline(never)]
    fn move_up(&mut self) -> Option<Waker> {
        let backlog = self.backlog.as_mut()?;
        let sender = backlog.admit_one();
        match backlog.events.pop_front() {
            Some((lost, first)) => {
                self.lost = lost;
                self.first = Some(first);
            }
            None => self.lost = mem::take(&mut backlog.lost),
        }
        self.has_backlog =
            !(backlog.events.is_empty() && backlog.waiting.is_empty()) || backlog.lost > 0;
        sender
    }

    /// Whether `take` would be ready.
    fn has_item(&self) -> bool {
        self.lost > 0 || self.first.is_some() || self.keepers == 0
    }

    /// Takes all events.
    fn take_all(&mut self) -> (Option<T>, Option<Box<Backlog<T>>>) {
        (self.first.take(), self.backlog.take())
    }

    fn missed(&self) -> u64 {
        self.backlog.as_ref().map_or(0, |backlog| backlog.missed)
    }
}

impl<T> Backlog<T> {
    fn enqueue(&mut self, event: T) -> Ticket {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        let lost = mem::take(&mut self.lost);
        self.waiting.insert(ticket, WaitingEvent { lost, event, sender: None });
        ticket
    }

    /// Moves the first waiting event into the room that is free now. Returns its sender's waker.
    fn admit_one(&mut self) -> Option<Waker> {
        let (_, WaitingEvent { lost, event, sender }) = self.waiting.pop_first()?;
        self.events.push_back((lost, event));
        sender
    }

    /// Takes a waiting event back, and counts it as lost in its place.
    fn take_back(&mut self, ticket: Ticket) -> Option<(T, Option<Waker>)> {
        let WaitingEvent { lost, event, sender } = self.waiting.remove(&ticket)?;
        let next = self.waiting.range_mut(ticket..).next();
        *next.map_or(&mut self.lost, |(_, next)| &mut next.lost) += lost + 1;
        self.missed += 1;
        Some((event, sender))
    }
}

impl<T, F: Flavor> Channel<T, F> {
    pub(super) fn new(capacity: usize, when_full: WhenFull) -> Self {
        let is_latest = when_full == WhenFull::Lose(Overflow::Latest);
        let capacity = if is_latest { 1 } else { capacity };
        let state = SpinLock::new(ChannelState {
            waker: None,
            first: None,
            lost: 0,
            backlog: None,
            has_backlog: false,
            is_terminated: false,
            is_closed: false,
            when_full,
            keepers: 1,
        });
        let capacity = u32::try_from(capacity).unwrap_or(u32::MAX);
        Channel { capacity, state: CacheAligned(state) }
    }

    #[inline(always)]
    fn lock(&self) -> SpinGuard<'_, ChannelState<T>, F> {
        self.state.0.lock()
    }

    /// Pushes an event. `keep` gets the outcome before the consumer is woken, since waking may
    /// panic.
    fn push<U>(&self, event: T, keep: impl FnOnce(Pushed<T>) -> U) -> U {
        self.push_locked(self.lock(), event, keep)
    }

    #[inline(always)]
    fn push_locked<U>(
        &self,
        mut state: SpinGuard<'_, ChannelState<T>, F>,
        event: T,
        keep: impl FnOnce(Pushed<T>) -> U,
    ) -> U {
        let pushed = state.push(event, &self.capacity);
        let waker = state.waker.take();
        drop(state);
        let kept = keep(pushed);
        self.wake_consumer(waker);
        kept
    }

    /// Wakes the consumer. If the waker panics, it is kept, to be woken again by the next event or
    /// when the channel ends.
    #[inline(always)]
    fn wake_consumer(&self, waker: Option<Waker>) {
        let Some(waker) = waker else { return };
        if let Err(panic) = waking::wake(&waker) {
            let unused = waking::put_back(&mut self.lock().waker, waker);
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
        // `will_wake` compares pointers, and runs no user code under the lock.
        if state.waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            return Poll::Pending;
        }
        drop(state);
        self.wait(context)
    }

    /// Stores the consumer's waker. The lock was released to clone the waker, so there may be an
    /// item by now. In that case the waker is dropped before the item is taken: if the drop panics,
    /// no event is lost.
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

    /// Wakes a sender that waited for room. If the waker panics, the event that was just taken does
    /// not reach the consumer, and is counted as lost.
    #[inline(never)]
    fn wake_sender(&self, sender: Waker) {
        let count_lost = CountLostOnDrop(self);
        if let Err(panic) = waking::wake_all([sender]) {
            resume_unwind(panic);
        }
        mem::forget(count_lost);
    }

    /// Ready when the event with this ticket no longer waits for room.
    fn poll_room(&self, ticket: Ticket, context: &Context<'_>) -> Poll<()> {
        let waker = context.waker().clone();
        let mut state = self.lock();
        let (polled, unused) =
            match state.backlog.as_mut().and_then(|backlog| backlog.waiting.get_mut(&ticket)) {
                Some(waiting) => (Poll::Pending, waiting.sender.replace(waker)),
                None => (Poll::Ready(()), Some(waker)),
            };
        drop(state);
        drop(unused);
        polled
    }

    /// Closes the channel when the consumer is dropped: wakes the senders that wait for room, and
    /// drops all events.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        let consumer = state.waker.take();
        state.when_full = WhenFull::Lose(Overflow::DropNewest);
        state.is_closed = true;
        let (first, mut backlog) = state.take_all();
        drop(state);
        let senders = backlog.iter_mut().flat_map(|backlog| backlog.waiting.values_mut());
        let woken = waking::wake_all(senders.filter_map(|waiting| waiting.sender.take()));
        drop((consumer, first, backlog));
        if let Err(panic) = woken {
            resume_unwind(panic);
        }
    }

    pub(super) fn missed(&self) -> u64 {
        self.lock().missed()
    }

    /// Whether the consumer was told that there are no more events.
    pub(super) fn is_terminated(&self) -> bool {
        self.lock().is_terminated
    }

    /// The status for `Debug`. `None` if the lock is not free.
    pub(super) fn try_status(&self) -> Option<ChannelStatus> {
        let state = self.state.0.try_lock()?;
        let backlog = state
            .backlog
            .as_ref()
            .map_or(0, |backlog| backlog.events.len() + backlog.waiting.len());
        Some(ChannelStatus {
            capacity: self.capacity,
            when_full: state.when_full,
            waiting: usize::from(state.first.is_some()) + backlog,
            missed: state.missed(),
            ended: state.keepers == 0,
        })
    }
}

/// What [`Debug`](core::fmt::Debug) prints of a channel. It is printed after the lock was released,
/// since the formatter may run user code.
pub(super) struct ChannelStatus {
    capacity: u32,
    when_full: WhenFull,
    waiting: usize,
    missed: u64,
    ended: bool,
}

impl ChannelStatus {
    pub(super) fn add_fields(&self, f: &mut fmt::DebugStruct<'_, '_>) {
        f.field("capacity", &self.capacity)
            .field("overflow", &self.when_full)
            .field("waiting", &self.waiting)
            .field("missed", &self.missed)
            .field("ended", &self.ended);
    }
}

/// Counts an event as lost when it is dropped. It is forgotten if the event was not lost.
struct CountLostOnDrop<'a, T, F: Flavor>(&'a Channel<T, F>);

impl<T, F: Flavor> Drop for CountLostOnDrop<'_, T, F> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.lost += 1;
        if let Some(backlog) = &mut state.backlog {
            backlog.missed += 1;
        }
    }
}

/// No code under the lock can panic and leave the state inconsistent.
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
        // Events of calls that were running when the consumer was dropped. They are dropped here,
        // so that the slot list never drops an event: it may itself be dropped under the signal's
        // lock.
        let unused = state.is_closed.then(|| state.take_all());
        drop(state);
        if std::thread::panicking() {
            // The current panic may come from this very waker.
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
        // Without user code in the clone, the call need not become a keeper. That saves taking the
        // lock once.
        if is_plain::<E>() {
            let event = event.to_owned();
            let state = self.lock();
            if state.keepers == 0 || !is_to_be_called() {
                return false;
            }
            self.push_locked(state, event, |pushed| pushed);
            return true;
        }
        let mut state = self.lock();
        if state.keepers == 0 || !is_to_be_called() {
            return false;
        }
        state.keepers += 1;
        drop(state);
        let call = ActiveCall(self);
        let event = event.to_owned();
        let mut state = self.lock();
        // If this call is the last keeper, the channel ends after the event, when `call` is
        // dropped.
        if state.keepers > 1 {
            state.keepers -= 1;
            mem::forget(call);
        }
        self.push_locked(state, event, |pushed| pushed);
        true
    }
}

/// Whether cloning an `E` is known to run no user code. Stable Rust cannot ask whether a type is
/// `Copy`, so this is a list of types.
#[inline(always)]
fn is_plain<E: ?Sized + 'static>() -> bool {
    macro_rules! is_one_of {
        ($($plain:ty),*) => { false $(|| TypeId::of::<E>() == TypeId::of::<$plain>())* };
    }
    is_one_of!(u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize)
        || is_one_of!(f32, f64, bool, char, (), str, &'static str, String, Duration, Instant)
}

/// A running call, which is a keeper of the channel.
struct ActiveCall<'a, T, F: Flavor>(&'a Channel<T, F>);

impl<T, F: Flavor> Drop for ActiveCall<'_, T, F> {
    fn drop(&mut self) {
        self.0.release();
    }
}

/// The slot's side of a channel, which is a keeper. It is dropped with the slot, or when the slot's
/// running calls have returned if that is later. So the channel ends after its last event. (Events
/// that wait for room are in the channel already.)
pub struct Feed<T, F: Flavor>(pub(crate) Keeper<F::Strong<Channel<T, F>>>);

impl<T, F: Flavor> Feed<T, F> {
    /// The feed of a new channel.
    pub(super) fn first(channel: F::Strong<Channel<T, F>>) -> Self {
        Feed(Keeper::first(channel))
    }

    /// Pushes an event. The future is ready at once, unless the event has to wait for room.
    pub(crate) fn send(&self, event: T) -> SendFuture<T, F> {
        let (waiting, _dropped) = self.0.push(event, |pushed| match pushed {
            Pushed::Waiting(ticket) => {
                (Some(WaitForRoom { channel: self.0.strong().clone(), ticket }), None)
            }
            Pushed::Dropped(event) => (None, Some(event)),
            Pushed::Stored => (None, None),
        });
        SendFuture(waiting)
    }
}

/// Waits until a pushed event has room, if it did not at once.
pub(crate) struct SendFuture<T, F: Flavor>(Option<WaitForRoom<T, F>>);

/// Waits until an event has room. Dropping this takes the event back if it is still waiting.
struct WaitForRoom<T, F: Flavor> {
    channel: F::Strong<Channel<T, F>>,
    ticket: Ticket,
}

impl<T, F: Flavor> Unpin for SendFuture<T, F> {}

impl<T, F: Flavor> Future for SendFuture<T, F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if let Some(WaitForRoom { channel, ticket }) = &self.0 {
            ready!(channel.poll_room(*ticket, context));
            self.0 = None;
        }
        Poll::Ready(())
    }
}

impl<T, F: Flavor> Drop for WaitForRoom<T, F> {
    fn drop(&mut self) {
        let mut state = self.channel.lock();
        let taken_back = state.backlog.as_mut().and_then(|backlog| backlog.take_back(self.ticket));
        drop(state);
        drop(taken_back);
    }
}
