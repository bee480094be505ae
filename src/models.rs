//! Models of what threads can do to one signal, run by loom through all orders that count.
//!
//! `RUSTFLAGS="--cfg sigwire_loom" LOOM_MAX_PREEMPTIONS=3 cargo test --release --lib models`
//!
//! A family of its own puts loom's atomics and lock under the code that is shipped. Loom has no `Weak`
//! and no pointers of unsized types, so owners are std's `Arc`: it counts right, but is no place where
//! threads may change places. Loom takes SeqCst operations for AcqRel; `Family::sequential` makes up for
//! it with fences, which it does model.
//!
//! The models bite. Each of these faults was planted once, and this is who saw it (by the first words of
//! the names below):
//!
//! | planted | seen by |
//! |---|---|
//! | no order between taking a lane and looking at `head` again | `a_pinned_`, `two_edits_`, `what_a_reader_` |
//! | no order between hiding `head` and looking at the lanes | these, and `a_slot_connected_` |
//! | the lanes not looked at; retired versions freed although held | `a_pinned_`, `two_edits_` |
//! | leaving a lane, or publishing a version, relaxed | `a_pinned_`, `two_edits_` |
//! | restoring `head` relaxed | `a_pinned_`, `two_edits_`, `what_a_reader_` |
//! | `untidy` set without, or after, the look at the lanes | `a_pinned_`, `two_edits_` |
//! | no order between leaving and looking at `untidy` | `a_pinned_`, `two_edits_`, `what_a_reader_`; `what_a_sharer_` |
//! | a call begun, or ended, relaxed | `after_disconnecting_` |
//! | entries of a former list not told to ask | `a_slot_disconnected_after_` |
//! | a `once` slot's claim not taken; its gate not looked at | `two_emitters_call_` |
//! | a disconnected entry not marked | `a_disconnected_slot_` |
//!
//! One is not seen: the fence in `threads_in`, because the fences that make up for SeqCst stand beside it.

use core::sync::atomic::Ordering;
use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicPtr, AtomicU8, AtomicUsize, fence};
use loom::sync::{Mutex, MutexGuard};
use loom::thread;
use std::sync::Arc;

use crate::family::{Atom, Family, Lock, atom};
use crate::ledger::Special;
use crate::raw::{Anchor, Handle, Versions};
use crate::slots::{NewSlot, Slots};
use crate::table::{Running, SlotKey, SlotTable};

pub(crate) struct Modelled;

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

loom::thread_local! {
    static THREAD: usize = {
        static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(1);
        NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
    };
}

impl Family for Modelled {
    type Ptr<T> = AtomicPtr<T>;
    type Count = AtomicUsize;
    type State = AtomicU8;
    type Spacing = ();
    type Lock<T> = Mutex<T>;
    const THREADED: bool = true;
    const UPGRADE_IS_BARRIER: bool = false;
    fn full_fence() {
        fence(Ordering::SeqCst);
    }
    fn sequential() {
        fence(Ordering::SeqCst);
    }
    fn this_thread() -> usize {
        THREAD.with(|thread| *thread)
    }
}

/// A version that loom watches: reading it while it is written or dropped is reported.
struct Watched {
    value: UnsafeCell<usize>,
    /// How many there are.
    alive: Arc<std::sync::atomic::AtomicUsize>,
}

impl Watched {
    fn new(value: usize, alive: &Arc<std::sync::atomic::AtomicUsize>) -> Self {
        alive.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Watched { value: UnsafeCell::new(value), alive: alive.clone() }
    }
    #[allow(unsafe_code)]
    fn read(&self) -> usize {
        // SAFETY: loom checks that nothing writes meanwhile.
        self.value.with(|value| unsafe { *value })
    }
    #[allow(unsafe_code)]
    fn write(&mut self, new: usize) {
        // SAFETY: loom checks that nothing reads meanwhile.
        self.value.with_mut(|value| unsafe { *value = new });
    }
}

impl Clone for Watched {
    fn clone(&self) -> Self {
        Watched::new(self.read(), &self.alive)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.write(usize::MAX);
        self.alive.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
    }
}

type Model = Versions<Watched, (), Modelled>;

fn versions() -> (Arc<Model>, Arc<std::sync::atomic::AtomicUsize>) {
    let alive = Arc::default();
    (Arc::new(Versions::new(Watched::new(0, &alive), ())), alive)
}

