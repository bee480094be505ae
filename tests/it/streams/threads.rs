//! Streams and several threads.

use super::*;

#[test]
fn what_many_threads_emit_comes_to_every_task_completely_and_in_each_threads_order() {
    const EACH: u32 = 2_000;
    let signal: sigwire::Signal<(u32, u32)> = sigwire::Signal::new();
    let runtime = Tasks::new();
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let mut stream = signal.stream(4 * EACH as usize, Overflow::DropNewest);
            runtime.spawn(async move {
                let mut next = [0; 4];
                while let Some(event) = stream.next().await {
                    let (thread, number) = event.expect("there is room for all");
                    assert_eq!(number, next[thread as usize]);
                    next[thread as usize] += 1;
                }
                next
            })
        })
        .collect();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let signal = &signal;
            scope.spawn(move || (0..EACH).for_each(|n| _ = signal.emit(&(thread, n))));
        }
    });
    drop(signal);
    for task in tasks {
        assert_eq!(task(), [EACH; 4]);
    }
}

#[test]
fn what_a_slow_task_gets_and_what_it_is_told_it_lost_add_up_to_what_was_emitted() {
    const ALL: u64 = 20_000;
    for overflow in [Overflow::DropOldest, Overflow::DropNewest] {
        let signal: sigwire::Signal<u64> = sigwire::Signal::new();
        let mut stream = signal.stream(4, overflow);
        let runtime = Tasks::new();
        let task = runtime.spawn(async move {
            let mut due = 0;
            while let Some(item) = stream.next().await {
                match item {
                    Ok(event) => {
                        assert_eq!(event, due, "what is missing was not reported here");
                        due += 1;
                    }
                    Err(Lagged(events)) => due += events,
                }
            }
            (due, stream.missed())
        });
        (0..ALL).for_each(|n| _ = signal.emit(&n));
        drop(signal);
        let (due, missed) = task();
        assert_eq!(due, ALL);
        assert!(missed < ALL);
    }
}

#[test]
fn what_many_tasks_emit_into_a_small_stream_comes_through_it_completely_and_in_each_ones_order() {
    const EACH: u32 = 2_000;
    let signal: Arc<sigwire::AsyncSignal<(u32, u32)>> = Arc::default();
    for capacity in [1, 3] {
        let mut stream = signal.stream(capacity, Backpressure);
        let tasks = Tasks::new();
        let emitters: Vec<_> = (0..3)
            .map(|task| {
                let signal = signal.clone();
                tasks.spawn(async move {
                    for n in 0..EACH {
                        assert_eq!(signal.emit(&(task, n)).await, 1);
                    }
                })
            })
            .collect();
        let consumer = tasks.spawn(async move {
            let mut next = [0; 3];
            while next != [EACH; 3] {
                let (task, n) = stream.next().await.unwrap().expect("nothing is lost");
                assert_eq!(n, next[task as usize]);
                next[task as usize] += 1;
            }
        });
        emitters.into_iter().for_each(|emitter| emitter());
        consumer();
    }
}

#[cfg(feature = "tokio")]
#[test]
fn a_deadline_that_passes_while_an_emission_waits_for_room_takes_its_event_back() {
    use sigwire::Failure;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let signal: sigwire::AsyncSignal<u32> = sigwire::AsyncSignal::new();
        let mut stream = signal.slot().timeout(Duration::from_millis(10)).stream(1, Backpressure);
        assert_eq!(signal.try_emit(&1).await.unwrap(), 1);
        let error = signal.try_emit(&2).await.unwrap_err();
        assert!(matches!(error.failures()[0].failure(), Failure::TimedOut));
        assert_eq!(ready(&mut stream), [Ok(1), Err(Lagged(1))]);
        assert_eq!(signal.try_emit(&3).await.unwrap(), 1);
        assert_eq!(ready(&mut stream), [Ok(3)]);
    });
}

#[test]
fn every_task_that_awaits_the_next_event_is_woken_by_an_emission_on_another_thread() {
    let runtime = Tasks::new();
    let signal: Arc<sigwire::Signal<u32>> = Arc::default();
    for round in 0..200 {
        let tasks = [(); 3].map(|()| runtime.spawn(signal.next_event()));
        let emitter = signal.clone();
        std::thread::spawn(move || emitter.emit(&round)).join().unwrap();
        for task in tasks {
            assert_eq!(task(), Some(round));
        }
    }
    let task = runtime.spawn(signal.next_event());
    std::thread::spawn(move || drop(signal)).join().unwrap();
    assert_eq!(task(), None);
}

#[test]
fn a_call_under_way_when_its_stream_is_disconnected_delivers_its_event_before_the_end() {
    use std::sync::mpsc;
    thread_local! {
        static IN_CLONE: RefCell<Option<(mpsc::Sender<()>, mpsc::Receiver<()>)>> =
            const { RefCell::new(None) };
    }
    #[derive(Debug, PartialEq)]
    struct Slow(u32);
    impl Clone for Slow {
        fn clone(&self) -> Self {
            IN_CLONE.with_borrow(|channels| {
                if let Some((begun, go_on)) = channels {
                    begun.send(()).unwrap();
                    go_on.recv_timeout(Duration::from_secs(10)).unwrap();
                }
            });
            Slow(self.0)
        }
    }
    let signal: Arc<sigwire::Signal<Slow>> = Arc::default();
    let mut stream = signal.stream(4, Overflow::DropOldest);
    let ((begin, begun), (go, go_on)) = (mpsc::channel(), mpsc::channel());
    let emitter = {
        let signal = signal.clone();
        std::thread::spawn(move || {
            IN_CLONE.set(Some((begin, go_on)));
            signal.emit(&Slow(1))
        })
    };
    begun.recv_timeout(Duration::from_secs(10)).unwrap();
    assert!(stream.connection().disconnect());
    let mut context = Context::from_waker(Waker::noop());
    assert!(pin!(&mut stream).poll_next(&mut context).is_pending(), "the call is not over");
    go.send(()).unwrap();
    assert_eq!(emitter.join().unwrap(), 1);
    assert_eq!(block_on(stream.collect::<Vec<_>>()), [Ok(Slow(1))]);
}
