//! What KDBindings tests its signals and connection handles for, written afresh for sigwire.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

both_flavors! {
    /// One way to disconnect a slot of that owner.
    type Way = fn(&Signal<u32>, &Connection, &Strong<()>);

    // Handles that are no longer active.

    #[test]
    fn a_handle_is_inactive_after_its_disconnect_and_the_other_handles_are_not() {
        let signal: Signal<u32> = Signal::new();
        let owner = Strong::new(());
        let handles: Vec<Connection> = (0..4).map(|_| signal.connect(&owner, |_, _| ())).collect();
        for (ended, handle) in handles.iter().enumerate() {
            assert!(handles[ended..].iter().all(Connection::is_connected));
            assert!(handle.disconnect());
            assert!(!handles[..=ended].iter().any(Connection::is_connected));
            assert_eq!(signal.emit(&0), 3 - ended);
        }
    }

    #[test]
    fn a_handle_is_inactive_after_the_death_of_its_signal_however_the_signal_died() {
        let owner = Strong::new(());
        let connect = |signal: &Signal<u32>| {
            [signal.connect(&owner, |_, _| ()), signal.connect_fn(|_| ()).detach()]
        };
        let dead = |handles: [Connection; 2]| {
            for handle in &handles {
                assert!(!handle.is_connected() && !handle.is_blocked());
                assert!(!handle.disconnect());
                assert_eq!(handle, &handle.clone());
            }
            assert_ne!(handles[0], handles[1]);
        };
        let signal = Signal::new();
        let handles = connect(&signal);
        drop(signal);
        dead(handles);

        let mut signals = [Signal::new()];
        let handles = connect(&signals[0]);
        signals[0] = Signal::new();
        dead(handles);
        assert!(signals[0].is_empty(), "the new signal inherits nothing");

        let shared = Strong::new(Signal::new());
        let handles = connect(&shared);
        let second = shared.clone();
        drop(shared);
        assert!(handles[0].is_connected(), "it is not dead yet");
        drop(second);
        dead(handles);

        let signal = Signal::new();
        let handles = connect(&signal);
        panic_of(move || {
            let _signal = signal;
            panic!("unwound");
        });
        dead(handles);
        assert_eq!(Strong::weak_count(&owner), 0);
    }

    #[test]
    fn the_handle_of_an_object_that_was_never_there_is_inactive_like_one_that_ended() {
        // KDBindings makes such a handle by its default constructor.
        let signal: Signal<u32> = Signal::new();
        let never = signal.connect_weak(WeakMethod::new(&Strong::new(()), |_, _| ()));
        assert!(!never.is_connected() && !never.is_blocked() && !never.disconnect());
        drop((never.block(), never.clone().scoped()));
        assert_eq!(never.disconnect_and_wait(), Ok(false));
        assert!(signal.is_empty());
    }

    // Double disconnect. KDBindings throws for a handle that is not active; here the result says so.

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

    // Blockers. KDBindings throws for a blocker on a handle that is not active; here it is harmless.

    #[test]
    fn a_blocker_on_a_dead_handle_blocks_nothing_and_its_end_releases_nothing() {
        let signal: Signal<u32> = Signal::new();
        let owner = Strong::new(());
        let dead = signal.connect(&owner, |_, _| ());
        dead.disconnect();
        let early = dead.block();
        // It takes the place of the dead one.
        let living = signal.connect(&owner, |_, _| ());
        let late = dead.block();
        assert!(!dead.is_blocked() && !living.is_blocked());
        assert_eq!(signal.emit(&0), 1);
        let block = living.block();
        drop((early, late));
        assert!(living.is_blocked(), "it is blocked by its own block");
        assert_eq!(signal.emit(&0), 0);
        drop(block);
        assert_eq!(signal.emit(&0), 1);

        let gone = Strong::new(());
        let of_gone = signal.connect(&gone, |_, _| panic!("its owner is gone"));
        drop(gone);
        drop(of_gone.block());
        drop(signal);
        drop((living.block(), dead.block()));
        assert!(!living.is_blocked());
    }

    #[test]
    fn a_blocker_restores_what_was_there_before_it_also_when_that_was_a_block() {
        let signal: Signal<u32> = Signal::new();
        let owner = Strong::new(AtomicUsize::new(0));
        let handle = signal.connect(&owner, |calls, _| _ = calls.fetch_add(1, Relaxed));
        let calls = || {
            signal.emit(&0);
            owner.swap(0, Relaxed)
        };
        {
            let _outer = handle.block();
            assert_eq!(calls(), 0);
            {
                let _inner = handle.block();
                assert_eq!(calls(), 0);
            }
            assert!(handle.is_blocked(), "as it was before the inner one");
            assert_eq!(calls(), 0);
        }
        assert!(!handle.is_blocked());
        assert_eq!(calls(), 1);
    }

    #[test]
    fn a_blocker_restores_also_when_a_panic_ends_it_and_when_a_slot_made_it() {
        let signal: Signal<u32> = Signal::new();
        let quiet = Strong::new(Exclusive::new(None::<Connection>));
        signal.connect(&quiet, |quiet, n| {
            let handle = with(quiet, |handle| handle.clone()).unwrap();
            let _block = handle.block();
            assert!(*n > 0, "with the block in force");
        });
        let handle = signal.slot().priority(1).connect(&quiet, |_, _| ());
        with(&quiet, |quiet| *quiet = Some(handle.clone()));
        assert_eq!(panic_of(|| signal.emit(&0)), "with the block in force");
        assert!(!handle.is_blocked());
        assert_eq!(signal.emit(&1), 2);
        assert!(!handle.is_blocked());
    }

    // Closures that are disconnected while they run.

    #[test]
    fn a_closure_that_disconnects_itself_in_a_nested_call_lives_until_its_outermost_call_has_returned() {
        let log = Log::default();
        let signal: Strong<Signal<u32>> = Strong::new(Signal::new());
        let owner = Strong::new(Strong::downgrade(&signal));
        let captured = Noter::new(&log, "captured");
        signal.connect_extended(&owner, move |signal, handle, n| {
            captured.on(n);
            if *n < 3 {
                signal.upgrade().unwrap().emit(&(n + 1));
            } else {
                assert!(handle.disconnect());
            }
            captured.also(n);
        });
        assert_eq!(signal.emit(&1), 1);
        let there = ["captured 1", "captured 2", "captured 3"];
        let back = ["captured also 3", "captured also 2", "captured also 1", "captured dropped"];
        assert_eq!(log.take(), [&there[..], &back[..]].concat());
        assert_eq!(signal.emit(&1), 0);
    }

    #[test]
    fn a_running_closure_survives_every_way_of_disconnecting_it_and_a_new_slot_in_its_place() {
        let ways: [Way; 5] = [
            |_, handle, _| assert!(handle.disconnect()),
            |_, handle, _| drop(handle.clone().scoped()),
            |_, handle, _| assert!(handle.disconnect_and_wait().is_err()),
            |signal, _, _| assert_eq!(signal.disconnect_all(), 1),
            |signal, _, owner| assert_eq!(signal.disconnect_owner(owner), 1),
        ];
        for way in ways {
            let log = Log::default();
            let signal: Strong<Signal<u32>> = Strong::new(Signal::new());
            let owner = Strong::new(());
            let (weak, weak_owner) = (Strong::downgrade(&signal), Strong::downgrade(&owner));
            let captured = Noter::new(&log, "captured");
            signal.connect_extended(&owner, move |_, handle, n| {
                let signal = weak.upgrade().unwrap();
                way(&signal, handle, &weak_owner.upgrade().unwrap());
                for _ in 0..20 {
                    signal.connect(&weak_owner, |_, _| ());
                }
                assert_eq!(signal.prune(), 0);
                assert_eq!(signal.emit(&9), 20);
                captured.on(n);
            });
            assert_eq!(signal.emit(&1), 1);
            assert_eq!(log.take(), ["captured 1", "captured dropped"]);
            assert_eq!(signal.emit(&2), 20);
        }
    }

    // Places that are used again.

    #[test]
    fn a_handle_stays_dead_however_often_its_place_is_used_again_and_by_whatever_means_it_was_freed() {
        let signal: Signal<u32> = Signal::new();
        let owner = Strong::new(());
        let neighbour = signal.connect(&owner, |_, _| ());
        let mut old: Vec<Connection> = vec![];
        for round in 0..300 {
            let mortal = Strong::new(());
            let handle = signal.connect(&mortal, |_, _| ());
            assert!(!old.contains(&handle), "a new generation is told from all the old ones");
            assert!(handle.is_connected());
            assert!(!old.iter().any(Connection::is_connected));
            assert!(!old.iter().any(Connection::disconnect), "none of them hits the new one");
            let blocks: Vec<Block> = old.iter().map(Connection::block).collect();
            assert_eq!(signal.emit(&0), 2);
            drop(blocks);
            match round % 5 {
                0 => assert!(handle.disconnect()),
                1 => assert_eq!(signal.disconnect_owner(&mortal), 1),
                2 => drop(handle.clone().scoped()),
                3 => {
                    drop(mortal);
                    assert_eq!(signal.prune(), 1);
                }
                _ => {
                    drop(mortal);
                    assert_eq!(signal.emit(&0), 1);
                }
            }
            old.push(handle);
            if old.len() > 40 {
                old.remove(round % 40);
            }
        }
        assert!(neighbour.is_connected());
        assert_eq!(signal.slot_count(), 1);
    }

    #[test]
    fn handles_of_places_freed_together_do_not_match_the_slots_that_fill_them_in_another_order() {
        let signal: Signal<u32, usize> = Signal::new();
        let owner = Strong::new(());
        let fill = |round: usize| -> Vec<Connection> {
            (0..10).map(|i| signal.connect(&owner, move |_, _| 10 * round + i)).collect()
        };
        let mut all = fill(0);
        for round in 1..10 {
            let standing = &all[10 * (round - 1)..];
            if round % 2 == 0 {
                assert_eq!(signal.disconnect_all(), 10);
            } else {
                assert!([3, 9, 0, 7, 1, 8, 2, 6, 4, 5].iter().all(|i| standing[*i].disconnect()));
            }
            all.extend(fill(round));
            let (old, new) = all.split_at(10 * round);
            assert!(!old.iter().any(Connection::is_connected));
            assert!(new.iter().all(|handle| handle.is_connected() && !old.contains(handle)));
            let expected: Vec<usize> = (10 * round..10 * round + 10).collect();
            assert_eq!(signal.call(&0).collect::<Vec<_>>(), expected);
        }
    }
}
