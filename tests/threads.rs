//! Several threads on one signal.

mod common;

use common::{Log, Noter, panic_of};
use sigwire::{Connection, Signal};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier, Mutex, RwLock, Weak};
use std::thread;
use std::time::Duration;

/// How long to wait for what must come.
const LONG: Duration = Duration::from_secs(20);

/// A slot that says when it is entered, and stays inside until it is let out.
struct Gate {
    entered: Mutex<Sender<u32>>,
    let_out: Mutex<Receiver<()>>,
}

/// The gate, what it says, and how to let one call out of it.
fn gate() -> (Arc<Gate>, Receiver<u32>, Sender<()>) {
    let (entered, entries) = channel();
    let (out, let_out) = channel();
    (Arc::new(Gate { entered: Mutex::new(entered), let_out: Mutex::new(let_out) }), entries, out)
}

impl Gate {
    fn pass(&self, n: &u32) {
        self.entered.lock().unwrap().send(*n).unwrap();
        self.let_out.lock().unwrap().recv_timeout(LONG).unwrap();
    }
}

#[test]
fn two_threads_run_the_slots_of_one_signal_in_parallel() {
    let signal: Signal<u32> = Signal::new();
    let meeting = Arc::new(Barrier::new(2));
    signal.connect(&meeting, |meeting, _| _ = meeting.wait());
    // Neither call returns before both are inside.
    thread::scope(|scope| {
        let other = scope.spawn(|| signal.emit(&1));
        assert_eq!(signal.emit(&2), 1);
        assert_eq!(other.join().unwrap(), 1);
    });
}

#[test]
fn a_slow_slot_delays_neither_connect_nor_disconnect_nor_emit_on_another_thread() {
    let signal: Signal<u32> = Signal::new();
    let (gate, entries, out) = gate();
    let slow = signal.connect(&gate, Gate::pass);
    let owner = Arc::new(AtomicUsize::new(0));
    thread::scope(|scope| {
        let slow_thread = scope.spawn(|| signal.emit(&1));
        assert_eq!(entries.recv_timeout(LONG), Ok(1));
        let connections: Vec<Connection> = (0..100)
            .map(|_| signal.connect(&owner, |calls, _| _ = calls.fetch_add(1, SeqCst)))
            .collect();
        let quiet = slow.block();
        assert_eq!(signal.emit(&2), 100);
        assert_eq!(signal.call(&2).count(), 100);
        drop(quiet);
        assert!(connections.iter().all(Connection::disconnect));
        assert_eq!((signal.slot_count(), signal.prune()), (1, 0));
        assert!(slow.disconnect());
        assert_eq!(signal.emit(&3), 0);
        assert!(!slow_thread.is_finished());
        out.send(()).unwrap();
        assert_eq!(slow_thread.join().unwrap(), 1, "what came later was not called");
    });
    assert_eq!(owner.load(SeqCst), 200);
    assert_eq!(Arc::weak_count(&owner), 0, "what was disconnected meanwhile is tidied away");
}

#[test]
fn the_captures_of_a_running_slot_are_dropped_when_its_call_returns_and_not_before() {
    let log = Log::default();
    let signal: Signal<u32> = Signal::new();
    let (gate, entries, out) = gate();
    let captured = Noter::new(&log, "captured");
    let connection = signal.connect(&gate, move |gate, n| {
        gate.pass(n);
        captured.on(n);
    });
    thread::scope(|scope| {
        let emitting = scope.spawn(|| signal.emit(&1));
        entries.recv_timeout(LONG).unwrap();
        assert!(connection.disconnect());
        assert_eq!(signal.emit(&2), 0);
        assert!(log.take().is_empty());
        out.send(()).unwrap();
        emitting.join().unwrap();
    });
    assert_eq!(log.take(), ["captured 1", "captured dropped"]);
}

#[test]
fn a_slow_slot_does_not_delay_the_drop_of_other_slots_captures() {
    let log = Log::default();
    let signal: Signal<u32> = Signal::new();
    let (gate, entries, out) = gate();
    signal.connect(&gate, Gate::pass);
    let captured = Noter::new(&log, "captured");
    let other = signal.connect_fn(move |n| captured.on(n));
    thread::scope(|scope| {
        let emitting = scope.spawn(|| signal.emit(&1));
        entries.recv_timeout(LONG).unwrap();
        drop(other);
        assert_eq!(log.take(), ["captured dropped"]);
        out.send(()).unwrap();
        assert_eq!(emitting.join().unwrap(), 1);
    });
}

