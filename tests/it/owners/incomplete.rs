//! Weak pointers as owners: to objects that are not complete yet, and to nothing.

both_flavors! {
    #[test]
    fn an_owner_may_connect_itself_before_it_is_complete() {
        struct Panel {
            log: Log,
            _connection: Connection,
        }
        impl Panel {
            fn on(&self, n: &u32) {
                self.log.add(format!("panel {n}"));
            }
        }
        let log = Log::default();
        let signal: Signal<u32> = Signal::new();
        let panel = Strong::new_cyclic(|panel: &Weak<Panel>| {
            let connection = signal.connect(panel, Panel::on);
            assert_eq!(signal.emit(&1), 0, "it is not called before it is complete");
            assert_eq!(signal.prune(), 0, "nor is it pruned");
            assert!(connection.is_connected());
            Panel { log: log.clone(), _connection: connection }
        });
        assert_eq!(signal.emit(&2), 1);
        assert_eq!(signal.emit(&3), 1);
        assert_eq!(log.take(), ["panel 2", "panel 3"]);
        drop(panel);
        assert_eq!(signal.emit(&4), 0);
        assert_eq!(signal.slot_count(), 0);
    }

    #[test]
    fn a_weak_pointer_to_nothing_connects_nothing() {
        let signal: Signal<u32> = Signal::new();
        let (nobody, captured) = (StdWeak::<u32>::new(), 7);
        type Any = dyn std::any::Any + Send + Sync;
        let any: StdWeak<Any> = nobody.clone();
        let connections = [
            signal.connect(&nobody, |_, _| ()),
            signal.connect(&nobody, move |_, _| _ = captured),
            signal.connect(&any, |_, _| ()),
        ];
        assert!(connections.iter().all(|connection| !connection.is_connected()));
        assert_eq!((signal.slot_count(), signal.prune()), (0, 3));
    }

    #[test]
    fn slots_of_every_kind_wait_for_an_owner_that_is_not_complete() {
        struct Panel(u32);
        type Any = dyn std::any::Any + Send + Sync;
        let signal: Signal<u32, u32> = Signal::new();
        let five = 5;
        let panel = Std::new_cyclic(|panel: &StdWeak<Panel>| {
            signal.connect(panel, move |panel, n| panel.0 + n + five);
            signal.slot().once().connect(panel, move |panel, n| panel.0 + n + five + 1);
            signal.connect_extended(panel, |panel, _, n| panel.0 + n + 7);
            let any: StdWeak<Any> = panel.clone();
            signal.connect(&any, |any, n| any.downcast_ref::<Panel>().unwrap().0 + n + 8);
            assert_eq!(signal.emit(&0), 0);
            assert_eq!(signal.call(&0).next(), None);
            Panel(100)
        });
        assert_eq!(signal.call(&20).collect::<Vec<_>>(), [125, 126, 127, 128]);
        assert_eq!(signal.call(&20).collect::<Vec<_>>(), [125, 127, 128]);
        drop(panel);
        assert_eq!(signal.slot_count(), 0);
    }

    #[test]
    fn an_owner_once_seen_complete_is_gone_when_it_is_gone() {
        let seen_by: [fn(&Signal<u32>, &Connection); 5] = [
            |signal, _| _ = signal.prune(),
            |signal, _| _ = signal.slot_count(),
            |_, connection| assert!(connection.is_connected()),
            |signal, _| {
                let silence = signal.slot().priority(9).connect_fn(|_| ());
                let block = signal.block();
                assert_eq!(signal.emit(&0), 0);
                drop((block, silence));
                assert_eq!(signal.emit(&0), 1);
            },
            |signal, _| assert_eq!(signal.call(&0).count(), 1),
        ];
        for see in seen_by {
            let signal: Signal<u32> = Signal::new();
            let mut connection = None;
            let owner = Strong::new_cyclic(|owner: &Weak<u8>| {
                connection = Some(signal.connect(owner, |_, _| ()));
                1
            });
            let connection = connection.unwrap();
            see(&signal, &connection);
            drop(owner);
            assert!(!connection.is_connected());
            assert_eq!((signal.slot_count(), signal.prune()), (0, 1));
        }
    }
}
