//! Slots of which only the latest event counts.

use super::*;

both_homes! {
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
    fn a_latest_slot_is_called_with_what_was_emitted_before_its_turn_however_late_that_comes() {
        let far = Instant::now() + Duration::from_secs(1000);
        let runs: [&dyn Fn(&Queue) -> usize; 4] = [
            &|queue| queue.run().called,
            &|queue| queue.run_max(1000).called,
            &|queue| {
                std::iter::repeat_with(|| queue.run_max(7).called).take_while(|n| *n > 0).sum()
            },
            &|queue| queue.run_until(far).called,
        ];
        for between in [0, 1, 126, 127, 128, 200] {
            for (by_slot, elsewhere) in [(true, true), (true, false), (false, true), (false, false)]
            {
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
                            thread::scope(|scope| {
                                scope.spawn(|| emit_all(&moved, 2..4)).join().unwrap()
                            });
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
                    let case =
                        format!("{between} by slot: {by_slot}, elsewhere: {elsewhere}, run {i}");
                    assert_eq!(run(&queue), between + 2, "{case}");
                    assert_eq!(*seen.try_lock_or_borrow(), [3], "{case}");
                    assert_eq!(
                        (queue.lost(), queue.len(), queue.run().called),
                        (2, 0, 0),
                        "{case}"
                    );
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
    fn a_latest_slot_counts_its_calls_and_gets_none_when_blocked_ended_or_without_owner() {
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
}
