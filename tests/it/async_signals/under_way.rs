//! What happens while a handler is under way.

use super::*;

both_flavors! {
    with helpers;

    tests! {
        async fn a_future_under_way_runs_to_its_end_although_its_slot_is_disconnected() {
            for way in WAYS {
                let log = Behind::new().called_after(way, |this| {
                    let Behind { signal, connections, .. } = this.as_ref().unwrap();
                    assert!(connections[0].disconnect());
                    assert_eq!(signal.slot_count(), 2);
                });
                let log = log.await;
                assert!(log.contains(&"a ends 1".to_owned()), "{way:?}: {log:?}");
            }
        }

        async fn a_capture_is_dropped_with_the_future_of_its_closure_when_that_is_disconnected() {
            for way in WAYS {
                let signal: AsyncSignal<u32> = AsyncSignal::new();
                let door = Arc::new(Door::default());
                let kept = Arc::downgrade(&door);
                let guard = signal.connect_fn(move |_: &u32| {
                    let door = door.clone();
                    async move { door.pass().await }
                });
                let mut emission = Box::pin(run(way, &signal, &1));
                assert!(poll!(&mut emission).is_pending());
                drop(guard);
                kept.upgrade().expect("its future is under way").open();
                assert_eq!(emission.await, 1);
                assert!(kept.upgrade().is_none(), "{way:?}");
            }
        }

        async fn an_owner_whose_handler_is_under_way_is_held_until_right_after_its_end() {
            for way in WAYS {
                let Behind { signal, log, a, b: _b, c: _c, .. } = Behind::new();
                let door = a.door.clone();
                let alive = Strong::downgrade(&a);
                let mut emission = Box::pin(run(way, &signal, &1));
                assert!(poll!(&mut emission).is_pending());
                drop(a);
                assert!(alive.upgrade().is_some(), "{way:?}");
                log.take();
                door.open();
                emission.await;
                let log = log.take();
                assert_eq!(log[..2], ["a ends 1", "a dropped"], "{way:?}");
            }
        }

        async fn an_emission_that_is_not_started_holds_no_owner() {
            let Behind { signal, log, a, b, c, .. } = Behind::new();
            let emissions = (signal.emit(&1), signal.emit_concurrent(&1), signal.call(&1));
            drop((a, b, c));
            assert_eq!(log.take(), ["a dropped", "b dropped", "c dropped"]);
            assert_eq!(emissions.0.await, 0);
            assert_eq!(emissions.1.await, 0);
            assert_eq!(emissions.2.count().await, 0);
        }

        async fn an_owner_that_ends_in_its_own_handler_is_dropped_right_after_its_future() {
            for way in WAYS {
                let log = Log::default();
                let signal: AsyncSignal<u32> = AsyncSignal::new();
                struct Last {
                    noter: Noter,
                    own: Strong<Exclusive<Option<Strong<Last>>>>,
                }
                let own = Strong::new(Exclusive::new(None));
                let last = Strong::new(Last { noter: Noter::new(&log, "a"), own: own.clone() });
                with(&own, |own| *own = Some(last.clone()));
                signal.connect(&last, async |last: &Last, _: &u32| {
                    let own = with(&last.own, Option::take);
                    drop(own);
                    last.noter.on(&1);
                    yield_once().await;
                    last.noter.on(&2);
                });
                let b = Worker::new(&log, "b");
                signal.slot().priority(-1).connect(&b, Worker::note);
                drop(last);
                assert_eq!(run(way, &signal, &1).await, 2);
                let log = log.take();
                let end = log.iter().position(|line| line == "a 2").unwrap();
                assert_eq!(log[end + 1], "a dropped", "{way:?}");
            }
        }

        async fn disconnect_and_wait_does_not_wait_for_the_end_of_a_future() {
            let Behind { signal, log, a, b: _b, c: _c, connections } = Behind::new();
            let mut emission = signal.emit(&1);
            assert!(poll!(&mut emission).is_pending());
            connections[0].disconnect_and_wait().unwrap();
            a.door.open();
            assert_eq!(emission.await, 3);
            assert_eq!(log.take()[1], "a ends 1");
        }
    }
}
