//! Many handlers, and handlers that are woken from elsewhere.

use super::*;

both_flavors! {
    with helpers;

    tests! {
        async fn a_thousand_handlers_that_each_yield_all_run() {
            let signal: AsyncSignal<u32, usize> = AsyncSignal::new();
            let owner = Strong::new(AtomicUsize::new(0));
            for _ in 0..1000 {
                signal.connect(&owner, async |count: &AtomicUsize, n: &u32| {
                    yield_once().await;
                    count.fetch_add(*n as usize, SeqCst)
                });
            }
            assert_eq!(signal.emit(&1).await, 1000);
            assert_eq!(signal.emit_concurrent(&1).await, 1000);
            assert_eq!(signal.try_emit(&1).await.unwrap(), 1000);
            let results: Vec<_> = signal.call(&1).collect().await;
            assert_eq!(results, (3000..4000).collect::<Vec<_>>());
            let results: Vec<_> = signal.call_concurrent(&1).collect().await;
            assert_eq!(results, (4000..5000).collect::<Vec<_>>());
        }

        async fn a_thousand_handlers_that_end_in_random_order_all_run() {
            let signal: AsyncSignal<u32, usize> = AsyncSignal::new();
            let doors: Vec<_> = (0..1000).map(|_| Strong::new(Door::default())).collect();
            for door in &doors {
                signal.connect(door, Door::address);
            }
            let mut random = random::Random::new(7);
            let mut order: Vec<usize> = (0..1000).collect();
            for i in (1..1000).rev() {
                order.swap(i, random.below(i + 1));
            }
            let mut results = signal.call_concurrent(&1);
            assert!(poll!(results.next()).is_pending());
            for place in order {
                doors[place].open();
                assert_eq!(results.next().await, Some(address(&doors[place])));
            }
            assert_eq!(results.next().await, None);
        }

        async fn a_handler_woken_from_another_thread_wakes_the_emission() {
            for way in WAYS {
                for _ in 0..50 {
                    let signal: AsyncSignal<u32> = AsyncSignal::new();
                    let doors: Vec<_> = (0..4).map(|_| Arc::new(Door::default())).collect();
                    let mut guards = Vec::new();
                    for door in &doors {
                        let door = door.clone();
                        guards.push(signal.connect_fn(move |_: &u32| {
                            let door = door.clone();
                            async move { door.pass().await }
                        }));
                    }
                    let opening = thread::spawn(move || doors.iter().for_each(|door| door.open()));
                    assert_eq!(run(way, &signal, &1).await, 4);
                    opening.join().unwrap();
                }
            }
        }

        async fn only_the_waker_of_the_last_poll_need_be_woken() {
            for way in WAYS {
                let Behind { signal, a, b: _b, c: _c, .. } = Behind::new();
                let mut emission = Box::pin(run(way, &signal, &1));
                assert!(poll_by_none(&mut emission).is_pending());
                let (waker, woken) = counting_waker();
                assert!(emission.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
                let before = woken.0.load(SeqCst);
                a.door.open();
                assert!(woken.0.load(SeqCst) > before, "{way:?}");
                assert_eq!(emission.await, 3);
            }
        }
    }
}
