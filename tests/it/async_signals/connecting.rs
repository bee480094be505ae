//! Connecting during an emission.

use super::*;

both_flavors! {
    with helpers;

    tests! {
        async fn a_handler_connected_during_an_emission_is_first_called_by_the_next_one() {
            for way in WAYS {
                let log = Behind::new().called_after(way, |this| {
                    let Behind { signal, c, .. } = this.as_ref().unwrap();
                    signal.slot().priority(9).connect(c, Worker::also);
                    signal.connect(c, Worker::also);
                });
                assert!(log.await.iter().all(|line| !line.contains("also")), "{way:?}");
            }
        }

        async fn a_handler_connected_by_a_handler_is_first_called_by_the_next_emission() {
            for way in WAYS {
                let Behind { signal, log, a, b, c: _c, .. } = Behind::new();
                signal.disconnect_all();
                let both = Strong::new((Strong::downgrade(&signal), b.clone()));
                signal.slot().once().connect(
                    &both,
                    async |both: &(Weak<AsyncSignal<u32>>, Strong<Worker>), _: &u32| {
                        both.0.upgrade().unwrap().connect(&both.1, Worker::note);
                        yield_once().await;
                        both.0.upgrade().unwrap().connect(&both.1, Worker::also);
                    },
                );
                assert_eq!(run(way, &signal, &1).await, 1);
                assert_eq!(run(way, &signal, &2).await, 2);
                assert_eq!(log.take(), ["b 2", "b also 2"]);
                drop(a);
            }
        }

        async fn an_emission_made_before_there_was_ever_a_slot_covers_the_first_ones_too() {
            let log = Log::default();
            let worker = Worker::new(&log, "a");
            for way in 0..5 {
                let signal: AsyncSignal<u32> = AsyncSignal::new();
                let connect = || signal.connect(&worker, Worker::note);
                let called = match way {
                    0 => {
                        let emission = signal.emit(&1);
                        connect();
                        emission.await
                    }
                    1 => {
                        let emission = signal.emit_concurrent(&1);
                        connect();
                        emission.await
                    }
                    2 => {
                        let emission = signal.try_emit(&1);
                        connect();
                        emission.await.unwrap()
                    }
                    3 => {
                        let emission = signal.call(&1);
                        assert_eq!(emission.size_hint(), (0, None));
                        connect();
                        emission.count().await
                    }
                    _ => {
                        let emission = signal.call_concurrent(&1);
                        assert_eq!(emission.size_hint(), (0, None));
                        connect();
                        emission.count().await
                    }
                };
                assert_eq!((called, log.take()), (1, vec!["a 1".to_owned()]));
            }
        }

        async fn an_emission_covers_the_slots_connected_at_its_first_poll() {
            let Behind { signal, log, a, b, c: _c, .. } = Behind::new();
            let mut emission = signal.emit(&1);
            signal.connect(&b, Worker::note);
            assert!(poll!(&mut emission).is_pending());
            signal.connect(&b, Worker::also);
            a.door.open();
            assert_eq!(emission.await, 4);
            assert_eq!(log.take(), ["a starts 1", "a ends 1", "b 1", "c 1", "b 1"]);
        }
    }
}
