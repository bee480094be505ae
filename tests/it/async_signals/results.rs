//! Streams of results.

use super::*;

both_flavors! {
    with helpers;

    tests! {
        async fn call_starts_each_handler_when_its_result_is_asked_for() {
            let log = Log::default();
            let signal: AsyncSignal<u32, u32> = AsyncSignal::new();
            let owner = Strong::new(log.clone());
            for place in 0..3 {
                signal.connect(&owner, move |log: &Log, n: &u32| {
                    log.add(place.to_string());
                    let n = *n;
                    async move {
                        yield_once().await;
                        n + place
                    }
                });
            }
            let mut results = signal.call(&10);
            assert!(log.take().is_empty());
            assert_eq!(results.size_hint(), (0, None), "slots may still be connected");
            assert!(poll!(results.next()).is_pending());
            assert_eq!(results.size_hint(), (0, Some(3)), "the one that is under way counts");
            assert_eq!(results.next().await, Some(10));
            assert_eq!(log.take(), ["0"]);
            assert_eq!(results.next().await, Some(11));
            assert_eq!(log.take(), ["1"]);
            drop(results);
            assert!(log.take().is_empty());
            let mut results = signal.call(&10);
            while results.next().await.is_some() {}
            assert_eq!(results.next().await, None, "also when asked again");
        }

        async fn call_concurrent_gives_results_as_they_finish() {
            let signal: AsyncSignal<u32, usize> = AsyncSignal::new();
            let doors: Vec<_> = (0..4).map(|_| Strong::new(Door::default())).collect();
            for (place, door) in doors.iter().enumerate() {
                signal.connect(door, move |_: &Door, _: &u32| ready(place + 100));
                signal.connect(door, Door::address);
            }
            let mut results = signal.call_concurrent(&1);
            let mut first = Vec::new();
            for _ in 0..4 {
                first.push(results.next().await.unwrap());
            }
            assert_eq!(first, [100, 101, 102, 103], "those that are ready at once, in order");
            assert!(poll!(results.next()).is_pending());
            assert_eq!(results.size_hint(), (0, Some(4)));
            for place in [2, 0, 3, 1] {
                doors[place].open();
                assert_eq!(results.next().await, Some(address(&doors[place])));
            }
            assert_eq!(results.next().await, None);
            assert_eq!(results.next().await, None);
        }

        async fn results_of_concurrent_handlers_come_in_the_order_these_were_woken() {
            let signal: AsyncSignal<u32, usize> = AsyncSignal::new();
            let doors: Vec<_> = (0..4).map(|_| Strong::new(Door::default())).collect();
            for door in &doors {
                signal.connect(door, Door::address);
            }
            let mut results = signal.call_concurrent(&1);
            assert!(poll!(results.next()).is_pending());
            for place in [2, 0, 3, 1] {
                doors[place].open();
            }
            for place in [2, 0, 3, 1] {
                assert_eq!(results.next().await, Some(address(&doors[place])));
            }
            assert_eq!(results.next().await, None);
        }

        async fn results_that_nobody_takes_are_dropped() {
            let log = Log::default();
            let signal: AsyncSignal<u32, Noter> = AsyncSignal::new();
            let owner = Strong::new(log.clone());
            signal.connect(&owner, async |log: &Log, _: &u32| Noter::new(log, "at once"));
            signal.connect(&owner, async |log: &Log, _: &u32| {
                yield_once().await;
                Noter::new(log, "later")
            });
            signal.emit(&1).await;
            assert_eq!(log.take(), ["at once dropped", "later dropped"]);
            signal.emit_concurrent(&1).await;
            assert_eq!(log.take(), ["at once dropped", "later dropped"]);
            signal.try_emit(&1).await.unwrap();
            assert_eq!(log.take(), ["at once dropped", "later dropped"]);
            let mut results = signal.call_concurrent(&1);
            drop(results.next().await);
            drop(results);
            assert_eq!(log.take(), ["at once dropped"]);
        }
    }
}
