//! Debounced and throttled slots: their windows and edges.

use super::*;

both_homes! {
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
                let slot =
                    if is_throttled { slot.throttle(10 * MS) } else { slot.debounce(10 * MS) };
                slot.connect_mut(&seen, |seen, n| seen.push(*n));
                let start = Instant::now();
                for frame in 0..10 {
                    emit_all(&signal, [frame]);
                    queue.run_at(start + frame * 16 * MS);
                }
                let called = if edges == Edges::Trailing { 0..9 } else { 0..10 };
                assert_eq!(
                    *seen.try_lock_or_borrow(),
                    called.collect::<Vec<_>>(),
                    "{edges:?} {is_throttled}"
                );
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
    fn what_a_debounce_holds_back_ends_with_its_connection_or_signal_and_is_not_lost() {
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
    fn windows_that_are_due_together_close_by_time_and_then_in_connection_order() {
        let (log, signal, queue) = (Log::default(), Signal::<u32>::new(), Queue::default());
        let names = ["a", "b", "c", "d", "e"];
        let owners = names.map(|name| noter(&log, name));
        let connect = |i: usize, wait| {
            signal
                .slot()
                .priority(i as i32)
                .on(&queue)
                .debounce(wait)
                .connect(&owners[i], Noter::on)
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
    fn each_run_says_how_many_windows_that_are_due_it_leaves() {
        let (signal, queue) = (Signal::<u32>::new(), Queue::default());
        let owner = Strong::new(());
        let connect = |_| {
            signal.slot().on(&queue).debounce(Duration::from_nanos(1)).connect(&owner, |_, _| ())
        };
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
