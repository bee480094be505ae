//! Options, and what connections do.

use super::*;

both_flavors! {
    with helpers;

    tests! {
        async fn handlers_run_by_priority_then_as_they_were_connected() {
            let log = Log::default();
            let signal = AsyncSignal::new();
            let workers = ["a", "b", "c", "d"].map(|name| Worker::new(&log, name));
            signal.connect(&workers[0], Worker::note);
            signal.slot().priority(1).connect(&workers[1], Worker::note);
            signal.slot().priority(-1).connect_sync(&workers[2], Worker::at_once);
            signal.connect(&workers[3], Worker::note);
            for way in WAYS {
                assert_eq!(run(way, &signal, &1).await, 4);
                assert_eq!(log.take(), ["b 1", "a 1", "d 1", "c 1"], "{way:?}");
            }
        }

        async fn concurrent_handlers_are_started_in_order() {
            let log = Log::default();
            let signal = AsyncSignal::new();
            let workers = ["a", "b", "c"].map(|name| Worker::new(&log, name));
            signal.connect(&workers[0], Worker::wait);
            signal.connect(&workers[1], Worker::wait);
            signal.slot().priority(1).connect(&workers[2], Worker::wait);
            for worker in [2, 0, 1] {
                workers[worker].door.0.lock().unwrap().0 = false;
            }
            let mut emission = signal.emit_concurrent(&1);
            assert!(poll!(&mut emission).is_pending());
            assert_eq!(log.take(), ["c starts 1", "a starts 1", "b starts 1"]);
            for worker in [1, 2, 0] {
                workers[worker].door.open();
                let _ = poll!(&mut emission);
            }
            assert_eq!(log.take(), ["b ends 1", "c ends 1", "a ends 1"]);
        }

        async fn once_and_times_are_claimed_before_the_future_is_made() {
            for way in WAYS {
                let Behind { signal, log, a, b: _b, c: _c, .. } = Behind::new();
                signal.disconnect_all();
                let once = signal.slot().once().connect(&a, Worker::wait);
                let n = 1;
                let mut first = Box::pin(run(way, &signal, &n));
                assert!(poll!(&mut first).is_pending());
                assert!(!once.is_connected());
                assert_eq!(run(way, &signal, &2).await, 0, "{way:?}");
                a.door.open();
                assert_eq!(first.await, 1);
                assert_eq!(log.take()[..2], ["a starts 1", "a ends 1"]);

                signal.slot().times(2).connect(&a, Worker::note);
                drop(signal.emit(&2)); // never polled: nothing was claimed
                assert_eq!(run(way, &signal, &3).await, 1);
                assert_eq!(run(way, &signal, &4).await, 1);
                assert_eq!(run(way, &signal, &5).await, 0);
            }
        }

        async fn the_last_call_of_a_slot_counts_although_its_future_is_dropped() {
            let Behind { signal, a, b: _b, c: _c, .. } = Behind::new();
            signal.disconnect_all();
            signal.slot().once().connect(&a, Worker::wait);
            let mut emission = signal.emit(&1);
            assert!(poll!(&mut emission).is_pending());
            drop(emission);
            assert_eq!(signal.emit(&1).await, 0);
            assert_eq!(signal.slot_count(), 0);
        }

        async fn unique_gives_the_standing_connection() {
            let Behind { signal, a, connections, b: _b, c: _c, .. } = Behind::new();
            let again = signal.slot().unique().connect(&a, Worker::wait);
            assert_eq!(signal.slot_count(), 3);
            assert!(again.disconnect() && !connections[0].is_connected());
            signal.slot().unique().timeout(Duration::from_secs(1)).connect(&a, Worker::wait);
            signal.slot().unique().connect(&a, Worker::wait);
            assert_eq!(signal.slot_count(), 3, "also where one of them has a deadline");
        }

        async fn a_signal_answers_what_its_slots_are() {
            let Behind { signal, a, b, c: _c, .. } = Behind::new();
            assert!(!signal.is_empty() && !signal.is_blocked() && signal.slot_count() == 3);
            drop(b);
            assert_eq!(signal.prune(), 1);
            assert_eq!(signal.disconnect_owner(&a), 1);
            assert_eq!(signal.disconnect_all(), 1);
            assert!(signal.is_empty());
            assert!(
                format!("{signal:?} {:?} {:?}", signal.source(), signal.slot()).contains("Async")
            );
            assert!(format!("{:?} {:?}", signal.emit(&1), signal.try_emit(&1)).contains("Emit"));
        }
    }
}

static QUIT: sigwire::AsyncSignal<str, usize> = sigwire::AsyncSignal::new();

#[test]
fn an_asynchronous_signal_can_be_a_static() {
    let _guard = QUIT.connect_fn(async |word: &str| word.len());
    assert_eq!(QUIT.call("tea").next().now_or_never(), Some(Some(3)));
    const { assert!(size_of::<sigwire::local::AsyncSignal<str>>() == size_of::<usize>()) };
}