/// As an emission does: reads, leaves, and tidies if it is told to.
fn read(versions: &Model) -> usize {
    let pinned = versions.pin();
    let value = pinned.read();
    assert_eq!(pinned.read(), value, "a pinned version does not change");
    drop(pinned);
    if versions.is_untidy() {
        versions.lock().tidy(|_, ()| ());
    }
    value
}

fn edit(versions: &Model) {
    versions.lock().edit(|version, ()| version.write(version.read() + 1), |_| ());
}

#[test]
fn a_pinned_version_is_neither_edited_nor_freed_and_no_version_is_forgotten() {
    loom::model(|| {
        let (versions, alive) = versions();
        let readers: Vec<_> = (0..2)
            .map(|_| {
                let versions = versions.clone();
                thread::spawn(move || assert!(read(&versions) <= 1))
            })
            .collect();
        edit(&versions);
        readers.into_iter().for_each(|reader| reader.join().unwrap());
        assert_eq!(alive.load(std::sync::atomic::Ordering::Relaxed), 1, "retired ones are freed");
        assert_eq!(read(&versions), 1);
    });
}

#[test]
fn two_edits_meet_a_reader_that_sees_them_in_order() {
    loom::model(|| {
        let (versions, alive) = versions();
        let reader = {
            let versions = versions.clone();
            thread::spawn(move || {
                let first = read(&versions);
                assert!(first <= read(&versions), "a later reader sees a later version");
            })
        };
        edit(&versions);
        edit(&versions);
        reader.join().unwrap();
        assert_eq!(alive.load(std::sync::atomic::Ordering::Relaxed), 1);
        assert_eq!(read(&versions), 2);
    });
}

#[test]
fn what_a_sharer_was_in_the_way_of_is_tidied_when_it_ends() {
    loom::model(|| {
        let (versions, _) = versions();
        let sharer = {
            let versions = versions.clone();
            thread::spawn(move || {
                let shared = versions.lock().share();
                assert_eq!(shared.read() % 10, 0);
                if versions.unshare(shared) {
                    versions.lock().tidy(|version, ()| version.write(10));
                }
            })
        };
        // Tidying is to leave 10: by whoever is not in the way.
        versions.lock().tidy(|version, ()| version.write(10));
        sharer.join().unwrap();
        assert_eq!(read(&versions), 10);
    });
}

#[test]
fn what_a_reader_was_in_the_way_of_is_tidied_when_it_ends() {
    loom::model(|| {
        let (versions, _) = versions();
        let reader = {
            let versions = versions.clone();
            thread::spawn(move || {
                let pinned = versions.pin();
                assert_eq!(pinned.read() % 10, 0);
                drop(pinned);
                if versions.is_untidy() {
                    versions.lock().tidy(|version, ()| version.write(10));
                }
            })
        };
        versions.lock().tidy(|version, ()| version.write(10));
        reader.join().unwrap();
        assert_eq!(read(&versions), 10);
    });
}

/// A signal whose slots run `act`.
fn connect(
    slots: &Slots<u32, (), Modelled>,
    calls_left: Option<usize>,
    act: impl Fn() + 'static,
) -> SlotKey {
    let special = Special { calls_left, ..Special::default() };
    slots.connect(NewSlot { priority: 0, special, unique: None }, |_| {
        let (handle, anchor) = Handle::closure(move |_: &u32| act());
        (handle, Some(anchor))
    })
}

/// The same with an owner that the model keeps, as methods of objects have: disconnecting alone does
/// not end it.
fn connect_owned(
    slots: &Slots<u32, (), Modelled>,
    act: impl Fn() + 'static,
) -> (SlotKey, Anchor<Modelled>) {
    let (handle, owner) = Handle::closure(move |_: &u32| act());
    let new = NewSlot { priority: 0, special: Special::default(), unique: None };
    (slots.connect(new, |_| (handle, None)), owner)
}

fn wait_for(slots: &Slots<u32, (), Modelled>, key: SlotKey) {
    while slots.running(key) != Running::Nowhere {
        thread::yield_now();
    }
}

