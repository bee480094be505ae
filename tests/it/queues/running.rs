//! What `run`, `run_max` and `run_until` call, and in which order.

use super::*;

both_homes! {
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
        let (log, signal, queue) =
            (Log::default(), Arc::new(Signal::<u32>::new()), Strong::new(Queue::default()));
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
    fn a_queue_can_be_printed_inside_a_handler() {
        let (signal, queue) = (Signal::<u32>::new(), Strong::new(Queue::default()));
        let printed = Strong::new(Exclusive::new(String::new()));
        let weak = Strong::downgrade(&queue);
        signal.slot().on(&*queue).connect_mut(&printed, move |printed, _| {
            *printed = format!("{:?}", weak.upgrade().unwrap());
        });
        emit_all(&signal, 0..3);
        queue.run_max(1);
        assert_eq!(
            *printed.try_lock_or_borrow(),
            "Queue { connections: 1, waiting: 2, lost: 0, .. }"
        );
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
