//! What is dropped when a queue, a connection or an owner ends, and when.

use super::*;

both_homes! {
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
        let (signal, queue) = (
            Arc::new(Signal::<Bomb>::new()),
            Strong::new(Queue::default().bounded(2, Overflow::DropOldest)),
        );
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
