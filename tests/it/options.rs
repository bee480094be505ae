//! Options of a slot: `once`, `times` and `unique`. (Of `priority`, see `order.rs`.)

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

both_flavors! {
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
        assert!(message.contains("called 0 times is never called"), "{message}");
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
}
