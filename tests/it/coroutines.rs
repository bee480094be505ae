//! Emissions that do not end in the reverse order of their beginning: each runs on a stack of its
//! own, and is suspended inside a slot while others on the thread begin and end.

use crate::support::random::Random;
use crate::support::{Log, panic_of};
use corosensei::{Coroutine, CoroutineResult, Yielder};
use sigwire::{HazardArc, Signal};
use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

thread_local! {
    /// That of the coroutine that runs.
    static YIELDER: Cell<*const Yielder<(), ()>> = const { Cell::new(ptr::null()) };
}

/// Suspends the coroutine that runs, inside whatever it calls.
fn suspend() {
    let yielder = YIELDER.get();
    // SAFETY: `Suspended` sets it to that of the coroutine it resumes, which is there while that
    // runs.
    unsafe { (*yielder).suspend(()) };
    YIELDER.set(yielder);
}

/// What runs on a stack of its own, and is suspended.
struct Suspended(Coroutine<(), (), ()>);

impl Suspended {
    /// Runs `run` until it suspends itself.
    fn begin(run: impl FnOnce() + 'static) -> Self {
        let mut suspended = Suspended(Coroutine::new(move |yielder, ()| {
            YIELDER.set(yielder);
            run();
        }));
        assert!(!suspended.goes_on_to_the_end());
        suspended
    }
    fn goes_on_to_the_end(&mut self) -> bool {
        let around = YIELDER.get();
        let result = self.0.resume(());
        YIELDER.set(around);
        matches!(result, CoroutineResult::Return(()))
    }
    fn end(mut self) {
        assert!(self.goes_on_to_the_end());
    }
}

/// Says when its method begins and ends, and when it is dropped.
struct Owner {
    log: Log,
    name: String,
}

impl Owner {
    fn new(log: &Log, name: impl Into<String>) -> Self {
        Owner { log: log.clone(), name: name.into() }
    }
    fn say(&self, what: &str) {
        self.log.add(format!("{} {what}", self.name));
    }
    fn on(&self, _: &u32) {
        self.say("begins");
        suspend();
        self.say("ends");
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.say("is dropped");
    }
}

/// An emission to one owner of its own, whose method is suspended.
fn emission(log: &Log, name: impl Into<String>) -> (Suspended, HazardArc<Owner>) {
    let owner = HazardArc::new(Owner::new(log, name));
    let signal: Signal<u32> = Signal::new();
    signal.connect(&owner, Owner::on);
    (Suspended::begin(move || assert_eq!(signal.emit(&1), 1)), owner)
}

/// The same with an owner that is dropped meanwhile.
fn emission_without_owner(log: &Log, name: impl Into<String>) -> Suspended {
    emission(log, name).0
}

#[test]
fn an_owner_is_not_destroyed_in_its_method_when_an_earlier_emission_ends_and_another_begins() {
    let log = Log::default();
    let (first, _a) = emission(&log, "a");
    let (second, b) = emission(&log, "b");
    assert_eq!(log.take(), ["a begins", "b begins"]);
    first.end();
    let (third, _c) = emission(&log, "c");
    assert_eq!(log.take(), ["a ends", "c begins"]);
    drop(b);
    assert_eq!(log.take(), [""; 0], "its method runs");
    second.end();
    assert_eq!(log.take(), ["b ends", "b is dropped"]);
    third.end();
}

#[test]
fn emissions_that_end_in_any_order_destroy_each_owner_right_after_its_call() {
    let log = Log::default();
    let mut random = Random::new(7);
    let mut suspended = Vec::new();
    for n in 0..20_000 {
        // More at once than there are cells for one thread.
        let begins = suspended.len() < 24 && random.one_in(2);
        if suspended.is_empty() || begins {
            let (emission, owner) = emission(&log, n.to_string());
            suspended.push((n, emission, Some(owner)));
            log.take();
            continue;
        }
        let at = random.below(suspended.len());
        if random.one_in(2) {
            drop(suspended[at].2.take());
            assert_eq!(log.take(), [""; 0], "its method runs");
        } else {
            let (n, emission, owner) = suspended.swap_remove(at);
            emission.end();
            let (ends, is_dropped) = (format!("{n} ends"), format!("{n} is dropped"));
            if owner.is_none() {
                assert_eq!(log.take(), [ends, is_dropped]);
            } else {
                assert_eq!(log.take(), [ends]);
                drop(owner);
                assert_eq!(log.take(), [is_dropped]);
            }
        }
    }
}

