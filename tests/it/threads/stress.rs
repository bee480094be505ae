//! Several threads that do everything at once. Beside the signal there are only atomics here, so
//! that ThreadSanitizer sees all there is: the standard library's own locks are not instrumented.

use sigwire::{HazardArc, Signal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;

/// Lets threads start together.
struct Start(AtomicUsize);

impl Start {
    fn of(threads: usize) -> Self {
        Start(AtomicUsize::new(threads))
    }
    fn together(&self) {
        self.0.fetch_sub(1, SeqCst);
        while self.0.load(SeqCst) > 0 {
            thread::yield_now();
        }
    }
}

#[test]
fn no_call_is_under_way_after_disconnect_and_wait_however_the_threads_meet() {
    let signal: Signal<u32> = Signal::new();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(SeqCst) {
                    signal.emit(&1);
                }
            });
        }
        for round in 0..3000 {
            // 0: may be called; 1: must not be any more.
            let over = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
            let connection = signal.connect(&over, |(over, wrong), _| {
                if over.load(SeqCst) == 1 {
                    wrong.fetch_add(1, SeqCst);
                }
            });
            if round % 3 == 0 {
                thread::yield_now();
            }
            assert_eq!(connection.disconnect_and_wait(), Ok(true));
            over.0.store(1, SeqCst);
            assert_eq!(over.1.load(SeqCst), 0, "called after it had been waited for");
            drop(over);
        }
        stop.store(true, SeqCst);
    });
}

#[test]
fn a_once_slot_is_called_once_however_many_threads_emit() {
    for _ in 0..300 {
        let signal: Signal<u32> = Signal::new();
        let calls = Arc::new(AtomicUsize::new(0));
        signal.slot().once().connect(&calls, |calls, _| _ = calls.fetch_add(1, SeqCst));
        signal.slot().times(2).connect(&calls, |calls, _| _ = calls.fetch_add(100, SeqCst));
        let start = Start::of(3);
        let called: usize = thread::scope(|scope| {
            let threads: Vec<_> = (0..3)
                .map(|_| {
                    scope.spawn(|| {
                        start.together();
                        signal.emit(&1)
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!((calls.load(SeqCst), called), (201, 3));
    }
}

#[test]
fn new_slots_become_visible_while_other_threads_emit_without_pause() {
    let signal: Signal<u32> = Signal::new();
    let stop = AtomicBool::new(false);
    let kept: Vec<Arc<AtomicUsize>> = (0..100).map(|_| Arc::default()).collect();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(SeqCst) {
                    signal.emit(&1);
                }
            });
        }
        for owner in &kept {
            signal.connect(owner, |calls, _| _ = calls.fetch_add(1, SeqCst));
            while owner.load(SeqCst) == 0 {
                thread::yield_now();
            }
        }
        stop.store(true, SeqCst);
    });
    assert_eq!(signal.slot_count(), 100);
}

#[test]
fn ten_emitters_reach_the_exact_sum() {
    let signal: Signal<usize> = Signal::new();
    let sums: Vec<Arc<AtomicUsize>> = (0..4).map(|_| Arc::default()).collect();
    for sum in &sums {
        signal.connect(sum, |sum, n| _ = sum.fetch_add(*n, SeqCst));
    }
    thread::scope(|scope| {
        for thread in 0..10 {
            let signal = &signal;
            scope.spawn(move || (0..1000).for_each(|i| assert_eq!(signal.emit(&(thread + i)), 4)));
        }
    });
    let expected = (0..10).flat_map(|thread| (0..1000).map(move |i| thread + i)).sum::<usize>();
    assert!(sums.iter().all(|sum| sum.load(SeqCst) == expected));
}

#[test]
fn emitters_connectors_disconnectors_and_dying_owners_leave_the_signal_whole() {
    struct Owner(#[allow(dead_code)] Arc<AtomicUsize>);
    impl Drop for Owner {
        fn drop(&mut self) {
            self.0.fetch_add(1, SeqCst);
        }
    }
    let signal: Signal<u32> = Signal::new();
    let (ended, captured_ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let kept = Arc::new(());
    signal.connect(&kept, |_, _| ());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| (0..3000).for_each(|i| assert!(signal.emit(&i) >= 1)));
            scope.spawn(|| (0..300).for_each(|i| assert!(signal.call(&i).take(3).count() >= 1)));
            scope.spawn(|| {
                for i in 0..2000 {
                    let owner = Arc::new(Owner(ended.clone()));
                    let captured = Owner(captured_ended.clone());
                    signal.connect(&owner, |_, _| ());
                    let one = signal.connect(&owner, move |_, _| _ = &captured);
                    let two = signal.slot().priority(i % 3).once().connect(&owner, |_, _| ());
                    let block = two.block();
                    if i % 2 == 0 {
                        one.disconnect();
                        assert!(two.disconnect_and_wait().is_ok(), "called already, or not");
                    }
                    drop((owner, block));
                }
            });
        }
    });
    signal.prune();
    assert_eq!(signal.slot_count(), 1);
    assert_eq!(signal.emit(&0), 1);
    assert_eq!((ended.load(SeqCst), captured_ended.load(SeqCst)), (4000, 4000));
    assert_eq!(Arc::weak_count(&kept), 1);
}

