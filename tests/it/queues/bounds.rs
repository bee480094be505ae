//! Bounded queues, and what is lost.

use super::*;

both_homes! {
    #[test]
    fn a_full_queue_drops_the_oldest_or_the_newest_and_tells() {
        for (overflow, kept) in
            [(Overflow::DropOldest, ["a 3", "a 4"]), (Overflow::DropNewest, ["a 0", "a 1"])]
        {
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
        let (signal, queue) =
            (Signal::<u32>::new(), Queue::default().bounded(2, Overflow::DropNewest));
        let owner = Strong::new(());
        for _ in 0..1000 {
            let connection = signal.slot().on(&queue).connect(&owner, |_, _| ());
            emit_all(&signal, 0..2);
            connection.disconnect();
        }
        let (_ended, _stands) =
            (signal.disconnect_all(), signal.slot().on(&queue).connect(&owner, |_, _| ()));
        emit_all(&signal, 0..3);
        let ran = queue.run();
        assert_eq!((ran.called, ran.lost), (2, 1));
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
        assert!(message.contains("capacity of 0"), "{message}");
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
            assert_eq!(
                (queue.run().called, log.take()),
                (2, kept.iter().map(|s| s.to_string()).collect())
            );
        }
    }
}