#[test]
fn disconnect_and_wait_returns_only_when_the_call_on_the_other_thread_has() {
    for captures in [false, true] {
        let signal: Signal<u32> = Signal::new();
        let (gate, entries, out) = gate();
        let done = Arc::new(AtomicBool::new(false));
        let both = Arc::new((gate, done.clone()));
        let pass = |gate: &Gate, done: &AtomicBool, n: &u32| {
            gate.pass(n);
            thread::sleep(Duration::from_millis(20));
            done.store(true, SeqCst);
        };
        let connection = if captures {
            let done = done.clone();
            signal.connect(&both, move |both, n| pass(&both.0, &done, n))
        } else {
            signal.connect(&both, move |both, n| pass(&both.0, &both.1, n))
        };
        thread::scope(|scope| {
            let emitting = scope.spawn(|| signal.emit(&1));
            entries.recv_timeout(LONG).unwrap();
            let waiting = scope.spawn(|| {
                let result = connection.disconnect_and_wait();
                (result, done.load(SeqCst))
            });
            while connection.is_connected() {
                thread::yield_now();
            }
            thread::sleep(Duration::from_millis(10));
            assert!(!waiting.is_finished(), "the call is still under way");
            out.send(()).unwrap();
            assert_eq!(waiting.join().unwrap(), (Ok(true), true));
            assert_eq!(emitting.join().unwrap(), 1);
        });
    }
}

#[test]
fn disconnect_and_wait_waits_for_a_call_even_if_the_slot_was_disconnected_before() {
    let signal: Signal<u32> = Signal::new();
    let (gate, entries, out) = gate();
    let connection = signal.connect(&gate, Gate::pass);
    thread::scope(|scope| {
        scope.spawn(|| signal.emit(&1));
        entries.recv_timeout(LONG).unwrap();
        assert!(connection.disconnect());
        // The list changes meanwhile, and the emission runs on over the former one.
        signal.connect(&Arc::new(()), |_, _| ());
        let waiting = scope.spawn(|| connection.disconnect_and_wait());
        thread::sleep(Duration::from_millis(10));
        assert!(!waiting.is_finished());
        out.send(()).unwrap();
        assert_eq!(waiting.join().unwrap(), Ok(false));
    });
}

#[test]
fn disconnect_and_wait_waits_for_a_call_out_of_an_emission_that_is_driven_by_hand() {
    let signal: Signal<u32> = Signal::new();
    let (gate, entries, out) = gate();
    let connection = signal.connect(&gate, Gate::pass);
    thread::scope(|scope| {
        let driving = scope.spawn(|| {
            let mut emission = signal.call(&1);
            // The version the emission shares is not the current one any more.
            signal.connect(&Arc::new(()), |_, _| ());
            emission.next()
        });
        entries.recv_timeout(LONG).unwrap();
        let waiting = scope.spawn(|| connection.disconnect_and_wait());
        thread::sleep(Duration::from_millis(10));
        assert!(!waiting.is_finished());
        out.send(()).unwrap();
        assert_eq!(waiting.join().unwrap(), Ok(true));
        assert_eq!(driving.join().unwrap(), Some(()));
    });
}

#[test]
fn disconnect_and_wait_does_not_wait_for_other_slots_of_a_running_emission() {
    let signal: Signal<u32> = Signal::new();
    let owner = Arc::new(());
    let before = signal.connect(&owner, |_, _| ());
    let (gate, entries, out) = gate();
    signal.connect(&gate, Gate::pass);
    let after = signal.connect(&owner, |_, _| panic!("it was disconnected"));
    thread::scope(|scope| {
        let emitting = scope.spawn(|| signal.emit(&1));
        entries.recv_timeout(LONG).unwrap();
        assert_eq!(before.disconnect_and_wait(), Ok(true));
        assert_eq!(after.disconnect_and_wait(), Ok(true));
        assert!(!emitting.is_finished());
        out.send(()).unwrap();
        assert_eq!(emitting.join().unwrap(), 2);
    });
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
        let start = Barrier::new(3);
        let called: usize = thread::scope(|scope| {
            let threads: Vec<_> = (0..3)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
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
fn a_signal_dropped_on_one_thread_while_connections_are_used_on_others_is_gone_for_good() {
    for _ in 0..500 {
        let log = Log::default();
        let signal: Signal<u32> = Signal::new();
        let captured = Noter::new(&log, "captured");
        let connection = signal.connect_fn(move |n| captured.on(n)).detach();
        let start = Barrier::new(2);
        thread::scope(|scope| {
            scope.spawn(|| {
                start.wait();
                drop(connection.block());
                connection.is_connected();
                connection.is_blocked();
            });
            start.wait();
            drop(signal);
            assert!(!connection.is_connected());
            assert_eq!(log.take(), ["captured dropped"]);
        });
    }
}

#[test]
fn the_first_connections_of_two_threads_both_count() {
    for _ in 0..500 {
        let signal: Signal<u32> = Signal::new();
        let owner = Arc::new(());
        let start = Barrier::new(2);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    start.wait();
                    signal.connect(&owner, |_, _| ());
                });
            }
        });
        assert_eq!(signal.emit(&1), 2);
    }
}

