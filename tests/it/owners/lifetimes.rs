//! Owners are not kept alive by their slots: when they end, and what happens to the slots then.

both_flavors! {
    #[test]
    fn a_slot_whose_owner_dies_before_it_is_reached_is_skipped_and_pruned() {
        let log = Log::default();
        let signal: Signal<u32> = Signal::new();
        let doomed = Strong::new(Exclusive::new(Some(noter(&log, "doomed"))));
        signal.connect_mut(&doomed, |doomed, _| *doomed = None);
        let connection =
            with(&doomed, |doomed| signal.connect(doomed.as_ref().unwrap(), Noter::on));
        assert_eq!(signal.emit(&1), 1);
        assert_eq!(log.take(), ["doomed dropped"]);
        assert!(!connection.is_connected());
        assert_eq!(signal.prune(), 0, "the emission has pruned it already");
    }

    #[test]
    fn an_owner_is_freed_at_once_although_it_is_subscribed() {
        let log = Log::default();
        let signal: Signal<u32> = Signal::new();
        let owner = noter(&log, "owner");
        signal.connect(&owner, Noter::on);
        signal.connect(&owner, |owner, n| owner.on(&(n + 1)));
        let one = 1;
        signal.connect(&owner, move |owner, n| owner.on(&(n + 1 + one)));
        assert_eq!(Strong::strong_count(&owner), 1);
        assert_eq!(signal.emit(&1), 3);
        assert_eq!(log.take(), ["owner 1", "owner 2", "owner 3"]);
        drop(owner);
        assert_eq!(log.take(), ["owner dropped"]);
        assert_eq!(signal.emit(&2), 0);
    }

    #[test]
    fn an_object_subscribed_to_its_own_signal_does_not_keep_itself_alive() {
        struct Foo {
            changed: Signal<u32>,
            noter: Noter,
        }
        let log = Log::default();
        let foo = Strong::new(Foo { changed: Signal::new(), noter: Noter::new(&log, "foo") });
        foo.changed.connect(&foo, |foo, n| foo.noter.on(n));
        assert_eq!(foo.changed.emit(&1), 1);
        drop(foo);
        assert_eq!(log.take(), ["foo 1", "foo dropped"]);
    }

    #[test]
    fn the_last_strong_reference_may_be_the_emissions_and_is_dropped_right_after_the_call() {
        let log = Log::default();
        let signal: Signal<u32> = Signal::new();
        let cell = Strong::new(Exclusive::new(None::<Strong<Noter>>));
        let doomed = noter(&log, "doomed");
        let weak = Strong::downgrade(&cell);
        signal.connect(&doomed, move |doomed, n| {
            with(&weak.upgrade().unwrap(), |cell| *cell = None);
            doomed.on(n);
        });
        let last = noter(&log, "last");
        signal.connect(&last, Noter::on);
        with(&cell, |cell| *cell = Some(doomed));
        assert_eq!(signal.emit(&1), 2);
        assert_eq!(log.take(), ["doomed 1", "doomed dropped", "last 1"]);
    }

    // From sigslot, test/signal-tracking.cpp.
    #[test]
    fn owners_dropped_in_any_order_take_their_own_slots_with_them_and_no_others() {
        for order in [[0, 1, 2], [2, 1, 0], [0, 2, 1], [1, 0, 2]] {
            let (signal, parts) = parts();
            let mut parts = parts.map(Some);
            let first = signal.connect(parts[order[0]].as_ref().unwrap(), Part::two);
            for (dead, which) in order.into_iter().enumerate() {
                let weak = Strong::downgrade(parts[which].as_ref().unwrap());
                parts[which] = None;
                assert!(weak.upgrade().is_none());
                assert!(!first.is_connected());
                assert_eq!(signal.slot_count(), 4 * (2 - dead));
                let left = parts.iter().flatten().map(|part| part.0 * 10);
                let expected: Vec<u32> = left.flat_map(|n| [n + 1, n + 2, n + 1, n]).collect();
                assert_eq!(signal.call(&()).collect::<Vec<_>>(), expected, "{order:?}");
            }
            assert_eq!(signal.prune(), 0, "the emissions have pruned all");
        }
    }

    // From sigslot, test/signal-tracking.cpp.
    #[test]
    fn a_slot_of_an_owner_inside_another_ends_with_the_last_that_holds_it() {
        // sigslot tracks several objects for one slot; here the owner is one, and holds the others.
        let signal: Signal<(), u32> = Signal::new();
        let inner = Strong::new(Part(4));
        let outer = Strong::new((inner.clone(), Part(5)));
        signal.connect(&outer, |outer, event| outer.0.one(event) + outer.1.two(event));
        let of_inner = signal.connect(&inner, Part::one);
        drop(inner);
        assert_eq!(signal.call(&()).collect::<Vec<_>>(), [41 + 52, 41]);
        drop(outer);
        assert!(!of_inner.is_connected());
        assert_eq!(signal.call(&()).next(), None);
    }
}
