//! Emissions in the caller's hands: the iterator over the results of `call`.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

both_flavors! {
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

    // Combiners: functions over the iterator that an emission is.

    /// A signal whose slots give these numbers, and count their calls.
    fn giving(numbers: &[i32]) -> (Signal<(), i32>, Strong<AtomicUsize>, Vec<Connection>) {
        let signal = Signal::new();
        let calls = Strong::new(AtomicUsize::new(0));
        let connect = |number: &i32| {
            let number = *number;
            signal.connect(&calls, move |calls, _| {
                calls.fetch_add(1, Relaxed);
                number
            })
        };
        let connections = numbers.iter().map(connect).collect();
        (signal, calls, connections)
    }

    fn max_or_zero(results: impl Iterator<Item = i32>) -> i32 {
        results.max().unwrap_or(0)
    }

    // From boost::signals2, test/signal_test.cpp.
    #[test]
    fn a_maximum_combiner_gives_the_largest_result_of_the_slots_that_may_be_called() {
        let (signal, calls, connections) = giving(&[3, -7, 42, 5]);
        assert_eq!(max_or_zero(signal.call(&())), 42);
        let block = connections[2].block();
        assert_eq!(max_or_zero(signal.call(&())), 5);
        drop(block);
        assert_eq!(max_or_zero(signal.call(&())), 42);
        connections[2].disconnect();
        connections[3].disconnect();
        assert_eq!(max_or_zero(signal.call(&())), 3);
        connections[0].disconnect();
        assert_eq!(max_or_zero(signal.call(&())), -7, "not the default: there is a slot");
        connections[1].disconnect();
        assert_eq!(max_or_zero(signal.call(&())), 0);
        assert_eq!(calls.load(Relaxed), 4 + 3 + 4 + 2 + 1);
    }

    // From boost::signals2, test/signal_test.cpp.
    #[test]
    fn a_last_value_combiner_gives_what_the_slot_called_last_returned_after_calling_them_all() {
        let (signal, calls, connections) = giving(&[1, 2, 3]);
        let first = signal.slot().priority(9).connect(&calls, |_, _| 100);
        assert_eq!(signal.call(&()).last(), Some(3), "called last, not connected last");
        assert_eq!(calls.load(Relaxed), 3);
        connections[2].disconnect();
        assert_eq!(signal.call(&()).last(), Some(2));
        drop((calls, connections));
        assert_eq!(signal.call(&()).last(), None);
        assert!(!first.is_connected());
    }

    // From boost::signals2, test/signal_test.cpp.
    #[test]
    fn a_combiner_that_has_its_answer_calls_no_further_slot() {
        let (signal, calls, connections) = giving(&[1, 2, 3, 4]);
        let called = |expected| assert_eq!(calls.swap(0, Relaxed), expected);
        assert!(signal.call(&()).any(|result| result == 2));
        called(2);
        assert!(!signal.call(&()).all(|result| result < 3));
        called(3);
        let stop_at = |limit| {
            signal.call(&()).try_fold(0, |sum, result| {
                if sum + result > limit {
                    ControlFlow::Break(sum)
                } else {
                    ControlFlow::Continue(sum + result)
                }
            })
        };
        assert_eq!(stop_at(5), ControlFlow::Break(3));
        called(3);
        assert_eq!(stop_at(10), ControlFlow::Continue(10));
        called(4);
        let mut results = signal.call(&());
        called(0);
        assert_eq!(results.next(), Some(1));
        called(1);
        connections[1].disconnect();
        assert_eq!(results.next(), Some(3), "disconnected between two results");
        called(1);
        drop(results);
        called(0);
    }

    // From boost::signals2, test/signal_test.cpp.
    // Boost calls a slot when its result is read; here it is called when the emission is advanced.
    #[test]
    fn a_combiner_may_pass_over_results_but_not_over_calls() {
        let (signal, calls, _) = giving(&[1, 2, 3, 4]);
        assert_eq!(signal.call(&()).nth(2), Some(3));
        assert_eq!(calls.swap(0, Relaxed), 3);
        assert_eq!(signal.call(&()).step_by(2).collect::<Vec<_>>(), [1, 3]);
        assert_eq!(calls.swap(0, Relaxed), 4);
    }

    // From boost::signals2, test/signal_test.cpp.
    #[test]
    fn a_signal_with_no_slot_to_call_gives_combiners_none_however_it_became_empty() {
        let gives_none = |signal: &Signal<(), i32>| {
            assert_eq!(signal.call(&()).next(), None);
            assert_eq!(signal.call(&()).last(), None);
            assert_eq!(signal.call(&()).max(), None);
            assert_eq!(signal.call(&()).reduce(|a, b| a + b), None);
            assert_eq!(signal.call(&()).count(), 0);
            assert_eq!(max_or_zero(signal.call(&())), 0);
        };
        gives_none(&Signal::new());
        let (signal, _calls, connections) = giving(&[1, 2]);
        connections.iter().for_each(|connection| assert!(connection.disconnect()));
        gives_none(&signal);
        let (signal, calls, _) = giving(&[1, 2]);
        drop(calls);
        gives_none(&signal);
        let (signal, _calls, connections) = giving(&[1, 2]);
        let _blocks: Vec<Block> = connections.iter().map(Connection::block).collect();
        gives_none(&signal);
        let (signal, _calls, _) = giving(&[1, 2]);
        signal.disconnect_all();
        gives_none(&signal);
    }
}
