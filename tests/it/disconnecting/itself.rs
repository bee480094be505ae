//! Slots that disconnect themselves, or are disconnected while they run: when the closure is
//! dropped.

both_flavors! {
    #[test]
    fn all_slots_can_disconnect_themselves_while_they_run() {
        let signal: Signal<u32> = Signal::new();
        let owner = Strong::new(());
        for _ in 0..100 {
            signal.connect_extended(&owner, |_, connection, _| assert!(connection.disconnect()));
        }
        assert_eq!(signal.emit(&1), 100);
        assert_eq!(signal.slot_count(), 0);
        assert_eq!(signal.emit(&1), 0);
    }

    #[test]
    fn a_slot_that_disconnects_itself_completes_and_only_then_is_its_closure_dropped() {
        let log = Log::default();
        let signal: Signal<u32> = Signal::new();
        let owner = Strong::new(());
        let captured = Noter::new(&log, "captured");
        signal.connect_extended(&owner, move |_, connection, n| {
            assert!(connection.disconnect());
            assert!(!connection.is_connected());
            captured.on(n);
        });
        assert_eq!(signal.emit(&1), 1);
        assert_eq!(log.take(), ["captured 1", "captured dropped"]);
    }

    #[test]
    fn a_guard_dropped_inside_its_own_call_disconnects_and_the_closure_is_dropped_after_it() {
        let log = Log::default();
        let signal: Signal<u32> = Signal::new();
        let guard = Strong::new(Exclusive::new(None::<ScopedConnection>));
        let (captured, in_slot) = (Noter::new(&log, "captured"), guard.clone());
        let connected = signal.connect_fn(move |n| {
            let guard = with(&in_slot, Option::take);
            drop(guard);
            captured.on(n);
        });
        with(&guard, |guard| *guard = Some(connected));
        assert_eq!(signal.emit(&1), 1);
        assert_eq!(log.take(), ["captured 1", "captured dropped"]);
        assert_eq!(signal.emit(&2), 0);
    }

    #[test]
    fn a_disconnected_closure_is_dropped_at_once_also_while_another_slot_runs() {
        let log = Log::default();
        let signal: Signal<u32> = Signal::new();
        let captured = Noter::new(&log, "captured");
        let later = signal.slot().priority(-1).connect_fn(move |n| captured.on(n)).detach();
        let in_slot = log.clone();
        first(&signal, move || {
            later.disconnect();
            in_slot.add("the slot goes on");
        });
        assert_eq!(signal.emit(&1), 1);
        assert_eq!(log.take(), ["captured dropped", "the slot goes on"]);
    }

    // From KDBindings, tests/signal/tst_signal.cpp.
    #[test]
    fn a_closure_that_ends_itself_in_a_nested_call_lives_until_its_outermost_call_returns() {
        let log = Log::default();
        let signal: Strong<Signal<u32>> = Strong::new(Signal::new());
        let owner = Strong::new(Strong::downgrade(&signal));
        let captured = Noter::new(&log, "captured");
        signal.connect_extended(&owner, move |signal, handle, n| {
            captured.on(n);
            if *n < 3 {
                signal.upgrade().unwrap().emit(&(n + 1));
            } else {
                assert!(handle.disconnect());
            }
            captured.also(n);
        });
        assert_eq!(signal.emit(&1), 1);
        let there = ["captured 1", "captured 2", "captured 3"];
        let back = ["captured also 3", "captured also 2", "captured also 1", "captured dropped"];
        assert_eq!(log.take(), [&there[..], &back[..]].concat());
        assert_eq!(signal.emit(&1), 0);
    }

    /// One way to disconnect a slot of that owner.
    type Way = fn(&Signal<u32>, &Connection, &Strong<()>);

    // From KDBindings, tests/signal/tst_signal.cpp.
    #[test]
    fn a_running_closure_survives_every_way_of_disconnecting_it_and_a_new_slot_in_its_place() {
        let ways: [Way; 5] = [
            |_, handle, _| assert!(handle.disconnect()),
            |_, handle, _| drop(handle.clone().scoped()),
            |_, handle, _| assert!(handle.disconnect_and_wait().is_err()),
            |signal, _, _| assert_eq!(signal.disconnect_all(), 1),
            |signal, _, owner| assert_eq!(signal.disconnect_owner(owner), 1),
        ];
        for way in ways {
            let log = Log::default();
            let signal: Strong<Signal<u32>> = Strong::new(Signal::new());
            let owner = Strong::new(());
            let (weak, weak_owner) = (Strong::downgrade(&signal), Strong::downgrade(&owner));
            let captured = Noter::new(&log, "captured");
            signal.connect_extended(&owner, move |_, handle, n| {
                let signal = weak.upgrade().unwrap();
                way(&signal, handle, &weak_owner.upgrade().unwrap());
                for _ in 0..20 {
                    signal.connect(&weak_owner, |_, _| ());
                }
                assert_eq!(signal.prune(), 0);
                assert_eq!(signal.emit(&9), 20);
                captured.on(n);
            });
            assert_eq!(signal.emit(&1), 1);
            assert_eq!(log.take(), ["captured 1", "captured dropped"]);
            assert_eq!(signal.emit(&2), 20);
        }
    }
}
