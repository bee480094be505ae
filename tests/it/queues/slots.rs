//! The slots of a queue: their owners, blocks, options and ends.

use super::*;

both_homes! {
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