#[test]
#[allow(unsafe_code)]
fn after_disconnecting_and_waiting_no_call_is_under_way_and_none_starts() {
    loom::model(|| {
        let slots = Arc::new(Slots::<u32, (), Modelled>::new());
        let touched = Arc::new(UnsafeCell::new(0));
        let in_slot = touched.clone();
        // SAFETY: loom checks that this and the access below never meet.
        let (key, _owner) = connect_owned(&slots, move || in_slot.with_mut(|n| unsafe { *n += 1 }));
        let emitter = {
            let slots = slots.clone();
            thread::spawn(move || slots.emit(&1))
        };
        slots.disconnect(key);
        wait_for(&slots, key);
        // SAFETY: see above.
        let calls = touched.with_mut(|n| unsafe { *n });
        let called = emitter.join().unwrap();
        assert_eq!(calls, called);
    });
}

#[test]
fn a_slot_disconnected_after_its_list_was_replaced_is_not_called_out_of_the_former_one() {
    loom::model(|| {
        let slots = Arc::new(Slots::<u32, (), Modelled>::new());
        connect(&slots, None, || ());
        let touched = Arc::new(UnsafeCell::new(()));
        let in_slot = touched.clone();
        // Loom checks that this and the access below never meet.
        let (key, _owner) = connect_owned(&slots, move || in_slot.with_mut(|_| ()));
        let emitter = {
            let slots = slots.clone();
            thread::spawn(move || slots.emit(&1))
        };
        connect(&slots, None, || ());
        slots.disconnect(key);
        wait_for(&slots, key);
        touched.with_mut(|_| ());
        assert!((1..=3).contains(&emitter.join().unwrap()));
    });
}

#[test]
fn two_emitters_call_a_once_slot_once() {
    loom::model(|| {
        let slots = Arc::new(Slots::<u32, (), Modelled>::new());
        let calls = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let in_slot = calls.clone();
        let count = move || _ = in_slot.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        connect(&slots, Some(1), count);
        let emitter = {
            let slots = slots.clone();
            thread::spawn(move || slots.emit(&1))
        };
        let called = slots.emit(&1) + emitter.join().unwrap();
        assert_eq!((called, calls.load(std::sync::atomic::Ordering::Relaxed)), (1, 1));
        assert_eq!(slots.count(), 0);
    });
}

#[test]
fn a_slot_connected_beside_two_emitters_is_called_by_the_next_emission() {
    loom::model(|| {
        let slots = Arc::new(Slots::<u32, (), Modelled>::new());
        connect(&slots, None, || ());
        let emitters: Vec<_> = (0..2)
            .map(|_| {
                let slots = slots.clone();
                thread::spawn(move || slots.emit(&1))
            })
            .collect();
        connect(&slots, None, || ());
        assert!(emitters.into_iter().all(|emitter| (1..=2).contains(&emitter.join().unwrap())));
        assert_eq!(slots.emit(&1), 2);
    });
}

#[test]
fn a_disconnected_slot_lets_go_of_what_it_captured_whoever_was_in_the_way() {
    loom::model(|| {
        let slots = Arc::new(Slots::<u32, (), Modelled>::new());
        let captured = Arc::new(());
        let in_slot = captured.clone();
        let key = connect(&slots, None, move || _ = &in_slot);
        connect(&slots, None, || ());
        let emitter = {
            let slots = slots.clone();
            thread::spawn(move || slots.emit(&1))
        };
        assert!(slots.disconnect(key));
        assert!((1..=2).contains(&emitter.join().unwrap()));
        assert_eq!(Arc::strong_count(&captured), 1);
        assert_eq!(slots.emit(&1), 1);
    });
}

#[test]
fn two_emitters_find_a_dead_slot_and_it_is_pruned_once() {
    loom::model(|| {
        let slots = Arc::new(Slots::<u32, (), Modelled>::new());
        let special = Special::default();
        let key = slots.connect(NewSlot { priority: 0, special, unique: None }, |_| {
            // Nobody keeps the closure.
            (Handle::closure(|_: &u32| ()).0, None)
        });
        let emitter = {
            let slots = slots.clone();
            thread::spawn(move || slots.emit(&1))
        };
        assert_eq!(slots.emit(&1) + emitter.join().unwrap(), 0);
        assert!(!slots.disconnect(key));
        assert_eq!(slots.emit(&1), 0);
    });
}
