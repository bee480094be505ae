//! Many threads that emit, connect and disconnect, and slots that use locks.
//!
//! ThreadSanitizer does not see the locks of the standard library: what it can run is in
//! `stress.rs`, and `.ci/run` names the tests of this file that it leaves out.

use sigwire::{Connection, Signal};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, Mutex, Weak};
use std::thread;
use std::time::Duration;

// From sigslot, test/signal-threaded.cpp.
#[test]
fn ten_emitters_add_up_to_the_exact_sum_in_slots_of_every_kind() {
    let signal: Signal<u64, u64> = Signal::new();
    let atomic = Arc::new(AtomicU64::new(0));
    let locked = Arc::new(Mutex::new(0_u64));
    let closed_over = Arc::new(AtomicU64::new(0));
    signal.connect(&atomic, |sum, n| {
        sum.fetch_add(*n, SeqCst);
        *n
    });
    signal.connect_mut(&locked, |sum, n| {
        *sum += n;
        *n
    });
    let sum = closed_over.clone();
    let _guard = signal.connect_fn(move |n| {
        sum.fetch_add(*n, SeqCst);
        *n
    });
    let returned: u64 = thread::scope(|scope| {
        let emitters: Vec<_> = (0..10)
            .map(|thread| {
                let signal = &signal;
                let numbers = thread * 1000..thread * 1000 + 1000;
                scope.spawn(move || numbers.map(|n| signal.call(&n).sum::<u64>()).sum::<u64>())
            })
            .collect();
        emitters.into_iter().map(|emitter| emitter.join().unwrap()).sum()
    });
    let expected = (0..10_000).sum::<u64>();
    assert_eq!(atomic.load(SeqCst), expected);
    assert_eq!(*locked.lock().unwrap(), expected);
    assert_eq!(closed_over.load(SeqCst), expected);
    assert_eq!(returned, 3 * expected);
}

// From sigslot, test/signal-threaded.cpp.
#[test]
fn signals_whose_running_slots_use_each_other_from_two_threads_do_not_deadlock() {
    struct Crossing {
        signals: [Signal<u32>; 2],
        both_inside: Barrier,
        calls: AtomicUsize,
    }
    impl Crossing {
        fn cross(&self, other: usize, n: &u32) {
            self.calls.fetch_add(1, SeqCst);
            if *n > 0 {
                return;
            }
            // From here on each signal has a slot running, and uses the other one.
            self.both_inside.wait();
            let owner = Arc::new(());
            let signal = &self.signals[other];
            let connection = signal.connect(&owner, |_, _| ());
            let block = signal.block();
            assert_eq!(signal.emit(&1), 0);
            drop(block);
            assert_eq!(signal.emit(&1), 2);
            assert_eq!(signal.slot_count(), 2);
            assert_eq!(connection.disconnect_and_wait(), Ok(true));
            assert_eq!(signal.prune(), 0);
            self.both_inside.wait();
        }
    }
    let (done, ended) = channel();
    thread::spawn(move || {
        for _ in 0..50 {
            let crossing = Arc::new(Crossing {
                signals: [Signal::new(), Signal::new()],
                both_inside: Barrier::new(2),
                calls: AtomicUsize::new(0),
            });
            for me in 0..2 {
                crossing.signals[me]
                    .connect(&crossing, move |crossing, n| crossing.cross(1 - me, n));
            }
            thread::scope(|scope| {
                for signal in &crossing.signals {
                    scope.spawn(|| assert_eq!(signal.emit(&0), 1));
                }
            });
            assert_eq!(crossing.calls.load(SeqCst), 4);
        }
        done.send(()).unwrap();
    });
    assert_eq!(ended.recv_timeout(Duration::from_secs(20)), Ok(()), "it is stuck, or failed");
}