#[test]
fn a_mutex_owner_that_another_thread_holds_is_waited_for() {
    let signal: Signal<u32> = Signal::new();
    let sum = Arc::new(Mutex::new(0));
    signal.connect_mut(&sum, |sum, n| *sum += n);
    thread::scope(|scope| {
        let held = sum.lock().unwrap();
        let emitting = scope.spawn(|| signal.emit(&5));
        thread::sleep(Duration::from_millis(10));
        assert!(!emitting.is_finished());
        drop(held);
        assert_eq!(emitting.join().unwrap(), 1);
    });
    assert_eq!(*sum.lock().unwrap(), 5);
}

#[test]
fn a_lock_that_a_slot_further_up_holds_is_a_panic_and_never_a_deadlock() {
    struct Panel(Weak<Signal<u32>>, Weak<Signal<u32>>);
    fn emit(panel: &mut Panel, n: &u32) {
        let next = if *n % 2 == 0 { &panel.1 } else { &panel.0 };
        if *n < 2 {
            next.upgrade().unwrap().emit(&(n + 1));
        }
    }
    let (a, b) = (Arc::new(Signal::new()), Arc::new(Signal::new()));
    let panel = || Panel(Arc::downgrade(&a), Arc::downgrade(&b));
    let (mutex, rwlock) = (Arc::new(Mutex::new(panel())), Arc::new(RwLock::new(panel())));
    a.connect_mut(&mutex, emit);
    b.connect_mut(&mutex, emit);
    let message = panic_of(|| a.emit(&0));
    assert!(message.contains("::Panel`") && message.contains("borrowed already"), "{message}");
    a.disconnect_all();
    b.disconnect_all();
    a.connect_mut(&rwlock, emit);
    b.connect_mut(&rwlock, emit);
    let message = panic_of(|| a.emit(&0));
    assert!(message.contains("::Panel`") && message.contains("borrowed already"), "{message}");
}

#[test]
fn a_poisoned_owner_is_treated_like_a_panic_in_its_slot() {
    struct Account(u32);
    let signal: Signal<u32> = Signal::new();
    let account = Arc::new(Mutex::new(Account(0)));
    let poisoned = signal.connect_mut(&account, |account, n| account.0 += n);
    signal.connect(&account, |_, _| ());
    panic_of(|| {
        let _held = account.lock().unwrap();
        panic!("half way");
    });
    let message = panic_of(|| signal.emit(&1));
    assert!(message.contains("::Account`") && message.contains("poisoned"), "{message}");
    let error = signal.try_emit(&1).unwrap_err();
    assert_eq!(error.called(), 2);
    assert_eq!(error.panics()[0].connection(), &poisoned);
    account.clear_poison();
    assert_eq!(signal.emit(&4), 2);
    assert_eq!(account.lock().unwrap().0, 4);
}

#[test]
fn a_slot_that_panics_on_another_thread_leaves_the_signal_usable_for_all() {
    let signal: Signal<u32> = Signal::new();
    let owner = Arc::new(());
    signal.connect(&owner, |_, n| assert!(*n != 13, "unlucky"));
    thread::scope(|scope| {
        let unlucky = scope.spawn(|| signal.emit(&13));
        (0..1000).filter(|n| *n != 13).for_each(|n| assert_eq!(signal.emit(&n), 1));
        assert!(unlucky.join().is_err());
    });
    assert_eq!(signal.emit(&1), 1);
    let guard = signal.connect_fn(|_| ());
    assert_eq!(signal.emit(&1), 2);
    drop(guard);
    assert_eq!(signal.slot_count(), 1);
}

#[test]
fn one_signal_serves_the_whole_process_as_a_static() {
    static QUIT: Signal<str> = Signal::new();
    let heard = Arc::new(Mutex::new(vec![]));
    QUIT.connect_mut(&heard, |heard, reason| heard.push(reason.to_owned()));
    thread::spawn(|| QUIT.emit("done")).join().unwrap();
    assert_eq!(*heard.lock().unwrap(), ["done"]);
    drop(heard);
    assert_eq!(QUIT.emit("again"), 0);
}

#[test]
fn signals_may_be_emitted_while_a_thread_ends() {
    static ENDED: Signal<u32> = Signal::new();
    struct AtThreadEnd;
    impl Drop for AtThreadEnd {
        fn drop(&mut self) {
            ENDED.emit(&1);
        }
    }
    thread_local! {
        static END: AtThreadEnd = const { AtThreadEnd };
    }
    let count = Arc::new(Mutex::new(0));
    ENDED.connect_mut(&count, |count, n| *count += n);
    thread::spawn(|| {
        END.with(|_| ());
        ENDED.emit(&10);
    })
    .join()
    .unwrap();
    assert_eq!(*count.lock().unwrap(), 11);
}
