//! Queues: handlers that wait for their loop.

mod common;

use common::{AtEnd, Log, Noter, panic_of};
use sigwire::{Connection, Edges, LocalQueue, Overflow, Queue, Signal};
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, Weak, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

/// Compiles the items twice: for a queue of `Arc` owners, and for one of `Rc` owners.
macro_rules! both_homes {
    ($($items:tt)*) => {
        mod shared_owners {
            #[allow(unused_imports)]
            use super::*;
            #[allow(unused_imports)]
            use {sigwire::Queue, std::sync::Arc as Strong, std::sync::Mutex as Exclusive};
            $($items)*
        }
        mod local_owners {
            #[allow(unused_imports)]
            use super::*;
            #[allow(unused_imports)]
            use {sigwire::LocalQueue as Queue, std::cell::RefCell as Exclusive, std::rc::Rc as Strong};
            $($items)*
        }
    };
}

const MS: Duration = Duration::from_millis(1);

/// A counter of wakes, and the `wake` that counts.
fn wakes() -> (Arc<AtomicUsize>, impl Fn() + Send + Sync + 'static) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    (count, move || _ = counted.fetch_add(1, SeqCst))
}

fn emit_all(signal: &Signal<u32>, events: impl IntoIterator<Item = u32>) {
    for event in events {
        assert_eq!(signal.emit(&event), 1);
    }
}

