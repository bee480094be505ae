//! Waiting for the next event.

use super::*;

both_flavors! {
    with helpers;

    #[test]
    fn the_next_event_is_that_of_the_first_emission_after_the_call_however_late_it_is_awaited() {
        under_each_executor(async || {
            let signal: Signal<u32> = Signal::new();
            signal.emit(&1);
            let next = signal.next_event();
            assert_eq!(signal.slot_count(), 1, "connected at the call");
            emit(&signal, 2..=4);
            assert_eq!(signal.slot_count(), 0, "done at the first");
            assert_eq!(next.await, Some(2));
        });
    }

    #[test]
    fn who_awaits_the_next_event_is_woken_by_it() {
        under_each_executor(async || {
            let signal: Signal<u32> = Signal::new();
            let emitter = async {
                yield_once().await;
                emit(&signal, 7..=8);
            };
            assert_eq!(join(signal.next_event(), emitter).await.0, Some(7));
        });
    }

    #[test]
    fn who_awaits_the_next_event_gets_none_when_the_signal_ends() {
        under_each_executor(async || {
            for by_drop in [true, false] {
                let signal: Signal<u32> = Signal::new();
                let [before, waiting] = [signal.next_event(), signal.next_event()];
                let end = async {
                    yield_once().await;
                    if by_drop {
                        drop(signal);
                    } else {
                        signal.disconnect_all();
                    }
                };
                assert_eq!(join(waiting, end).await.0, None);
                assert_eq!(before.await, None, "nor does it wait for a signal that is gone");
            }
        });
    }

    #[test]
    fn an_event_that_came_before_the_signal_ended_is_not_lost_to_who_awaits_it_afterwards() {
        let signal: Signal<u32> = Signal::new();
        let next = signal.next_event();
        signal.emit(&1);
        drop(signal);
        assert_eq!(block_on(next), Some(1));
    }

    #[test]
    fn a_next_event_that_is_dropped_disconnects_and_one_that_is_done_stays_done() {
        let signal: Signal<u32> = Signal::new();
        drop(signal.next_event());
        assert_eq!(signal.slot_count(), 0);
        let mut next = signal.next_event();
        assert!(is_pending(&mut next) && !next.is_terminated());
        emit(&signal, 1..=2);
        assert_eq!(block_on(&mut next), Some(1));
        assert!(next.is_terminated());
        assert_eq!(block_on(&mut next), None);
    }
}
