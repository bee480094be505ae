//! Faults that are planted: `.ci/run` fails when the sanitizers do not report them.

use sigwire::{HazardArc, Signal};
use std::cell::UnsafeCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

#[test]
#[ignore = "leaks on purpose"]
fn a_cycle_through_an_owner_that_its_slot_captures_is_a_leak() {
    let owner: Arc<Signal<u32>> = Arc::default();
    let captured = owner.clone();
    owner.connect(&owner, move |_, _| _ = &captured);
    let gone = Arc::downgrade(&owner);
    drop(owner);
    assert!(gone.upgrade().is_some());
}

#[test]
#[ignore = "races on purpose"]
fn a_race_in_a_slot_that_two_threads_run_is_seen() {
    struct Racy(UnsafeCell<u32>, AtomicUsize);
    // SAFETY: there is none; this is the fault.
    unsafe impl Sync for Racy {}
    let racy = Arc::new(Racy(UnsafeCell::new(0), AtomicUsize::new(0)));
    let signal: Signal<u32> = Signal::new();
    signal.connect(&racy, |racy, _| {
        // Both threads are inside, and nothing orders them.
        racy.1.fetch_add(1, Relaxed);
        while racy.1.load(Relaxed) < 2 {
            thread::yield_now();
        }
        // Often: the sanitizer may miss what happens in the very same moment.
        for _ in 0..10_000 {
            // SAFETY: there is none.
            unsafe { *racy.0.get() += 1 };
        }
    });
    thread::scope(|scope| {
        let other = scope.spawn(|| signal.emit(&1));
        assert_eq!((signal.emit(&1), other.join().unwrap()), (1, 1));
    });
}

#[test]
#[ignore = "uses what is freed on purpose"]
fn an_owner_that_is_used_after_its_end_is_seen() {
    let signal: Signal<u32> = Signal::new();
    let owner = HazardArc::new(AtomicUsize::new(0));
    signal.connect(&owner, |calls, _| _ = calls.fetch_add(1, Relaxed));
    let freed: *const AtomicUsize = &*owner;
    drop(owner);
    // Lets go of the slot, and so of the memory.
    signal.prune();
    // SAFETY: there is none; this is the fault.
    assert_eq!(unsafe { (*freed).load(Relaxed) }, 0);
}