// From sigslot, test/signal-threaded.cpp.
#[test]
fn twenty_emitting_twenty_connecting_and_twenty_disconnecting_threads_leave_the_signal_whole() {
    const THREADS: usize = 20;
    const EMISSIONS: usize = 40;
    const CONNECTS: usize = 25;

    /// Knows whether its slot may still be called.
    struct Guest {
        ended: AtomicBool,
        calls: Arc<AtomicUsize>,
    }
    impl Guest {
        fn on(&self, n: &usize) {
            assert!(!self.ended.load(SeqCst), "no call starts after its disconnect returned");
            self.calls.fetch_add(1, SeqCst);
            if n % 4 == 0 {
                thread::yield_now();
                assert!(!self.ended.load(SeqCst), "the disconnect waited for the call");
            }
        }
    }

    let signal: Signal<usize> = Signal::new();
    let calls = Arc::new(AtomicUsize::new(0));
    let permanent = Arc::new(Mutex::new(HashSet::new()));
    signal.connect_mut(&permanent, |events, n| assert!(events.insert(*n), "{n} came twice"));
    let pool: Mutex<Vec<(Connection, Arc<Guest>)>> = Mutex::new(vec![]);
    let ended: Mutex<Vec<Weak<Guest>>> = Mutex::new(vec![]);
    let start = Barrier::new(3 * THREADS);
    let counted = AtomicUsize::new(0);

    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (signal, start, counted) = (&signal, &start, &counted);
            scope.spawn(move || {
                start.wait();
                for n in 0..EMISSIONS {
                    counted.fetch_add(signal.emit(&(thread * EMISSIONS + n)), SeqCst);
                }
            });
            let (pool, ended, calls) = (&pool, &ended, &calls);
            scope.spawn(move || {
                start.wait();
                for n in 0..CONNECTS {
                    let guest = Guest { ended: AtomicBool::new(false), calls: calls.clone() };
                    let guest = Arc::new(guest);
                    let priority = (n % 3) as i32 - 1;
                    let connection = signal.slot().priority(priority).connect(&guest, Guest::on);
                    pool.lock().unwrap().push((connection, guest));
                }
            });
            scope.spawn(move || {
                start.wait();
                let mut left = CONNECTS;
                while left > 0 {
                    let Some((connection, guest)) = pool.lock().unwrap().pop() else {
                        thread::yield_now();
                        continue;
                    };
                    assert_eq!(connection.disconnect_and_wait(), Ok(true));
                    guest.ended.store(true, SeqCst);
                    ended.lock().unwrap().push(Arc::downgrade(&guest));
                    left -= 1;
                }
            });
        }
    });

    assert_eq!(permanent.lock().unwrap().len(), THREADS * EMISSIONS);
    assert_eq!(counted.load(SeqCst), calls.load(SeqCst) + THREADS * EMISSIONS);
    assert_eq!(signal.slot_count(), 1);
    assert_eq!(signal.emit(&usize::MAX), 1);
    let ended = ended.into_inner().unwrap();
    assert_eq!(ended.len(), THREADS * CONNECTS);
    assert!(ended.iter().all(|guest| guest.strong_count() == 0));
    assert_eq!(Arc::weak_count(&permanent), 1);
}

// From eventpp, tests/unittest/test_callbacklist_multithread.cpp.
#[test]
fn of_two_threads_that_remove_the_same_slot_exactly_one_is_told_that_it_did() {
    const SLOTS: usize = 300;

    type Remove = fn(&Signal<usize>, &Connection, &Arc<AtomicUsize>) -> usize;
    let by_connection: Remove = |_, connection, _| usize::from(connection.disconnect());
    let by_waiting: Remove =
        |_, connection, _| usize::from(connection.disconnect_and_wait().unwrap());
    let by_owner: Remove = |signal, _, owner| signal.disconnect_owner(owner);
    let pairs = [(by_connection, by_connection), (by_connection, by_owner), (by_waiting, by_owner)];
    for (one, other) in pairs {
        let signal: Signal<usize> = Signal::new();
        let owners: Vec<Arc<AtomicUsize>> = (0..SLOTS).map(|_| Arc::default()).collect();
        let connect =
            |owner| signal.connect(owner, |calls: &AtomicUsize, n| _ = calls.fetch_add(*n, SeqCst));
        let connections: Vec<Connection> = owners.iter().map(connect).collect();
        let (start, stop) = (Barrier::new(3), AtomicBool::new(false));
        let removed = thread::scope(|scope| {
            let removing = [one, other].map(|remove| {
                let (signal, connections, owners, start) = (&signal, &connections, &owners, &start);
                scope.spawn(move || -> Vec<usize> {
                    start.wait();
                    let slots = connections.iter().zip(owners);
                    slots.map(|(connection, owner)| remove(signal, connection, owner)).collect()
                })
            });
            let emitting = scope.spawn(|| {
                start.wait();
                while !stop.load(SeqCst) {
                    signal.emit(&0);
                }
            });
            let removed = removing.map(|thread| thread.join());
            stop.store(true, SeqCst);
            emitting.join().unwrap();
            removed.map(Result::unwrap)
        });
        let each: Vec<usize> =
            std::iter::zip(&removed[0], &removed[1]).map(|(a, b)| a + b).collect();
        assert_eq!(each, [1; SLOTS]);
        assert!(signal.is_empty());
        assert_eq!(signal.emit(&0), 0);
        assert!(owners.iter().all(|owner| Arc::weak_count(owner) == 0));
    }
}
