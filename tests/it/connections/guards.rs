//! Scoped connections.

both_flavors! {
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

    // Scoped connections. Boost swaps, releases and assigns them by methods of theirs; here swap is
    // `mem::swap`, release is `detach`, and a move is a move.

    /// A signal whose one slot is guarded.
    fn guarded() -> (Signal<()>, ScopedConnection) {
        let signal = Signal::new();
        let guard = signal.connect_fn(|_| ());
        (signal, guard)
    }

    // From boost::signals2, test/connection_test.cpp.
    #[test]
    fn swapped_guards_each_disconnect_what_the_other_held() {
        let ((a, mut guard_of_a), (b, mut guard_of_b)) = (guarded(), guarded());
        std::mem::swap(&mut guard_of_a, &mut guard_of_b);
        assert_eq!((a.emit(&()), b.emit(&())), (1, 1), "swapping disconnects nothing");
        drop(guard_of_a);
        assert_eq!((a.emit(&()), b.emit(&())), (1, 0));
        drop(guard_of_b);
        assert_eq!((a.emit(&()), b.emit(&())), (0, 0));
    }

    // From boost::signals2, test/connection_test.cpp.
    #[test]
    fn a_released_guard_gives_a_connection_that_stands_until_it_is_disconnected_or_guarded_again() {
        let (signal, guard) = guarded();
        let copy = Connection::clone(&guard);
        let connection = guard.detach();
        assert_eq!(connection, copy);
        assert_eq!(signal.emit(&()), 1);
        drop(connection);
        assert_eq!(signal.emit(&()), 1);
        drop(copy.clone().scoped());
        assert_eq!(signal.emit(&()), 0);
        assert!(!copy.is_connected());
    }

    // From boost::signals2, test/connection_test.cpp.
    #[test]
    fn a_moved_guard_disconnects_where_it_ends_and_not_where_it_was_made() {
        let (signal, guard) = guarded();
        let mut moved = vec![Some(Box::new(guard))];
        assert_eq!(signal.emit(&()), 1);
        let guard = moved[0].take();
        drop(moved);
        assert_eq!(signal.emit(&()), 1);
        let holder = Strong::new(guard);
        let second = holder.clone();
        drop(holder);
        assert_eq!(signal.emit(&()), 1);
        drop(second);
        assert_eq!(signal.emit(&()), 0);
    }

    // From boost::signals2, test/regression_test.cpp.
    #[test]
    fn a_guard_that_is_assigned_over_disconnects_what_it_held_before() {
        let ((a, guard_of_a), (b, guard_of_b)) = (guarded(), guarded());
        let mut guards = [guard_of_a];
        assert_eq!((a.emit(&()), b.emit(&())), (1, 1));
        guards[0] = guard_of_b;
        assert_eq!((a.emit(&()), b.emit(&())), (0, 1));
        guards[0] = a.connect_fn(|_| ());
        assert_eq!((a.emit(&()), b.emit(&())), (1, 0));
        drop(guards);
        assert_eq!((a.emit(&()), b.emit(&())), (0, 0));
    }
}
