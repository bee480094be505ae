//! Streams that are full: what is lost, and how that is told.

use super::*;

both_flavors! {
    with helpers;

    #[test]
    fn drop_oldest_keeps_the_newest_events_and_says_first_how_many_came_before() {
        let signal: Signal<u32> = Signal::new();
        let mut stream = signal.stream(3, Overflow::DropOldest);
        emit(&signal, 1..=8);
        assert_eq!(ready(&mut stream), [Err(Lagged(5)), Ok(6), Ok(7), Ok(8)]);
        emit(&signal, 9..=11);
        assert_eq!(ready(&mut stream), [9, 10, 11].map(Ok), "there was room again");
        emit(&signal, 12..=14);
        assert_eq!(block_on(stream.next()), Some(Ok(12)));
        emit(&signal, 15..=16);
        assert_eq!(ready(&mut stream), [Err(Lagged(1)), Ok(14), Ok(15), Ok(16)]);
        assert_eq!(stream.missed(), 6);
    }

    #[test]
    fn drop_newest_keeps_the_oldest_events_and_says_where_each_gap_is() {
        let signal: Signal<u32> = Signal::new();
        let mut stream = signal.stream(2, Overflow::DropNewest);
        emit(&signal, 1..=5);
        assert_eq!(block_on(stream.next()), Some(Ok(1)));
        emit(&signal, 6..=7);
        assert_eq!(block_on(stream.next()), Some(Ok(2)));
        emit(&signal, 8..=8);
        let rest = [Err(Lagged(3)), Ok(6), Err(Lagged(1)), Ok(8)];
        assert_eq!(ready(&mut stream), rest);
        assert_eq!(stream.missed(), 4);
        emit(&signal, 9..=9);
        assert_eq!(ready(&mut stream), [Ok(9)]);
    }

    #[test]
    fn what_was_lost_last_is_reported_at_once_and_before_the_end() {
        let signal: Signal<u32> = Signal::new();
        let mut stream = signal.stream(1, Overflow::DropNewest);
        emit(&signal, 1..=3);
        assert_eq!(ready(&mut stream), [Ok(1), Err(Lagged(2))]);
        emit(&signal, 4..=6);
        drop(signal);
        assert_eq!(block_on(stream.next()), Some(Ok(4)));
        assert!(!stream.is_terminated());
        assert_eq!(block_on(stream.next()), Some(Err(Lagged(2))));
        assert_eq!(block_on(stream.next()), None);
        assert!(stream.is_terminated());
    }

    #[test]
    fn latest_keeps_one_event_whatever_the_capacity_and_counts_what_it_replaced() {
        for capacity in [1, 100] {
            let signal: Signal<u32> = Signal::new();
            let mut stream = signal.stream(capacity, Overflow::Latest);
            emit(&signal, 1..=5);
            assert_eq!(ready(&mut stream), [Ok(5)]);
            emit(&signal, 6..=7);
            assert_eq!(stream.missed(), 5);
            drop(signal);
            assert_eq!(ready(&mut stream), [Ok(7)]);
            assert!(stream.is_terminated());
        }
    }

    #[test]
    fn a_full_stream_that_has_lost_nothing_reports_nothing() {
        for overflow in [Overflow::DropOldest, Overflow::DropNewest] {
            let signal: Signal<u32> = Signal::new();
            let mut stream = signal.stream(100, overflow);
            for round in 0..3 {
                emit(&signal, round * 100..(round + 1) * 100);
                let events: Vec<_> = (round * 100..(round + 1) * 100).map(Ok).collect();
                assert_eq!(ready(&mut stream), events);
            }
            assert_eq!(stream.missed(), 0);
        }
    }

    #[test]
    fn room_for_no_event_is_refused_with_a_panic_that_says_what_to_do() {
        let signal: Signal<u32> = Signal::new();
        for overflow in [Overflow::DropOldest, Overflow::DropNewest, Overflow::Latest] {
            let message = panic_of(|| signal.stream(0, overflow));
            assert!(message.contains("room for 0 events"), "{message}");
            assert!(message.contains("1 or more"), "{message}");
            assert_eq!(panic_of(|| signal.slot().stream(0, overflow)), message);
        }
        assert_eq!(signal.slot_count(), 0);
    }
}
