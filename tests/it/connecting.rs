//! Connecting during an emission: the slot is first called by the next one.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

both_flavors! {
    #[test]
    fn a_slot_connected_during_an_emission_is_first_called_by_the_next_one() {
        let log = Log::default();
        let signal: Strong<Signal<u32>> = Strong::new(Signal::new());
        let (early, late) = (noter(&log, "early"), noter(&log, "late"));
        let connecting = Strong::new((signal.clone(), late.clone()));
        signal.slot().once().connect(&connecting, |connecting, _| {
            connecting.0.connect(&connecting.1, Noter::on);
        });
        signal.connect(&early, Noter::on);
        assert_eq!(signal.emit(&1), 2);
        assert_eq!(log.take(), ["early 1"]);
        assert_eq!(signal.emit(&2), 2);
        assert_eq!(log.take(), ["early 2", "late 2"]);
    }

    #[test]
    fn a_slot_connected_with_high_priority_during_an_emission_does_not_disturb_it() {
        let log = Log::default();
        let (signal, noters, _) = three(&log);
        let late = noter(&log, "late");
        let connecting = Strong::new((Strong::downgrade(&signal), late.clone()));
        signal.slot().priority(-1).connect(&connecting, |_, _| ());
        signal.slot().priority(1).once().connect(&connecting, |connecting, _| {
            connecting.0.upgrade().unwrap().slot().priority(9).connect(&connecting.1, Noter::on);
        });
        assert_eq!(signal.emit(&1), 5);
        assert_eq!(log.take(), ["a 1", "b 1", "c 1"]);
        assert_eq!(signal.emit(&2), 5);
        assert_eq!(log.take(), ["late 2", "a 2", "b 2", "c 2"]);
        drop(noters);
    }

    #[test]
    fn a_nested_emission_is_a_next_one_and_calls_what_was_connected_before_it() {
        let log = Log::default();
        let signal: Strong<Signal<u32>> = Strong::new(Signal::new());
        let late = noter(&log, "late");
        let connecting = Strong::new((Strong::downgrade(&signal), late.clone()));
        signal.connect(&connecting, |connecting, n| {
            let signal = connecting.0.upgrade().unwrap();
            if *n == 1 {
                signal.connect(&connecting.1, Noter::on);
                assert_eq!(signal.emit(&2), 2);
            }
        });
        assert_eq!(signal.emit(&1), 1);
        assert_eq!(log.take(), ["late 2"]);
    }

    // From boost::signals2, test/regression_test.cpp.
    #[test]
    fn slots_that_connect_grow_the_count_at_once_and_the_calls_with_the_next_emission() {
        struct Grower(Weak<Signal<()>>, Weak<Grower>);
        impl Grower {
            fn grow(&self, _: &()) {
                let signal = self.0.upgrade().unwrap();
                let before = signal.slot_count();
                signal.connect(&self.1.upgrade().unwrap(), Grower::grow);
                assert_eq!(signal.slot_count(), before + 1);
            }
        }
        let signal: Strong<Signal<()>> = Strong::new(Signal::new());
        let grower =
            Strong::new_cyclic(|me: &Weak<Grower>| Grower(Strong::downgrade(&signal), me.clone()));
        signal.connect(&grower, Grower::grow);
        for emission in 0..8 {
            assert_eq!(signal.emit(&()), 1 << emission);
            assert_eq!(signal.slot_count(), 2 << emission);
        }
    }

    // A slot that connects another one, and disconnects itself.

    /// A slot that ends itself and connects its successor, which so takes its place; on odd events
    /// in the other order.
    struct Relay {
        signal: Weak<Signal<u32>>,
        me: Weak<Relay>,
        runs: Exclusive<Vec<u32>>,
    }

    impl Relay {
        fn new(signal: &Strong<Signal<u32>>) -> Strong<Relay> {
            Strong::new_cyclic(|me: &Weak<Relay>| Relay {
                signal: Strong::downgrade(signal),
                me: me.clone(),
                runs: Exclusive::new(vec![]),
            })
        }
        fn run(&self, connection: &Connection, n: &u32) {
            with(&self.runs, |runs| runs.push(*n));
            let (signal, me) = (self.signal.upgrade().unwrap(), self.me.upgrade().unwrap());
            let ended_first = n % 2 == 0 && connection.disconnect();
            let next = signal.connect_extended(&me, Relay::run);
            assert_ne!(next, *connection);
            assert!(next.is_connected());
            assert_ne!(connection.disconnect(), ended_first);
            assert_eq!(signal.slot_count(), 1);
        }
    }

    // From EnTT, test/entt/signal/sigh.cpp.
    #[test]
    fn a_slot_that_connects_its_successor_and_disconnects_itself_is_one_call_for_each_emission() {
        let signal: Strong<Signal<u32>> = Strong::new(Signal::new());
        let relay = Relay::new(&signal);
        signal.connect_extended(&relay, Relay::run);
        for n in 0..100 {
            assert_eq!(signal.emit(&n), 1);
        }
        assert_eq!(with(&relay.runs, std::mem::take), (0..100).collect::<Vec<_>>());
        assert_eq!(signal.call(&100).count(), 1, "also when the emission is driven by hand");
        assert_eq!(Strong::weak_count(&relay), 2, "its own reference, and the one slot left");
    }

    // From EnTT, test/entt/signal/sigh.cpp.
    #[test]
    fn a_slot_that_connects_another_and_disconnects_itself_hands_over_from_the_next_emission_on() {
        let log = Log::default();
        let signal: Strong<Signal<u32>> = Strong::new(Signal::new());
        let listeners = ["before", "heir", "after"].map(|name| Strong::new(Noter::new(&log, name)));
        let [before, heir, after] = &listeners;
        let owner = Strong::new((Strong::downgrade(&signal), heir.clone(), log.clone()));
        signal.connect(before, Noter::on);
        signal.connect_extended(&owner, |(signal, heir, log), connection, n| {
            connection.disconnect();
            signal.upgrade().unwrap().connect(heir, Noter::on);
            log.add(format!("testator {n}"));
        });
        signal.connect(after, Noter::on);
        assert_eq!(signal.emit(&1), 3);
        assert_eq!(log.take(), ["before 1", "testator 1", "after 1"]);
        assert_eq!(signal.emit(&2), 3);
        assert_eq!(log.take(), ["before 2", "after 2", "heir 2"]);
    }

    // Slots that append and prepend others. Here a slot is prepended by its priority.

    /// Connects one slot after all others and one before, each time it is called.
    struct Builder {
        signal: Strong<Signal<i32>>,
        called: Exclusive<Vec<i32>>,
    }

    impl Builder {
        fn new() -> Strong<Builder> {
            Strong::new(Builder { signal: Strong::default(), called: Exclusive::new(vec![]) })
        }
        fn note(this: &Strong<Self>, priority: i32) {
            let note = move |builder: &Builder, _: &i32| {
                with(&builder.called, |called| called.push(priority));
            };
            this.signal.slot().priority(priority).connect(this, note);
        }
        fn called(&self) -> Vec<i32> {
            with(&self.called, std::mem::take)
        }
    }

    // From eventpp, tests/unittest/test_callbacklist_basic.cpp.
    #[test]
    fn what_a_slot_appends_and_prepends_is_not_called_now_but_in_its_place_by_the_next_emission() {
        for (low, high) in [(0, 0), (-100, 100), (100, 100), (-100, -100)] {
            // The slot itself stands in the middle, first, or last of the two old ones.
            for own in [0, 50, -50] {
                let builder = Builder::new();
                let weak = Strong::downgrade(&builder);
                let build = move |_: &Builder, _: &i32| {
                    let builder = weak.upgrade().unwrap();
                    Builder::note(&builder, low);
                    Builder::note(&builder, high);
                };
                Builder::note(&builder, 20);
                Builder::note(&builder, -20);
                let building = builder.signal.slot().priority(own).connect(&builder, build);
                assert_eq!(builder.signal.emit(&0), 3);
                assert_eq!(builder.called(), [20, -20]);
                building.disconnect();
                let mut all = [20, -20, low, high];
                all.sort_by_key(|priority| -priority);
                assert_eq!(builder.signal.emit(&0), 4);
                assert_eq!(builder.called(), all);
            }
        }
    }

    // From eventpp, tests/unittest/test_callbacklist_basic.cpp.
    #[test]
    fn slots_that_append_and_prepend_more_of_their_kind_do_so_one_layer_for_each_emission() {
        struct Layer {
            signal: Weak<Signal<()>>,
            me: Weak<Layer>,
            called: Exclusive<Vec<i32>>,
        }
        fn add(layer: &Strong<Layer>, depth: i32) {
            let built = AtomicBool::new(false);
            let build = move |layer: &Layer, _: &()| {
                with(&layer.called, |called| called.push(depth));
                if !built.swap(true, SeqCst) {
                    let me = layer.me.upgrade().unwrap();
                    let outwards = [1, -1].into_iter().filter(|step| depth * step >= 0);
                    outwards.for_each(|step| add(&me, depth + step));
                }
            };
            layer.signal.upgrade().unwrap().slot().priority(depth).connect(layer, build);
        }
        let signal: Strong<Signal<()>> = Strong::new(Signal::new());
        let layer = Strong::new_cyclic(|me: &Weak<Layer>| Layer {
            signal: Strong::downgrade(&signal),
            me: me.clone(),
            called: Exclusive::new(vec![]),
        });
        add(&layer, 0);
        for depth in 0..10 {
            assert_eq!(signal.emit(&()), 2 * depth + 1);
            let expected: Vec<i32> = (-(depth as i32)..=depth as i32).rev().collect();
            assert_eq!(with(&layer.called, std::mem::take), expected);
        }
    }

    // From eventpp, tests/unittest/test_callbacklist_basic.cpp.
    #[test]
    fn a_slot_appended_or_prepended_between_two_results_is_not_called_by_that_emission() {
        let builder = Builder::new();
        Builder::note(&builder, 1);
        Builder::note(&builder, -1);
        let mut emission = builder.signal.call(&0);
        Builder::note(&builder, 9);
        assert_eq!(emission.next(), Some(()));
        Builder::note(&builder, 2);
        Builder::note(&builder, 0);
        Builder::note(&builder, -2);
        assert_eq!(emission.count(), 1);
        assert_eq!(builder.called(), [1, -1]);
        builder.signal.emit(&0);
        assert_eq!(builder.called(), [9, 2, 1, 0, -1, -2]);
    }
}
