//! `disconnect_and_wait` on one thread. (Of several, see `threads/waiting.rs`.)

both_flavors! {
    #[test]
    fn disconnect_and_wait_inside_the_slot_itself_is_an_error_and_disconnects() {
        let signal: Signal<u32> = Signal::new();
        let owner = Strong::new(());
        signal.connect_extended(&owner, |_, connection, _| {
            let error = connection.disconnect_and_wait().unwrap_err();
            assert!(error.was_connected);
            assert!(error.to_string().contains("wait for itself to return"), "{error}");
            assert!(!connection.disconnect_and_wait().unwrap_err().was_connected);
        });
        assert_eq!(signal.emit(&0), 1);
        assert_eq!(signal.emit(&0), 0);
    }

    #[test]
    fn disconnect_and_wait_inside_another_slot_of_the_same_emission_is_no_error() {
        let signal: Signal<u32> = Signal::new();
        let owner = Strong::new(());
        let before = signal.slot().priority(2).connect(&owner, |_, _| ());
        let after = signal.connect(&owner, |_, _| panic!("it was disconnected"));
        first(&signal, move || {
            assert_eq!(before.disconnect_and_wait(), Ok(true));
            assert_eq!(after.disconnect_and_wait(), Ok(true));
        });
        assert_eq!(signal.emit(&0), 2);
    }

    #[test]
    fn disconnect_and_wait_of_a_slot_that_is_running_further_up_is_an_error_too() {
        let signal: Strong<Signal<u32>> = Strong::new(Signal::new());
        let owner = Strong::new((Strong::downgrade(&signal), Exclusive::new(None::<Connection>)));
        let outer = signal.connect(&owner, |owner, n| {
            if *n == 0 {
                owner.0.upgrade().unwrap().emit(&1);
            }
        });
        signal.slot().priority(1).connect(&owner, |owner, n| {
            if *n == 1 {
                let outer = with(&owner.1, |outer| outer.clone()).unwrap();
                assert!(outer.disconnect_and_wait().is_err());
            }
        });
        with(&owner.1, |connection| *connection = Some(outer));
        assert_eq!(signal.emit(&0), 2);
        assert_eq!(signal.slot_count(), 1);
    }

    #[test]
    fn a_call_is_over_when_its_result_is_there_so_that_its_consumer_may_wait_for_the_slot() {
        struct Result(Connection);
        impl Drop for Result {
            fn drop(&mut self) {
                assert!(self.0.disconnect_and_wait().is_ok());
            }
        }
        let connect = |signal: &Signal<u32, Result>, owner: &Strong<()>| {
            signal.connect_extended(owner, |_, connection, _| Result(connection.clone()));
        };
        type Consumer = fn(&Signal<u32, Result>) -> usize;
        let consume: [Consumer; 4] = [
            |signal| signal.emit(&0),
            |signal| signal.call(&0).map(drop).count(),
            |signal| signal.call(&0).take(9).map(drop).count(),
            |signal| signal.try_emit(&0).unwrap(),
        ];
        for consume in consume {
            let signal: Signal<u32, Result> = Signal::new();
            let owner = Strong::new(());
            (0..3).for_each(|_| connect(&signal, &owner));
            assert_eq!(consume(&signal), 3);
            assert_eq!(signal.slot_count(), 0);
        }
    }
}
