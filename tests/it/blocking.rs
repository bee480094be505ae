//! Blocks on slots and on signals.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

both_flavors! {
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

    // Boost's block is released by hand or by its end; here by its end alone.

    // From boost::signals2 (`shared_connection_block`).
    #[test]
    fn silence_ends_with_the_last_of_several_blocks_in_whatever_order_they_are_released() {
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
            let board = Board::new(3, |_| vec![]);
            let connection = with(&board.connections, |all| all[1].clone());
            let mut blocks: Vec<Option<Block>> = (0..4).map(|_| Some(connection.block())).collect();
            for release in order {
                assert!(connection.is_blocked() && connection.is_connected());
                assert_eq!(board.emit(), [0, 2]);
                blocks[release] = None;
            }
            assert!(!connection.is_blocked());
            assert_eq!(board.emit(), [0, 1, 2]);
        }
    }

    // From boost::signals2 (`shared_connection_block`).
    #[test]
    fn a_block_outlives_the_handle_the_connection_and_the_signal_it_came_from() {
        let signal: Signal<()> = Signal::new();
        let owner = Strong::new(());
        let block = signal.connect(&owner, |_, _| ()).block();
        assert_eq!(signal.emit(&()), 0, "the handle is gone, the block is not");
        drop(block);
        assert_eq!(signal.emit(&()), 1);
        let connection = signal.connect(&owner, |_, _| ());
        let blocks = [connection.block(), connection.block()];
        assert_eq!(signal.disconnect_owner(&owner), 2);
        assert!(!connection.is_connected() && !connection.is_blocked());
        let [one, two] = blocks;
        drop(one);
        let third = connection.block();
        drop(signal);
        drop((two, third, connection.block()));
    }

    // KDBindings throws for a blocker on a handle that is not active; here it is harmless.

    // From KDBindings, tests/signal/tst_signal.cpp.
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

    // From KDBindings, tests/signal/tst_signal.cpp.
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

    // From KDBindings, tests/signal/tst_signal.cpp.
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
}
