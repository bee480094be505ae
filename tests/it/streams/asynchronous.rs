//! Streams of asynchronous signals, whose emissions may wait for room.

use super::*;

both_flavors! {
    with helpers;

    #[test]
    fn a_stream_of_an_asynchronous_signal_is_as_any_other() {
        under_each_executor(async || {
            let signal: AsyncSignal<u32> = AsyncSignal::new();
            let mut oldest = signal.stream(2, Overflow::DropOldest);
            let mut newest = signal.slot().priority(1).stream(2, Overflow::DropNewest);
            let mut latest = signal.stream(2, Overflow::Latest);
            let mut two = signal.slot().times(2).stream(4, Overflow::DropOldest);
            for (n, called) in [(1, 4), (2, 4), (3, 3), (4, 3)] {
                assert_eq!(signal.emit(&n).await, called, "nobody is waited for");
            }
            assert_eq!(ready(&mut oldest), [Err(Lagged(2)), Ok(3), Ok(4)]);
            assert_eq!(ready(&mut newest), [Ok(1), Ok(2), Err(Lagged(2))]);
            assert_eq!(ready(&mut latest), [Ok(4)]);
            assert_eq!(ready(&mut two), [Ok(1), Ok(2)]);
            assert!(two.is_terminated() && !oldest.is_terminated());
            drop((signal, latest));
            assert_eq!(oldest.next().await, None);
        });
    }

    #[test]
    fn the_next_event_of_an_asynchronous_signal_is_connected_at_the_call() {
        under_each_executor(async || {
            let signal: AsyncSignal<str> = AsyncSignal::new();
            signal.emit("before").await;
            let next = signal.next_event();
            assert_eq!((signal.emit("a").await, signal.emit("b").await), (1, 0));
            assert_eq!(next.await.as_deref(), Some("a"));
            let none = signal.next_event();
            drop(signal);
            assert_eq!(none.await, None);
        });
    }

    #[test]
    fn an_emission_waits_for_room_and_then_goes_on_where_it_was() {
        under_each_executor(async || {
            let signal: AsyncSignal<u32> = AsyncSignal::new();
            let log = Log::default();
            let after = Strong::new(Noter::new(&log, "after"));
            let mut stream = signal.stream(2, Backpressure);
            signal.connect_sync(&after, Noter::on);
            assert_eq!((signal.emit(&1).await, signal.emit(&2).await), (2, 2));
            let mut third = signal.emit(&3);
            for _ in 0..2 {
                assert!(poll!(&mut third).is_pending());
            }
            assert_eq!(log.take(), ["after 1", "after 2"]);
            assert_eq!(stream.next().await, Some(Ok(1)));
            assert_eq!(third.await, 2);
            assert_eq!(log.take(), ["after 3"]);
            assert_eq!(ready(&mut stream), [Ok(2), Ok(3)]);
            assert_eq!((signal.emit(&4).await, stream.missed()), (2, 0), "there is room again");
        });
    }

    #[test]
    fn concurrent_handlers_go_on_while_one_waits_for_room() {
        under_each_executor(async || {
            let signal: AsyncSignal<u32> = AsyncSignal::new();
            let log = Log::default();
            let after = Strong::new(Noter::new(&log, "after"));
            let mut streams = [signal.stream(1, Backpressure), signal.stream(1, Backpressure)];
            signal.connect_sync(&after, Noter::on);
            assert_eq!(signal.emit(&1).await, 3);
            let mut second = signal.emit_concurrent(&2);
            assert!(poll!(&mut second).is_pending());
            assert_eq!(log.take(), ["after 1", "after 2"]);
            for n in [1, 2] {
                for stream in &mut streams {
                    assert_eq!(stream.next().await, Some(Ok(n)));
                }
            }
            assert_eq!(second.await, 3);
        });
    }

    #[test]
    fn emissions_that_wait_get_room_in_the_order_in_which_they_came_each_woken_once() {
        under_each_executor(async || {
            let signal: AsyncSignal<u32> = AsyncSignal::new();
            let mut stream = signal.stream(1, Backpressure);
            signal.emit(&0).await;
            let wakes = [(); 3].map(|()| Arc::new(Wakes::default()));
            let mut emissions = [1, 2, 3].each_ref().map(|n| signal.emit(n));
            let mut poll = |index: usize| {
                let waker = Waker::from(wakes[index].clone());
                Pin::new(&mut emissions[index]).poll(&mut Context::from_waker(&waker))
            };
            for _ in 0..2 {
                for index in [2, 0, 1] {
                    assert!(poll(index).is_pending());
                }
            }
            for (taken, index) in [(0, 2), (3, 0), (1, 1)] {
                assert_eq!(stream.next().await, Some(Ok(taken)));
                let woken = wakes.each_ref().map(|wakes| wakes.take());
                assert_eq!(woken, std::array::from_fn(|at| usize::from(at == index)));
                assert_eq!(poll(index), Poll::Ready(1));
            }
            assert_eq!(stream.next().await, Some(Ok(2)));
            assert_eq!(signal.emit(&4).await, 1);
        });
    }

    #[test]
    fn an_emission_dropped_while_it_waits_takes_its_event_back_and_the_stream_says_where() {
        under_each_executor(async || {
            for dropped in [&[1][..], &[2], &[3], &[1, 2], &[3, 2], &[2, 1, 3]] {
                let signal: AsyncSignal<u32> = AsyncSignal::new();
                let mut stream = signal.stream(1, Backpressure);
                signal.emit(&0).await;
                let mut emissions = [1, 2, 3].each_ref().map(|n| Some(signal.emit(n)));
                for emission in emissions.iter_mut().flatten() {
                    assert!(poll!(emission).is_pending());
                }
                for n in dropped {
                    emissions[n - 1] = None;
                }
                assert_eq!(stream.missed(), dropped.len() as u64);
                let mut due = 0;
                for item in ready(&mut stream) {
                    match item {
                        Ok(n) => {
                            assert_eq!(n, due);
                            due += 1;
                        }
                        Err(Lagged(events)) => {
                            let gap = due as usize..due as usize + events as usize;
                            assert!(
                                gap.clone().all(|n| dropped.contains(&n)),
                                "{gap:?} {dropped:?}"
                            );
                            due += events as u32;
                        }
                    }
                }
                assert_eq!(due, 4);
                for emission in emissions.into_iter().flatten() {
                    assert_eq!(emission.await, 1);
                }
            }
        });
    }

    #[test]
    fn an_event_that_has_got_room_stays_when_its_emission_is_dropped() {
        under_each_executor(async || {
            let signal: AsyncSignal<u32> = AsyncSignal::new();
            let mut stream = signal.stream(1, Backpressure);
            signal.emit(&1).await;
            let mut emission = signal.emit(&2);
            assert!(poll!(&mut emission).is_pending());
            assert_eq!(stream.next().await, Some(Ok(1)));
            drop(emission);
            assert_eq!(ready(&mut stream), [Ok(2)]);
            assert_eq!(stream.missed(), 0);
        });
    }

    #[test]
    fn dropping_a_stream_lets_those_go_on_who_wait_for_room_in_it() {
        under_each_executor(async || {
            let signal: AsyncSignal<Std<()>> = AsyncSignal::new();
            let stream = signal.stream(1, Backpressure);
            let event = Std::new(());
            signal.emit(&event).await;
            let wakes = Arc::new(Wakes::default());
            let waker = Waker::from(wakes.clone());
            let mut emission = signal.emit(&event);
            assert!(Pin::new(&mut emission).poll(&mut Context::from_waker(&waker)).is_pending());
            drop(stream);
            assert_eq!((wakes.take(), Std::strong_count(&event)), (1, 1));
            assert_eq!((emission.await, signal.slot_count()), (1, 0));
        });
    }

    #[test]
    fn a_disconnected_stream_still_gives_the_events_that_wait_for_room_and_ends_after_them() {
        under_each_executor(async || {
            let signal: AsyncSignal<u32> = AsyncSignal::new();
            let stream = signal.stream(1, Backpressure);
            signal.emit(&1).await;
            let mut emission = signal.emit(&2);
            assert!(poll!(&mut emission).is_pending());
            assert!(stream.connection().disconnect());
            let all: Vec<_> = stream.collect().await;
            assert_eq!(
                all,
                [Ok(1), Ok(2)],
                "and then the end, whether or not the emission goes on"
            );
            assert_eq!(emission.await, 1);
        });
    }

    #[test]
    fn a_sender_whose_waker_panics_costs_an_event_that_is_reported_and_keeps_nobody_else_asleep() {
        struct Panics;
        impl Wake for Panics {
            fn wake(self: Arc<Self>) {
                panic!("in a waker");
            }
        }
        for take in [true, false] {
            let signal: AsyncSignal<u32> = AsyncSignal::new();
            let mut stream = signal.stream(1, Backpressure);
            block_on(signal.emit(&1));
            let mut emissions = [2, 3].each_ref().map(|n| signal.emit(n));
            let wakes = Arc::new(Wakes::default());
            for (emission, waker) in
                emissions.iter_mut().zip([Waker::from(Arc::new(Panics)), wakes.clone().into()])
            {
                assert!(Pin::new(emission).poll(&mut Context::from_waker(&waker)).is_pending());
            }
            if take {
                assert!(panic_of(|| is_pending(&mut stream.next())).contains("in a waker"));
                assert_eq!(ready(&mut stream), [Err(Lagged(1)), Ok(2), Ok(3)]);
                assert_eq!(stream.missed(), 1);
            } else {
                assert!(panic_of(|| drop(stream)).contains("in a waker"));
            }
            assert_eq!(wakes.take(), 1);
        }
    }

    #[test]
    fn a_consumer_whose_waker_panics_is_woken_by_the_next_event() {
        struct Panics(AtomicUsize, Wakes);
        impl Wake for Panics {
            fn wake(self: Arc<Self>) {
                self.wake_by_ref();
            }
            fn wake_by_ref(self: &Arc<Self>) {
                if self.0.load(SeqCst) == 1 {
                    panic!("in a waker");
                }
                self.1.0.fetch_add(1, SeqCst);
            }
        }
        let signal: Signal<u32> = Signal::new();
        let mut stream = signal.stream(8, Overflow::DropOldest);
        let wakes = Arc::new(Panics(AtomicUsize::new(1), Wakes::default()));
        let waker = Waker::from(wakes.clone());
        assert!(Pin::new(&mut stream).poll_next(&mut Context::from_waker(&waker)).is_pending());
        for n in 1..=3 {
            assert!(panic_of(|| signal.emit(&n)).contains("in a waker"));
        }
        wakes.0.store(0, SeqCst);
        emit(&signal, 4..=5);
        assert_eq!(wakes.1.take(), 1, "and then it is awake");
        assert_eq!(ready(&mut stream), [1, 2, 3, 4, 5].map(Ok));
    }

    #[test]
    fn an_asynchronous_stream_with_room_for_no_event_is_refused_as_well() {
        let signal: AsyncSignal<u32> = AsyncSignal::new();
        for message in [
            panic_of(|| signal.stream(0, Backpressure)),
            panic_of(|| signal.slot().stream(0, Overflow::Latest)),
        ] {
            assert!(message.contains("1 or more"), "{message}");
        }
        assert_eq!(signal.slot_count(), 0);
    }

    #[test]
    fn debug_tells_that_a_stream_makes_emissions_wait() {
        let signal: AsyncSignal<u32> = AsyncSignal::new();
        let text = format!("{:?}", signal.stream(2, Backpressure));
        assert!(text.contains("overflow: Backpressure"), "{text}");
    }

    #[test]
    fn debug_tells_how_a_stream_stands() {
        let signal: Signal<u32> = Signal::new();
        let stream = signal.slot().name("log").stream(2, Overflow::DropNewest);
        emit(&signal, 1..=3);
        let text = format!("{stream:?} {:?}", signal.next_event());
        for part in [
            "EventStream",
            "\"log\"",
            "capacity: 2",
            "DropNewest",
            "waiting: 2",
            "missed: 1",
            "NextEvent",
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }
}