#[test]
fn signals_that_emit_into_each_other_from_two_threads_do_not_deadlock() {
    let pair = Arc::new((Signal::<u32>::new(), Signal::<u32>::new(), AtomicUsize::new(0)));
    pair.0.connect(&pair, |pair, n| {
        if *n > 0 { _ = pair.1.emit(&(n - 1)) } else { _ = pair.2.fetch_add(1, SeqCst) }
    });
    pair.1.connect(&pair, |pair, n| {
        if *n > 0 { _ = pair.0.emit(&(n - 1)) } else { _ = pair.2.fetch_add(1, SeqCst) }
    });
    thread::scope(|scope| {
        scope.spawn(|| (0..2000).for_each(|_| _ = pair.0.emit(&5)));
        scope.spawn(|| (0..2000).for_each(|_| _ = pair.1.emit(&5)));
    });
    assert_eq!(pair.2.load(SeqCst), 4000);
}

#[test]
fn the_first_connections_of_two_threads_both_count() {
    for _ in 0..500 {
        let signal: Signal<u32> = Signal::new();
        let owner = Arc::new(());
        let start = Start::of(2);
        thread::scope(|scope| {
            let first = || {
                start.together();
                signal.connect(&owner, |_, _| ());
            };
            // Joined: that the scope waits is not seen.
            let threads = [scope.spawn(first), scope.spawn(first)];
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        });
        assert_eq!(signal.emit(&1), 2);
    }
}

#[test]
fn emissions_driven_by_hand_and_nested_ones_meet_edits_on_other_threads() {
    let signal: Arc<Signal<usize, usize>> = Arc::new(Signal::new());
    let owner = Arc::new(Arc::downgrade(&signal));
    signal.connect(&owner, |signal, n| match n {
        0 => 1,
        n => signal.upgrade().unwrap().call(&(n - 1)).sum::<usize>(),
    });
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for n in 0..1500 {
                    let depth = n % 4;
                    let mut emission = signal.call(&depth);
                    assert!(emission.next().unwrap() >= 1);
                    assert!(signal.emit(&(n % 3)) >= 1);
                    emission.by_ref().for_each(drop);
                }
                stop.store(true, SeqCst);
            });
        }
        while !stop.load(SeqCst) {
            let late = Arc::new(());
            let plain = signal.slot().priority(-1).connect(&late, |_, _| 0);
            let guard = signal.slot().times(3).connect_fn(|_| 0);
            assert!(plain.disconnect());
            drop((late, guard));
            signal.prune();
        }
    });
    assert_eq!(signal.slot_count(), 1);
    assert_eq!(Arc::weak_count(&owner), 1);
}

/// Notices being destroyed while it is called, or twice.
struct Fragile {
    calls: AtomicUsize,
    destroyed: Arc<AtomicUsize>,
    wrong: Arc<AtomicUsize>,
    /// Read and dropped without atomics, so that sanitizers see both.
    text: String,
}

impl Fragile {
    fn on(&self, n: &u32) {
        self.calls.fetch_add(1, SeqCst);
        assert_eq!(self.text.len(), 7 + *n as usize - 1);
        thread::yield_now();
        assert_eq!(self.text.as_bytes()[0], b'f');
        self.calls.fetch_sub(1, SeqCst);
    }
}

impl Drop for Fragile {
    fn drop(&mut self) {
        self.wrong.fetch_add(self.calls.load(SeqCst), SeqCst);
        self.destroyed.fetch_add(1, SeqCst);
    }
}

#[test]
fn tracked_owners_are_destroyed_once_and_not_while_they_are_called_however_the_threads_meet() {
    const ROUNDS: usize = 3000;
    let signals: [Signal<u32>; 2] = Default::default();
    let (destroyed, wrong) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for signal in [&signals[0], &signals[1], &signals[1]] {
            let stop = &stop;
            scope.spawn(move || {
                while !stop.load(SeqCst) {
                    signal.emit(&1);
                }
            });
        }
        for round in 0..ROUNDS {
            let (destroyed, wrong) = (destroyed.clone(), wrong.clone());
            let calls = AtomicUsize::new(0);
            let owner = HazardArc::new(Fragile { calls, destroyed, wrong, text: "fragile".into() });
            signals.iter().for_each(|signal| _ = signal.connect(&owner, Fragile::on));
            let other = owner.clone();
            if round % 2 == 0 {
                thread::yield_now();
            }
            drop(owner);
            if round % 3 == 0 {
                thread::yield_now();
            }
            drop(other);
        }
        stop.store(true, SeqCst);
    });
    assert_eq!((destroyed.load(SeqCst), wrong.load(SeqCst)), (ROUNDS, 0));
}
