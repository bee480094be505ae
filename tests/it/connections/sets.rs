//! Connection sets.

both_flavors! {
    #[test]
    fn a_scoped_set_disconnects_what_was_added_to_it_when_it_is_dropped() {
        let (one, two) = (Signal::<()>::new(), Signal::<u32>::new());
        let owner = Strong::new(());
        let mut set = ScopedConnectionSet::new();
        set.add(one.connect(&owner, |_, _| ()));
        set.extend([two.connect(&owner, |_, _| ())]);
        assert_eq!((one.emit(&()), two.emit(&1), set.len()), (1, 1, 2));
        drop(set);
        assert_eq!((one.slot_count(), two.slot_count()), (0, 0));
    }

    #[test]
    fn a_set_that_was_detached_from_its_guard_leaves_its_slots_connected() {
        let (signal, owner) = (Signal::<()>::new(), Strong::new(()));
        let connections = [signal.connect(&owner, |_, _| ()), signal.connect(&owner, |_, _| ())];
        let set: ScopedConnectionSet = connections.into_iter().collect();
        let mut set = set.detach();
        assert_eq!((signal.emit(&()), set.disconnect_all()), (2, 2));
    }

    #[test]
    fn a_scoped_set_disconnects_the_others_though_a_destructor_panics() {
        let (signal, bomb) = (Signal::<()>::new(), AtEnd(|| panic!("in a destructor")));
        let mut set = ScopedConnectionSet::new();
        set.add(signal.connect_fn(move |_| bomb.touch()).detach());
        set.add(signal.connect_fn(|_| ()).detach());
        assert!(panic_of(|| drop(set)).contains("in a destructor"));
        assert_eq!(signal.slot_count(), 0);
    }

    #[test]
    fn a_set_disconnects_and_blocks_connections_of_any_signals_together() {
        let numbers: Signal<u32> = Signal::new();
        let words: Signal<str, usize> = Signal::new();
        let owner = Strong::new(());
        let mut set: ConnectionSet = [numbers.connect(&owner, |_, _| ())].into_iter().collect();
        set.add(words.connect(&owner, |_, word| word.len()));
        set.extend([numbers.connect(&owner, |_, _| ())]);
        let outside = numbers.connect(&owner, |_, _| ());
        assert_eq!(set.len(), 3);
        let (one, two) = (set.block(), set.block());
        assert!(set.iter().all(Connection::is_blocked));
        assert_eq!((numbers.emit(&1), words.emit("a")), (1, 0));
        drop(one);
        assert_eq!((numbers.emit(&1), words.emit("a")), (1, 0));
        drop(two);
        assert_eq!((numbers.emit(&1), words.emit("a")), (3, 1));
        drop(words);
        assert_eq!(set.disconnect_all(), 2, "one ended with its signal");
        assert!(set.is_empty());
        assert!(outside.is_connected());
        assert!(ConnectionSet::default().is_empty());
    }

    #[test]
    fn a_set_forgets_no_connection_when_a_destructor_panics() {
        let signal: Signal<u32> = Signal::new();
        let bomb = AtEnd(|| panic!("boom"));
        let mut set = ConnectionSet::new();
        set.add(signal.connect_fn(|_| ()).detach());
        set.add(signal.connect_fn(move |_| bomb.touch()).detach());
        set.add(signal.connect_fn(|_| ()).detach());
        assert_eq!(panic_of(|| set.disconnect_all()), "boom");
        assert_eq!((set.len(), signal.slot_count()), (1, 1));
        assert_eq!(set.disconnect_all(), 1);
    }

    #[test]
    fn a_set_keeps_its_order_when_a_destructor_panics_as_it_disconnects() {
        let signal: Signal<u32> = Signal::new();
        let owner = Strong::new(());
        let bomb = AtEnd(|| panic!("in a destructor"));
        let mut set: ConnectionSet = (0..4).map(|_| signal.connect(&owner, |_, _| ())).collect();
        let first = signal.slot().priority(1).connect(&owner, move |_, _| bomb.touch());
        let mut all: ConnectionSet = [first].into_iter().chain(set.iter().cloned()).collect();
        assert!(panic_of(|| all.disconnect_all()).contains("in a destructor"));
        assert!(all.iter().eq(set.iter()), "in the order they were added");
        assert_eq!((all.disconnect_all(), set.disconnect_all()), (4, 0));
    }
}
