//! The hard cases, each in both flavors.

mod common;

use std::cell::Cell;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

both_flavors! {
    fn noter(log: &Log, name: &'static str) -> Strong<Noter> {
        Strong::new(Noter::new(log, name))
    }

    /// A signal with the noters a, b, c connected.
    fn three(log: &Log) -> (Strong<Signal<u32>>, [Strong<Noter>; 3], [Connection; 3]) {
        let signal = Strong::new(Signal::new());
        let noters = ["a", "b", "c"].map(|name| noter(log, name));
        let connections = noters.each_ref().map(|noter| signal.connect(noter, Noter::on));
        (signal, noters, connections)
    }

    /// Connects a slot that runs `act` before all others.
    fn first(signal: &Signal<u32>, act: impl Fn() + Sendable + 'static) -> Connection {
        signal.slot().priority(1).connect_fn(move |_| act()).detach()
    }

    // Connecting during an emission.

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

    // Disconnecting a slot that is not yet reached.

    #[test]
    fn a_slot_disconnected_by_its_connection_before_it_is_reached_is_not_called() {
        let log = Log::default();
        let (signal, _noters, [_, b, _]) = three(&log);
        first(&signal, move || _ = b.disconnect());
        assert_eq!(signal.emit(&1), 3);
        assert_eq!(log.take(), ["a 1", "c 1"]);
    }

    #[test]
    fn slots_disconnected_by_their_owner_before_they_are_reached_are_not_called() {
        let log = Log::default();
        let (signal, noters, _) = three(&log);
        signal.connect(&noters[1], Noter::also);
        let both = Strong::new((Strong::downgrade(&signal), noters[1].clone()));
        signal.slot().priority(1).connect(&both, |both, _| {
            assert_eq!(both.0.upgrade().unwrap().disconnect_owner(&both.1), 2);
        });
        assert_eq!(signal.emit(&1), 3);
        assert_eq!(log.take(), ["a 1", "c 1"]);
    }

    #[test]
    fn slots_disconnected_by_their_method_before_they_are_reached_are_not_called() {
        let log = Log::default();
        let (signal, noters, _) = three(&log);
        signal.connect(&noters[1], Noter::also);
        let both = Strong::new((Strong::downgrade(&signal), noters[1].clone()));
        signal.slot().priority(1).connect(&both, |both, _| {
            assert_eq!(both.0.upgrade().unwrap().disconnect_method(&both.1, Noter::on), 1);
        });
        assert_eq!(signal.emit(&1), 4);
        assert_eq!(log.take(), ["a 1", "c 1", "b also 1"]);
    }

    #[test]
    fn after_disconnect_all_half_way_nothing_more_is_called() {
        let log = Log::default();
        let (signal, _noters, _) = three(&log);
        let weak = Strong::new(Strong::downgrade(&signal));
        signal.slot().priority(1).connect(&weak, |signal, _| {
            assert_eq!(signal.upgrade().unwrap().disconnect_all(), 4);
        });
        assert_eq!(signal.emit(&1), 1);
        assert!(log.take().is_empty());
        assert!(signal.is_empty());
    }

    #[test]
    fn a_slot_whose_guard_is_dropped_before_it_is_reached_is_not_called() {
        let signal: Signal<u32> = Signal::new();
        let guard = Strong::new(Exclusive::new(None::<ScopedConnection>));
        signal.connect_mut(&guard, |guard, _| *guard = None);
        let late = signal.connect_fn(|_| panic!("it was disconnected"));
        with(&guard, |guard| *guard = Some(late));
        assert_eq!(signal.emit(&1), 1);
    }

    #[test]
    fn all_slots_can_disconnect_themselves_while_they_run() {
        let signal: Signal<u32> = Signal::new();
        let owner = Strong::new(());
        for _ in 0..100 {
            signal.connect_extended(&owner, |_, connection, _| assert!(connection.disconnect()));
        }
        assert_eq!(signal.emit(&1), 100);
        assert_eq!(signal.slot_count(), 0);
        assert_eq!(signal.emit(&1), 0);
    }

    #[test]
    fn a_slot_that_disconnects_itself_completes_and_only_then_is_its_closure_dropped() {
        let log = Log::default();
        let signal: Signal<u32> = Signal::new();
        let owner = Strong::new(());
        let captured = Noter::new(&log, "captured");
        signal.connect_extended(&owner, move |_, connection, n| {
            assert!(connection.disconnect());
            assert!(!connection.is_connected());
            captured.on(n);
        });
        assert_eq!(signal.emit(&1), 1);
        assert_eq!(log.take(), ["captured 1", "captured dropped"]);
    }

    #[test]
    fn a_guard_dropped_inside_its_own_call_disconnects_and_the_closure_is_dropped_after_it() {
        let log = Log::default();
        let signal: Signal<u32> = Signal::new();
        let guard = Strong::new(Exclusive::new(None::<ScopedConnection>));
        let (captured, in_slot) = (Noter::new(&log, "captured"), guard.clone());
        let connected = signal.connect_fn(move |n| {
            let guard = with(&in_slot, Option::take);
            drop(guard);
            captured.on(n);
        });
        with(&guard, |guard| *guard = Some(connected));
        assert_eq!(signal.emit(&1), 1);
        assert_eq!(log.take(), ["captured 1", "captured dropped"]);
        assert_eq!(signal.emit(&2), 0);
    }

    #[test]
    fn a_disconnected_closure_is_dropped_at_once_also_while_another_slot_runs() {
        let log = Log::default();
        let signal: Signal<u32> = Signal::new();
        let captured = Noter::new(&log, "captured");
        let later = signal.slot().priority(-1).connect_fn(move |n| captured.on(n)).detach();
        let in_slot = log.clone();
        first(&signal, move || {
            later.disconnect();
            in_slot.add("the slot goes on");
        });
        assert_eq!(signal.emit(&1), 1);
        assert_eq!(log.take(), ["captured dropped", "the slot goes on"]);
    }

    // Owners that die.

    #[test]
    fn a_slot_whose_owner_dies_before_it_is_reached_is_skipped_and_pruned() {
        let log = Log::default();
        let signal: Signal<u32> = Signal::new();
        let doomed = Strong::new(Exclusive::new(Some(noter(&log, "doomed"))));
        signal.connect_mut(&doomed, |doomed, _| *doomed = None);
        let connection = with(&doomed, |doomed| signal.connect(doomed.as_ref().unwrap(), Noter::on));
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

    // once and times.

    #[test]
    fn a_once_slot_is_not_connected_inside_its_call_and_no_nested_emission_calls_it_again() {
        let log = Log::default();
        let signal: Strong<Signal<u32>> = Strong::new(Signal::new());
        let owner = Strong::new((Strong::downgrade(&signal), noter(&log, "once")));
        signal.slot().once().connect_extended(&owner, |owner, connection, n| {
            assert!(!connection.is_connected());
            assert!(!connection.disconnect());
            assert_eq!(owner.0.upgrade().unwrap().emit(&(n + 1)), 0);
            owner.1.on(n);
        });
        assert_eq!(signal.emit(&1), 1);
        assert_eq!(signal.emit(&5), 0);
        assert_eq!(log.take(), ["once 1"]);
    }

    #[test]
    fn a_slot_of_n_times_is_called_n_times_nested_emissions_included() {
        let signal: Strong<Signal<u32>> = Strong::new(Signal::new());
        let calls = Strong::new((Strong::downgrade(&signal), AtomicUsize::new(0)));
        let connection = signal.slot().times(3).connect(&calls, |calls, depth| {
            calls.1.fetch_add(1, Relaxed);
            calls.0.upgrade().unwrap().emit(&(depth + 1));
        });
        assert!(connection.is_connected());
        assert_eq!(signal.emit(&0), 1);
        assert_eq!(calls.1.load(Relaxed), 3);
        assert!(!connection.is_connected());
        assert_eq!(signal.emit(&0), 0);
    }

    #[test]
    fn a_blocked_call_does_not_use_up_a_once_slot() {
        let signal: Signal<u32> = Signal::new();
        let owner = Strong::new(());
        let connection = signal.slot().once().connect(&owner, |_, _| ());
        let block = connection.block();
        assert_eq!(signal.emit(&0), 0);
        drop(block);
        assert!(connection.is_connected());
        assert_eq!(signal.emit(&0), 1);
        assert_eq!(signal.emit(&0), 0);
    }

    #[test]
    fn the_closure_of_a_once_slot_is_dropped_after_its_call() {
        let log = Log::default();
        let signal: Signal<u32> = Signal::new();
        let captured = Noter::new(&log, "captured");
        signal.slot().once().connect_fn(move |n| captured.on(n)).detach();
        signal.emit(&1);
        assert_eq!(log.take(), ["captured 1", "captured dropped"]);
    }

    #[test]
    fn zero_times_is_refused_with_a_reason() {
        let signal: Signal<u32> = Signal::new();
        let message = panic_of(|| drop(signal.slot().times(0)));
        assert!(message.contains("0 times would never be called"), "{message}");
    }

    // Nesting.

    #[test]
    fn a_nested_emission_runs_at_once_depth_first() {
        let log = Log::default();
        let (signal, _noters, _) = three(&log);
        let weak = Strong::new(Strong::downgrade(&signal));
        signal.slot().priority(1).connect(&weak, |signal, n| {
            if *n < 3 {
                signal.upgrade().unwrap().emit(&(n + 1));
            }
        });
        assert_eq!(signal.emit(&1), 4);
        assert_eq!(
            log.take(),
            ["a 3", "b 3", "c 3", "a 2", "b 2", "c 2", "a 1", "b 1", "c 1"]
        );
    }

    #[test]
    fn runaway_recursion_ends_in_a_panic_that_names_the_depth_and_both_signals_stay_usable() {
        let pair = Strong::new((Signal::<u32>::new(), Signal::<u32>::new()));
        let to_b = pair.0.connect(&pair, |pair, n| _ = pair.1.emit(n));
        pair.1.connect(&pair, |pair, n| _ = pair.0.emit(n));
        let message = panic_of(|| pair.0.emit(&1));
        assert!(message.contains("256 deep"), "{message}");
        to_b.disconnect();
        assert_eq!(pair.0.emit(&1), 0);
        assert_eq!(pair.1.emit(&1), 1);
    }

    #[test]
    fn a_ring_of_many_signals_is_runaway_recursion_too() {
        let ring: Strong<Vec<Signal<u32>>> = Strong::new((0..40).map(|_| Signal::new()).collect());
        for i in 0..40 {
            ring[i].connect(&ring, move |ring, n| _ = ring[(i + 1) % 40].emit(n));
        }
        let message = panic_of(|| ring[0].emit(&1));
        assert!(message.contains("256 deep"), "{message}");
    }

    #[test]
    fn emissions_nest_two_hundred_deep_without_harm() {
        let signal: Strong<Signal<u32>> = Strong::new(Signal::new());
        let owner = Strong::new((Strong::downgrade(&signal), AtomicUsize::new(0)));
        signal.connect(&owner, |owner, n| {
            owner.1.fetch_add(1, Relaxed);
            if *n > 0 {
                assert_eq!(owner.0.upgrade().unwrap().emit(&(n - 1)), 1);
            }
        });
        assert_eq!(signal.emit(&199), 1);
        assert_eq!(owner.1.load(Relaxed), 200);
    }

    // Panics.

    #[test]
    fn a_panic_goes_to_the_caller_later_slots_are_not_called_and_the_signal_stays_usable() {
        let log = Log::default();
        let (signal, _noters, _) = three(&log);
        let owner = Strong::new(());
        let bad = signal.slot().priority(1).connect(&owner, |_, n| assert!(*n > 1, "too small"));
        assert!(panic_of(|| signal.emit(&1)).contains("too small"));
        assert!(log.take().is_empty());
        assert!(bad.is_connected());
        assert_eq!(signal.emit(&2), 4);
        assert_eq!(log.take(), ["a 2", "b 2", "c 2"]);
        assert!(panic_of(|| signal.call(&1).count()).contains("too small"));
        bad.disconnect();
        assert_eq!(signal.slot_count(), 3);
        assert_eq!(signal.emit(&1), 3);
    }

    #[test]
    fn an_emission_that_panicked_is_still_tidied_after() {
        let log = Log::default();
        let signal: Signal<u32> = Signal::new();
        let captured = Noter::new(&log, "captured");
        let owner = Strong::new(());
        signal.connect_extended(&owner, move |_, connection, n| {
            connection.disconnect();
            captured.on(n);
            panic!("after all");
        });
        panic_of(|| signal.emit(&1));
        assert_eq!(log.take(), ["captured 1", "captured dropped"]);
        assert_eq!(signal.slot_count(), 0);
        assert_eq!(Strong::weak_count(&owner), 0, "the signal has let go of the owner");
    }

    #[test]
    fn an_emission_can_be_continued_after_a_slot_panicked() {
        let signal: Signal<u32, u32> = Signal::new();
        let owner = Strong::new(());
        signal.connect(&owner, |_, _| 1);
        signal.connect(&owner, |_, _| panic!("two"));
        signal.connect(&owner, |_, _| 3);
        let mut emission = signal.call(&0);
        assert_eq!(emission.next(), Some(1));
        assert_eq!(panic_of(|| emission.next()), "two");
        assert_eq!(emission.next(), Some(3));
        assert_eq!(emission.next(), None);
        assert_eq!(emission.next(), None);
    }

    #[test]
    fn an_emission_that_is_nested_too_deep_can_be_continued_where_it_stood() {
        let signal: Strong<Signal<u32, u32>> = Strong::new(Signal::new());
        let deep = Strong::new(Signal::<u32, u32>::new());
        let owner = Strong::new((Strong::downgrade(&signal), Strong::downgrade(&deep)));
        signal.connect(&owner, |_, _| 1);
        signal.connect(&owner, |_, _| 2);
        deep.connect(&owner, |owner, n| {
            if *n < 255 {
                owner.1.upgrade().unwrap().call(&(n + 1)).sum::<u32>()
            } else {
                let signal = owner.0.upgrade().unwrap();
                let mut emission = signal.call(&0);
                panic_of(|| emission.next());
                // As deep as before, but out of the emission that was in the way.
                u32::from(emission.size_hint() == (0, Some(2)))
            }
        });
        assert_eq!(deep.call(&0).sum::<u32>(), 1);
    }

    #[test]
    fn try_emit_calls_every_slot_and_reports_which_panicked_and_how() {
        let signal: Signal<u32> = Signal::new();
        let owner = Strong::new(());
        let a = signal.slot().name("first").connect(&owner, |_, n| panic!("bad {n}"));
        signal.connect(&owner, |_, _| ());
        let c = signal.slot().once().name("third").connect(&owner, |_, _| panic!("worse"));
        let d = signal.connect(&owner, |_, _| std::panic::panic_any(7));
        let error = signal.try_emit(&5).unwrap_err();
        assert_eq!(error.called(), 4);
        let panics: Vec<_> =
            error.failures().iter().map(|p| (p.connection().clone(), p.name(), p.message())).collect();
        assert_eq!(panics, [
            (a.clone(), Some("first"), "bad 5"),
            (c.clone(), Some("third"), "worse"),
            (d.clone(), None, "something that is not a text"),
        ]);
        assert_eq!(
            error.to_string(),
            "3 of 4 slots failed: slot first panicked with `bad 5`; slot third panicked with \
             `worse`; slot without name panicked with `something that is not a text`"
        );
        a.disconnect();
        d.disconnect();
        assert_eq!(signal.try_emit(&5).unwrap(), 1);
    }

    #[test]
    fn a_destructor_that_panics_as_a_dead_slot_is_pruned_is_no_panic_of_that_slot() {
        let signal: Signal<u32> = Signal::new();
        let (owner, living) = (Strong::new(()), Strong::new(()));
        let bomb = AtEnd(|| panic!("in a destructor"));
        let dead = signal.slot().name("dead").connect(&owner, move |_, _| bomb.touch());
        let bad = signal.connect(&living, |_, n| panic!("bad {n}"));
        signal.connect(&living, |_, _| ());
        drop(owner);
        let error = signal.try_emit(&5).unwrap_err();
        let panics: Vec<_> =
            error.failures().iter().map(|p| (p.connection().clone(), p.in_slot())).collect();
        assert_eq!((error.called(), panics), (2, vec![(dead, false), (bad, true)]));
        assert_eq!(
            error.to_string(),
            "1 of 2 slots failed: a destructor at slot dead panicked with `in a destructor`; slot \
             without name panicked with `bad 5`"
        );
        assert_eq!(signal.try_emit(&5).unwrap_err().failures().len(), 1);
    }

    #[test]
    fn a_panic_payload_that_panics_whenever_it_is_dropped_does_not_stop_try_emit() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                std::panic::panic_any(Bomb);
            }
        }
        let signal: Signal<u32> = Signal::new();
        let owner = Strong::new(());
        signal.connect(&owner, |_, _| std::panic::panic_any(Bomb));
        signal.connect(&owner, |_, _| ());
        assert_eq!(signal.try_emit(&0).unwrap_err().called(), 2);
    }

    // Destructors that use the same signal.

    #[test]
    fn a_destructor_may_use_the_signal_that_drops_it() {
        // An owner, dropped by the emission; a closure, dropped by each kind of disconnecting.
        let signal: Strong<Signal<u32>> = Strong::new(Signal::new());
        let log = Log::default();
        let busy = |name: &'static str| {
            let (log, signal) = (log.clone(), Strong::downgrade(&signal));
            AtEnd(move || {
                let signal = signal.upgrade().unwrap();
                let owner = Strong::new(());
                let connection = signal.connect(&owner, |_, _| ());
                signal.slot().connect_fn(|_| ()).disconnect();
                let alive = signal.emit(&0);
                assert!(connection.disconnect());
                assert_eq!(signal.prune(), 0);
                log.add(format!("{name}: {alive}"));
            })
        };
        let captured = busy("by its connection");
        signal.connect_fn(move |_| captured.touch()).disconnect();
        let captured = busy("by disconnect_all");
        signal.connect_fn(move |_| captured.touch()).detach();
        assert_eq!(signal.disconnect_all(), 1);
        let captured = busy("by prune");
        signal.connect(&Strong::new(()), move |_, _| captured.touch());
        assert_eq!(signal.prune(), 1);
        let captured = busy("by an emission");
        signal.connect(&Strong::new(()), move |_, _| captured.touch());
        assert_eq!(signal.emit(&0), 0);
        let captured = busy("by its last call");
        signal.slot().once().connect_fn(move |_| captured.touch()).detach();
        assert_eq!(signal.emit(&0), 1);
        let owner = Strong::new(());
        let captured = busy("by its owner's end");
        signal.connect(&owner, move |_, _| captured.touch());
        assert_eq!(signal.disconnect_owner(&owner), 1);
        assert_eq!(log.take(), [
            "by its connection: 1",
            "by disconnect_all: 1",
            "by prune: 1",
            "by an emission: 1",
            "by its last call: 1",
            "by its owner's end: 1",
        ]);
    }

    #[test]
    fn an_owner_dropped_by_the_emission_may_query_and_disconnect_the_signal() {
        struct Widget {
            signal: Weak<Signal<u32>>,
            connections: Exclusive<Vec<Connection>>,
            counted: std::sync::Arc<AtomicUsize>,
        }
        impl Drop for Widget {
            fn drop(&mut self) {
                let signal = self.signal.upgrade().unwrap();
                self.counted.store(100 + signal.slot_count(), Relaxed);
                with(&self.connections, |connections| {
                    connections.iter().for_each(|connection| _ = connection.disconnect());
                });
            }
        }
        let counted = std::sync::Arc::new(AtomicUsize::new(0));
        let signal: Strong<Signal<u32>> = Strong::new(Signal::new());
        let widget = Strong::new(Widget {
            signal: Strong::downgrade(&signal),
            connections: Exclusive::new(vec![]),
            counted: counted.clone(),
        });
        let holder = Strong::new(Exclusive::new(Some(widget.clone())));
        let in_slot = Strong::downgrade(&holder);
        let own = signal.connect(&widget, move |_, _| {
            with(&in_slot.upgrade().unwrap(), |widget| *widget = None);
        });
        let other = signal.connect_fn(|_| panic!("the widget disconnected it")).detach();
        with(&widget.connections, |connections| connections.extend([own, other]));
        drop(widget);
        assert_eq!(signal.emit(&0), 1);
        assert_eq!(counted.load(Relaxed), 101);
        assert!(signal.is_empty());
    }

    #[test]
    fn a_destructor_of_a_result_may_use_the_signal() {
        struct Result(Weak<Signal<u32, Result>>, Log);
        impl Drop for Result {
            fn drop(&mut self) {
                self.1.add(format!("{} slots", self.0.upgrade().unwrap().disconnect_all()));
            }
        }
        let log = Log::default();
        let signal: Strong<Signal<u32, Result>> = Strong::new(Signal::new());
        let owner = Strong::new((Strong::downgrade(&signal), log.clone()));
        for _ in 0..3 {
            signal.connect(&owner, |owner, _| Result(owner.0.clone(), owner.1.clone()));
        }
        assert_eq!(signal.emit(&0), 1);
        assert_eq!(log.take(), ["3 slots"]);
    }

    // The signal's own end and its moves.

    #[test]
    fn when_the_signal_is_dropped_its_connections_are_not_connected_and_its_closures_dropped() {
        let log = Log::default();
        let signal: Signal<u32> = Signal::new();
        let owner = Strong::new(());
        let connection = signal.connect(&owner, |_, _| ());
        let captured = Noter::new(&log, "captured");
        let scoped = signal.connect_fn(move |n| captured.on(n));
        let block = signal.block();
        let second = connection.block();
        assert!(connection.is_connected());
        drop(signal);
        assert_eq!(log.take(), ["captured dropped"]);
        assert!(!connection.is_connected());
        assert!(!connection.is_blocked());
        assert!(!connection.disconnect());
        assert_eq!(connection.disconnect_and_wait(), Ok(false));
        assert!(!scoped.is_connected());
        drop((block, second, connection.block()));
    }

    #[test]
    fn connections_stay_valid_when_the_signal_is_moved() {
        let owner = Strong::new(());
        let signal: Signal<u32> = Signal::new();
        let connection = signal.connect(&owner, |_, _| ());
        let mut signals = vec![Signal::new(), signal];
        signals.swap(0, 1);
        let moved = Box::new(signals.remove(0));
        assert_eq!(moved.emit(&0), 1);
        assert!(connection.is_connected());
        assert!(connection.disconnect());
        assert_eq!(moved.emit(&0), 0);
    }

    #[test]
    fn a_slot_may_drop_the_pointer_to_the_signal_that_emits() {
        let log = Log::default();
        struct Holder {
            signal: Signal<u32>,
            _end: Noter,
        }
        let holder = Strong::new(Holder { signal: Signal::new(), _end: Noter::new(&log, "holder") });
        let cell = Strong::new(Exclusive::new(Some(holder.clone())));
        holder.signal.connect_mut(&cell, |cell, _| *cell = None);
        let after = noter(&log, "after");
        holder.signal.connect(&after, Noter::on);
        assert_eq!(Strong::strong_count(&holder), 2);
        assert_eq!(holder.signal.emit(&1), 2);
        assert_eq!(Strong::strong_count(&holder), 1);
        assert_eq!(log.take(), ["after 1"]);
        drop(holder);
        assert_eq!(log.take(), ["holder dropped"]);
    }

    // Order.

    #[test]
    fn slots_are_called_by_priority_and_then_as_they_were_connected() {
        let log = Log::default();
        let signal: Signal<u32> = Signal::new();
        let noters = ["z", "a", "m", "y", "b", "n"].map(|name| noter(&log, name));
        for (noter, priority) in noters.iter().zip([-5, 5, 0, -5, 5, 0]) {
            signal.slot().priority(priority).connect(noter, Noter::on);
        }
        signal.emit(&1);
        assert_eq!(log.take(), ["a 1", "b 1", "m 1", "n 1", "z 1", "y 1"]);
        let extremes = [noter(&log, "lowest"), noter(&log, "highest")];
        signal.slot().priority(i32::MIN).connect(&extremes[0], Noter::on);
        signal.slot().priority(i32::MAX).connect(&extremes[1], Noter::on);
        signal.emit(&2);
        let order = log.take();
        assert_eq!((order[0].as_str(), order[7].as_str()), ("highest 2", "lowest 2"));
    }

    #[test]
    fn the_order_is_unaffected_by_any_history_of_disconnects() {
        let signal: Signal<u32, usize> = Signal::new();
        let owner = Strong::new(());
        let mut expected: Vec<(i32, usize)> = vec![];
        let mut connections: Vec<(Connection, (i32, usize))> = vec![];
        let mut random = 12345_u64;
        for i in 0..3000 {
            random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let choice = (random >> 33) as usize;
            if choice % 5 < 2 && !connections.is_empty() {
                let (connection, slot) = connections.swap_remove(choice / 7 % connections.len());
                assert!(connection.disconnect());
                expected.retain(|other| *other != slot);
            } else {
                let priority = (choice / 11 % 3) as i32;
                let connection = signal.slot().priority(priority).connect(&owner, move |_, _| i);
                connections.push((connection, (priority, i)));
                expected.push((priority, i));
            }
            if i % 50 == 0 {
                let mut sorted = expected.clone();
                sorted.sort_by_key(|(priority, i)| (-priority, *i));
                let order: Vec<usize> = signal.call(&0).collect();
                assert_eq!(order, sorted.iter().map(|(_, i)| *i).collect::<Vec<_>>());
                assert_eq!(signal.slot_count(), order.len());
            }
        }
    }

    #[test]
    fn the_same_method_of_the_same_owner_is_called_twice_unless_unique() {
        let log = Log::default();
        let signal: Signal<u32> = Signal::new();
        let owner = noter(&log, "owner");
        let standing = signal.connect(&owner, Noter::on);
        signal.connect(&owner, Noter::on);
        assert_eq!(signal.emit(&1), 2);
        assert_eq!(signal.slot().unique().connect(&owner, Noter::on), standing);
        assert_eq!(signal.emit(&1), 2);
        assert_ne!(signal.slot().unique().connect(&owner, Noter::also), standing);
        assert_eq!(signal.emit(&1), 3);
        let other = noter(&log, "other");
        signal.slot().unique().connect(&other, Noter::on);
        signal.slot().unique().connect(&other, Noter::on);
        assert_eq!(signal.slot_count(), 4);
        standing.disconnect();
    }

    #[test]
    fn unique_knows_methods_with_captures_and_unsized_owners_too() {
        let signal: Signal<u32> = Signal::new();
        let owner: Std<dyn std::any::Any + Send + Sync> = Std::new(5_u8);
        let connect = |n: u32| signal.slot().unique().connect(&owner, move |_, _| _ = n);
        assert_eq!(connect(1), connect(2));
        assert_eq!(signal.slot_count(), 1);
        signal.disconnect_owner(&owner);
        assert!(signal.is_empty());
    }

    // Blocks.

    #[test]
    fn a_blocked_slot_is_connected_but_not_called_and_two_blocks_need_two_releases() {
        let log = Log::default();
        let (signal, _noters, [_, b, _]) = three(&log);
        let (one, two) = (b.block(), b.block());
        assert!(b.is_blocked() && b.is_connected());
        assert_eq!(signal.slot_count(), 3);
        assert_eq!(signal.emit(&1), 2);
        drop(one);
        assert_eq!(signal.emit(&1), 2);
        drop(two);
        assert!(!b.is_blocked());
        assert_eq!(signal.emit(&2), 3);
        assert_eq!(log.take(), ["a 1", "c 1", "a 1", "c 1", "a 2", "b 2", "c 2"]);
    }

    #[test]
    fn a_blocked_signal_is_silent_for_old_and_new_slots_and_half_way_through_an_emission() {
        let log = Log::default();
        let (signal, noters, _) = three(&log);
        let (one, two) = (signal.block(), signal.block());
        assert!(signal.is_blocked());
        signal.connect(&noters[0], Noter::also);
        assert_eq!(signal.emit(&1), 0);
        assert_eq!(signal.call(&1).count(), 0);
        assert_eq!(signal.try_emit(&1).unwrap(), 0);
        assert_eq!(signal.slot_count(), 4);
        drop(one);
        assert_eq!(signal.emit(&1), 0);
        drop(two);
        assert!(!signal.is_blocked());
        assert_eq!(signal.emit(&2), 4);
        log.take();
        let mut emission = signal.call(&3);
        emission.next();
        let block = signal.block();
        assert_eq!(emission.next(), None);
        drop(block);
        assert_eq!(log.take(), ["a 3"]);
    }

    #[test]
    fn a_block_on_the_slot_and_one_on_the_signal_hold_independently() {
        let signal: Signal<u32> = Signal::new();
        let owner = Strong::new(());
        let connection = signal.connect(&owner, |_, _| ());
        let slot = connection.block();
        let whole = signal.block();
        drop(slot);
        assert_eq!(signal.emit(&0), 0);
        let slot = connection.block();
        drop(whole);
        assert_eq!(signal.emit(&0), 0);
        drop(slot);
        assert_eq!(signal.emit(&0), 1);
    }

    #[test]
    fn an_unconnected_signal_can_be_blocked() {
        let signal: Signal<u32> = Signal::new();
        let block = signal.block();
        let _guard = signal.connect_fn(|_| ());
        assert_eq!(signal.emit(&0), 0);
        drop(block);
        assert_eq!(signal.emit(&0), 1);
    }

    #[test]
    fn a_block_is_valid_after_the_slot_was_disconnected() {
        let signal: Signal<u32> = Signal::new();
        let owner = Strong::new(());
        let connection = signal.connect(&owner, |_, _| ());
        let block = connection.block();
        connection.disconnect();
        let second = connection.block();
        assert!(!connection.is_blocked());
        // The next slot uses the same place in the slotmap.
        let next = signal.connect(&owner, |_, _| ());
        drop((block, second));
        assert!(!next.is_blocked());
        assert_eq!(signal.emit(&0), 1);
    }

    #[test]
    fn a_slot_blocked_during_an_emission_is_not_called_by_it() {
        let log = Log::default();
        let (signal, _noters, [_, b, _]) = three(&log);
        let blocks = Strong::new((b, Exclusive::new(vec![])));
        signal.slot().priority(1).connect(&blocks, |blocks, _| {
            with(&blocks.1, |list| list.push(blocks.0.block()));
        });
        assert_eq!(signal.emit(&1), 3);
        assert_eq!(log.take(), ["a 1", "c 1"]);
    }

    // connect_mut.

    #[test]
    fn an_owner_already_borrowed_by_a_slot_further_up_ends_in_a_panic_that_names_its_type() {
        struct Panel(Weak<Signal<u32>>);
        let signal: Strong<Signal<u32>> = Strong::new(Signal::new());
        let panel = Strong::new(Exclusive::new(Panel(Strong::downgrade(&signal))));
        signal.connect_mut(&panel, |panel, n| {
            if *n < 2 {
                panel.0.upgrade().unwrap().emit(&(n + 1));
            }
        });
        let message = panic_of(|| signal.emit(&1));
        assert!(message.contains("::Panel`"), "{message}");
        assert!(message.contains("borrowed already"), "{message}");
    }

    #[test]
    fn connect_mut_changes_the_owner_and_disconnects_like_connect() {
        let signal: Signal<u32> = Signal::new();
        let sum = Strong::new(Exclusive::new(0_u32));
        fn add(sum: &mut u32, n: &u32) {
            *sum += n;
        }
        signal.connect_mut(&sum, add);
        let factor = 10;
        signal.connect_mut(&sum, move |sum, n| *sum += n * factor);
        assert_eq!(signal.emit(&2), 2);
        assert_eq!(with(&sum, |sum| *sum), 22);
        assert_eq!(signal.disconnect_method(&sum, add), 1);
        assert_eq!(signal.disconnect_owner(&sum), 1);
        assert_eq!(Strong::weak_count(&sum), 0);
    }

    // Emissions in the caller's hands.

    #[test]
    fn an_emission_dropped_half_way_leaves_the_later_slots_uncalled() {
        let log = Log::default();
        let (signal, _noters, _) = three(&log);
        let mut emission = signal.call(&1);
        assert_eq!(emission.size_hint(), (0, Some(3)));
        emission.next();
        assert_eq!(emission.size_hint(), (0, Some(2)));
        drop(emission);
        assert_eq!(log.take(), ["a 1"]);
        assert_eq!(signal.emit(&2), 3);
    }

    #[test]
    fn an_emission_is_lazy_and_stops_where_its_consumer_does() {
        let signal: Signal<u32, u32> = Signal::new();
        let calls = Strong::new(AtomicUsize::new(0));
        for i in 1..=4 {
            signal.connect(&calls, move |calls, n| {
                calls.fetch_add(1, Relaxed);
                n * i
            });
        }
        assert_eq!(signal.call(&10).find(|result| *result > 15), Some(20));
        assert_eq!(calls.swap(0, Relaxed), 2);
        assert_eq!(signal.call(&10).max(), Some(40));
        assert_eq!(signal.call(&10).last(), Some(40));
        assert_eq!(signal.call(&10).collect::<Vec<_>>(), [10, 20, 30, 40]);
        assert_eq!(signal.call(&10).sum::<u32>(), 100);
        assert_eq!(calls.swap(0, Relaxed), 16);
        let none: Signal<u32, u32> = Signal::new();
        assert_eq!(none.call(&1).last(), None);
    }

    #[test]
    fn a_held_emission_covers_the_slots_of_its_start_whatever_changes_meanwhile() {
        let log = Log::default();
        let (signal, noters, [_, b, _]) = three(&log);
        let late = noter(&log, "late");
        let mut emission = signal.call(&1);
        emission.next();
        signal.connect(&late, Noter::on);
        b.disconnect();
        assert_eq!(signal.emit(&2), 3);
        let before = signal.connect(&noters[1], Noter::also);
        emission.next();
        assert_eq!(emission.next(), None);
        drop(emission);
        assert_eq!(log.take(), ["a 1", "a 2", "c 2", "late 2", "c 1"]);
        assert!(before.is_connected());
        assert_eq!(signal.emit(&3), 4);
    }

    #[test]
    fn a_leaked_emission_stops_neither_connects_nor_disconnects_nor_pruning() {
        let log = Log::default();
        let (signal, noters, [_, b, _]) = three(&log);
        let mut emission = signal.call(&1);
        emission.next();
        std::mem::forget(emission);
        log.take();
        let late = noter(&log, "late");
        let connection = signal.connect(&late, Noter::on);
        assert_eq!(signal.emit(&2), 4);
        assert!(b.disconnect());
        assert_eq!(signal.emit(&3), 3);
        assert_eq!(log.take(), ["a 2", "b 2", "c 2", "late 2", "a 3", "c 3", "late 3"]);
        assert_eq!(connection.disconnect_and_wait(), Ok(true));
        let captured = Noter::new(&log, "captured");
        signal.connect_fn(move |n| captured.on(n)).disconnect();
        assert_eq!(log.take(), ["captured dropped"]);
        drop(noters);
        assert_eq!(signal.emit(&4), 0);
        assert_eq!(signal.slot_count(), 0);
        log.take();
    }

    #[test]
    fn an_emission_may_be_driven_inside_a_slot_of_another_emission() {
        let signal: Strong<Signal<u32, u32>> = Strong::new(Signal::new());
        let owner = Strong::new(Strong::downgrade(&signal));
        signal.connect(&owner, |_, n| *n);
        signal.connect(&owner, |signal, n| {
            if *n < 3 { signal.upgrade().unwrap().call(&(n + 1)).sum() } else { 0 }
        });
        assert_eq!(signal.call(&1).sum::<u32>(), 6);
    }

    // Waiting for a slot, on one thread.

    #[test]
    fn disconnect_and_wait_inside_the_slot_itself_is_an_error_and_disconnects() {
        let signal: Signal<u32> = Signal::new();
        let owner = Strong::new(());
        signal.connect_extended(&owner, |_, connection, _| {
            let error = connection.disconnect_and_wait().unwrap_err();
            assert!(error.was_connected);
            assert!(error.to_string().contains("its own end"), "{error}");
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

    // Unusual owners and events.

    #[test]
    fn zero_sized_owners_are_told_apart() {
        struct Nothing;
        let signal: Signal<u32, &'static str> = Signal::new();
        let (a, b) = (Strong::new(Nothing), Strong::new(Nothing));
        signal.connect(&a, |_, _| "a");
        signal.connect(&b, |_, _| "b");
        assert_eq!(signal.disconnect_owner(&a), 1);
        assert_eq!(signal.call(&0).collect::<Vec<_>>(), ["b"]);
        drop(b);
        assert_eq!(signal.emit(&0), 0);
    }

    #[test]
    fn over_aligned_owners_are_reached_where_they_are() {
        #[repr(align(512))]
        struct Wide(Cell<u8>, #[allow(dead_code)] Noter);
        struct Page(Mutex<Wide>);
        let log = Log::default();
        let signal: Signal<u32> = Signal::new();
        let page = Strong::new(Page(Mutex::new(Wide(Cell::new(1), Noter::new(&log, "page")))));
        let connect = |page: &Page, n: &u32| {
            let wide = page.0.lock().unwrap();
            assert_eq!(std::ptr::from_ref(&*wide).addr() % 512, 0);
            wide.0.set(*n as u8);
        };
        signal.connect(&page, connect);
        signal.emit(&7);
        assert_eq!(page.0.lock().unwrap().0.get(), 7);
        drop(page);
        assert_eq!(log.take(), ["page dropped"]);
        assert_eq!(signal.emit(&8), 0);
    }

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

    #[test]
    fn trait_objects_can_own_slots() {
        trait Shape {
            fn area(&self, scale: &u32) -> u32;
        }
        struct Square(u32);
        impl Shape for Square {
            fn area(&self, scale: &u32) -> u32 {
                self.0 * self.0 * scale
            }
        }
        let signal: Signal<u32, u32> = Signal::new();
        let square = Std::new(Square(3));
        let shape: Std<dyn Shape + Send + Sync> = square.clone();
        let connection = signal.connect(&shape, <dyn Shape + Send + Sync>::area);
        signal.connect(&shape, |shape, scale| shape.area(scale) + 1);
        assert_eq!(signal.call(&2).collect::<Vec<_>>(), [18, 19]);
        assert_eq!(signal.disconnect_owner(&square), 2, "it is the same object");
        assert!(!connection.is_connected());
        signal.connect(&shape, |_, _| 0);
        drop((square, shape));
        assert_eq!(signal.emit(&1), 0);
    }

    #[test]
    fn slices_and_strings_can_own_slots_and_be_events() {
        let words: Signal<str, usize> = Signal::new();
        let list: Std<[u8]> = Std::from([1, 2, 3]);
        words.connect(&list, |list, word| list.len() + word.len());
        assert_eq!(words.call("four").next(), Some(7));
        let bytes: Signal<[u8], u8> = Signal::new();
        bytes.connect(&list, |list, event| list[0] + event[0]);
        assert_eq!(bytes.call(&[41]).next(), Some(42));
        let any: Signal<dyn std::fmt::Display, String> = Signal::new();
        any.connect(&list, |_, event| event.to_string());
        assert_eq!(any.call(&1.5).next().unwrap(), "1.5");
    }

    #[test]
    fn an_event_is_passed_by_reference_and_never_copied() {
        struct Event(u32);
        let signal: Signal<Event, usize> = Signal::new();
        let owner = Strong::new(());
        signal.connect(&owner, |_, event| std::ptr::from_ref(event).addr());
        signal.connect(&owner, |_, event| std::ptr::from_ref(event).addr());
        let event = Event(1);
        let here = std::ptr::from_ref(&event).addr();
        assert_eq!(signal.call(&event).collect::<Vec<_>>(), [here, here]);
        assert_eq!(event.0, 1);
    }

    #[test]
    fn connecting_from_a_destructor_works_also_of_an_owner_that_an_emission_drops() {
        let log = Log::default();
        let signal: Strong<Signal<u32>> = Strong::new(Signal::new());
        let heir = noter(&log, "heir");
        let (to, heir_of) = (Strong::downgrade(&signal), heir.clone());
        let owner = Strong::new(AtEnd(move || {
            to.upgrade().unwrap().connect(&heir_of, Noter::on);
        }));
        let testator = Strong::new(Exclusive::new(Some(owner.clone())));
        let cell = Strong::downgrade(&testator);
        signal.connect(&owner, move |_, _| {
            let last = with(&cell.upgrade().unwrap(), Option::take);
            drop(last);
        });
        drop(owner);
        assert_eq!(signal.emit(&1), 1);
        assert_eq!(signal.emit(&2), 1);
        assert_eq!(log.take(), ["heir 2"]);
        signal.disconnect_all();
    }

    #[test]
    fn a_method_that_captures_nothing_but_must_be_dropped_is_dropped_once() {
        let log = Log::default();
        let signal: Signal<u32> = Signal::new();
        thread_local! {
            static ENDS: Cell<u32> = const { Cell::new(0) };
        }
        struct Token;
        impl Drop for Token {
            fn drop(&mut self) {
                ENDS.set(ENDS.get() + 1);
            }
        }
        let (owner, token) = (noter(&log, "owner"), Token);
        let connection = signal.connect(&owner, move |owner, n| {
            let _token = &token;
            owner.on(n);
        });
        signal.emit(&1);
        assert_eq!(ENDS.get(), 0);
        connection.disconnect();
        assert_eq!(ENDS.get(), 1);
    }
}
