//! Disconnecting by owner, and by owner and method.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

both_flavors! {
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

    // Disconnecting by equality. Boost compares function objects; here slots are equal when they
    // call the same method of the same owner (`disconnect_method`), or any method
    // (`disconnect_owner`).

    #[derive(PartialEq, Debug)]
    struct Adder(i32);

    impl Adder {
        fn add(&self, n: &i32) -> i32 {
            self.0 + n
        }
        fn take_away(&self, n: &i32) -> i32 {
            n - self.0
        }
    }

    // From boost::signals2, test/deletion_test.cpp.
    #[test]
    fn disconnecting_by_equality_removes_every_equal_slot_wherever_it_stands_and_no_other() {
        let signal: Signal<i32, i32> = Signal::new();
        let (one, two) = (Strong::new(Adder(1)), Strong::new(Adder(2)));
        for priority in [0, 5, -5] {
            signal.slot().priority(priority).connect(&one, Adder::add);
            signal.slot().priority(priority).connect(&two, Adder::add);
            signal.slot().priority(priority).connect(&one, Adder::take_away);
        }
        assert_eq!(signal.disconnect_method(&one, Adder::add), 3);
        assert_eq!(signal.disconnect_method(&two, Adder::take_away), 0);
        assert_eq!(signal.call(&10).collect::<Vec<_>>(), [12, 9, 12, 9, 12, 9]);
    }

    // From boost::signals2, test/deletion_test.cpp.
    #[test]
    fn owners_of_equal_value_are_different_owners_to_a_disconnect_by_equality() {
        let signal: Signal<i32, i32> = Signal::new();
        let (one, other) = (Strong::new(Adder(1)), Strong::new(Adder(1)));
        assert_eq!(*one, *other);
        signal.connect(&one, Adder::add);
        signal.connect(&other, Adder::take_away);
        assert_eq!(signal.disconnect_owner(&one), 1);
        assert_eq!(signal.call(&10).collect::<Vec<_>>(), [9]);
    }

    // From boost::signals2, test/deletion_test.cpp.
    #[test]
    fn a_slot_that_disconnects_all_slots_equal_to_itself_is_the_last_of_them_to_be_called() {
        struct Quitter(Weak<Signal<()>>, Weak<Quitter>, AtomicUsize);
        impl Quitter {
            fn quit(&self, _: &()) {
                self.2.fetch_add(1, Relaxed);
                let (signal, me) = (self.0.upgrade().unwrap(), self.1.upgrade().unwrap());
                assert_eq!(signal.disconnect_method(&me, Quitter::quit), 4);
            }
        }
        let signal: Strong<Signal<()>> = Strong::new(Signal::new());
        let quitter = Strong::new_cyclic(|me: &Weak<Quitter>| {
            Quitter(Strong::downgrade(&signal), me.clone(), AtomicUsize::new(0))
        });
        for _ in 0..4 {
            signal.connect(&quitter, Quitter::quit);
        }
        signal.connect(&quitter, |_, _| ());
        assert_eq!(signal.emit(&()), 2, "itself, and the one that is not equal");
        assert_eq!(signal.emit(&()), 1);
        assert_eq!(quitter.2.load(Relaxed), 1);
    }

    // Disconnecting. A callable alone says nothing here (sigslot: `disconnect(callable)`): a method
    // goes with its owner, and a closure without owner with its guard.

    // From sigslot, test/pmf-disconnection.cpp.
    #[test]
    fn disconnecting_by_callable_and_owner_ends_those_slots_alone_and_counts_them() {
        let (signal, parts) = parts();
        assert_eq!(signal.disconnect_method(&parts[1], Part::one), 2);
        assert_eq!(signal.disconnect_method(&parts[1], Part::one), 0);
        assert_eq!(signal.disconnect_method(&parts[2], Part::two), 1);
        let called: Vec<u32> = signal.call(&()).collect();
        assert_eq!(called, [11, 12, 11, 10, 22, 20, 31, 31, 30]);
    }

    // From sigslot, test/pmf-disconnection.cpp.
    #[test]
    fn disconnecting_by_owner_ends_all_that_call_it_and_counts_them() {
        let (signal, parts) = parts();
        assert_eq!(signal.disconnect_owner(&parts[1]), 4);
        assert_eq!(signal.disconnect_owner(&parts[1]), 0);
        assert_eq!(signal.call(&()).collect::<Vec<_>>(), [11, 12, 11, 10, 31, 32, 31, 30]);
        assert_eq!(signal.disconnect_owner(&Strong::new(Part(1))), 0, "that is another object");
        assert_eq!(signal.disconnect_owner(&parts[2]) + signal.disconnect_owner(&parts[0]), 8);
        assert!(signal.is_empty());
    }

    // From sigslot, test/pmf-disconnection.cpp.
    #[test]
    fn disconnecting_by_callable_for_every_owner_in_turn_leaves_the_other_callables() {
        let (signal, parts) = parts();
        let ended = parts.iter().map(|part| signal.disconnect_method(part, Part::one));
        assert_eq!(ended.sum::<usize>(), 6);
        assert_eq!(signal.call(&()).collect::<Vec<_>>(), [12, 10, 22, 20, 32, 30]);
        assert_eq!(signal.disconnect_all(), 6);
    }
}
