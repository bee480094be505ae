//! Connections: their state, their copies, and the places that they name.

both_flavors! {
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

    // From KDBindings, tests/signal/tst_signal.cpp.
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

    // From KDBindings, tests/signal/tst_signal.cpp.
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

    // From KDBindings, tests/signal/tst_signal.cpp.
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

    // From KDBindings, tests/utils/tst_gen_index_array.cpp.
    #[test]
    fn a_handle_stays_dead_however_its_place_was_freed_and_however_often_it_is_used_again() {
        let signal: Signal<u32> = Signal::new();
        let owner = Strong::new(());
        let neighbor = signal.connect(&owner, |_, _| ());
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
        assert!(neighbor.is_connected());
        assert_eq!(signal.slot_count(), 1);
    }

    // From KDBindings, tests/utils/tst_gen_index_array.cpp.
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

    // From sigslot, test/signal.cpp.
    #[test]
    fn all_copies_of_a_handle_see_what_was_done_through_any_of_them() {
        let signal: Signal<u32> = Signal::new();
        let seen = Strong::new(Exclusive::new(None::<Connection>));
        let original = signal.connect_extended(&seen, |seen, connection, n| {
            with(seen, |seen| *seen = Some(connection.clone()));
            assert!(*n > 0);
        });
        let error = signal.try_emit(&0).unwrap_err();
        let in_slot = with(&seen, Option::take).unwrap();
        let copies = [original.clone(), original, in_slot, error.failures()[0].connection().clone()];
        for one in &copies {
            let block = one.block();
            assert!(copies.iter().all(|other| other == one && other.is_blocked()));
            assert_eq!(signal.emit(&1), 0);
            drop(block);
            assert!(copies.iter().all(|other| other.is_connected() && !other.is_blocked()));
        }
        assert_eq!(signal.emit(&1), 1);
        assert!(copies[3].disconnect());
        assert!(!copies.iter().any(Connection::is_connected));
        assert!(!copies.iter().any(Connection::disconnect));
        assert_eq!(signal.emit(&1), 0);
    }
}
