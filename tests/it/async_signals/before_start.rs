//! What happens before a handler is started.

use super::*;

both_flavors! {
    with helpers;

    tests! {
        async fn a_handler_disconnected_before_its_start_is_not_started() {
            for way in IN_SEQUENCE {
                let without_b = ["a starts 1", "a ends 1", "c 1"];
                let log = Behind::new().called_after(way, |this| {
                    this.as_ref().unwrap().connections[1].disconnect();
                });
                assert_eq!(log.await[..3], without_b, "by its connection, {way:?}");
                let log = Behind::new().called_after(way, |this| {
                    let Behind { signal, b, .. } = this.as_ref().unwrap();
                    signal.disconnect_owner(b);
                });
                assert_eq!(log.await[..3], without_b, "by its owner, {way:?}");
                let log = Behind::new().called_after(way, |this| {
                    let Behind { signal, b, .. } = this.as_ref().unwrap();
                    assert_eq!(signal.disconnect_method(b, Worker::note), 1);
                });
                assert_eq!(log.await[..3], without_b, "by its method, {way:?}");
                let log = Behind::new().called_after(way, |this| {
                    assert_eq!(this.as_ref().unwrap().signal.disconnect_all(), 3);
                });
                assert_eq!(log.await[..2], without_b[..2], "with all, {way:?}");
            }
        }

        async fn a_handler_whose_guard_is_dropped_before_its_start_is_not_started() {
            for way in IN_SEQUENCE {
                let Behind { signal, a, b: _b, c: _c, .. } = Behind::new();
                let late = signal.connect_fn(|_: &u32| -> std::future::Ready<()> {
                    panic!("it was disconnected")
                });
                let mut emission = Box::pin(run(way, &signal, &1));
                assert!(poll!(&mut emission).is_pending());
                drop(late);
                a.door.open();
                assert_eq!(emission.await, 3);
            }
        }

        async fn concurrent_handlers_disconnected_by_one_before_them_are_not_started() {
            for way in [Concurrently, CallConcurrently] {
                let Behind { signal, log, a, connections, b: _b, c: _c } = Behind::new();
                a.door.open();
                let owner = Strong::new(connections);
                signal.slot().priority(1).connect(
                    &owner,
                    async |connections: &[Connection; 3], _: &u32| {
                        connections[1].disconnect();
                        yield_once().await;
                        connections[2].disconnect();
                    },
                );
                run(way, &signal, &1).await;
                assert_eq!(log.take(), ["a starts 1", "a ends 1", "c 1"]);
            }
        }

        async fn a_blocked_handler_is_not_started_and_not_counted() {
            for way in WAYS {
                let Behind { signal, log, a, connections, b: _b, c: _c } = Behind::new();
                a.door.open();
                let block = connections[1].block();
                assert_eq!(run(way, &signal, &1).await, 2);
                drop(block);
                let block = signal.block();
                assert_eq!(run(way, &signal, &2).await, 0);
                drop(block);
                assert_eq!(run(way, &signal, &3).await, 3);
                assert!(log.take().iter().all(|line| line != "b 1" && !line.contains('2')));
            }
        }

        async fn a_handler_blocked_before_its_start_is_not_started_and_one_under_way_goes_on() {
            for way in IN_SEQUENCE {
                let Behind { signal, log, a, connections, b: _b, c: _c } = Behind::new();
                let mut emission = Box::pin(run(way, &signal, &1));
                assert!(poll!(&mut emission).is_pending());
                let blocks = (connections[0].block(), connections[1].block());
                a.door.open();
                assert_eq!(emission.await, 2);
                assert_eq!(log.take(), ["a starts 1", "a ends 1", "c 1"]);
                drop(blocks);
            }
        }

        async fn an_owner_that_ends_before_its_handler_starts_is_freed_at_once_and_pruned() {
            for way in IN_SEQUENCE {
                let Behind { signal, log, a, b, c: _c, .. } = Behind::new();
                let mut emission = Box::pin(run(way, &signal, &1));
                assert!(poll!(&mut emission).is_pending());
                drop(b);
                assert_eq!(log.take(), ["a starts 1", "b dropped"]);
                a.door.open();
                assert_eq!(emission.await, 2);
                assert_eq!(signal.slot_count(), 2);
            }
        }
    }
}
