//! Weak methods: reaching, comparing and connecting them.

use std::collections::HashSet;

both_flavors! {
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
}
