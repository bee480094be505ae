//! Handlers that run side by side, few and many.

use super::*;

both_flavors! {
    with helpers;

    tests! {
        async fn a_few_concurrent_handlers_that_wait_are_polled_once_at_their_start() {
            for (handlers, way) in
                [(1, Concurrently), (2, Concurrently), (30, Concurrently), (1, CallConcurrently)]
            {
                let Strictly { signal, polls, doors, owner: _owner } = Strictly::new(handlers);
                let mut emission = Box::pin(run(way, &signal, &1));
                assert!(poll!(&mut emission).is_pending());
                assert!(polls.iter().all(|polls| polls.load(SeqCst) == 1), "{handlers} {polls:?}");
                doors.iter().for_each(|door| door.open());
                assert_eq!(emission.await, handlers);
                assert!(polls.iter().all(|polls| polls.load(SeqCst) == 2), "{handlers} {polls:?}");
            }
        }

        async fn none_of_a_few_concurrent_handlers_that_wait_is_always_polled_first() {
            for handlers in [2, 3, 30] {
                let signal = Strong::new(AsyncSignal::<u32>::new());
                let (owner, order) = (Strong::new(()), Arc::new(Mutex::new(Vec::new())));
                for handler in 0..handlers {
                    let order = order.clone();
                    signal.connect(&owner, move |_: &(), _: &u32| {
                        let order = order.clone();
                        poll_fn(move |_| {
                            order.lock().unwrap().push(handler);
                            Poll::<()>::Pending
                        })
                    });
                }
                let mut emission = Box::pin(signal.emit_concurrent(&1));
                assert!(poll!(&mut emission).is_pending());
                let mut first = std::collections::BTreeSet::new();
                for _ in 0..handlers {
                    order.lock().unwrap().clear();
                    assert!(poll!(&mut emission).is_pending());
                    let order = order.lock().unwrap();
                    assert_eq!(order.len(), handlers, "each once");
                    first.insert(order[0]);
                }
                assert_eq!(first.len(), handlers, "each of them was first");
            }
        }

        async fn one_of_many_concurrent_handlers_that_is_woken_is_polled_alone() {
            for (handlers, way) in [(31, Concurrently), (100, Concurrently), (2, CallConcurrently)]
            {
                let Strictly { signal, polls, doors, owner: _owner } = Strictly::new(handlers);
                let mut emission = Box::pin(run(way, &signal, &1));
                assert!(poll!(&mut emission).is_pending());
                let before: usize = polls.iter().map(|polls| polls.load(SeqCst)).sum();
                doors[handlers - 1].open();
                assert!(poll!(&mut emission).is_pending());
                let after: usize = polls.iter().map(|polls| polls.load(SeqCst)).sum();
                assert_eq!(after, before + 1, "{handlers}");
            }
        }

        async fn concurrent_handlers_few_or_many_end_in_any_order_and_are_not_polled_again() {
            for handlers in FEW_AND_MANY {
                for way in [Concurrently, CallConcurrently] {
                    let Strictly { signal, polls, doors, owner } = Strictly::new(handlers);
                    let mut emission = Box::pin(run(way, &signal, &1));
                    assert!(poll!(&mut emission).is_pending());
                    for n in 0..handlers {
                        assert_eq!(Strong::strong_count(&owner), 1 + handlers - n);
                        // Nobody was woken.
                        assert!(poll!(&mut emission).is_pending());
                        // 37 has no divisor in common with the numbers of handlers.
                        doors[n * 37 % handlers].open();
                        assert_eq!(poll!(&mut emission).is_ready(), n == handlers - 1);
                    }
                    assert_eq!(Strong::strong_count(&owner), 1);
                    assert!(polls.iter().all(|polls| polls.load(SeqCst) >= 2));
                }
            }
        }

        async fn a_panic_of_a_concurrent_handler_that_waited_leaves_the_others_few_or_many() {
            for handlers in FEW_AND_MANY {
                for way in [Concurrently, CallConcurrently] {
                    let Strictly { signal, polls, doors, owner } = Strictly::new(handlers);
                    let (door, log) = (Arc::new(Door::default()), Log::default());
                    let (its_door, bomb) = (door.clone(), log.clone());
                    signal.slot().priority(1).connect(&owner, move |_: &Noter, _: &u32| {
                        let polls = Arc::default();
                        let dropped = Noter::new(&bomb, "it");
                        let future =
                            Strict { door: its_door.clone(), polls, is_over: false, panics: true };
                        future.inspect(move |()| drop(dropped))
                    });
                    let mut emission = emission(way, &signal, &1);
                    assert!(poll_by_none(&mut emission).is_pending());
                    door.open();
                    let message = panic_of(|| poll_by_none(&mut emission));
                    assert!(message.contains("after the door"));
                    assert_eq!(log.take(), ["it dropped"], "at once");
                    assert_eq!(Strong::strong_count(&owner), 1 + handlers);
                    assert!(poll_by_none(&mut emission).is_pending());
                    doors.iter().for_each(|door| door.open());
                    assert_eq!(poll_by_none(&mut emission), Poll::Ready(handlers));
                    assert!(polls.iter().all(|polls| polls.load(SeqCst) >= 2));
                    assert_eq!(Strong::strong_count(&owner), 1);
                }
            }
        }

        async fn a_concurrent_emission_that_is_dropped_half_way_drops_its_handlers_few_or_many() {
            for handlers in FEW_AND_MANY {
                for way in [Concurrently, CallConcurrently] {
                    let Strictly { signal, doors, owner, .. } = Strictly::new(handlers);
                    let mut emission = Box::pin(run(way, &signal, &1));
                    assert!(poll!(&mut emission).is_pending());
                    doors.iter().step_by(2).for_each(|door| door.open());
                    let _ = poll!(&mut emission);
                    drop(emission);
                    assert_eq!(Strong::strong_count(&owner), 1);
                }
            }
        }

        async fn what_a_concurrent_handler_emits_is_nested_as_deep_when_it_has_waited() {
            for handlers in [1, 30, 31] {
                let Strictly { signal, doors, owner: _owner, .. } = Strictly::new(handlers);
                let mut emission = signal.emit_concurrent(&1);
                assert!(poll!(&mut emission).is_pending());
                doors.iter().for_each(|door| door.open());
                at_the_bottom(&mut || {
                    assert!(panic_of(|| poll_by_none(&mut emission)).contains("nested 256 deep"));
                });
                assert_eq!(emission.await, handlers, "none was polled there");
            }
        }

        async fn emit_concurrent_runs_handlers_that_wait_for_one_another() {
            for way in [Concurrently, CallConcurrently] {
                let signal: AsyncSignal<u32> = AsyncSignal::new();
                let doors = Strong::new([Door::default(), Door::default()]);
                signal.connect(&doors, async |doors: &[Door; 2], _: &u32| {
                    doors[0].pass().await;
                    doors[1].open();
                });
                signal.connect(&doors, async |doors: &[Door; 2], _: &u32| {
                    doors[0].open();
                    doors[1].pass().await;
                });
                assert_eq!(run(way, &signal, &1).await, 2);
            }
        }

        async fn two_tasks_may_emit_side_by_side() {
            for way in WAYS {
                let Behind { signal, log, a, b: _b, c: _c, .. } = Behind::new();
                let both = join(run(way, &signal, &1), run(way, &signal, &2));
                let mut both = Box::pin(both);
                assert!(poll!(&mut both).is_pending());
                let starts: Vec<_> =
                    log.take().into_iter().filter(|line| line.contains("starts")).collect();
                assert_eq!(starts, ["a starts 1", "a starts 2"], "{way:?}");
                a.door.open();
                assert_eq!(both.await, (3, 3));
            }
        }
    }
}
