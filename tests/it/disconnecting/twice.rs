//! The second disconnect. KDBindings throws for a handle that is not active; here the result says
//! so.

both_flavors! {
    /// One way to disconnect a slot of that owner.
    type Way = fn(&Signal<u32>, &Connection, &Strong<()>);

    // From KDBindings, tests/signal/tst_signal.cpp.
    #[test]
    fn the_second_disconnect_does_nothing_and_says_so_whichever_way_the_first_was_made() {
        let owner = Strong::new(());
        fn method(_: &(), _: &u32) {}
        let ways: [Way; 7] = [
            |_, handle, _| assert!(handle.disconnect()),
            |_, handle, _| assert!(handle.clone().disconnect()),
            |_, handle, _| drop(handle.clone().scoped()),
            |_, handle, _| assert_eq!(handle.disconnect_and_wait(), Ok(true)),
            |signal, _, _| assert_eq!(signal.disconnect_all(), 1),
            |signal, _, owner| assert_eq!(signal.disconnect_owner(owner), 1),
            |signal, _, owner| assert_eq!(signal.disconnect_method(owner, method), 1),
        ];
        for way in ways {
            let signal: Signal<u32> = Signal::new();
            let handle = signal.connect(&owner, method);
            way(&signal, &handle, &owner);
            // It takes the place of the first one: a second disconnect must not hit it.
            let bystander = signal.connect_fn(|_| ());
            assert!(!handle.disconnect());
            assert!(!handle.is_connected());
            assert_eq!(handle.disconnect_and_wait(), Ok(false));
            assert_eq!(signal.disconnect_owner(&owner), 0);
            drop(handle.scoped());
            assert!(bystander.is_connected());
            assert_eq!(signal.emit(&0), 1);
        }
    }

    // From KDBindings, tests/signal/tst_signal.cpp.
    #[test]
    fn a_second_disconnect_inside_the_slot_itself_does_nothing_either() {
        let signal: Signal<u32> = Signal::new();
        let results = Strong::new(Exclusive::new(vec![]));
        signal.connect_extended(&results, |results, handle, _| {
            let both = [handle.disconnect(), handle.disconnect()];
            with(results, |results| results.extend(both));
        });
        assert_eq!(signal.emit(&0) + signal.emit(&0), 1);
        assert_eq!(with(&results, |results| results.clone()), [true, false]);
    }
}