#[test]
fn an_owner_left_by_an_emission_that_ends_early_is_destroyed_though_another_goes_on() {
    let log = Log::default();
    let other = emission_without_owner(&log, "other");
    let signal: Arc<Signal<u32>> = Arc::default();
    let owners = ["a", "b"].map(|name| HazardArc::new(Owner::new(&log, name)));
    owners.iter().for_each(|owner| _ = signal.connect(owner, Owner::on));
    let weak = owners.each_ref().map(HazardArc::downgrade);
    let mut emission = Suspended::begin(move || _ = signal.emit(&1));
    assert!(!emission.goes_on_to_the_end());
    assert_eq!(log.take(), ["other begins", "a begins", "a ends", "b begins"]);
    drop(owners);
    assert_eq!(log.take(), ["a is dropped"], "b is being called");
    emission.end();
    assert_eq!(log.take(), ["b ends", "b is dropped"]);
    assert!(weak.iter().all(|weak| weak.upgrade().is_none()));
    other.end();
    assert_eq!(log.take(), ["other ends", "other is dropped"]);
}

#[test]
fn a_stack_that_is_dropped_while_its_slot_is_suspended_lets_go_of_the_owner() {
    let log = Log::default();
    let first = emission_without_owner(&log, "a");
    let second = emission_without_owner(&log, "b");
    drop(first);
    assert_eq!(log.take(), ["a begins", "b begins", "a is dropped"]);
    second.end();
    assert_eq!(log.take(), ["b ends", "b is dropped"]);
}

#[test]
fn the_depth_counts_what_is_under_way_and_nothing_else_in_whatever_order_it_ends() {
    let log = Log::default();
    for _ in 0..3 {
        let mut suspended: Vec<_> =
            (0..200).map(|n| emission_without_owner(&log, n.to_string())).collect();
        suspended.drain(..100).for_each(Suspended::end);
        // 100 are under way. So this is one too deep at 156.
        let signal: Arc<Signal<u32>> = Arc::default();
        let inner = signal.clone();
        let deepest = Arc::new(AtomicU32::new(0));
        let noted = deepest.clone();
        let runaway = signal.connect_fn(move |n| {
            noted.store(*n, Relaxed);
            inner.emit(&(n + 1));
        });
        assert!(panic_of(|| signal.emit(&1)).contains("nested 256 deep"));
        assert_eq!(deepest.load(Relaxed), 156);
        drop(runaway);
        suspended.into_iter().for_each(Suspended::end);
    }
}

#[test]
fn a_lock_that_a_suspended_slot_holds_is_known_whatever_other_slots_have_let_go_of() {
    let (done, is_done) = mpsc::channel();
    let run = thread::spawn(move || {
        locks_of_suspended_slots();
        done.send(())
    });
    // A slot that waits for its own lock never ends.
    let timed_out = is_done.recv_timeout(Duration::from_secs(60)) == Err(RecvTimeoutError::Timeout);
    assert!(!timed_out, "deadlock");
    assert!(run.join().is_ok());
}

fn locks_of_suspended_slots() {
    let signal: Arc<Signal<u32>> = Arc::default();
    let owners = [1, 2].map(|n| Arc::new(Mutex::new(n)));
    for owner in &owners {
        signal.slot().once().connect_mut(owner, |_, _| suspend());
    }
    let begin = || {
        let signal = signal.clone();
        Suspended::begin(move || _ = signal.emit(&1))
    };
    // The first holds the first lock, the second the second.
    let (mut first, second) = (begin(), begin());
    assert!(first.goes_on_to_the_end());
    let again: Signal<u32> = Signal::new();
    again.connect_mut(&owners[1], |_, _| ());
    let refused = panic_of(|| again.emit(&1));
    assert!(refused.contains("already borrowed"), "{refused}");
    second.end();
    again.connect_mut(&owners[0], |_, _| ());
    assert_eq!(again.emit(&1), 2, "both are free");
}
