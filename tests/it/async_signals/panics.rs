//! Panics of handlers, and of what an emission drops.

use super::*;

both_flavors! {
    with helpers;

    tests! {
        async fn a_panic_goes_to_who_polls_and_leaves_the_signal_usable() {
            for way in WAYS {
                if way == Try {
                    continue;
                }
                for kind in [IN_MAKING, IN_THE_FIRST_POLL, IN_A_LATER_POLL] {
                    let Behind { signal, log, a, b, c: _c, connections } = Behind::new();
                    a.door.open();
                    connections[1].disconnect();
                    connections[2].disconnect();
                    let bad = signal.connect(&b, move |_: &Worker, _: &u32| panicking(kind));
                    signal.connect(&b, Worker::also);
                    assert_eq!(panic_in(run(way, &signal, &1)).await, kind, "{way:?}");
                    let called = log.take();
                    if IN_SEQUENCE.contains(&way) || kind != IN_A_LATER_POLL {
                        assert_eq!(called, ["a starts 1", "a ends 1"], "{way:?}, {kind}");
                    }
                    assert!(bad.disconnect());
                    assert_eq!(run(way, &signal, &2).await, 2);
                    drop(b);
                    assert!(log.take().contains(&"b dropped".to_owned()));
                }
            }
        }

        async fn an_emission_polled_again_after_panics_runs_every_handler_once() {
            const READY: &str = "ready";
            const PENDING: &str = "pending";
            let kinds = [READY, IN_MAKING, PENDING, IN_THE_FIRST_POLL, IN_A_LATER_POLL];
            // Each kind before and after each other.
            for first in kinds {
                for second in kinds {
                    for way in [Emit, Call, Concurrently, CallConcurrently] {
                        let signal: AsyncSignal<u32> = AsyncSignal::new();
                        let log = Log::default();
                        let owner = Strong::new(log.clone());
                        let order = [READY, first, second, PENDING, second, first, READY, PENDING];
                        for kind in order {
                            signal.connect(&owner, move |log: &Log, _: &u32| {
                                log.add(kind);
                                let handler = match kind {
                                    READY => None,
                                    PENDING => Some(yield_once().left_future()),
                                    kind => Some(panicking(kind).right_future()),
                                };
                                let log = log.clone();
                                async move {
                                    if let Some(handler) = handler {
                                        handler.await;
                                    }
                                    log.add("done");
                                }
                            });
                        }
                        let mut emission = emission(way, &signal, &1);
                        let mut panics = 0;
                        let called = loop {
                            let poll = AssertUnwindSafe(|| poll_by_none(&mut emission));
                            match std::panic::catch_unwind(poll) {
                                Ok(Poll::Ready(called)) => break called,
                                Ok(Poll::Pending) => (),
                                Err(_) => panics += 1,
                            }
                        };
                        let good =
                            order.iter().filter(|kind| [READY, PENDING].contains(kind)).count();
                        assert_eq!(
                            (called, panics),
                            (good, order.len() - good),
                            "{way:?} {order:?}"
                        );
                        let (done, started): (Vec<_>, Vec<_>) =
                            log.take().into_iter().partition(|entry| entry == "done");
                        assert_eq!((started, done.len()), (order.map(String::from).to_vec(), good));
                    }
                }
            }
        }

        async fn an_emission_polled_where_it_is_nested_too_deep_goes_on_elsewhere() {
            for way in WAYS {
                for polled_before in [false, true] {
                    let Behind { signal, log, a, b: _b, c: _c, .. } = Behind::new();
                    let mut emission = emission(way, &signal, &1);
                    if polled_before {
                        assert!(poll_by_none(&mut emission).is_pending(), "{way:?}");
                    }
                    let mut message = String::new();
                    at_the_bottom(&mut || {
                        message = panic_of(|| poll_by_none(&mut emission))
                    });
                    assert!(message.contains("nested 256 deep"), "{message}");
                    a.door.open();
                    assert_eq!(
                        poll_by_none(&mut emission),
                        Poll::Ready(3),
                        "{way:?}, {polled_before}"
                    );
                    let mut noted = log.take();
                    noted.sort();
                    assert_eq!(noted, ["a ends 1", "a starts 1", "b 1", "c 1"]);
                }
            }
        }

        async fn try_emit_runs_all_handlers_and_reports_which_panicked_and_why() {
            let log = Log::default();
            let signal: AsyncSignal<u32> = AsyncSignal::new();
            let good = Worker::new(&log, "good");
            let bad: Vec<Connection> = [IN_MAKING, IN_THE_FIRST_POLL, IN_A_LATER_POLL]
                .into_iter()
                .flat_map(|kind| {
                    signal.connect(&good, Worker::note);
                    let panicking = move |_: &Worker, _: &u32| panicking(kind);
                    let once = signal.slot().once().name(kind).connect(&good, panicking);
                    [once, signal.connect(&good, panicking)]
                })
                .collect();
            signal.connect_sync(&good, |_, _| panic!("sync"));
            signal.connect(&good, Worker::note);
            let error = signal.try_emit(&1).await.unwrap_err();
            assert_eq!(error.called(), 11);
            assert_eq!(log.take(), ["good 1"; 4]);
            assert_eq!(error.failures().len(), 7);
            for (failure, connection) in error.failures().iter().zip(&bad) {
                assert_eq!(format!("{:?}", failure.connection()), format!("{connection:?}"));
            }
            for (n, kind) in [IN_MAKING, IN_THE_FIRST_POLL, IN_A_LATER_POLL].into_iter().enumerate()
            {
                let (once, again) = (&error.failures()[2 * n], &error.failures()[2 * n + 1]);
                assert_eq!((once.name(), again.name()), (Some(kind), None));
                assert!(!once.connection().is_connected());
                assert!(again.connection().disconnect() && !bad[2 * n + 1].is_connected());
                assert_eq!(*once.failure(), Failure::Panicked(kind.to_owned()));
            }
            assert!(
                error.to_string().starts_with("7 of 11 slots failed: slot in making panicked")
            );
            assert_eq!(signal.try_emit(&1).await.unwrap_err().failures().len(), 1);
        }

        async fn a_destructor_that_panics_as_a_dead_slot_is_pruned_is_no_failure_of_its_handler() {
            let log = Log::default();
            let signal: AsyncSignal<u32> = AsyncSignal::new();
            let (dead, good) = (Worker::new(&log, "dead"), Worker::new(&log, "good"));
            let bomb = AtEnd(|| panic!("in a destructor"));
            signal.connect_sync(&dead, move |_, _| bomb.touch());
            signal.connect(&good, Worker::note);
            signal.connect_sync(&good, |_, _| panic!("sync"));
            drop(dead);
            log.take();
            let error = signal.try_emit(&1).await.unwrap_err();
            let were_called: Vec<_> = error.failures().iter().map(|it| it.in_slot()).collect();
            assert_eq!((error.called(), were_called), (2, vec![false, true]));
            assert!(
                error.to_string().starts_with(
                    "1 of 2 slots failed: a destructor at slot without name panicked"
                )
            );
            assert_eq!(log.take(), ["good 1"]);
        }

        async fn a_result_whose_destructor_panics_counts_once() {
            struct Bad;
            impl Drop for Bad {
                fn drop(&mut self) {
                    panic!("in the destructor of a result");
                }
            }
            for pending in [false, true] {
                let signal: AsyncSignal<u32, Bad> = AsyncSignal::new();
                let owner = Strong::new(pending);
                signal.connect(&owner, async |pending: &bool, _: &u32| {
                    if *pending {
                        yield_once().await;
                    }
                    Bad
                });
                let error = signal.try_emit(&1).await.unwrap_err();
                assert_eq!((error.called(), error.failures().len()), (1, 1));
                assert!(panic_in(signal.emit(&1)).await.contains("of a result"));
                assert!(panic_in(signal.emit_concurrent(&1)).await.contains("of a result"));
            }
        }

        async fn a_future_whose_destructor_panics_is_dropped_once_with_its_owner() {
            struct Bad(Log, bool);
            impl Future for Bad {
                type Output = ();
                fn poll(mut self: std::pin::Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
                    if replace(&mut self.1, false) {
                        context.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                    Poll::Ready(())
                }
            }
            impl Drop for Bad {
                fn drop(&mut self) {
                    self.0.add("future dropped");
                    panic!("in the destructor of a future");
                }
            }
            for pending in [false, true] {
                for way in [Emit, Call, Concurrently, CallConcurrently] {
                    let log = Log::default();
                    let signal: AsyncSignal<u32> = AsyncSignal::new();
                    let owner = Strong::new(Noter::new(&log, "owner"));
                    signal.connect(&owner, move |owner: &Noter, _: &u32| {
                        Bad(owner.log.clone(), pending)
                    });
                    assert!(panic_in(run(way, &signal, &1)).await.contains("of a future"));
                    assert_eq!(log.take(), ["future dropped"]);
                    let error = signal.try_emit(&1).await.unwrap_err();
                    assert_eq!((error.called(), error.failures().len()), (1, 1));
                    assert_eq!(log.take(), ["future dropped"]);
                    if pending && IN_SEQUENCE.contains(&way) {
                        let mut emission = Box::pin(run(way, &signal, &1));
                        assert!(poll_by_none(&mut emission).is_pending());
                        panic_of(|| drop(emission));
                        assert_eq!(log.take(), ["future dropped"]);
                    }
                    drop(owner);
                    assert_eq!(log.take(), ["owner dropped"]);
                }
            }
        }

        async fn a_future_whose_destructor_panics_takes_the_other_concurrent_ones_along() {
            struct Waits(Option<Log>);
            impl Future for Waits {
                type Output = ();
                fn poll(self: std::pin::Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
                    Poll::Pending
                }
            }
            impl Drop for Waits {
                fn drop(&mut self) {
                    match &self.0 {
                        Some(log) => log.add("dropped"),
                        None => panic!("in a destructor"),
                    }
                }
            }
            let signal: AsyncSignal<u32> = AsyncSignal::new();
            let (log, owner) = (Log::default(), Strong::new(()));
            for panics in [false, true, false] {
                let kept = (!panics).then(|| log.clone());
                signal.connect(&owner, move |_: &(), _: &u32| Waits(kept.clone()));
            }
            let mut emission = signal.emit_concurrent(&1);
            assert!(poll!(&mut emission).is_pending());
            assert!(panic_of(|| drop(emission)).contains("in a destructor"));
            assert_eq!(log.take(), ["dropped", "dropped"]);
            assert_eq!(Strong::strong_count(&owner), 1);
        }
    }
}

#[test]
fn a_handler_that_fails_after_it_dropped_the_owner_of_the_one_before_is_told_as_itself() {
    let drop_and = [|| (), || panic!("itself")];
    for fails_at_once in [true, false] {
        let signal: sigwire::AsyncSignal<u32> = sigwire::AsyncSignal::new();
        let (owner, other) = (sigwire::HazardArc::new(()), Arc::new(()));
        signal.connect_sync(&owner, |_, _| ());
        let kept = Arc::new(std::sync::Mutex::new(Some(owner)));
        signal.connect(&other, move |_: &(), _: &u32| {
            drop(kept.lock().unwrap().take());
            drop_and[usize::from(fails_at_once)]();
            async move {
                yield_once().await;
                panic!("itself, later");
            }
        });
        let error = futures::executor::block_on(signal.try_emit(&1)).unwrap_err();
        let in_slot: Vec<_> = error.failures().iter().map(|failure| failure.in_slot()).collect();
        assert_eq!((error.called(), in_slot), (2, vec![true]), "{error}");
    }
}
