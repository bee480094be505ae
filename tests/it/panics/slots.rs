//! Panics of slots, and of destructors that an emission or a connect runs.

use crate::support::panic_of;
use sigwire::Signal;
use std::sync::Arc;
use std::thread;

both_flavors! {
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
    fn try_emit_calls_every_slot_and_reports_which_panicked_and_how() {
        let signal: Signal<u32> = Signal::new();
        let owner = Strong::new(());
        let a = signal.slot().name("first").connect(&owner, |_, n| panic!("bad {n}"));
        signal.connect(&owner, |_, _| ());
        let c = signal.slot().once().name("third").connect(&owner, |_, _| panic!("worse"));
        let d = signal.connect(&owner, |_, _| std::panic::panic_any(7));
        let error = signal.try_emit(&5).unwrap_err();
        assert_eq!(error.called(), 4);
        let panics: Vec<_> = error
            .failures()
            .iter()
            .map(|p| (p.connection().clone(), p.name(), p.message()))
            .collect();
        assert_eq!(
            panics,
            [
                (a.clone(), Some("first"), "bad 5"),
                (c.clone(), Some("third"), "worse"),
                (d.clone(), None, "a value that is not a string"),
            ]
        );
        assert_eq!(
            error.to_string(),
            "3 of 4 slots failed: slot first panicked with `bad 5`; slot third panicked with \
             `worse`; slot without name panicked with `a value that is not a string`"
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
            "1 of 2 slots failed: a destructor at slot dead panicked with `in a destructor`; \
             slot without name panicked with `bad 5`"
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
}

#[test]
fn a_slot_that_panics_on_another_thread_leaves_the_signal_usable_for_all() {
    let signal: Signal<u32> = Signal::new();
    let owner = Arc::new(());
    signal.connect(&owner, |_, n| assert!(*n != 13, "unlucky"));
    thread::scope(|scope| {
        let unlucky = scope.spawn(|| signal.emit(&13));
        (0..1000).filter(|n| *n != 13).for_each(|n| assert_eq!(signal.emit(&n), 1));
        assert!(unlucky.join().is_err());
    });
    assert_eq!(signal.emit(&1), 1);
    let guard = signal.connect_fn(|_| ());
    assert_eq!(signal.emit(&1), 2);
    drop(guard);
    assert_eq!(signal.slot_count(), 1);
}
