//! Emissions that are dropped.

use super::*;

both_flavors! {
    with helpers;

    type FutureOf = Boxed<'static, ()>;

    tests! {
        async fn dropping_an_emission_drops_its_futures_and_calls_no_further_handler() {
            for way in WAYS {
                let Behind { signal, log, a, b, c, .. } = Behind::new();
                signal.disconnect_all();
                signal.connect(&a, Worker::wait);
                signal.connect(&b, Worker::wait);
                let mut emission = Box::pin(run(way, &signal, &1));
                assert!(poll!(&mut emission).is_pending());
                drop((a, b));
                let started = if IN_SEQUENCE.contains(&way) { 1 } else { 2 };
                let before: Vec<_> =
                    log.take().into_iter().filter(|line| line.contains("starts")).collect();
                assert_eq!(before.len(), started, "{way:?}");
                drop(emission);
                let dropped = log.take();
                assert_eq!(dropped.len(), started, "{way:?}: {dropped:?}");
                assert!(dropped.iter().all(|line| line.contains("dropped")), "{way:?}");
                signal.connect(&c, Worker::note);
                assert_eq!(run(way, &signal, &2).await, 1);
                assert_eq!(signal.slot_count(), 1);
            }
        }

        async fn a_leaked_emission_keeps_what_it_holds_and_harms_nothing() {
            for way in [Emit, Concurrently] {
                let Behind { signal, log, a, b, c: _c, .. } = Behind::new();
                let event = Box::new(1);
                match way {
                    Emit => {
                        let mut emission = signal.emit(&event);
                        assert!(poll!(&mut emission).is_pending());
                        std::mem::forget(emission);
                    }
                    _ => {
                        let mut emission = signal.emit_concurrent(&event);
                        assert!(poll!(&mut emission).is_pending());
                        std::mem::forget(emission);
                    }
                }
                drop(event);
                // Wakes what is leaked.
                a.door.open();
                yield_once().await;
                log.take();
                signal.connect(&b, Worker::also);
                assert_eq!(signal.emit(&2).await, 4);
                assert_eq!(log.take(), ["a starts 2", "a ends 2", "b 2", "c 2", "b also 2"]);
            }
        }

        async fn a_handler_may_drop_another_emission_of_its_signal_that_is_under_way() {
            let Behind { signal, log, a, b, c: _c, .. } = Behind::new();
            signal.disconnect_all();
            signal.connect(&a, Worker::wait);
            type Kept = Strong<Exclusive<Option<FutureOf>>>;
            let kept: Kept = Strong::new(Exclusive::new(None));
            let alive = Strong::downgrade(&a);
            let leaked: Strong<AsyncSignal<u32>> = signal.clone();
            let mut first: FutureOf = boxed(async move {
                leaked.emit(&1).await;
            });
            assert!(poll!(&mut first).is_pending());
            with(&kept, |kept| *kept = Some(first));
            signal.disconnect_all();
            drop(a);
            assert!(alive.upgrade().is_some());
            signal.connect(&kept, async |kept: &Exclusive<Option<FutureOf>>, _: &u32| {
                let first = with(kept, Option::take);
                drop(first);
            });
            signal.connect(&b, Worker::note);
            log.take();
            assert_eq!(signal.emit(&2).await, 2);
            assert_eq!(log.take(), ["a dropped", "b 2"]);
        }
    }
}
