//! `disconnect_all` inside a handler.

both_flavors! {
    // From libsigc++ (`signal::clear` inside a handler).
    #[test]
    fn a_handler_that_clears_the_signal_is_the_last_one_called_wherever_it_stands() {
        for position in 0..5 {
            let signal: Strong<Signal<u32, usize>> = Strong::new(Signal::new());
            let owner = Strong::new(Strong::downgrade(&signal));
            for number in 0..5 {
                signal.connect(&owner, move |signal, _| {
                    if number == position {
                        let signal = signal.upgrade().unwrap();
                        assert_eq!(signal.disconnect_all(), 5);
                        assert_eq!(signal.disconnect_all(), 0);
                        assert!(signal.is_empty());
                        assert_eq!(signal.emit(&0), 0);
                    }
                    number
                });
            }
            let called: Vec<usize> = signal.call(&0).collect();
            assert_eq!(called, (0..=position).collect::<Vec<_>>());
            assert_eq!(signal.call(&0).next(), None);
            assert_eq!(Strong::weak_count(&owner), 0);
        }
    }

    // From libsigc++ (`signal::clear` inside a handler).
    #[test]
    fn what_a_handler_connects_after_a_clear_is_called_by_nested_and_later_emissions_only() {
        let log = Log::default();
        let signal: Strong<Signal<u32>> = Strong::new(Signal::new());
        let [old, new] = ["old", "new"].map(|name| Strong::new(Noter::new(&log, name)));
        let owner = Strong::new((Strong::downgrade(&signal), new.clone(), log.clone()));
        signal.connect(&old, Noter::on);
        signal.connect(&owner, |(signal, new, log), n| {
            let signal = signal.upgrade().unwrap();
            signal.disconnect_all();
            signal.connect(new, Noter::on);
            signal.slot().priority(9).connect(new, Noter::also);
            assert_eq!(signal.emit(&(n + 1)), 2);
            log.add("end of the handler");
        });
        signal.connect(&old, Noter::also);
        assert_eq!(signal.emit(&1), 2);
        assert_eq!(log.take(), ["old 1", "new also 2", "new 2", "end of the handler"]);
        assert_eq!(signal.emit(&3), 2);
        assert_eq!(log.take(), ["new also 3", "new 3"]);
    }

    // From libsigc++ (`signal::clear` inside a handler).
    #[test]
    fn a_handler_that_first_connects_and_then_clears_the_signal_is_the_last_one_called_too() {
        let log = Log::default();
        let signal: Strong<Signal<u32>> = Strong::new(Signal::new());
        let [old, new] = ["old", "new"].map(|name| Strong::new(Noter::new(&log, name)));
        let owner = Strong::new((Strong::downgrade(&signal), new.clone()));
        signal.connect(&owner, |(signal, new), _| {
            let signal = signal.upgrade().unwrap();
            let connection = signal.connect(new, Noter::on);
            assert_eq!(signal.disconnect_all(), 3);
            assert!(!connection.is_connected());
        });
        signal.connect(&old, Noter::on);
        assert_eq!(signal.emit(&1), 1);
        assert_eq!(signal.emit(&2), 0);
        assert!(log.take().is_empty());
    }

    // From libsigc++ (`signal::clear` inside a handler).
    #[test]
    fn a_handler_that_clears_the_signal_keeps_its_own_captures_and_frees_the_others_at_once() {
        let log = Log::default();
        let signal: Strong<Signal<u32>> = Strong::new(Signal::new());
        let earlier = Noter::new(&log, "earlier");
        signal.connect_fn(move |n| earlier.on(n)).detach();
        let own = Noter::new(&log, "own");
        let (weak, in_slot) = (Strong::downgrade(&signal), log.clone());
        signal
            .connect_fn(move |n| {
                weak.upgrade().unwrap().disconnect_all();
                in_slot.add("cleared");
                own.on(n);
            })
            .detach();
        let later = Noter::new(&log, "later");
        signal.connect_fn(move |n| later.on(n)).detach();
        assert_eq!(signal.emit(&1), 2);
        let mut events = log.take();
        // In which order the two others go is nobody's business.
        events[1..3].sort();
        let others = ["earlier 1", "earlier dropped", "later dropped"];
        assert_eq!(events, [&others[..], &["cleared", "own 1", "own dropped"]].concat());
    }
}
