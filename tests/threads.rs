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
fn a_signal_dropped_on_one_thread_while_connections_are_used_on_others_is_gone_for_good() {
    for _ in 0..500 {
        let log = Log::default();
        let signal: Signal<u32> = Signal::new();
        let captured = Noter::new(&log, "captured");
        let connection = signal.connect_fn(move |n| captured.on(n)).detach();
        let start = Barrier::new(2);
        thread::scope(|scope| {
            let user = scope.spawn(|| {
                start.wait();
                drop(connection.block());
                connection.is_connected();
                connection.is_blocked();
            });
            start.wait();
            drop(signal);
            assert!(!connection.is_connected());
            assert_eq!(log.take(), ["captured dropped"]);
            user.join().unwrap();
        });
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
    assert_eq!(error.failures()[0].connection(), &poisoned);
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

/// Emissions of asynchronous signals, by an executor without locks.
#[cfg(feature = "async")]
mod asynchronous {
    use super::*;
    use futures::executor::block_on;
    use futures::future::poll_fn;
    use futures::task::AtomicWaker;
    use sigwire::{AsyncSignal, HazardArc};
    use std::task::Poll;

    async fn yield_once() {
        let mut again = false;
        poll_fn(|context| {
            if std::mem::replace(&mut again, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    async fn count(calls: &AtomicUsize, n: &usize) {
        yield_once().await;
        calls.fetch_add(*n, SeqCst);
    }

    #[test]
    fn threads_emit_connect_and_disconnect_on_one_asynchronous_signal() {
        let signal: AsyncSignal<usize> = AsyncSignal::new();
        let lasting = HazardArc::new(AtomicUsize::new(0));
        signal.connect(&lasting, count);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        let (owner, tracked) =
                            (Arc::new(AtomicUsize::new(0)), HazardArc::default());
                        let connection = signal.connect(&owner, count);
                        signal.connect(&tracked, count);
                        assert!(block_on(signal.emit(&1)) >= 3);
                        drop(owner);
                        assert!(block_on(signal.emit_concurrent(&1)) >= 2);
                        connection.disconnect();
                        assert!(block_on(signal.try_emit(&1)).unwrap() >= 2);
                    }
                });
            }
        });
        assert_eq!(lasting.load(SeqCst), 900);
        signal.prune();
        assert_eq!(signal.slot_count(), 1);
    }

    #[test]
    fn an_emission_wakes_up_for_each_handler_that_another_thread_wakes() {
        #[derive(Default)]
        struct Flag(AtomicBool, AtomicWaker);
        impl Flag {
            async fn wait(&self, _: &()) {
                poll_fn(|context| {
                    self.1.register(context.waker());
                    if self.0.load(SeqCst) { Poll::Ready(()) } else { Poll::Pending }
                })
                .await;
            }
            fn raise(&self) {
                self.0.store(true, SeqCst);
                self.1.wake();
            }
        }
        for _ in 0..100 {
            let signal: AsyncSignal<()> = AsyncSignal::new();
            let flags: Vec<Arc<Flag>> = (0..4).map(|_| Arc::default()).collect();
            for flag in &flags {
                signal.connect(flag, Flag::wait);
            }
            thread::scope(|scope| {
                scope.spawn(|| flags.iter().rev().for_each(|flag| flag.raise()));
                assert_eq!(block_on(signal.emit_concurrent(&())), 4);
                assert_eq!(block_on(signal.emit(&())), 4);
            });
        }
    }
}

#[test]
fn a_slot_that_locks_its_owner_twice_while_its_thread_ends_is_refused_too() {
    use common::AtEnd;
    use std::cell::RefCell;
    use std::sync::mpsc;
    type Action = Box<dyn FnMut()>;
    thread_local! {
        static AT_END: RefCell<Option<AtEnd<Action>>> = const { RefCell::new(None) };
    }
    let signal: Arc<Signal<u32>> = Arc::default();
    let (again, owner) = (Arc::downgrade(&signal), Arc::new(Mutex::new(0)));
    signal.connect_mut(&owner, move |_, n| {
        if *n > 0 {
            again.upgrade().unwrap().emit(&(n - 1));
        }
    });
    let (told, refused) = mpsc::channel();
    let ending = move || {
        let emitting = signal.clone();
        // Made before the first emission, so that it ends after what that one makes.
        AT_END.with(|at_end| {
            let emit = move || told.send(panic_of(|| emitting.emit(&1))).unwrap();
            *at_end.borrow_mut() = Some(AtEnd(Box::new(emit)));
        });
        signal.emit(&0);
    };
    thread::spawn(ending);
    // A slot that waits for its own lock never ends.
    let refused = refused.recv_timeout(Duration::from_secs(60)).expect("a deadlock");
    assert!(refused.contains("borrowed already"), "{refused}");
}
