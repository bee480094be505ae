//! Connections, sets, weak methods, and what is printed of them.

mod common;

use std::collections::HashSet;

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

    #[test]
    fn a_connect_that_panics_connects_nothing() {
        let signal: Signal<u32> = Signal::new();
        let (owner, gone) = (Strong::new(()), Strong::new(()));
        let bomb = AtEnd(|| panic!("in a destructor"));
        signal.connect(&gone, move |_, _| bomb.touch());
        drop(gone);
        for _ in 0..15 {
            signal.connect(&owner, |_, _| ());
        }
        // Which prunes.
        let message = panic_of(|| signal.connect_fn(|_| ()));
        assert!(message.contains("in a destructor"), "{message}");
        assert_eq!(signal.emit(&1), 15);
    }

    fn noter(log: &Log, name: &'static str) -> Strong<Noter> {
        Strong::new(Noter::new(log, name))
    }

    #[test]
    fn dropping_a_connection_does_nothing_and_dropping_a_scoped_one_disconnects() {
        let signal: Signal<u32> = Signal::new();
        let owner = Strong::new(());
        drop(signal.connect(&owner, |_, _| ()));
        let scoped = signal.connect(&owner, |_, _| ()).scoped();
        assert_eq!(signal.emit(&0), 2);
        drop(scoped);
        assert_eq!(signal.emit(&0), 1);
    }

    #[test]
    fn a_detached_guard_leaves_its_slot_to_the_signal() {
        let log = Log::default();
        let signal: Signal<u32> = Signal::new();
        let captured = Noter::new(&log, "captured");
        let connection = signal.connect_fn(move |n| captured.on(n)).detach();
        assert_eq!(signal.emit(&1), 1);
        let scoped: ScopedConnection = connection.into();
        assert!(scoped.is_connected());
        drop(scoped.detach());
        assert_eq!(signal.emit(&2), 1);
        drop(signal);
        assert_eq!(log.take(), ["captured 1", "captured 2", "captured dropped"]);
    }

    #[test]
    fn dropping_the_guard_of_a_closure_frees_the_closure_at_once() {
        let log = Log::default();
        let signal: Signal<u32> = Signal::new();
        let captured = Noter::new(&log, "captured");
        let guard = signal.connect_fn(move |n| captured.on(n));
        drop(guard);
        assert_eq!(log.take(), ["captured dropped"]);
    }

    #[test]
    fn copies_of_a_connection_share_its_state() {
        let signal: Signal<u32> = Signal::new();
        let owner = Strong::new(());
        let one = signal.connect(&owner, |_, _| ());
        let two = one.clone();
        assert_eq!(one, two);
        let block = one.block();
        assert!(two.is_blocked());
        drop(block);
        assert!(two.disconnect());
        assert!(!one.disconnect());
        assert!(!one.is_connected());
    }

    #[test]
    fn a_connection_is_not_the_next_one_that_uses_the_same_place() {
        let signal: Signal<u32> = Signal::new();
        let owner = Strong::new(());
        let first = signal.connect(&owner, |_, _| ());
        first.disconnect();
        let second = signal.connect(&owner, |_, _| ());
        assert_ne!(first, second);
        assert!(!first.is_connected());
        assert!(!first.disconnect());
        assert!(second.is_connected());
        let elsewhere: Signal<u32> = Signal::new();
        assert_ne!(elsewhere.connect(&owner, |_, _| ()), second);
    }

    #[test]
    fn a_connection_whose_owner_is_gone_is_not_connected_and_not_counted() {
        let signal: Signal<u32> = Signal::new();
        let kept = Strong::new(());
        signal.connect(&kept, |_, _| ());
        let (owner, n) = (Strong::new(()), 5);
        let plain = signal.connect(&owner, |_, _| ());
        let capturing = signal.connect(&owner, move |_, _| _ = n);
        assert_eq!(signal.slot_count(), 3);
        drop(owner);
        assert_eq!(signal.slot_count(), 1);
        assert!(!plain.is_connected() && !capturing.is_connected());
        assert!(!plain.disconnect(), "there was no connection any more");
        assert_eq!(signal.prune(), 1, "the other one is still to be pruned");
        assert_eq!(signal.prune(), 0);
        assert_eq!(signal.disconnect_all(), 1);
    }

    #[test]
    fn disconnecting_by_owner_and_by_method_says_how_many_it_were() {
        let log = Log::default();
        let signal: Signal<u32> = Signal::new();
        let (a, b) = (noter(&log, "a"), noter(&log, "b"));
        for owner in [&a, &b] {
            signal.connect(owner, Noter::on);
            signal.connect(owner, Noter::also);
            signal.connect(owner, Noter::on);
        }
        assert_eq!(signal.disconnect_method(&a, Noter::on), 2);
        assert_eq!(signal.disconnect_method(&a, Noter::on), 0);
        assert_eq!(signal.disconnect_owner(&b), 3);
        assert_eq!(signal.disconnect_owner(&b), 0);
        assert_eq!(signal.emit(&1), 1);
        assert_eq!(log.take(), ["a also 1"]);
        let unconnected: Signal<u32> = Signal::new();
        assert_eq!(unconnected.disconnect_owner(&a) + unconnected.disconnect_all(), 0);
        assert_eq!(unconnected.prune() + unconnected.slot_count(), 0);
        assert!(unconnected.is_empty() && !unconnected.is_blocked());
    }

    #[test]
    fn methods_with_equal_bodies_are_told_apart() {
        struct Twin;
        impl Twin {
            fn left(&self, _: &u32) -> u32 {
                7
            }
            fn right(&self, _: &u32) -> u32 {
                7
            }
        }
        let signal: Signal<u32, u32> = Signal::new();
        let twin = Strong::new(Twin);
        signal.connect(&twin, Twin::left);
        let right = signal.connect(&twin, Twin::right);
        assert_eq!(signal.disconnect_method(&twin, Twin::left), 1);
        assert!(right.is_connected());
        assert_ne!(
            WeakMethod::<u32, u32>::new(&twin, Twin::left),
            WeakMethod::new(&twin, Twin::right)
        );
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
    fn a_weak_method_reaches_its_object_as_long_as_it_lives() {
        let log = Log::default();
        let owner = noter(&log, "owner");
        let plain: WeakMethod<u32> = WeakMethod::new(&owner, Noter::on);
        let factor = 10;
        let capturing = WeakMethod::new(&owner, move |owner: &Noter, n: &u32| {
            owner.on(&(n * factor));
        });
        assert_eq!(Strong::strong_count(&owner), 1);
        assert_eq!((plain.call(&1), capturing.call(&2)), (Some(()), Some(())));
        let bound = [plain.upgrade().unwrap(), capturing.upgrade().unwrap()];
        assert_eq!(Strong::strong_count(&owner), 3);
        drop(owner);
        assert!(plain.is_alive() && capturing.is_alive());
        bound[0].call(&3);
        bound[1].call(&4);
        assert_eq!(log.take(), ["owner 1", "owner 20", "owner 3", "owner 40"]);
        drop(bound);
        assert_eq!(log.take(), ["owner dropped"]);
        assert!(!plain.is_alive() && !capturing.is_alive());
        assert!(plain.upgrade().is_none() && capturing.upgrade().is_none());
        assert_eq!((plain.call(&5), capturing.call(&5)), (None, None));
    }

    #[test]
    fn a_bound_method_of_a_trait_object_keeps_it() {
        trait Named: Send + Sync {
            fn name(&self, suffix: &str) -> String;
        }
        impl Named for Noter {
            fn name(&self, suffix: &str) -> String {
                format!("{}{suffix}", self.name)
            }
        }
        let log = Log::default();
        let named: Std<dyn Named> = Std::new(Noter::new(&log, "object"));
        let method = WeakMethod::new(&named, <dyn Named as Named>::name);
        let bound = method.upgrade().unwrap();
        drop(named);
        assert_eq!(bound.call("!"), "object!");
        drop(bound);
        assert_eq!(log.take(), ["object dropped"]);
        assert!(method.upgrade().is_none());
    }

    #[test]
    fn equality_and_hash_of_weak_methods_are_the_same_before_and_after_death() {
        let log = Log::default();
        let (a, b) = (noter(&log, "a"), noter(&log, "b"));
        let methods = || -> Vec<WeakMethod<u32>> {
            vec![
                WeakMethod::new(&a, Noter::on),
                WeakMethod::new(&a, Noter::also),
                WeakMethod::new(&b, Noter::on),
            ]
        };
        let (one, two) = (methods(), methods());
        let before: HashSet<_> = one.iter().cloned().chain(two.iter().cloned()).collect();
        assert_eq!(before.len(), 3);
        drop((a, b));
        assert!(one.iter().all(|method| !method.is_alive()));
        assert_eq!(one, two);
        assert!(two.iter().all(|method| before.contains(method)));
        // New objects do not take the places of the old ones as long as these are referred to.
        let others: Vec<_> = (0..100).map(|_| noter(&log, "other")).collect();
        assert!(others.iter().all(|other| !before.contains(&WeakMethod::new(other, Noter::on))));
    }

    #[test]
    fn a_weak_method_can_be_connected_any_number_of_times_and_copies_are_equal() {
        let log = Log::default();
        let owner = noter(&log, "owner");
        let (signal, other) = (Signal::<u32>::new(), Signal::<u32>::new());
        let captured = Noter::new(&log, "captured");
        let method = WeakMethod::new(&owner, move |_: &Noter, n: &u32| captured.on(n));
        let connection = signal.connect_weak(method.clone());
        other.connect_weak(method.clone());
        assert_eq!(signal.slot().unique().connect_weak(method.clone()), connection);
        assert_eq!(signal.emit(&1) + other.emit(&2), 2);
        connection.disconnect();
        drop(method);
        assert_eq!(other.emit(&3), 1);
        assert_eq!(log.take(), ["captured 1", "captured 2", "captured 3"]);
        assert_eq!(other.disconnect_owner(&owner), 1);
        assert_eq!(log.take(), ["captured dropped"]);
    }

    #[test]
    fn connecting_a_weak_method_whose_object_is_gone_gives_a_connection_that_is_not_connected() {
        let signal: Signal<u32> = Signal::new();
        let method = WeakMethod::new(&Strong::new(()), |_: &(), _: &u32| ());
        let connection = signal.connect_weak(method);
        assert!(!connection.is_connected());
        assert_eq!(signal.emit(&0), 0);
        assert!(signal.is_empty());
        assert_eq!(connection.disconnect_and_wait(), Ok(false));
        drop(connection.block());
        // Nor does it come to life with an object that is not complete yet.
        let object = Strong::new_cyclic(|object: &Weak<u8>| {
            let method = WeakMethod::new(object, |_: &u8, _: &u32| ());
            assert!(!signal.connect_weak(method).is_connected());
            7_u8
        });
        assert_eq!((signal.slot_count(), *object), (0, 7));
    }

    #[test]
    fn debug_says_what_there_is_and_needs_nothing_of_events_and_closures() {
        let signal: Signal<u32> = Signal::new();
        let owner = Strong::new(());
        let connection = signal.slot().name("resize").connect(&owner, |_, _| ());
        let debugs = [
            format!("{signal:?}"),
            format!("{:?}", signal.source()),
            format!("{connection:?}"),
            format!("{:?}", connection.clone().scoped().detach()),
            format!("{:?}", signal.connect_fn(|_| ())),
            format!("{:?}", connection.block()),
            format!("{:?}", signal.block()),
            format!("{:?}", ConnectionSet::from_iter([connection.clone()])),
            format!("{:?}", WeakMethod::<u32>::new(&owner, |_: &(), _: &u32| ())),
            format!("{:?}", signal.slot().priority(3)),
            format!("{:?}", signal.call(&1)),
        ];
        assert_eq!(debugs[0], "Signal { slots: 1, is_blocked: false, .. }");
        assert_eq!(debugs[1], "Source { slots: 1, is_blocked: false, .. }");
        assert!(debugs[2].contains("resize"), "{}", debugs[2]);
        let method = WeakMethod::<u32>::new(&noter(&Log::default(), "a"), Noter::on);
        assert!(format!("{method:?}").contains("Noter::on"));
        let bound = WeakMethod::<u32>::new(&owner, |_: &(), _: &u32| ()).upgrade().unwrap();
        assert!(format!("{bound:?}").starts_with("BoundMethod"));
    }
}