both_homes! {
    fn noter(log: &Log, name: &'static str) -> Strong<Noter> {
        Strong::new(Noter::new(log, name))
    }

    #[test]
    fn a_handler_runs_in_run_and_not_in_emit() {
        let (log, signal, queue) = (Log::default(), Signal::<u32>::new(), Queue::default());
        let owner = noter(&log, "a");
        signal.slot().on(&queue).connect(&owner, Noter::on);
        assert_eq!(signal.emit(&1), 1, "events queued");
        assert_eq!((log.take(), queue.len()), (vec![], 1));
        assert_eq!(queue.run().called, 1);
        assert_eq!(log.take(), ["a 1"]);
        assert_eq!(queue.run().called, 0);
    }

    #[test]
    fn events_of_all_signals_run_in_the_order_they_were_emitted() {
        let (log, queue) = (Log::default(), Queue::default());
        let (numbers, words) = (Signal::<u32>::new(), Signal::<String>::new());
        let (a, b) = (noter(&log, "a"), noter(&log, "b"));
        numbers.slot().on(&queue).connect(&a, Noter::on);
        numbers.slot().priority(1).on(&queue).connect(&b, Noter::on);
        words.slot().on(&queue).connect(&a, |a, word| a.log.add(word.clone()));
        numbers.emit(&1);
        words.emit(&"one".to_string());
        words.emit(&"more".to_string());
        numbers.emit(&2);
        assert_eq!(queue.run().called, 6);
        assert_eq!(log.take(), ["b 1", "a 1", "one", "more", "b 2", "a 2"]);
    }

    #[test]
    fn mutable_methods_and_closures_wait_as_well() {
        let (signal, queue) = (Signal::<u32>::new(), Queue::default());
        let sum = Strong::new(Exclusive::new(vec![]));
        signal.slot().on(&queue).connect_mut(&sum, |sum, n| sum.push(*n));
        let other = sum.clone();
        let guard = signal.slot().on(&queue).connect_fn(move |n| {
            let mut other = other.try_lock_or_borrow();
            other.push(n * 10);
        });
        signal.emit(&1);
        signal.emit(&2);
        assert_eq!(queue.run().called, 4);
        assert_eq!(*sum.try_lock_or_borrow(), [1, 10, 2, 20]);
        signal.emit(&3);
        drop(guard);
        assert_eq!(queue.run().called, 1);
        assert_eq!(Strong::strong_count(&sum), 1, "the closure is gone");
    }

    #[test]
    fn what_a_handler_emits_into_its_own_queue_is_for_the_next_run() {
        let (signal, queue) = (Arc::new(Signal::<u32>::new()), Queue::default());
        let seen = Strong::new(Exclusive::new(vec![]));
        let again = Arc::downgrade(&signal);
        signal.slot().on(&queue).connect_mut(&seen, move |seen, n| {
            seen.push(*n);
            if *n > 0 {
                again.upgrade().unwrap().emit(&(n - 1));
            }
        });
        signal.emit(&2);
        signal.emit(&7);
        let ran = queue.run();
        assert_eq!((ran.called, ran.left), (2, 2));
        assert_eq!(*seen.try_lock_or_borrow(), [2, 7]);
        assert_eq!(queue.run().called, 2);
        assert_eq!(queue.run().called, 2);
        assert_eq!(*seen.try_lock_or_borrow(), [2, 7, 1, 6, 0, 5]);
    }

    #[test]
    fn so_it_is_however_many_events_wait_and_whatever_window_closes() {
        let (signal, queue) = (Arc::new(Signal::<u32>::new()), Queue::default());
        let emits = Strong::new(Arc::downgrade(&signal));
        let again = |signal: &std::sync::Weak<Signal<u32>>, n: &u32| {
            signal.upgrade().unwrap().emit(n);
        };
        signal.slot().on(&queue).connect(&emits, again);
        (0..300).for_each(|n| _ = signal.emit(&n));
        let start = Instant::now();
        for _ in 0..3 {
            let ran = queue.run_at(start);
            assert_eq!((ran.called, ran.left), (300, 300));
        }
        signal.slot().on(&queue).debounce(Duration::ZERO).connect(&emits, again);
        queue.run_at(start);
        let ran = queue.run_at(start);
        assert_eq!((ran.called, ran.left), (301, 602));
    }

    #[test]
    fn a_handler_connected_by_a_handler_is_called_by_the_next_run() {
        let (log, signal, queue) = (Log::default(), Arc::new(Signal::<u32>::new()), Strong::new(Queue::default()));
        let (a, b) = (noter(&log, "a"), noter(&log, "b"));
        let (weak_signal, weak_queue) = (Arc::downgrade(&signal), Strong::downgrade(&queue));
        let late = b.clone();
        signal.slot().once().on(&*queue).connect(&a, move |a, n| {
            a.on(n);
            let (signal, queue) = (weak_signal.upgrade().unwrap(), weak_queue.upgrade().unwrap());
            signal.slot().on(&*queue).connect(&late, Noter::on);
            signal.emit(&2);
        });
        signal.emit(&1);
        assert_eq!(queue.run().called, 1);
        assert_eq!(queue.run().called, 1);
        assert_eq!(log.take(), ["a 1", "b 2"]);
    }

    #[test]
    fn run_max_runs_that_many_and_leaves_the_rest_in_order() {
        let (log, signal, queue) = (Log::default(), Signal::<u32>::new(), Queue::default());
        let a = noter(&log, "a");
        signal.slot().on(&queue).connect(&a, Noter::on);
        emit_all(&signal, 0..5);
        assert_eq!(queue.run_max(0).called, 0);
        let ran = queue.run_max(2);
        assert_eq!((ran.called, ran.left), (2, 3));
        emit_all(&signal, [5]);
        assert_eq!(queue.run_max(100).called, 4);
        assert_eq!(log.take(), ["a 0", "a 1", "a 2", "a 3", "a 4", "a 5"]);
    }

    #[test]
    fn run_max_counts_what_is_held_back_or_passed_over_as_well() {
        for edges in [Edges::Trailing, Edges::Leading, Edges::Both] {
            let (signal, queue, owner) = (Signal::<u32>::new(), Queue::default(), Strong::new(()));
            let slot = signal.slot().on(&queue).debounce(Duration::from_secs(60)).edges(edges);
            slot.connect(&owner, |_, _| ());
            emit_all(&signal, 0..10);
            for left in [7, 4, 1, 0] {
                assert_eq!(queue.run_max(3).left, left, "{edges:?}");
            }
        }
    }

    #[test]
    fn run_max_closes_windows_that_are_due_though_events_wait_each_time() {
        let (log, queue) = (Log::default(), Queue::default());
        let (saved, busy) = (Signal::<u32>::new(), Signal::<u32>::new());
        let a = noter(&log, "a");
        saved.slot().on(&queue).debounce(MS).connect(&a, Noter::on);
        busy.slot().on(&queue).connect(&a, |_, _| ());
        emit_all(&saved, [1]);
        assert_eq!(queue.run().called, 0);
        thread::sleep(2 * MS);
        emit_all(&busy, 0..2);
        let ran = queue.run_max(1);
        assert_eq!((ran.called, ran.left), (1, 2));
        assert_eq!(log.take(), ["a 1"]);
    }

    #[test]
    fn run_max_comes_to_each_event_though_a_window_is_due_each_time() {
        let (log, queue) = (Log::default(), Queue::default());
        let (moved, clicked) = (Signal::<u32>::new(), Signal::<u32>::new());
        let (mouse, button) = (noter(&log, "mouse"), noter(&log, "button"));
        for _ in 0..3 {
            moved.slot().on(&queue).throttle(Duration::ZERO).connect(&mouse, |_, _| ());
        }
        clicked.slot().on(&queue).connect(&button, Noter::on);
        moved.emit(&0);
        moved.emit(&0);
        emit_all(&clicked, [1]);
        for _ in 0..9 {
            moved.emit(&0);
            queue.run_max(1);
        }
        assert_eq!(log.take(), ["button 1"]);
    }

    #[test]
    fn a_run_that_leaves_windows_that_are_due_says_so_and_wakes_its_loop() {
        let (count, wake) = wakes();
        let (signal, queue) = (Signal::<u32>::new(), Queue::new(wake));
        let owner = Strong::new(());
        for _ in 0..2 {
            signal.slot().on(&queue).debounce(Duration::ZERO).connect(&owner, |_, _| ());
        }
        signal.emit(&1);
        let ran = queue.run_max(2);
        assert_eq!((ran.called, ran.left, count.load(SeqCst)), (0, 2, 2));
        let ran = queue.run_max(1);
        assert_eq!((ran.called, ran.left, count.load(SeqCst)), (1, 1, 3));
        let ran = queue.run_max(1);
        assert_eq!((ran.called, ran.left, count.load(SeqCst)), (1, 0, 3));
    }

    #[test]
    fn run_until_a_deadline_in_the_past_runs_nothing_and_says_what_is_left() {
        let (log, signal, queue) = (Log::default(), Signal::<u32>::new(), Queue::default());
        let a = noter(&log, "a");
        signal.slot().on(&queue).connect(&a, Noter::on);
        emit_all(&signal, 0..3);
        let ran = queue.run_until(Instant::now());
        assert_eq!((ran.called, ran.left), (0, 3));
        let ran = queue.run_until(Instant::now() + Duration::from_secs(1000));
        assert_eq!((ran.called, ran.left), (3, 0));
        assert_eq!(log.take(), ["a 0", "a 1", "a 2"]);
    }

    #[test]
    fn run_until_stops_between_two_events_of_one_connection_and_keeps_their_order() {
        let (signal, queue) = (Signal::<u32>::new(), Queue::default());
        let seen = Strong::new(Exclusive::new(vec![]));
        let deadline = Instant::now() + 20 * MS;
        signal.slot().on(&queue).connect_mut(&seen, move |seen, n| {
            seen.push(*n);
            while *n == 3 && Instant::now() < deadline {
                thread::yield_now();
            }
        });
        emit_all(&signal, 0..50);
        let ran = queue.run_until(deadline);
        assert!(ran.called <= 4 && ran.called + ran.left == 50, "{ran:?}");
        assert_eq!(queue.run().called, ran.left);
        assert_eq!(*seen.try_lock_or_borrow(), (0..50).collect::<Vec<_>>());
    }

    #[test]
    fn what_waits_for_an_owner_that_is_gone_is_not_called_and_the_slot_is_pruned() {
        let (log, signal, queue) = (Log::default(), Signal::<u32>::new(), Queue::default());
        let (a, b) = (noter(&log, "a"), noter(&log, "b"));
        let connection = signal.slot().on(&queue).connect(&a, Noter::on);
        signal.slot().on(&queue).connect(&b, Noter::on);
        signal.emit(&1);
        drop(a);
        assert_eq!(log.take(), ["a dropped"]);
        assert_eq!(queue.run().called, 1);
        assert_eq!(log.take(), ["b 1"]);
        assert_eq!(signal.emit(&2), 1, "nothing is queued for it");
        assert!(!connection.is_connected());
        assert_eq!((signal.slot_count(), queue.run().called), (1, 1));
    }

    #[test]
    fn a_slot_that_is_blocked_or_counts_its_calls_ends_with_its_owner_as_well() {
        for is_blocked in [false, true] {
            let (log, signal, queue) = (Log::default(), Signal::<u32>::new(), Queue::default());
            let a = noter(&log, "a");
            let slot = if is_blocked { signal.slot() } else { signal.slot().once() };
            let connection = slot.on(&queue).connect(&a, |_, _| ());
            emit_all(&signal, [1]);
            let block = is_blocked.then(|| connection.block());
            drop(a);
            assert_eq!(queue.run().called, 0);
            drop(block);
            assert!(!connection.is_connected());
            assert_eq!(signal.emit(&2), 0);
        }
    }

    #[test]
    fn what_waits_for_a_connection_that_has_ended_is_not_called() {
        let (log, signal, queue) = (Log::default(), Signal::<u32>::new(), Queue::default());
        let a = noter(&log, "a");
        let ends: [fn(&Signal<u32>, Connection); 4] = [
            |_, connection| assert!(connection.disconnect()),
            |_, connection| drop(connection.scoped()),
            |signal, _| assert_eq!(signal.disconnect_all(), 1),
            |_, connection| assert_eq!(connection.disconnect_and_wait(), Ok(true)),
        ];
        for end in ends {
            let connection = signal.slot().on(&queue).connect(&a, Noter::on);
            emit_all(&signal, 0..3);
            end(&signal, connection);
            assert_eq!((queue.len(), queue.run().called), (0, 0));
        }
        let short_lived = Signal::<u32>::new();
        let connection = short_lived.slot().on(&queue).connect(&a, Noter::on);
        short_lived.emit(&1);
        drop(short_lived);
        assert_eq!(queue.run().called, 0);
        assert!(!connection.is_connected());
        assert!(log.take().is_empty());
    }

    #[test]
    fn a_handler_that_disconnects_itself_or_another_ends_what_waits_for_them() {
        let (log, signal, queue) = (Log::default(), Signal::<u32>::new(), Queue::default());
        let (a, b) = (noter(&log, "a"), noter(&log, "b"));
        let connections = Arc::new(Mutex::new(Vec::<Connection>::new()));
        let all = connections.clone();
        let own = signal.slot().on(&queue).connect(&a, move |a, n| {
            a.on(n);
            all.lock().unwrap().iter().for_each(|connection| _ = connection.disconnect());
        });
        let other = signal.slot().on(&queue).connect(&b, Noter::on);
        connections.lock().unwrap().extend([own, other]);
        for n in 0..3 {
            signal.emit(&n);
        }
        assert_eq!(queue.run().called, 1);
        assert_eq!(log.take(), ["a 0"]);
        assert!(signal.is_empty() && queue.is_empty());
    }

    #[test]
    fn what_comes_up_while_its_slot_is_blocked_is_dropped() {
        let (log, signal, queue) = (Log::default(), Signal::<u32>::new(), Queue::default());
        let a = noter(&log, "a");
        let connection = signal.slot().on(&queue).connect(&a, Noter::on);
        emit_all(&signal, [1]);
        let block = connection.block();
        assert_eq!(queue.run().called, 0);
        assert_eq!(signal.emit(&2), 0);
        drop(block);
        emit_all(&signal, [3]);
        let block = signal.block();
        assert_eq!(queue.run().called, 0);
        drop(block);
        emit_all(&signal, [4]);
        let block = connection.block();
        drop(block);
        assert_eq!(queue.run().called, 1);
        assert_eq!(log.take(), ["a 4"]);
    }

    #[test]
    fn a_slot_connected_while_its_signal_is_blocked_works_when_it_is_not_any_more() {
        let (log, signal, queue) = (Log::default(), Signal::<u32>::new(), Queue::default());
        let a = noter(&log, "a");
        let block = signal.block();
        signal.slot().on(&queue).connect(&a, Noter::on);
        assert_eq!(signal.emit(&1), 0);
        drop(block);
        emit_all(&signal, [2]);
        assert_eq!(queue.run().called, 1);
        assert_eq!(log.take(), ["a 2"]);
    }

    #[test]
    fn once_and_times_count_the_calls_of_the_handler() {
        let (log, signal, queue) = (Log::default(), Signal::<u32>::new(), Queue::default());
        let a = noter(&log, "a");
        let connection = signal.slot().times(2).on(&queue).connect(&a, Noter::on);
        emit_all(&signal, 0..3);
        let block = connection.block();
        assert_eq!(queue.run_max(1).called, 0, "dropped, and not counted");
        drop(block);
        assert!(connection.is_connected());
        assert_eq!(queue.run_max(1).called, 1);
        assert!(connection.is_connected());
        emit_all(&signal, 3..6);
        assert_eq!(queue.run().called, 1);
        assert!(!connection.is_connected());
        assert_eq!(log.take(), ["a 1", "a 2"]);
        assert_eq!((signal.emit(&9), queue.len()), (0, 0));
    }

    #[test]
    fn inside_the_last_call_the_slot_is_not_connected_any_more() {
        let (signal, queue) = (Signal::<u32>::new(), Queue::default());
        let connected = Strong::new(Exclusive::new(vec![]));
        let own = Arc::new(Mutex::new(None::<Connection>));
        let known = own.clone();
        let slot = signal.slot().times(2).on(&queue);
        let connection = slot.connect_mut(&connected, move |connected, _| {
            connected.push(known.lock().unwrap().as_ref().unwrap().is_connected());
        });
        *own.lock().unwrap() = Some(connection);
        emit_all(&signal, 0..4);
        assert_eq!(queue.run().called, 2);
        assert_eq!(*connected.try_lock_or_borrow(), [true, false]);
    }

    #[test]
    fn unique_knows_a_method_of_an_owner_that_is_queued_already() {
        let (log, signal, queue) = (Log::default(), Signal::<u32>::new(), Queue::default());
        let (a, b) = (noter(&log, "a"), noter(&log, "b"));
        let slot = || signal.slot().unique().on(&queue);
        let first = slot().connect(&a, Noter::on);
        assert_eq!(slot().connect(&a, Noter::on), first);
        assert_ne!(slot().connect(&a, Noter::also), first);
        assert_ne!(slot().connect(&b, Noter::on), first);
        assert_eq!(signal.emit(&1), 3);
        assert_eq!(queue.run().called, 3);
    }

    #[test]
    fn a_named_slot_is_named() {
        let (signal, queue) = (Signal::<u32>::new(), Queue::default());
        let owner = Strong::new(());
        let connection = signal.slot().name("bell").on(&queue).connect(&owner, |_, _| ());
        assert!(format!("{connection:?}").contains("bell"));
    }

    #[test]
    fn a_panicking_handler_leaves_the_queue_usable_and_the_later_events_queued() {
        let (log, signal) = (Log::default(), Signal::<u32>::new());
        let (count, wake) = wakes();
        let queue = Queue::new(wake);
        let a = noter(&log, "a");
        signal.slot().on(&queue).connect(&a, |a, n| {
            a.on(n);
            assert!(*n != 1, "one is too much");
        });
        emit_all(&signal, 0..4);
        assert!(panic_of(|| queue.run()).contains("one is too much"));
        assert_eq!(log.take(), ["a 0", "a 1"]);
        assert_eq!((queue.len(), count.load(SeqCst)), (2, 2), "the loop is woken for the rest");
        assert_eq!(queue.run().called, 2);
        assert_eq!(log.take(), ["a 2", "a 3"]);
    }

    #[test]
    fn wake_is_called_once_until_a_run_begins() {
        let (count, wake) = wakes();
        let (signal, queue) = (Signal::<u32>::new(), Queue::new(wake));
        let owner = Strong::new(());
        signal.slot().on(&queue).connect(&owner, |_, _| ());
        emit_all(&signal, 0..10);
        assert_eq!(count.load(SeqCst), 1);
        queue.run();
        assert_eq!(count.load(SeqCst), 1);
        emit_all(&signal, 0..10);
        assert_eq!(count.load(SeqCst), 2);
        queue.run_max(4);
        assert_eq!(count.load(SeqCst), 3, "a run that leaves events wakes its loop for them");
        queue.run();
        assert_eq!(count.load(SeqCst), 3);
    }

    #[test]
    fn a_handler_that_emits_into_its_own_queue_wakes_the_loop_once() {
        let (count, wake) = wakes();
        let (signal, queue) = (Arc::new(Signal::<u32>::new()), Queue::new(wake));
        let emits = Strong::new(Arc::downgrade(&signal));
        signal.slot().on(&queue).connect(&emits, |signal, n| {
            (0..*n).for_each(|_| _ = signal.upgrade().unwrap().emit(&0));
        });
        signal.emit(&3);
        queue.run();
        assert_eq!((count.load(SeqCst), queue.len()), (2, 3));
    }

    #[test]
    fn wake_is_called_under_no_lock() {
        let signal = Arc::new(Signal::<u32>::new());
        let inner = Arc::downgrade(&signal);
        let queue = Queue::new(move || {
            let signal = inner.upgrade().unwrap();
            assert_eq!(signal.slot_count(), 1);
            signal.emit(&7);
        });
        let owner = Strong::new(());
        signal.slot().on(&queue).connect(&owner, |_, _| ());
        signal.emit(&1);
        assert_eq!(queue.run().called, 2);
    }

    #[test]
    fn a_full_queue_drops_the_oldest_or_the_newest_and_tells() {
        for (overflow, kept) in [
            (Overflow::DropOldest, ["a 3", "a 4"]),
            (Overflow::DropNewest, ["a 0", "a 1"]),
        ] {
            let (log, signal) = (Log::default(), Signal::<u32>::new());
            let queue = Queue::default().bounded(2, overflow);
            let a = noter(&log, "a");
            signal.slot().on(&queue).connect(&a, Noter::on);
            emit_all(&signal, 0..5);
            let ran = queue.run();
            assert_eq!((ran.called, ran.lost, queue.lost()), (2, 3, 3));
            assert_eq!(log.take(), kept);
            let ran = queue.run();
            assert_eq!((ran.lost, queue.lost()), (0, 3), "told once");
        }
    }

    #[test]
    fn the_oldest_that_is_dropped_is_that_of_all_signals() {
        let log = Log::default();
        let (one, two) = (Signal::<u32>::new(), Signal::<u32>::new());
        let queue = Queue::default().bounded(3, Overflow::DropOldest);
        let (a, b) = (noter(&log, "a"), noter(&log, "b"));
        one.slot().on(&queue).connect(&a, Noter::on);
        two.slot().on(&queue).connect(&b, Noter::on);
        one.emit(&1);
        two.emit(&2);
        two.emit(&3);
        two.emit(&4);
        one.emit(&5);
        assert_eq!(queue.run().lost, 2);
        assert_eq!(log.take(), ["b 3", "b 4", "a 5"]);
    }

    #[test]
    fn events_of_ended_connections_take_no_room() {
        let (signal, queue) = (Signal::<u32>::new(), Queue::default().bounded(2, Overflow::DropNewest));
        let owner = Strong::new(());
        for _ in 0..1000 {
            let connection = signal.slot().on(&queue).connect(&owner, |_, _| ());
            emit_all(&signal, 0..2);
            connection.disconnect();
        }
        let (_ended, _stands) = (signal.disconnect_all(), signal.slot().on(&queue).connect(&owner, |_, _| ()));
        emit_all(&signal, 0..3);
        let ran = queue.run();
        assert_eq!((ran.called, ran.lost), (2, 1));
    }

    #[test]
    fn the_latest_event_takes_the_turn_of_the_one_that_waits() {
        let log = Log::default();
        let (moved, clicked) = (Signal::<u32>::new(), Signal::<u32>::new());
        let by_slot = Queue::default();
        let by_queue = Queue::default().bounded(10, Overflow::Latest);
        let (mouse, button) = (noter(&log, "mouse"), noter(&log, "button"));
        moved.slot().on(&by_slot).latest().connect(&mouse, Noter::on);
        clicked.slot().on(&by_slot).connect(&button, Noter::on);
        moved.slot().on(&by_queue).connect(&mouse, Noter::also);
        clicked.slot().on(&by_queue).connect(&button, Noter::also);
        for n in 1..4 {
            moved.emit(&n);
            clicked.emit(&n);
        }
        let ran = by_slot.run();
        assert_eq!((ran.called, ran.lost), (4, 2));
        assert_eq!(log.take(), ["mouse 3", "button 1", "button 2", "button 3"]);
        let ran = by_queue.run();
        assert_eq!((ran.called, ran.lost), (2, 4));
        assert_eq!(log.take(), ["mouse also 3", "button also 3"]);
    }

    #[test]
    fn a_queue_of_latest_events_drops_the_oldest_when_it_has_too_many_connections() {
        let log = Log::default();
        let queue = Queue::default().bounded(1, Overflow::Latest);
        let (one, two) = (Signal::<u32>::new(), Signal::<u32>::new());
        let (a, b) = (noter(&log, "a"), noter(&log, "b"));
        one.slot().on(&queue).connect(&a, Noter::on);
        two.slot().on(&queue).connect(&b, Noter::on);
        one.emit(&1);
        two.emit(&2);
        assert_eq!(queue.run().lost, 1);
        assert_eq!(log.take(), ["b 2"]);
    }

    #[test]
    fn where_only_the_latest_counts_an_event_that_is_given_back_makes_way_for_a_newer_one() {
        for by_slot in [false, true] {
            let log = Log::default();
            let queue = Queue::default();
            let queue = if by_slot { queue } else { queue.bounded(10, Overflow::Latest) };
            let (failed, clicked) = (Signal::<u32>::new(), Signal::<u32>::new());
            let moved = Arc::new(Signal::<u32>::new());
            let fails = Strong::new(Arc::downgrade(&moved));
            let (mouse, button) = (noter(&log, "mouse"), noter(&log, "button"));
            failed.slot().on(&queue).connect(&fails, |moved, _| {
                moved.upgrade().unwrap().emit(&2);
                panic!("it failed");
            });
            let slot = moved.slot().on(&queue);
            let slot = if by_slot { slot.latest() } else { slot };
            slot.connect(&mouse, Noter::on);
            clicked.slot().on(&queue).connect(&button, Noter::on);
            failed.emit(&0);
            moved.emit(&1);
            clicked.emit(&1);
            assert!(panic_of(|| queue.run()).contains("it failed"));
            assert_eq!((queue.len(), queue.lost()), (2, 1));
            let ran = queue.run();
            assert_eq!((ran.called, ran.lost), (2, 1));
            assert_eq!(log.take(), ["mouse 2", "button 1"], "it has the turn of the other");
        }
    }

    #[test]
    fn a_bounded_queue_that_overflows_while_it_runs_stays_in_order() {
        let signal = Arc::new(Signal::<u32>::new());
        let queue = Queue::default().bounded(3, Overflow::DropOldest);
        let seen = Strong::new(Exclusive::new(vec![]));
        let emits = Arc::downgrade(&signal);
        signal.slot().on(&queue).connect_mut(&seen, move |seen, n| {
            seen.push(*n);
            if *n < 3 {
                (10 * n..10 * n + 4).for_each(|n| _ = emits.upgrade().unwrap().emit(&n));
            }
        });
        emit_all(&signal, 1..4);
        assert_eq!(queue.run().called, 3);
        assert_eq!(queue.run().called, 3);
        assert_eq!(*seen.try_lock_or_borrow(), [1, 2, 3, 21, 22, 23]);
    }

    #[test]
    fn a_queue_that_is_bounded_later_loses_what_has_no_room_any_more() {
        for (overflow, kept) in [
            (Overflow::DropOldest, &["b 3", "a 4"][..]),
            (Overflow::DropNewest, &["a 0", "b 1"]),
            (Overflow::Latest, &["a 4", "b 3"]),
        ] {
            let (log, queue) = (Log::default(), Queue::default());
            let (one, two) = (Signal::<u32>::new(), Signal::<u32>::new());
            let (a, b) = (noter(&log, "a"), noter(&log, "b"));
            one.slot().on(&queue).connect(&a, Noter::on);
            two.slot().on(&queue).connect(&b, Noter::on);
            for n in 0..5 {
                emit_all(if n % 2 == 0 { &one } else { &two }, [n]);
            }
            let queue = queue.bounded(2, overflow);
            assert_eq!((queue.len(), queue.lost()), (2, 3), "{overflow:?}");
            assert_eq!(queue.run().lost, 3);
            assert_eq!(log.take(), kept);
        }
    }

    #[test]
    fn what_a_later_bound_drops_is_dropped_under_no_lock() {
        for overflow in [Overflow::DropOldest, Overflow::DropNewest, Overflow::Latest] {
            let (signal, other) = (Signal::<Bomb>::new(), Arc::new(Signal::<u32>::new()));
            let (queue, owner) = (Queue::default(), Strong::new(()));
            signal.slot().on(&queue).connect(&owner, |_, _| ());
            other.slot().on(&queue).connect(&owner, |_, _| ());
            let weak = Arc::downgrade(&other);
            let bomb = Bomb(Arc::new(move || {
                // Takes the queue's lock.
                _ = weak.upgrade().map(|other| other.emit(&1));
            }));
            (0..5).for_each(|_| _ = signal.emit(&bomb));
            let queue = queue.bounded(1, overflow);
            assert!(queue.lost() > 0);
        }
    }

    #[test]
    fn a_queue_with_room_for_nothing_is_refused() {
        let message = panic_of(|| Queue::default().bounded(0, Overflow::DropOldest));
        assert!(message.contains("room for 0 events"), "{message}");
    }

    #[test]
    fn running_a_queue_from_inside_its_handler_is_refused_and_harms_nothing() {
        let (signal, queue) = (Signal::<u32>::new(), Strong::new(Queue::default()));
        let messages = Strong::new(Exclusive::new(vec![]));
        let again = Strong::downgrade(&queue);
        signal.slot().on(&*queue).connect_mut(&messages, move |messages, _| {
            messages.push(panic_of(|| again.upgrade().unwrap().run()));
        });
        emit_all(&signal, 0..2);
        assert_eq!(queue.run().called, 2);
        for message in &*messages.try_lock_or_borrow() {
            assert!(message.contains("inside one of its own handlers"), "{message}");
        }
        emit_all(&signal, 0..2);
        assert_eq!(queue.run().called, 2);
    }

    #[test]
    fn a_dropped_queue_ends_its_connections_and_drops_what_waits() {
        #[derive(Clone)]
        struct Event(Arc<AtEnd<Box<dyn FnMut() + Send + Sync>>>);
        let log = Log::default();
        let noted = log.clone();
        let event = Event(Arc::new(AtEnd(Box::new(move || noted.add("event dropped")))));
        let signal: Signal<Event> = Signal::new();
        let a = noter(&log, "a");
        let queue = Queue::default();
        let connection = signal.slot().on(&queue).connect(&a, |_, _: &Event| ());
        signal.emit(&event);
        event.0.touch();
        drop(event);
        assert!(log.take().is_empty());
        drop(queue);
        assert_eq!(log.take(), ["event dropped"]);
        assert_eq!(Strong::weak_count(&a), 0, "at once");
        assert!(!connection.is_connected() && !connection.disconnect());
        assert_eq!(signal.slot_count(), 0);
    }

    #[test]
    fn events_and_captures_are_dropped_under_no_lock() {
        let (signal, queue) = (Arc::new(Signal::<Bomb>::new()), Strong::new(Queue::default().bounded(2, Overflow::DropOldest)));
        let owner = Strong::new(());
        let connection = signal.slot().on(&*queue).connect(&owner, |_, _| ());
        let other = Arc::new(Signal::<u32>::new());
        other.slot().on(&*queue).connect(&owner, |_, _| ());
        let bomb = Bomb(Arc::new({
            let signals = (Arc::downgrade(&signal), Arc::downgrade(&other));
            move || {
                let Some(signal) = signals.0.upgrade() else { return };
                assert!(signal.slot_count() + signal.prune() <= 2);
                // Takes the queue's lock.
                signals.1.upgrade().unwrap().emit(&1);
            }
        }));
        (0..5).for_each(|_| _ = signal.emit(&bomb));
        queue.run();
        (0..5).for_each(|_| _ = signal.emit(&bomb));
        connection.disconnect();
        signal.slot().on(&*queue).latest().connect(&owner, |_, _| ());
        (0..5).for_each(|_| _ = signal.emit(&bomb));
        queue.run_max(1);
        signal.emit(&bomb);
        drop(queue);
    }

    #[test]
    fn memory_of_turns_does_not_grow_with_connections_that_come_and_go() {
        let (signal, queue) = (Signal::<u32>::new(), Queue::default());
        let owner = Strong::new(());
        let log = Log::default();
        let stays = noter(&log, "a");
        let other = Signal::<u32>::new();
        other.slot().on(&queue).connect(&stays, Noter::on);
        emit_all(&other, 0..3);
        for _ in 0..1000 {
            let connection = signal.slot().on(&queue).connect(&owner, |_, _| ());
            emit_all(&signal, 0..10);
            connection.disconnect();
        }
        emit_all(&other, 3..5);
        assert_eq!(queue.run().called, 5);
        assert_eq!(log.take(), ["a 0", "a 1", "a 2", "a 3", "a 4"]);
    }

    #[test]
    fn many_connections_in_one_queue_keep_the_order_of_all_events() {
        let (signal, queue) = (Signal::<u32>::new(), Queue::default());
        let seen = Strong::new(Exclusive::new(vec![]));
        for i in 0..10 {
            signal.slot().on(&queue).connect_mut(&seen, move |seen, n| seen.push((*n, i)));
        }
        (0..100).for_each(|n| _ = signal.emit(&n));
        let expected: Vec<_> = (0..100).flat_map(|n| (0..10).map(move |i| (n, i))).collect();
        while queue.run_max(7).left > 0 {}
        assert_eq!(*seen.try_lock_or_borrow(), expected);
    }

    #[test]
    fn a_debounced_handler_is_called_once_it_is_quiet_with_the_last_event() {
        let (log, signal, queue) = (Log::default(), Signal::<u32>::new(), Queue::default());
        let a = noter(&log, "a");
        signal.slot().on(&queue).debounce(10 * MS).connect(&a, Noter::on);
        let start = Instant::now();
        assert_eq!(queue.next_deadline(), None);
        emit_all(&signal, [1, 2]);
        assert_eq!(queue.run_at(start).called, 0);
        assert_eq!(queue.next_deadline(), Some(start + 10 * MS));
        emit_all(&signal, [3]);
        assert_eq!(queue.run_at(start + 6 * MS).called, 0);
        assert_eq!(queue.run_at(start + 15 * MS).called, 0, "not quiet for long enough");
        assert_eq!(queue.next_deadline(), Some(start + 16 * MS));
        assert_eq!(queue.run_at(start + 16 * MS).called, 1);
        assert_eq!((log.take(), queue.next_deadline()), (vec!["a 3".to_string()], None));
        assert_eq!((queue.lost(), queue.run_at(start + 99 * MS).called), (0, 0));
    }

    #[test]
    fn windows_that_have_run_out_close_before_what_waits_is_taken() {
        let (log, signal, queue) = (Log::default(), Signal::<u32>::new(), Queue::default());
        let a = noter(&log, "a");
        signal.slot().on(&queue).debounce(10 * MS).connect(&a, Noter::on);
        signal.slot().on(&queue).throttle(10 * MS).connect(&a, Noter::also);
        let start = Instant::now();
        signal.emit(&1);
        signal.emit(&2);
        assert_eq!(queue.run_at(start).called, 1);
        signal.emit(&3);
        assert_eq!(queue.run_at(start + 50 * MS).called, 2);
        assert_eq!(log.take(), ["a also 1", "a 2", "a also 2"]);
        assert_eq!(queue.run_at(start + 60 * MS).called, 2);
        assert_eq!(log.take(), ["a 3", "a also 3"]);
    }

    #[test]
    fn a_window_that_has_run_out_neither_swallows_nor_delays_the_next_event() {
        for edges in [Edges::Leading, Edges::Trailing, Edges::Both] {
            for is_throttled in [false, true] {
                let (signal, queue) = (Signal::<u32>::new(), Queue::default());
                let seen = Strong::new(Exclusive::new(vec![]));
                let slot = signal.slot().on(&queue).edges(edges);
                let slot = if is_throttled { slot.throttle(10 * MS) } else { slot.debounce(10 * MS) };
                slot.connect_mut(&seen, |seen, n| seen.push(*n));
                let start = Instant::now();
                for frame in 0..10 {
                    emit_all(&signal, [frame]);
                    queue.run_at(start + frame * 16 * MS);
                }
                let called = if edges == Edges::Trailing { 0..9 } else { 0..10 };
                assert_eq!(*seen.try_lock_or_borrow(), called.collect::<Vec<_>>(), "{edges:?} {is_throttled}");
            }
        }
    }

    #[test]
    fn a_throttled_handler_is_called_at_once_and_then_at_most_once_in_each_interval() {
        let (log, signal, queue) = (Log::default(), Signal::<u32>::new(), Queue::default());
        let a = noter(&log, "a");
        signal.slot().on(&queue).throttle(10 * MS).connect(&a, Noter::on);
        let start = Instant::now();
        for tick in 0..30 {
            emit_all(&signal, [tick]);
            queue.run_at(start + tick * MS);
        }
        assert_eq!(log.take(), ["a 0", "a 9", "a 19"]);
        assert_eq!(queue.run_at(queue.next_deadline().unwrap()).called, 1);
        assert_eq!(log.take(), ["a 29"], "the last one is not lost");
    }

    #[test]
    fn the_edges_can_be_chosen() {
        let (log, signal, queue) = (Log::default(), Signal::<u32>::new(), Queue::default());
        let a = noter(&log, "a");
        let slot = signal.slot().on(&queue).debounce(10 * MS).edges(Edges::Leading);
        slot.connect(&a, Noter::on);
        let slot = signal.slot().on(&queue).throttle(10 * MS).edges(Edges::Trailing);
        slot.connect(&a, Noter::also);
        let start = Instant::now();
        signal.emit(&1);
        signal.emit(&2);
        assert_eq!(queue.run_at(start).called, 1);
        assert_eq!(queue.run_at(start + 10 * MS).called, 1);
        assert_eq!(log.take(), ["a 1", "a also 2"]);
    }

    #[test]
    fn edges_of_nothing_are_refused() {
        let (signal, queue) = (Signal::<u32>::new(), Queue::default());
        let owner = Strong::new(());
        let message = panic_of(|| {
            signal.slot().on(&queue).edges(Edges::Both).connect(&owner, |_, _| ());
        });
        assert!(message.contains("`debounce` or `throttle`"), "{message}");
        assert!(signal.is_empty());
    }

    #[test]
    fn flush_calls_now_with_what_is_held_back_and_what_waits() {
        let (log, signal, queue) = (Log::default(), Signal::<u32>::new(), Queue::default());
        let a = noter(&log, "a");
        let connection = signal.slot().on(&queue).debounce(10 * MS).connect(&a, Noter::on);
        assert!(!queue.flush(&connection));
        emit_all(&signal, [1]);
        queue.run();
        emit_all(&signal, [2]);
        assert!(queue.flush(&connection));
        assert_eq!(log.take(), ["a 2"]);
        assert_eq!((queue.next_deadline(), queue.len()), (None, 0));
        assert!(!queue.flush(&connection));
        let plain = signal.slot().on(&queue).connect(&a, Noter::also);
        signal.emit(&3);
        assert!(!queue.flush(&plain), "nothing is held back of it");
        connection.disconnect();
        assert!(!queue.flush(&connection));
    }

    #[test]
    fn flush_of_a_blocked_slot_drops_its_events_and_says_that_nothing_was_called() {
        let (log, signal, queue) = (Log::default(), Signal::<u32>::new(), Queue::default());
        let a = noter(&log, "a");
        let connection = signal.slot().on(&queue).debounce(10 * MS).connect(&a, Noter::on);
        emit_all(&signal, [1]);
        queue.run();
        emit_all(&signal, [2]);
        let block = connection.block();
        assert!(!queue.flush(&connection));
        drop(block);
        assert_eq!((queue.len(), queue.cancel(&connection)), (0, false));
        assert!(!queue.flush(&connection) && log.take().is_empty());
    }

    #[test]
    fn flush_at_a_time_opens_the_next_window_then() {
        let (log, signal, queue) = (Log::default(), Signal::<u32>::new(), Queue::default());
        let a = noter(&log, "a");
        let connection = signal.slot().on(&queue).throttle(10 * MS).connect(&a, Noter::on);
        let start = Instant::now() + Duration::from_secs(1000);
        emit_all(&signal, [1, 2]);
        assert_eq!(queue.run_at(start).called, 1);
        assert!(queue.flush_at(&connection, start + MS));
        assert_eq!(queue.next_deadline(), Some(start + 11 * MS));
        emit_all(&signal, [3]);
        assert_eq!(queue.run_at(start + 10 * MS).called, 0);
        assert_eq!(log.take(), ["a 1", "a 2"]);
    }

    #[test]
    fn flush_closes_a_window_that_has_run_out_before_it_takes_what_waits() {
        for (edges, called) in [(Edges::Leading, ["a 1", "a 3"]), (Edges::Trailing, ["a 2", "a 3"])] {
            let (log, signal, queue) = (Log::default(), Signal::<u32>::new(), Queue::default());
            let a = noter(&log, "a");
            let slot = signal.slot().on(&queue).debounce(10 * MS).edges(edges);
            let connection = slot.connect(&a, Noter::on);
            let start = Instant::now();
            emit_all(&signal, [1, 2]);
            queue.run_at(start);
            emit_all(&signal, [3]);
            assert!(queue.flush_at(&connection, start + 10 * MS));
            assert_eq!(log.take(), called);
        }
    }

    #[test]
    fn cancel_forgets_what_is_held_back_and_what_waits() {
        let (log, signal, queue) = (Log::default(), Signal::<u32>::new(), Queue::default());
        let (a, b) = (noter(&log, "a"), noter(&log, "b"));
        let connection = signal.slot().on(&queue).debounce(10 * MS).connect(&a, Noter::on);
        signal.slot().on(&queue).connect(&b, Noter::on);
        let start = Instant::now();
        signal.emit(&1);
        queue.run_at(start);
        signal.emit(&2);
        assert!(queue.cancel(&connection));
        assert!(!queue.cancel(&connection));
        assert_eq!(queue.next_deadline(), None);
        queue.run_at(start + 100 * MS);
        signal.emit(&3);
        queue.run_at(start + 100 * MS);
        queue.run_at(start + 110 * MS);
        assert_eq!(log.take(), ["b 1", "b 2", "b 3", "a 3"]);
    }

    #[test]
    fn a_handler_can_cancel_what_waits_behind_it_in_the_same_run() {
        let (log, queue) = (Log::default(), Strong::new(Queue::default()));
        let (saved, closed) = (Signal::<u32>::new(), Signal::<u32>::new());
        let (file, window) = (noter(&log, "save"), noter(&log, "close"));
        let saving = saved.slot().on(&*queue).throttle(10 * MS).connect(&file, Noter::on);
        let weak = Strong::downgrade(&queue);
        closed.slot().on(&*queue).connect(&window, move |window, n| {
            window.on(n);
            assert!(weak.upgrade().unwrap().cancel(&saving));
        });
        closed.emit(&1);
        saved.emit(&2);
        closed.emit(&3);
        let message = panic_of(|| queue.run());
        assert!(message.contains("cancel"), "there is nothing left to cancel: {message}");
        assert_eq!(log.take(), ["close 1", "close 3"]);
    }

    #[test]
    fn a_handler_that_flush_calls_can_cancel_what_it_would_be_called_with_next() {
        let (log, signal, queue) = (Log::default(), Signal::<u32>::new(), Strong::new(Queue::default()));
        let a = noter(&log, "a");
        let own = Arc::new(Mutex::new(None::<Connection>));
        let (known, weak) = (own.clone(), Strong::downgrade(&queue));
        let slot = signal.slot().on(&*queue).debounce(10 * MS).edges(Edges::Both);
        let connection = slot.connect(&a, move |a, n| {
            a.on(n);
            let own = known.lock().unwrap().clone().unwrap();
            assert!(weak.upgrade().unwrap().cancel(&own));
        });
        *own.lock().unwrap() = Some(connection.clone());
        emit_all(&signal, [1, 2]);
        assert!(queue.flush(&connection));
        assert_eq!((log.take(), queue.len()), (vec!["a 1".to_string()], 0));
        assert_eq!(queue.next_deadline(), None);
    }

    #[test]
    fn what_a_handler_emits_while_flush_calls_it_is_for_the_next_run() {
        let (log, signal, queue) = (Log::default(), Arc::new(Signal::<u32>::new()), Queue::default());
        let (a, again) = (noter(&log, "a"), Arc::downgrade(&signal));
        let other = Signal::<u32>::new();
        other.slot().on(&queue).connect(&a, Noter::also);
        let connection = signal.slot().on(&queue).throttle(10 * MS).connect(&a, move |a, n| {
            a.on(n);
            again.upgrade().unwrap().emit(&(n + 10));
        });
        emit_all(&other, [0]);
        emit_all(&signal, 1..4);
        assert!(queue.flush(&connection));
        assert_eq!((log.take(), queue.len()), (vec!["a 1".to_string(), "a 3".to_string()], 3));
        assert_eq!(queue.run().called, 1);
        assert_eq!(log.take(), ["a also 0"]);
    }

    #[test]
    fn a_debounced_event_is_not_delivered_after_its_connection_ended() {
        let (log, signal, queue) = (Log::default(), Signal::<u32>::new(), Queue::default());
        let a = noter(&log, "a");
        let connection = signal.slot().on(&queue).debounce(10 * MS).connect(&a, Noter::on);
        let start = Instant::now();
        signal.emit(&1);
        queue.run_at(start);
        connection.disconnect();
        assert_eq!(queue.next_deadline(), None);
        assert_eq!(queue.run_at(start + 100 * MS).called, 0);
    }

    #[test]
    fn a_throttle_of_no_time_at_all_does_not_run_for_ever() {
        let (signal, queue) = (Signal::<u32>::new(), Queue::default());
        let owner = Strong::new(());
        signal.slot().on(&queue).throttle(Duration::ZERO).connect(&owner, |_, _| ());
        signal.slot().on(&queue).debounce(Duration::ZERO).connect(&owner, |_, _| ());
        (0..5).for_each(|n| _ = signal.emit(&n));
        assert_eq!(queue.run().called, 3);
        assert_eq!(queue.next_deadline(), None);
    }

    #[test]
    fn an_async_task_drives_the_queue() {
        let (log, signal, queue) = (Log::default(), Signal::<u32>::new(), Queue::default());
        let a = noter(&log, "a");
        signal.slot().on(&queue).connect(&a, Noter::on);
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(woken.clone());
        let mut context = Context::from_waker(&waker);
        for round in 1..4 {
            let mut drive = pin!(queue.drive());
            assert!(drive.as_mut().poll(&mut context).is_pending());
            emit_all(&signal, [1, 2]);
            assert_eq!(woken.0.load(SeqCst), round, "woken once");
            let Poll::Ready(ran) = drive.as_mut().poll(&mut context) else { panic!("not ready") };
            assert_eq!(ran.called, 2);
        }
        emit_all(&signal, [3]);
        let Poll::Ready(ran) = pin!(queue.drive()).poll(&mut context) else { panic!("not ready") };
        assert_eq!(ran.called, 1);
    }

    #[test]
    fn a_driven_queue_that_found_nothing_is_woken_again() {
        let (signal, queue) = (Signal::<u32>::new(), Queue::default());
        let owner = Strong::new(());
        let connection = signal.slot().on(&queue).connect(&owner, |_, _| ());
        emit_all(&signal, [1]);
        connection.disconnect();
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(woken.clone());
        let mut drive = pin!(queue.drive());
        assert!(drive.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        signal.slot().on(&queue).connect(&owner, |_, _| ());
        emit_all(&signal, [2]);
        assert_eq!(woken.0.load(SeqCst), 1);
    }

    #[test]
    fn a_driven_queue_that_feeds_itself_lets_other_tasks_have_their_turn() {
        let (signal, queue) = (Arc::new(Signal::<u32>::new()), Queue::default());
        let emits = Strong::new(Arc::downgrade(&signal));
        signal.slot().on(&queue).connect(&emits, |signal, n| _ = signal.upgrade().unwrap().emit(n));
        signal.emit(&1);
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(woken.clone());
        let mut context = Context::from_waker(&waker);
        assert!(pin!(queue.drive()).poll(&mut context).is_ready());
        let mut drive = pin!(queue.drive());
        assert!(drive.as_mut().poll(&mut context).is_pending());
        assert_eq!(woken.0.load(SeqCst), 1);
        assert!(drive.as_mut().poll(&mut context).is_ready());
    }

    #[test]
    fn a_queue_can_be_printed_inside_a_handler() {
        let (signal, queue) = (Signal::<u32>::new(), Strong::new(Queue::default()));
        let printed = Strong::new(Exclusive::new(String::new()));
        let weak = Strong::downgrade(&queue);
        signal.slot().on(&*queue).connect_mut(&printed, move |printed, _| {
            *printed = format!("{:?}", weak.upgrade().unwrap());
        });
        emit_all(&signal, 0..3);
        queue.run_max(1);
        assert_eq!(*printed.try_lock_or_borrow(), "Queue { connections: 1, waiting: 2, lost: 0, .. }");
    }

    #[test]
    fn an_owner_that_connects_itself_while_it_is_made_is_called_once_it_is_complete() {
        let (log, signal, queue) = (Log::default(), Signal::<u32>::new(), Queue::default());
        let owner = Strong::new_cyclic(|owner| {
            signal.slot().on(&queue).connect(owner, Noter::on);
            signal.emit(&0);
            queue.run();
            Noter::new(&log, "a")
        });
        emit_all(&signal, [1]);
        assert_eq!(queue.run().called, 1);
        assert_eq!(log.take(), ["a 1"]);
        drop(owner);
        signal.emit(&2);
        queue.run();
        assert_eq!(signal.emit(&3), 0);
    }

    #[test]
    fn a_latest_slot_is_called_with_what_was_emitted_before_its_turn_however_many_events_come_first() {
        let far = Instant::now() + Duration::from_secs(1000);
        let runs: [&dyn Fn(&Queue) -> usize; 4] = [
            &|queue| queue.run().called,
            &|queue| queue.run_max(1000).called,
            &|queue| std::iter::repeat_with(|| queue.run_max(7).called).take_while(|n| *n > 0).sum(),
            &|queue| queue.run_until(far).called,
        ];
        for between in [0, 1, 126, 127, 128, 200] {
            for (by_slot, elsewhere) in [(true, true), (true, false), (false, true), (false, false)] {
                for (i, run) in runs.iter().enumerate() {
                    let queue = Queue::default();
                    let queue = if by_slot { queue } else { queue.bounded(1000, Overflow::Latest) };
                    let (begun, moved) = (Signal::<u32>::new(), Arc::new(Signal::<u32>::new()));
                    let others: Vec<_> = (0..between).map(|_| Signal::<u32>::new()).collect();
                    let owner = Strong::new(());
                    let emits = Arc::downgrade(&moved);
                    begun.slot().on(&queue).connect(&owner, move |_, _| {
                        let moved = emits.upgrade().unwrap();
                        if elsewhere {
                            thread::scope(|scope| scope.spawn(|| emit_all(&moved, 2..4)).join().unwrap());
                        } else {
                            emit_all(&moved, 2..4);
                        }
                    });
                    for other in &others {
                        other.slot().on(&queue).connect(&owner, |_, _| ());
                    }
                    let seen = Strong::new(Exclusive::new(vec![]));
                    let slot = moved.slot().on(&queue);
                    let slot = if by_slot { slot.latest() } else { slot };
                    slot.connect_mut(&seen, |seen, n| seen.push(*n));
                    emit_all(&begun, [0]);
                    others.iter().for_each(|other| emit_all(other, [0]));
                    emit_all(&moved, [1]);
                    let case = format!("{between} by slot: {by_slot}, elsewhere: {elsewhere}, run {i}");
                    assert_eq!(run(&queue), between + 2, "{case}");
                    assert_eq!(*seen.try_lock_or_borrow(), [3], "{case}");
                    assert_eq!((queue.lost(), queue.len(), queue.run().called), (2, 0, 0), "{case}");
                }
            }
        }
    }

    #[test]
    fn what_a_latest_slot_emits_to_itself_is_for_the_next_run() {
        for by_slot in [false, true] {
            let (signal, queue) = (Arc::new(Signal::<u32>::new()), Queue::default());
            let queue = if by_slot { queue } else { queue.bounded(9, Overflow::Latest) };
            let seen = Strong::new(Exclusive::new(vec![]));
            let again = Arc::downgrade(&signal);
            let slot = signal.slot().on(&queue);
            let slot = if by_slot { slot.latest() } else { slot };
            slot.connect_mut(&seen, move |seen, n| {
                seen.push(*n);
                emit_all(&again.upgrade().unwrap(), [n + 1, n + 2]);
            });
            emit_all(&signal, [0]);
            for _ in 0..3 {
                let ran = queue.run();
                assert_eq!((ran.called, ran.lost, ran.left), (1, 1, 1));
            }
            assert_eq!(*seen.try_lock_or_borrow(), [0, 2, 4]);
        }
    }

    #[test]
    fn a_latest_event_that_a_deadline_leaves_keeps_its_turn_and_makes_way_for_a_newer_one() {
        let (log, queue) = (Log::default(), Queue::default());
        let (moved, clicked) = (Signal::<u32>::new(), Signal::<u32>::new());
        let (mouse, button) = (noter(&log, "mouse"), noter(&log, "button"));
        clicked.slot().on(&queue).connect(&button, Noter::on);
        moved.slot().on(&queue).latest().connect(&mouse, Noter::on);
        emit_all(&clicked, [1]);
        emit_all(&moved, [1]);
        emit_all(&clicked, [2]);
        let ran = queue.run_max(1);
        assert_eq!((ran.called, ran.left), (1, 2));
        assert_eq!(queue.run_until(Instant::now()).left, 2);
        emit_all(&moved, [2]);
        let ran = queue.run();
        assert_eq!((ran.called, ran.lost, ran.left), (2, 1, 0));
        assert_eq!(log.take(), ["button 1", "mouse 2", "button 2"]);
    }

    #[test]
    fn a_latest_slot_counts_its_calls_and_is_not_called_when_it_is_blocked_ended_or_without_its_owner() {
        let (log, queue, signal) = (Log::default(), Queue::default(), Signal::<u32>::new());
        let (a, b) = (noter(&log, "a"), noter(&log, "b"));
        let twice = signal.slot().times(2).on(&queue).latest().connect(&a, Noter::on);
        let ends = signal.slot().on(&queue).latest().connect(&a, Noter::also);
        signal.slot().on(&queue).latest().connect(&b, Noter::on);
        signal.emit(&1);
        signal.emit(&2);
        let block = twice.block();
        drop(b);
        assert_eq!((queue.run().called, queue.lost()), (1, 3));
        assert_eq!(log.take(), ["b dropped", "a also 2"]);
        drop(block);
        assert_eq!((signal.emit(&3), signal.slot_count()), (2, 2));
        ends.disconnect();
        assert_eq!(queue.run().called, 1);
        signal.emit(&4);
        signal.emit(&5);
        assert_eq!((queue.run().called, twice.is_connected()), (1, false));
        assert_eq!(log.take(), ["a 3", "a 5"]);
    }

    #[test]
    fn a_latest_event_whose_turn_in_a_run_is_to_come_takes_room_in_a_bounded_queue() {
        let (log, queue) = (Log::default(), Queue::default().bounded(2, Overflow::DropOldest));
        let (begun, moved) = (Signal::<u32>::new(), Signal::<u32>::new());
        let clicked = Arc::new(Signal::<u32>::new());
        let a = noter(&log, "a");
        let clicks = Arc::downgrade(&clicked);
        begun.slot().on(&queue).connect(&a, move |_, _| emit_all(&clicks.upgrade().unwrap(), 1..3));
        moved.slot().on(&queue).latest().connect(&a, Noter::on);
        clicked.slot().on(&queue).connect(&a, Noter::also);
        emit_all(&begun, [0]);
        emit_all(&moved, [0]);
        let ran = queue.run();
        assert_eq!((ran.called, ran.lost, ran.left), (1, 1, 2), "it was the oldest that waited");
        assert_eq!(queue.run().called, 2);
        assert_eq!(log.take(), ["a also 1", "a also 2"]);
    }

    #[test]
    fn a_flush_whose_handler_panics_leaves_the_rest_where_it_was() {
        let (log, queue) = (Log::default(), Queue::default());
        let (saved, clicked) = (Arc::new(Signal::<u32>::new()), Signal::<u32>::new());
        let (file, button) = (noter(&log, "save"), noter(&log, "click"));
        let again = Arc::downgrade(&saved);
        let slot = saved.slot().on(&queue).debounce(Duration::ZERO).edges(Edges::Leading);
        let saving = slot.connect(&file, move |file, n| {
            file.on(n);
            if *n == 1 {
                emit_all(&again.upgrade().unwrap(), [4]);
                panic!("the disk is full");
            }
        });
        clicked.slot().on(&queue).connect(&button, Noter::on);
        for n in 1..4 {
            emit_all(&saved, [n]);
            emit_all(&clicked, [n]);
        }
        assert!(panic_of(|| queue.flush(&saving)).contains("the disk is full"));
        assert_eq!((log.take(), queue.len()), (vec!["save 1".to_string()], 6));
        while queue.run_max(1).left > 0 {}
        let rest = ["click 1", "save 2", "click 2", "save 3", "click 3", "save 4"];
        assert_eq!(log.take(), rest);
    }

    #[test]
    fn a_flush_that_its_handler_cuts_short_leaves_the_others_where_they_were_and_what_came_meanwhile_waits() {
        let (log, queue) = (Log::default(), Strong::new(Queue::default()));
        let (saved, clicked) = (Arc::new(Signal::<u32>::new()), Signal::<u32>::new());
        let (file, button) = (noter(&log, "save"), noter(&log, "click"));
        let own = Arc::new(Mutex::new(None::<Connection>));
        let (known, weak, again) = (own.clone(), Strong::downgrade(&queue), Arc::downgrade(&saved));
        let slot = saved.slot().on(&*queue).debounce(Duration::ZERO).edges(Edges::Leading);
        let saving = slot.connect(&file, move |file, n| {
            file.on(n);
            if *n == 1 {
                let own = known.lock().unwrap().clone().unwrap();
                emit_all(&again.upgrade().unwrap(), [4]);
                assert!(weak.upgrade().unwrap().cancel(&own));
                emit_all(&again.upgrade().unwrap(), [5, 6]);
            }
        });
        *own.lock().unwrap() = Some(saving.clone());
        clicked.slot().on(&*queue).connect(&button, Noter::on);
        for n in 1..4 {
            emit_all(&clicked, [n]);
            emit_all(&saved, [n]);
        }
        assert!(queue.flush(&saving));
        assert_eq!((log.take(), queue.len()), (vec!["save 1".to_string()], 5));
        emit_all(&clicked, [7]);
        while queue.run_max(1).left > 0 {}
        assert_eq!(log.take(), ["click 1", "click 2", "click 3", "save 5", "save 6", "click 7"]);
    }

    #[test]
    fn a_flush_whose_handler_overfills_the_queue_takes_no_event_that_came_meanwhile() {
        let (log, queue) = (Log::default(), Queue::default().bounded(4, Overflow::DropOldest));
        let (saved, clicked) = (Arc::new(Signal::<u32>::new()), Arc::new(Signal::<u32>::new()));
        let a = noter(&log, "a");
        let (saves, clicks) = (Arc::downgrade(&saved), Arc::downgrade(&clicked));
        let slot = saved.slot().on(&queue).debounce(Duration::ZERO).edges(Edges::Both);
        let saving = slot.connect(&a, move |a, n| {
            a.on(n);
            if *n == 1 {
                emit_all(&clicks.upgrade().unwrap(), [11]);
                emit_all(&saves.upgrade().unwrap(), [4]);
            }
        });
        clicked.slot().on(&queue).connect(&a, Noter::also);
        emit_all(&saved, 1..4);
        emit_all(&clicked, [10]);
        assert!(queue.flush(&saving));
        assert_eq!((log.take(), queue.lost()), (vec!["a 1".to_string(), "a 3".to_string()], 1));
        queue.run();
        assert_eq!(log.take(), ["a also 10", "a also 11", "a 4"]);
    }

    #[test]
    fn turns_of_what_was_cancelled_or_flushed_neither_pile_up_nor_take_another_events_turn() {
        let (log, signal, queue) = (Log::default(), Signal::<u32>::new(), Queue::default());
        let a = noter(&log, "a");
        let slot = signal.slot().on(&queue).debounce(Duration::ZERO).edges(Edges::Leading);
        let connection = slot.connect(&a, Noter::on);
        let other = Signal::<u32>::new();
        other.slot().on(&queue).connect(&a, Noter::also);
        for n in 0..1000 {
            emit_all(&signal, [n, n]);
            if n % 300 == 0 {
                emit_all(&other, [n]);
            }
            assert!(if n % 2 == 0 { queue.cancel(&connection) } else { queue.flush(&connection) });
        }
        log.take();
        emit_all(&signal, [1]);
        emit_all(&other, [1]);
        let queue = queue.bounded(100, Overflow::DropOldest);
        assert_eq!((queue.len(), queue.run().called), (6, 6));
        let called = ["a also 0", "a also 300", "a also 600", "a also 900", "a 1", "a also 1"];
        assert_eq!(log.take(), called);
    }

    #[test]
    fn what_a_handler_emits_is_for_the_next_run_though_it_ends_a_connection_with_many_events() {
        for is_cancelled in [false, true] {
            let (queue, ends) = (Strong::new(Queue::default()), Signal::<u32>::new());
            let signal = Arc::new(Signal::<u32>::new());
            let (seen, owner) = (Strong::new(Exclusive::new(vec![])), Strong::new(()));
            let slot = ends.slot().on(&*queue).debounce(Duration::ZERO);
            let connection = slot.connect(&owner, |_, _| ());
            let (weak, again) = (Strong::downgrade(&queue), Arc::downgrade(&signal));
            signal.slot().on(&*queue).connect_mut(&seen, move |seen, n| {
                seen.push(*n);
                if *n == 1 {
                    if is_cancelled {
                        weak.upgrade().unwrap().cancel(&connection);
                    } else {
                        connection.disconnect();
                    }
                    emit_all(&again.upgrade().unwrap(), [3]);
                }
            });
            emit_all(&signal, [1]);
            emit_all(&ends, 0..500);
            emit_all(&signal, [2]);
            let ran = queue.run();
            assert_eq!((ran.called, ran.left), (2, 1));
            assert_eq!(queue.run().called, 1);
            assert_eq!(*seen.try_lock_or_borrow(), [1, 2, 3]);
        }
    }

    #[test]
    fn a_queue_that_is_bounded_after_a_cancel_loses_only_what_waits() {
        for (overflow, kept) in [
            (Overflow::DropOldest, &["a also 2", "a 2"][..]),
            (Overflow::DropNewest, &["a also 1", "a also 2"]),
            (Overflow::Latest, &["a also 2", "a 2"]),
        ] {
            let (log, signal, queue) = (Log::default(), Signal::<u32>::new(), Queue::default());
            let a = noter(&log, "a");
            let slot = signal.slot().on(&queue).debounce(Duration::ZERO).edges(Edges::Leading);
            let connection = slot.connect(&a, Noter::on);
            let other = Signal::<u32>::new();
            other.slot().on(&queue).connect(&a, Noter::also);
            emit_all(&signal, 7..9);
            emit_all(&other, [1]);
            assert!(queue.cancel(&connection));
            emit_all(&other, [2]);
            emit_all(&signal, [2]);
            let queue = queue.bounded(2, overflow);
            assert_eq!((queue.len(), queue.lost()), (2, 1), "{overflow:?}");
            assert_eq!((queue.run().called, log.take()), (2, kept.iter().map(|s| s.to_string()).collect()));
        }
    }

    #[test]
    fn what_a_debounce_holds_back_is_dropped_with_its_connection_or_its_signal_and_not_counted_as_lost() {
        for ends_with_signal in [false, true] {
            let (log, signal, queue) = (Log::default(), Signal::<Arc<()>>::new(), Queue::default());
            let a = noter(&log, "a");
            let slot = signal.slot().on(&queue).debounce(10 * MS);
            let connection = slot.connect(&a, |a, _| a.also(&0));
            let (event, start) = (Arc::new(()), Instant::now());
            signal.emit(&event);
            queue.run_at(start);
            assert_eq!(Arc::strong_count(&event), 2, "held back");
            if ends_with_signal {
                drop(signal);
            } else {
                connection.disconnect();
            }
            assert_eq!(Arc::strong_count(&event), 1);
            assert_eq!((queue.run_at(start + 10 * MS).called, queue.lost()), (0, 0));
            assert!(log.take().is_empty() && !queue.flush(&connection));
        }
    }

    #[test]
    fn a_window_that_closes_while_its_slot_is_blocked_drops_what_it_holds_back() {
        for is_throttled in [false, true] {
            let (log, signal, queue) = (Log::default(), Signal::<u32>::new(), Queue::default());
            let a = noter(&log, "a");
            let slot = signal.slot().on(&queue);
            let slot = if is_throttled { slot.throttle(10 * MS) } else { slot.debounce(10 * MS) };
            let connection = slot.edges(Edges::Trailing).connect(&a, Noter::on);
            let start = Instant::now();
            emit_all(&signal, [1]);
            queue.run_at(start);
            let block = connection.block();
            assert_eq!(signal.emit(&2), 0, "does not come to the queue");
            assert_eq!(queue.run_at(start + 10 * MS).called, 0);
            drop(block);
            // As if the handler had been called: a throttle's next window is open.
            let next = is_throttled.then_some(start + 20 * MS);
            assert_eq!(queue.next_deadline(), next);
            assert_eq!(queue.run_at(start + 20 * MS).called, 0);
            assert_eq!((log.take(), queue.lost()), (vec![], 0));
        }
    }

    #[test]
    fn an_event_that_comes_up_while_its_slot_is_blocked_opens_a_window_all_the_same() {
        let (log, signal, queue) = (Log::default(), Signal::<u32>::new(), Queue::default());
        let a = noter(&log, "a");
        let connection = signal.slot().on(&queue).throttle(10 * MS).connect(&a, Noter::on);
        let start = Instant::now();
        emit_all(&signal, [1]);
        let block = connection.block();
        assert_eq!(queue.run_at(start).called, 0);
        drop(block);
        emit_all(&signal, [2]);
        assert_eq!(queue.run_at(start + MS).called, 0);
        assert_eq!(queue.run_at(start + 10 * MS).called, 1);
        assert_eq!(log.take(), ["a 2"]);
    }

    #[test]
    fn windows_that_are_due_together_close_by_their_times_and_then_in_the_order_of_their_connections() {
        let (log, signal, queue) = (Log::default(), Signal::<u32>::new(), Queue::default());
        let names = ["a", "b", "c", "d", "e"];
        let owners = names.map(|name| noter(&log, name));
        let connect = |i: usize, wait| {
            signal.slot().priority(i as i32).on(&queue).debounce(wait).connect(&owners[i], Noter::on)
        };
        let first = [connect(0, 5 * MS), connect(1, 5 * MS), connect(2, 5 * MS)];
        // The places of these are used again.
        first[0].disconnect();
        first[1].disconnect();
        connect(3, 5 * MS);
        connect(4, 2 * MS);
        let start = Instant::now();
        signal.emit(&1);
        queue.run_at(start);
        assert_eq!(queue.run_at(start + 5 * MS).called, 3);
        assert_eq!(log.take(), ["e 1", "c 1", "d 1"]);
    }

    #[test]
    fn flush_is_no_run_for_the_wake_nor_the_lost_nor_other_events() {
        let (count, wake) = wakes();
        let (log, queue) = (Log::default(), Queue::new(wake).bounded(2, Overflow::DropOldest));
        let (saved, clicked) = (Signal::<u32>::new(), Signal::<u32>::new());
        let a = noter(&log, "a");
        let slot = saved.slot().on(&queue).debounce(10 * MS);
        let saving = slot.connect(&a, Noter::on);
        clicked.slot().on(&queue).connect(&a, Noter::also);
        emit_all(&clicked, 0..2);
        emit_all(&saved, [1]);
        assert_eq!((queue.lost(), count.load(SeqCst)), (1, 1));
        assert!(queue.flush(&saving));
        assert_eq!((log.take(), queue.len()), (vec!["a 1".to_string()], 1));
        emit_all(&clicked, [2]);
        assert_eq!(count.load(SeqCst), 1, "the loop was told, and has not begun to run since");
        let ran = queue.run();
        assert_eq!((ran.called, ran.lost), (2, 1));
        emit_all(&saved, [3]);
        assert_eq!(count.load(SeqCst), 2);
        assert!(queue.flush(&saving));
        assert_eq!(queue.run().called, 0, "there is nothing left of what it was told for");
    }

    #[test]
    fn each_run_says_how_many_windows_that_are_due_it_leaves() {
        let (signal, queue) = (Signal::<u32>::new(), Queue::default());
        let owner = Strong::new(());
        let connect = |_| signal.slot().on(&queue).debounce(Duration::from_nanos(1)).connect(&owner, |_, _| ());
        let connections: Vec<_> = (0..10).map(connect).collect();
        signal.emit(&1);
        assert_eq!(queue.run_at(Instant::now()).called, 0);
        thread::sleep(MS);
        let mut left = 10;
        while left > 0 {
            let ran = queue.run_max(1);
            left -= 1;
            assert_eq!((ran.called, ran.left), (1, left));
            if left == 6 {
                assert!(queue.cancel(&connections[8]));
                left -= 1;
            }
        }
    }
}

#[test]
fn any_thread_emits_and_the_handlers_of_rc_owners_run_on_their_own() {
    let signal = Arc::new(Signal::<u32>::new());
    let (woken, wakes) = mpsc::channel();
    let queue = LocalQueue::new(move || woken.send(()).unwrap());
    let here = thread::current().id();
    let sum = Rc::new(Cell::new(0));
    signal.slot().on(&queue).connect(&sum, move |sum, n| {
        assert_eq!(thread::current().id(), here);
        sum.set(sum.get() + n);
    });
    let emitters: Vec<_> = (0..4)
        .map(|_| {
            let signal = signal.clone();
            thread::spawn(move || emit_all(&signal, 0..1000))
        })
        .collect();
    let mut called = 0;
    while called < 4000 {
        wakes.recv_timeout(Duration::from_secs(20)).expect("woken while there is something to run");
        called += queue.run().called;
    }
    assert_eq!(sum.get(), 4 * (0..1000).sum::<u32>());
    emitters.into_iter().for_each(|emitter| emitter.join().unwrap());
    assert_eq!(queue.run().called, 0);
}

#[test]
fn the_events_of_one_thread_stay_in_order_whoever_else_emits() {
    let signal = Arc::new(Signal::<(usize, u32)>::new());
    let queue = Arc::new(Queue::default());
    let seen = Arc::new(Mutex::new(vec![vec![]; 3]));
    signal.slot().on(&queue).connect_mut(&seen, |seen, (thread, n)| seen[*thread].push(*n));
    thread::scope(|scope| {
        for thread in 0..3 {
            let signal = &signal;
            scope.spawn(move || (0..2000).for_each(|n| _ = signal.emit(&(thread, n))));
        }
        let mut called = 0;
        while called < 6000 {
            called += queue.run().called;
        }
    });
    for seen in &*seen.lock().unwrap() {
        assert!(seen.iter().copied().eq(0..2000));
    }
}

/// An owner, and what it captured, that must not leave its thread: dropping it elsewhere panics.
struct Bound(thread::ThreadId);
impl Bound {
    fn new() -> Self {
        Bound(thread::current().id())
    }
    fn on(&self, _: &u32) {
        assert_eq!(thread::current().id(), self.0);
    }
}
impl Drop for Bound {
    fn drop(&mut self) {
        assert_eq!(thread::current().id(), self.0, "dropped on its own thread");
    }
}

#[test]
fn what_is_disconnected_on_another_thread_is_let_go_on_the_loops() {
    let signal = Arc::new(Signal::<u32>::new());
    let queue = LocalQueue::default();
    let owner = Rc::new(Bound::new());
    let captured = Rc::new(Bound::new());
    let held = captured.clone();
    let connection = signal.slot().on(&queue).connect(&owner, move |owner, n| {
        owner.on(n);
        held.on(n);
    });
    signal.slot().on(&queue).connect(&owner, Bound::on);
    signal.emit(&1);
    assert_eq!(queue.run().called, 2);
    assert_eq!((Rc::weak_count(&owner), Rc::strong_count(&captured)), (2, 2));
    let emitting = signal.clone();
    thread::spawn(move || {
        emitting.emit(&2);
        connection.disconnect();
        drop(connection);
        emitting.disconnect_all();
    })
    .join()
    .unwrap();
    assert_eq!(
        (Rc::weak_count(&owner), Rc::strong_count(&captured)),
        (2, 2),
        "not touched from there"
    );
    assert_eq!(queue.run().called, 0);
    assert_eq!((Rc::weak_count(&owner), Rc::strong_count(&captured)), (0, 1));
}

#[test]
fn a_run_lets_go_of_the_captures_of_what_ended_in_it() {
    let (signal, queue) = (Signal::<u32>::new(), LocalQueue::default());
    let (owner, captured) = (Rc::new(()), Rc::new(()));
    let [once, ended] = [captured.clone(), captured.clone()];
    let other = signal.slot().on(&queue).connect(&owner, move |_, _| _ = &ended);
    signal.slot().once().priority(1).on(&queue).connect(&owner, move |_, _| {
        other.disconnect();
        _ = &once;
    });
    signal.emit(&1);
    assert_eq!(queue.run().called, 1);
    assert_eq!((Rc::weak_count(&owner), Rc::strong_count(&captured)), (0, 1));
}

#[test]
fn a_loop_is_woken_once_to_let_go_of_what_ended_outside_of_a_run() {
    let (count, wake) = wakes();
    let (signal, queue) = (Signal::<u32>::new(), LocalQueue::new(wake));
    let owner = Rc::new(());
    signal.slot().on(&queue).connect(&owner, |_, _| ());
    signal.slot().on(&queue).connect(&owner, |_, _| ());
    thread::scope(|scope| scope.spawn(|| signal.disconnect_all()).join().unwrap());
    assert_eq!(count.load(SeqCst), 1);
    queue.run();
    assert_eq!((Rc::weak_count(&owner), count.load(SeqCst)), (0, 1));
    signal.slot().once().on(&queue).connect(&owner, |_, _| ());
    emit_all(&signal, [1]);
    queue.run();
    assert_eq!((Rc::weak_count(&owner), count.load(SeqCst)), (0, 2), "not for what the run let go");
}

#[test]
fn the_wake_for_what_ended_is_called_under_no_lock() {
    let signal = Arc::new(Signal::<u32>::new());
    let (count, counts) = wakes();
    let uses = Arc::downgrade(&signal);
    let queue = LocalQueue::new(move || {
        counts();
        // Takes the locks of the signal and, through the slot that stays, of the queue.
        let Some(signal) = uses.upgrade() else { return };
        assert!(signal.emit(&1) + signal.prune() + signal.slot_count() > 0);
    });
    let (owner, stays) = (Rc::new(()), Rc::new(()));
    signal.slot().on(&queue).connect(&stays, |_, _| ());
    let ends: [fn(Connection); 3] = [
        |connection| assert!(connection.disconnect()),
        |connection| drop(connection.scoped()),
        |connection| assert_eq!(connection.disconnect_and_wait(), Ok(true)),
    ];
    for (i, end) in ends.into_iter().enumerate() {
        let connection = signal.slot().on(&queue).connect(&owner, |_, _| ());
        end(connection);
        assert_eq!(count.load(SeqCst), i + 1);
        queue.run();
    }
    drop(signal);
    assert_eq!(count.load(SeqCst), 4);
}

#[test]
fn a_task_that_drives_a_local_queue_is_woken_to_let_go_of_what_ended() {
    let (signal, queue) = (Signal::<u32>::new(), LocalQueue::default());
    let owner = Rc::new(());
    signal.slot().on(&queue).connect(&owner, |_, _| ());
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(woken.clone());
    let mut context = Context::from_waker(&waker);
    let mut drive = pin!(queue.drive());
    assert!(drive.as_mut().poll(&mut context).is_pending());
    thread::scope(|scope| scope.spawn(|| signal.disconnect_all()).join().unwrap());
    assert_eq!(woken.0.load(SeqCst), 1);
    _ = drive.as_mut().poll(&mut context);
    assert_eq!(Rc::weak_count(&owner), 0);
}

#[test]
fn a_local_queue_that_ends_lets_go_of_what_was_disconnected_elsewhere() {
    let signal = Arc::new(Signal::<u32>::new());
    let owner = Rc::new(Bound::new());
    let queue = LocalQueue::default();
    signal.slot().on(&queue).connect(&owner, Bound::on);
    signal.slot().on(&queue).connect(&owner, Bound::on);
    let connection = signal.slot().on(&queue).connect(&owner, Bound::on);
    thread::scope(|scope| scope.spawn(|| connection.disconnect()).join().unwrap());
    drop(queue);
    assert_eq!(Rc::weak_count(&owner), 0);
    assert_eq!(signal.emit(&1), 0);
}

#[test]
fn captures_whose_drop_panics_do_not_keep_those_of_other_slots() {
    let (signal, queue) = (Signal::<u32>::new(), LocalQueue::default());
    let (owner, captured) = (Rc::new(()), Rc::new(()));
    for i in 0..5 {
        let held = captured.clone();
        let panics = AtEnd(Box::new(move || {
            drop(held.clone());
            assert!(i != 0, "a drop too much");
        }) as Box<dyn FnMut()>);
        signal.slot().on(&queue).connect(&owner, move |_, _| panics.touch());
    }
    thread::scope(|scope| scope.spawn(|| signal.disconnect_all()).join().unwrap());
    assert!(panic_of(|| queue.run()).contains("a drop too much"));
    assert_eq!((Rc::weak_count(&owner), Rc::strong_count(&captured)), (0, 1));
    assert_eq!(queue.run().called, 0);
}

/// Connects a slot whose capture is `at_end`, and one that ends it as a connect lets go of this one.
fn ends_inside_a_connect(
    signal: &Signal<u32>,
    queue: &LocalQueue,
    owner: &Rc<()>,
    at_end: AtEnd<impl FnMut() + 'static>,
) {
    let inner = signal.slot().on(queue).connect(owner, move |_, _| at_end.touch()).scoped();
    let outer = signal.slot().on(queue).connect(owner, move |_, _| _ = &inner);
    outer.disconnect();
}

#[test]
fn a_connect_drops_no_capture_under_a_lock_though_another_slot_ends_as_it_begins() {
    let (done, is_done) = mpsc::channel();
    let test = thread::spawn(move || {
        let signals: Rc<[Signal<u32>; 2]> = Rc::default();
        let (queue, owner) = (Rc::new(LocalQueue::default()), Rc::new(()));
        let ended = Rc::new(Cell::new(false));
        let (uses, noted) = ((signals.clone(), queue.clone(), owner.clone()), ended.clone());
        let at_end = AtEnd(move || {
            let (signals, queue, owner) = &uses;
            assert!(signals[0].slot_count() + signals[0].prune() > 0);
            signals[0].emit(&1);
            signals[1].slot().on(queue).connect(owner, |_, _| ());
            noted.set(true);
        });
        ends_inside_a_connect(&signals[0], &queue, &owner, at_end);
        let connection = signals[0].slot().on(&queue).connect(&owner, |_, _| ());
        queue.run();
        assert!(ended.get() && connection.is_connected());
        assert_eq!(signals[1].slot_count(), 1);
        done.send(()).unwrap();
    });
    let waited = is_done.recv_timeout(Duration::from_secs(20));
    assert_ne!(waited, Err(mpsc::RecvTimeoutError::Timeout), "a lock is waited for for ever");
    test.join().unwrap();
}

#[test]
fn a_connect_is_done_whole_though_a_capture_that_ends_as_it_begins_panics() {
    let (signal, queue, owner) = (Signal::<u32>::new(), LocalQueue::default(), Rc::new(()));
    let at_end = AtEnd(|| panic!("the capture's own"));
    ends_inside_a_connect(&signal, &queue, &owner, at_end);
    let connection = signal.slot().on(&queue).connect(&owner, |_, _| ());
    assert_eq!(signal.emit(&1), 1);
    assert_eq!(panic_of(|| queue.run()), "the capture's own");
    assert_eq!((signal.emit(&2), queue.run().called), (1, 1));
    assert!(connection.disconnect() && signal.is_empty());
    assert!(format!("{queue:?}").contains("connections: 0"));
}

#[test]
fn a_signal_that_ends_on_another_thread_leaves_rc_owners_alone() {
    let signal = Signal::<u32>::new();
    let owner = Rc::new(Bound::new());
    let queue = LocalQueue::default();
    signal.slot().on(&queue).connect(&owner, Bound::on);
    signal.emit(&1);
    thread::spawn(move || drop(signal)).join().unwrap();
    assert_eq!(queue.run().called, 0);
    assert_eq!(Rc::weak_count(&owner), 0);
}

#[test]
fn rc_owners_that_come_and_go_are_pruned_though_nobody_emits() {
    let signal = Signal::<u32>::new();
    let queue = LocalQueue::default();
    let stays = Rc::new(());
    signal.slot().on(&queue).connect(&stays, |_, _| ());
    for _ in 0..10_000 {
        signal.slot().on(&queue).connect(&Rc::new(()), |_, _| ());
    }
    assert!(signal.slot_count() < 40, "{}", signal.slot_count());
    assert!(signal.emit(&1) >= 1);
    assert_eq!(queue.run().called, 1);
}

#[test]
fn a_connect_prunes_all_whose_owner_is_gone_though_an_event_panics_as_it_is_dropped() {
    #[derive(Clone)]
    struct Loud(Arc<AtomicUsize>);
    impl Drop for Loud {
        fn drop(&mut self) {
            assert_ne!(self.0.fetch_add(1, SeqCst), 2, "the event's own");
        }
    }
    let (signal, queue) = (Signal::<Loud>::new(), LocalQueue::default());
    let owners: Vec<_> = (0..16).map(|_| Rc::new(())).collect();
    owners.iter().for_each(|owner| _ = signal.slot().on(&queue).connect(owner, |_, _| ()));
    let dropped = Arc::new(AtomicUsize::new(0));
    assert_eq!(signal.emit(&Loud(dropped.clone())), 16);
    drop(owners);
    let connects = || signal.slot().on(&queue).connect(&Rc::new(()), |_, _| ());
    assert!(panic_of(connects).contains("the event's own"));
    assert_eq!((dropped.load(SeqCst), queue.len(), signal.slot_count()), (17, 0, 0));
}

#[test]
fn a_throttled_slot_whose_rc_owner_is_gone_ends_with_its_next_event_although_that_is_held_back() {
    let (signal, queue, log) = (Signal::<u32>::new(), LocalQueue::default(), Log::default());
    let owner = Rc::new(Noter::new(&log, "a"));
    signal.slot().on(&queue).throttle(10 * MS).connect(&owner, Noter::on);
    let start = Instant::now();
    emit_all(&signal, [1]);
    queue.run_at(start);
    drop(owner);
    emit_all(&signal, [2]);
    assert_eq!(queue.run_at(start).called, 0);
    assert_eq!((signal.emit(&3), queue.next_deadline()), (0, None));
}

#[test]
fn arc_owners_that_come_and_go_are_pruned_though_nobody_emits() {
    let (signal, queue) = (Signal::<u32>::new(), Queue::default());
    for _ in 0..10_000 {
        signal.slot().on(&queue).connect(&Arc::new(()), |_, _| ());
    }
    let printed = format!("{queue:?}");
    let connections = printed.split(&[' ', ','][..]).find_map(|word| word.parse::<usize>().ok());
    assert!(connections.unwrap() < 40, "{printed}");
}

#[test]
fn run_until_calls_no_handler_after_it_dropped_a_capture_until_the_deadline() {
    let (queue, ends, stays) = (Queue::default(), Signal::<u32>::new(), Signal::<u32>::new());
    let (owner, log) = (Arc::new(()), Log::default());
    let late = Arc::new(Noter::new(&log, "late"));
    let deadline = Instant::now() + 200 * MS;
    let at_end = AtEnd(move || {
        while Instant::now() < deadline {
            thread::sleep(MS);
        }
    });
    let own = Arc::new(Mutex::new(None::<Connection>));
    let known = own.clone();
    let connection = ends.slot().on(&queue).connect(&owner, move |_, _| {
        at_end.touch();
        known.lock().unwrap().take().unwrap().disconnect();
    });
    *own.lock().unwrap() = Some(connection);
    stays.slot().on(&queue).latest().connect(&late, Noter::on);
    emit_all(&ends, [0]);
    emit_all(&stays, [1]);
    assert!(queue.run_until(deadline).left >= 1);
    assert!(log.take().is_empty());
    queue.run();
    assert_eq!(log.take(), ["late 1"]);
}

#[test]
fn a_second_thread_that_runs_the_queue_meanwhile_is_refused() {
    let (signal, queue) = (Signal::<u32>::new(), Queue::default());
    let (message, messages) = mpsc::channel();
    let inside = Arc::new(Mutex::new(message));
    let (entered, entries) = mpsc::channel();
    let (out, let_out) = mpsc::channel::<()>();
    let gate = Mutex::new((entered, let_out));
    signal.slot().on(&queue).connect(&inside, move |_, _| {
        let gate = gate.lock().unwrap();
        gate.0.send(()).unwrap();
        gate.1.recv_timeout(Duration::from_secs(20)).unwrap();
    });
    signal.emit(&1);
    thread::scope(|scope| {
        scope.spawn(|| queue.run());
        entries.recv_timeout(Duration::from_secs(20)).unwrap();
        inside.lock().unwrap().send(panic_of(|| queue.run())).unwrap();
        out.send(()).unwrap();
    });
    let message = messages.try_recv().unwrap();
    assert!(message.contains("while another thread runs it"), "{message}");
    signal.emit(&1);
    out.send(()).unwrap();
    assert_eq!(queue.run().called, 1);
}

#[test]
fn tracked_owners_and_trait_objects_can_have_their_handlers_queued() {
    trait Hears: Send + Sync {
        fn hear(&self, n: &u32);
    }
    impl Hears for AtomicUsize {
        fn hear(&self, n: &u32) {
            self.fetch_add(*n as usize, SeqCst);
        }
    }
    let (signal, queue) = (Signal::<u32>::new(), Queue::default());
    let tracked = sigwire::HazardArc::new(AtomicUsize::new(0));
    let unsized_owner: Arc<dyn Hears> = Arc::new(AtomicUsize::new(0));
    let weak: Weak<AtomicUsize> = Weak::new();
    signal.slot().on(&queue).connect(&tracked, AtomicUsize::hear);
    signal.slot().on(&queue).connect(&unsized_owner, |owner, n| owner.hear(n));
    signal.slot().on(&queue).connect(&weak, AtomicUsize::hear);
    assert_eq!(signal.emit(&3), 2);
    assert_eq!(queue.run().called, 2);
    assert_eq!(tracked.load(SeqCst), 3);
    drop((tracked, unsized_owner));
    assert_eq!(signal.emit(&3), 0);
}

#[test]
fn the_slots_of_an_owner_can_be_disconnected_by_owner_and_method() {
    let (signal, queue, log) = (Signal::<u32>::new(), Queue::default(), Log::default());
    let (a, b) = (Arc::new(Noter::new(&log, "a")), Arc::new(Noter::new(&log, "b")));
    for owner in [&a, &b] {
        signal.slot().on(&queue).connect(owner, Noter::on);
        signal.slot().on(&queue).connect(owner, Noter::also);
    }
    signal.emit(&1);
    assert_eq!(signal.disconnect_method(&a, Noter::on), 1);
    assert_eq!(signal.disconnect_owner(&b), 2);
    assert_eq!(queue.run().called, 1);
    assert_eq!(log.take(), ["a also 1"]);
}

/// Wakes by counting.
#[derive(Default)]
struct Woken(AtomicUsize);
impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// An event that does something whenever a copy of it is made or dropped.
struct Bomb(Arc<dyn Fn() + Send + Sync>);
impl Clone for Bomb {
    fn clone(&self) -> Self {
        (self.0)();
        Bomb(self.0.clone())
    }
}
impl Drop for Bomb {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// The inside of an owner of either home.
trait Inside<T> {
    fn try_lock_or_borrow(&self) -> impl std::ops::DerefMut<Target = T>;
}
impl<T> Inside<T> for Mutex<T> {
    fn try_lock_or_borrow(&self) -> impl std::ops::DerefMut<Target = T> {
        self.try_lock().unwrap()
    }
}
impl<T> Inside<T> for RefCell<T> {
    fn try_lock_or_borrow(&self) -> impl std::ops::DerefMut<Target = T> {
        self.borrow_mut()
    }
}
