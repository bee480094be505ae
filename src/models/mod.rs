//! Models of what threads can do to one signal, run by loom through all orders that count.
//!
//! `RUSTFLAGS="--cfg sigwire_loom" LOOM_MAX_PREEMPTIONS=3 cargo test --release --all-features --lib models`
//!
//! A flavor of its own puts loom's atomics and lock, and an `Arc` and a `Weak` whose count is one of
//! loom's atomics, under the code that is shipped. Loom takes SeqCst operations for AcqRel;
//! `Flavor::sequential` makes up for it with fences, which it does model.
//!
//! The models bite. Each of these faults was planted once, and this is who saw it (by the first words of
//! the names, in the files below and in `raw/hazard/protocol.rs`):
//!
//! | planted | seen by |
//! |---|---|
//! | no order between taking a reader and looking at `head` again | `a_pinned_`, `two_edits_`, `what_a_reader_` |
//! | no order between hiding `head` and looking at the readers | these, and `a_slot_connected_` |
//! | the readers not looked at; retired versions freed although held | `a_pinned_`, `two_edits_` |
//! | only the first reader looked at: for who holds a version; for who runs | `a_pinned_`, `two_emitters_`; `after_disconnecting_and_waiting_a_nested_` |
//! | a reader taken that is taken already | `a_pinned_`, `two_emitters_`, `a_slot_that_emits_` |
//! | leaving a reader, or publishing a version, relaxed | `a_pinned_`, `two_edits_` |
//! | restoring `head` relaxed | `a_pinned_`, `two_edits_`, `what_a_reader_` |
//! | `untidy` set without, or after, the look at the readers | `a_pinned_`, `two_edits_` |
//! | no order between leaving and looking at `untidy` | `a_pinned_`, `two_edits_`, `what_a_reader_`; `what_a_sharer_` |
//! | the first list set without looking whether there is one, or found relaxed | `the_first_connections_` |
//! | a call begun, or ended, relaxed; not begun at all | `after_disconnecting_`, `a_blocked_`, `a_slot_that_emits_` |
//! | entries of a former list not told to ask | `a_slot_disconnected_after_` |
//! | a target that is entered without an exchange not fenced, where the order rests on exchanges | `after_disconnecting_and_waiting_none_` |
//! | a `once` slot's claim not taken; its gate not looked at | `two_emitters_call_` |
//! | an entry's state written, or read at the gate, relaxed | `a_blocked_slot_`, `a_blocked_signal_` |
//! | entries not marked by a block of the slot; of the signal | `a_blocked_slot_`; `a_blocked_signal_` |
//! | blocks of the slot, or of the signal, not looked at when asked | `a_blocked_slot_`; `a_blocked_signal_` |
//! | a disconnected entry not marked | `a_disconnected_slot_` |
//! | an owner let go before its method runs | `an_owner_ends_` |
//! | under the lock: an owner held to find out whether it lives; captures dropped | `a_destructor_` |
//! | a dead slot not buried; buried and not tidied away | `an_owner_ends_`, `so_does_`, `two_emitters_find_` |
//! | connecting does not prune; prunes and does not sweep | `a_connect_that_prunes_` |
//! | a signal ends without disconnecting | `a_signal_ends_at_once_` |
//! | tracked owners (`raw::hazard`): no order between entering and looking for an owner, or between its last drop and looking at the cells; no cell looked at; leaving relaxed; no exchange at the end, or no look after it; the end not claimed | each `a_tracked_object_` |
//! | what was left before not looked at when the next is entered | `tracked_objects_that_end_` |
//! | only the first thread's cells looked at, or two threads given the same; only the first level's | `a_tracked_object_ends_once_beside_`; `a_tracked_object_called_in_an_inner_` |
//! | a strong pointer released relaxed | `a_tracked_object_that_a_weak_` |
//! | no fence when a wait finds its signal gone (it was missing until a model said so) | `a_signal_that_ends_` |
//! | a channel's lock taken, or let go, relaxed; an event wakes nobody | `while_its_signal_` |
//! | a consumer does not look again before it waits; the end wakes nobody | models of `streams` |
//! | a waker is kept where a newer one came | `a_consumer_that_waits_with_` |
//! | a call that clones an event does not keep its stream from the end | `the_same_goes_for_an_event_` |
//! | an event put in without looking whether the slot is still to be called | that, and `a_disconnect_beside_` |
//! | what a call puts in after its stream was dropped is kept | `a_stream_dropped_beside_` |
//! | a loss counted twice | `drop_oldest_` |
//! | who waits for room is not woken when there is some; or when the stream is dropped, or can wait after that | `an_emission_that_waits_for_room_is_`; `an_emission_that_waits_for_room_goes_on_` |
//! | an event that is taken back is not reported | `an_event_taken_back_` |
//! | of queues: a run that begins does not ask to be woken again; one that leaves events does not wake | `a_loop_that_runs_one_` |
//! | a driven queue that found nothing does not ask to be woken again; its waker not taken | `a_driven_` |
//! | the events of an ended connection still counted; its mailbox left in the queue | `no_call_starts_once_the_loop_knows_`, `a_driven_queue_`; `a_loop_that_runs_when_it_is_woken_lets_go_`, `what_a_local_queue_` |
//! | methods of ended connections not let go | `what_a_local_queue_` |
//!
//! One is not seen: the fence in `threads_in`, because the fences that make up for SeqCst stand beside it.

