//! `flush` and `cancel`.

use super::*;

both_homes! {
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
        for (edges, called) in [(Edges::Leading, ["a 1", "a 3"]), (Edges::Trailing, ["a 2", "a 3"])]
        {
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
        let (log, signal, queue) =
            (Log::default(), Signal::<u32>::new(), Strong::new(Queue::default()));
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
        let (log, signal, queue) =
            (Log::default(), Arc::new(Signal::<u32>::new()), Queue::default());
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
    fn a_flush_that_its_handler_cuts_short_leaves_the_rest_in_place_and_newer_events_waiting() {
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
}
