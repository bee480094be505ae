//! Models of what threads can do to one signal. Loom runs each in all orders that matter.
//!
//! ```sh
//! RUSTFLAGS="--cfg sigwire_loom" LOOM_MAX_PREEMPTIONS=3 \
//!     cargo test --release --all-features --lib models
//! ```
//!
//! The models run the shipped code in a flavor of their own: its atomics and lock are loom's, and
//! its `Arc` and `Weak` count in one of loom's atomics. Loom treats SeqCst operations as AcqRel.
//! `Flavor::sequential` adds the fences, which loom does model.
//!
//! The models find faults. Each of the following faults was planted once, and these models failed.
//! (They are named by their first words. They are in the files below and in
//! `raw/hazard/protocol.rs`.)
//!
//! | planted fault | models that failed |
//! |---|---|
//! | no order between taking a reader cell and checking `head` again | `a_pinned_`, `two_edits_`, `what_a_reader_` |
//! | no order between setting `head` to null and checking the reader cells | these, and `a_slot_connected_` |
//! | the reader cells are not checked; retired versions are freed although a cell contains them | `a_pinned_`, `two_edits_` |
//! | only the first reader cell is checked: for a version; for a call | `a_pinned_`, `two_emitters_`; `after_disconnecting_and_waiting_a_nested_` |
//! | a reader takes a cell that is already taken | `a_pinned_`, `two_emitters_`, `a_slot_that_emits_` |
//! | leaving a reader cell, or publishing a version, is relaxed | `a_pinned_`, `two_edits_` |
//! | restoring `head` is relaxed | `a_pinned_`, `two_edits_`, `what_a_reader_` |
//! | the marks for tidying are not set before the reader cells are checked | `a_pinned_`, `two_edits_` |
//! | no order between leaving a cell and checking the marks | `a_pinned_`, `two_edits_`, `what_a_reader_`; `what_a_sharer_` |
//! | the first list is set without checking whether there is one, or is found by a relaxed load | `the_first_connections_` |
//! | beginning or ending a call is relaxed; calls are not begun at all | `after_disconnecting_`, `a_blocked_`, `a_slot_that_emits_` |
//! | the entries of a replaced list are not set to ask | `a_slot_disconnected_after_` |
//! | no fence for a target that is entered without an exchange, where the order rests on exchanges | `after_disconnecting_and_waiting_none_` |
//! | the call of a `once` slot is not claimed; its state is not checked | `two_emitters_call_` |
//! | the state of an entry is written relaxed, or read relaxed before the call | `a_blocked_slot_`, `a_blocked_signal_` |
//! | blocking the slot does not mark its entry; blocking the signal does not mark entries | `a_blocked_slot_`; `a_blocked_signal_` |
//! | a slot that asks ignores its own blocks; those of the signal | `a_blocked_slot_`; `a_blocked_signal_` |
//! | the entry of a disconnected slot is not marked | `a_disconnected_slot_` |
//! | an owner is released before its method runs | `an_owner_ends_` |
//! | under the lock: an owner is upgraded to check whether it lives; captures are dropped | `a_destructor_` |
//! | a dead slot is not pruned; it is pruned but not tidied away | `an_owner_ends_`, `so_does_`, `two_emitters_find_` |
//! | connecting does not prune; it prunes but does not sweep | `a_connect_that_prunes_` |
//! | a signal ends without disconnecting its slots | `a_signal_ends_at_once_` |
//! | `raw::hazard`: no order between entering and checking for an owner, or between releasing the last one and checking the cells; no cell is checked; leaving is relaxed; no exchange at the end of an emission, or no check after it; destroying is not claimed | each `a_hazard_object_` |
//! | the object that was left before is not checked when the next is entered | `hazard_objects_that_end_` |
//! | only the first thread's cells are checked, or two threads lease the same ones; only the cell of the outer emission is checked | `a_hazard_object_ends_once_beside_`; `a_hazard_object_called_in_an_inner_` |
//! | releasing a strong pointer is relaxed | `a_hazard_object_that_a_weak_` |
//! | no fence when a wait finds its signal gone (a model found that it was missing) | `a_signal_that_ends_` |
//! | locking or unlocking a channel is relaxed; an event wakes nobody | `while_its_signal_` |
//! | a consumer does not check again before it waits; the end wakes nobody | models in `streams` |
//! | an old waker is kept when a new one comes | `a_consumer_that_waits_with_` |
//! | a call that clones an event does not keep its stream from ending | `the_same_goes_for_an_event_` |
//! | an event is put in without checking whether the slot may still be called | the same, and `a_disconnect_beside_` |
//! | an event that a call puts in after its stream was dropped is kept | `a_stream_dropped_beside_` |
//! | a loss is counted twice | `drop_oldest_` |
//! | an emission that waits for room is not woken when there is some; when the stream is dropped; or can begin to wait after that | `an_emission_that_waits_for_room_is_`; `an_emission_that_waits_for_room_goes_on_` |
//! | an event that is taken back is not reported | `an_event_taken_back_` |
//! | queues: a run does not ask at its beginning to be woken again; a run that leaves events does not wake | `a_loop_that_runs_one_` |
//! | a driven queue that found nothing does not ask to be woken again; its waker is not taken | `a_driven_` |
//! | the events of an ended connection are still counted; its mailbox stays in the queue | `no_call_starts_once_the_loop_knows_`, `a_driven_queue_`; `a_loop_that_runs_when_it_is_woken_drops_`, `what_a_local_queue_` |
//! | the methods of ended connections are not dropped | `what_a_local_queue_` |
//!
//! One planted fault was not found: a missing fence in `threads_in`, because the fences that make
//! up for SeqCst stand beside it.

// Loom runs all its threads on one thread of the system.
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

/// The flavor of the models. `EXCHANGE_IS_BARRIER` is true on x86-64, but loom's exchanges are no
/// barriers: so use true only for targets that are entered without an exchange.
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
    /// Starts anew in each run of a model, since what a thread does depends on its number.
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

/// A number that the models count in. Not one of loom's atomics: the models read it only when
/// nothing else can write it.
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

/// Accessed by one thread at a time: loom reports two accesses of which neither happens before the
/// other.
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

/// Counts how often it is dropped. Serves as a capture or an owner.
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

/// Connects a closure.
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