// Loom runs all its threads on one.
#![allow(clippy::arc_with_non_send_sync)]

use core::sync::atomic::Ordering;
use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicPtr, AtomicU8, AtomicUsize, fence};
use loom::sync::{Mutex, MutexGuard};
use std::sync::atomic::Ordering::Relaxed;

use crate::base::{Running, SlotKey};
use crate::generic;
use crate::raw::{
    Atom, Checked, Flavor, Handle, Hold, Invoke, KeepAlive, Liveness, Lock, Pointers, StandIn,
    Target, atom,
};
use crate::signal::ByRef;
use crate::slots::{NewSlot, RareData};

mod calls;
mod ends;
mod pointers;
mod queue;
#[cfg(feature = "async")]
mod streams;
mod versions;
pub(crate) use pointers::Strong;

type Signal = generic::Signal<u32, (), Modelled>;

/// With `EXCHANGE_IS_BARRIER` as on x86-64. Loom's exchanges are none: so this is for targets that are entered
/// in some other way.
pub(crate) struct LoomFlavor<const EXCHANGE_IS_BARRIER: bool>;

pub(crate) type Modelled = LoomFlavor<false>;

atom! {
    AtomicPtr<T>: *mut T, T;
    AtomicUsize: usize;
    AtomicU8: u8;
}

impl<T> Lock<T> for Mutex<T> {
    type Guard<'a>
        = MutexGuard<'a, T>
    where
        T: 'a;
    fn new(value: T) -> Self {
        Mutex::new(value)
    }
    fn lock(&self) -> MutexGuard<'_, T> {
        Mutex::lock(self).unwrap()
    }
    fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        Mutex::try_lock(self).ok()
    }
}

loom::lazy_static! {
    /// It begins anew with each run of a model: what a thread does depends on its number.
    static ref NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(1);
}

loom::thread_local! {
    static THREAD: usize = NEXT.fetch_add(1, Relaxed);
}

impl<const EXCHANGE_IS_BARRIER: bool> Flavor for LoomFlavor<EXCHANGE_IS_BARRIER>
where
    Self: Pointers,
{
    type Ptr<T> = AtomicPtr<T>;
    type Count = AtomicUsize;
    type Thread = AtomicUsize;
    type State = AtomicU8;
    type Spacing = ();
    type Lock<T> = Mutex<T>;
    const THREADED: bool = true;
    const EXCHANGE_IS_BARRIER: bool = EXCHANGE_IS_BARRIER;
    fn full_fence() {
        fence(Ordering::SeqCst);
    }
    fn sequential() {
        fence(Ordering::SeqCst);
    }
    fn this_thread() -> usize {
        THREAD.with(|thread| *thread)
    }
    fn wait_a_little(_: u32) {
        loom::thread::yield_now();
    }
}

/// A number that the models count with: not loom's, since they know when to look at it.
#[derive(Clone, Default)]
struct Counter(std::sync::Arc<std::sync::atomic::AtomicUsize>);

impl Counter {
    fn add(&self, n: usize) {
        self.0.fetch_add(n, Relaxed);
    }
    fn get(&self) -> usize {
        self.0.load(Relaxed)
    }
}

/// Something of which there is one user at a time: loom reports any two that are not one after
/// the other.
#[derive(Clone)]
struct Exclusive(std::sync::Arc<UnsafeCell<()>>);

impl Exclusive {
    fn new() -> Self {
        Exclusive(std::sync::Arc::new(UnsafeCell::new(())))
    }
    fn touch(&self) {
        self.0.with_mut(|_| ());
    }
}

/// Counts how often it is dropped, as captures and owners are.
struct Ends(Counter);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.add(1);
    }
}

fn put(
    signal: &Signal,
    calls_left: Option<usize>,
    made: (Handle<u32, (), Modelled>, Option<KeepAlive<Modelled>>),
) -> SlotKey {
    let rare_data = Some(RareData { calls_left, ..RareData::default() });
    let slot = NewSlot { priority: 0, rare_data, unique: None };
    signal.slots().connect(slot, made)
}

/// Connects a closure, which the signal keeps.
fn connect_fn(signal: &Signal, act: impl Fn(&u32) + 'static) -> SlotKey {
    let (handle, keep_alive) = Handle::closure(Checked::new(act));
    put(signal, None, (handle, Some(keep_alive)))
}

/// Connects a method of `owner`.
fn connect<O: 'static>(
    signal: &Signal,
    owner: &Strong<O>,
    method: impl Fn(&O, &u32) + 'static,
) -> SlotKey {
    let owner = Checked::new(Strong::downgrade(owner));
    put(signal, None, Handle::new::<ByRef, _, _>(owner, Checked::new(method)))
}

/// Waits until no call of the slot is under way.
fn wait_for(signal: &Signal, key: SlotKey) {
    while signal.slots().running(key) != Running::Nowhere {
        loom::thread::yield_now();
    }
}
