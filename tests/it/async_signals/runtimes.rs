//! What only one runtime has: deadlines, tasks, and moves between executors.

use super::*;
use crate::support::{AtEnd, Log, Noter, executors};

// What can be a handler.

// Options, and what connections do.

// Connecting during an emission.

// Before a handler is started.

// While a handler is under way.

// Handlers that emit.

// Panics.

// Emissions that are dropped.

// Streams of results.

// Many, and woken from elsewhere.

// Room for the futures.

// What only one flavor has, or one runtime.

/// Ends when its time has come, and says when it is dropped.
struct Slow(Log);
impl Slow {
    async fn wait(&self, seconds: &u64) -> u64 {
        let log = self.0.clone();
        let _end = AtEnd(|| log.add("handler dropped"));
        tokio::time::sleep(Duration::from_secs(*seconds)).await;
        *seconds
    }
    async fn wait_mut(&mut self, seconds: &u64) -> u64 {
        self.wait(seconds).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_is_dropped_at_its_deadline_and_try_emit_says_which() {
    let log = Log::default();
    let signal: sigwire::AsyncSignal<u64, u64> = sigwire::AsyncSignal::new();
    let slow = Arc::new(Slow(log.clone()));
    let exclusive = Arc::new(AsyncMutex::new(Slow(log.clone())));
    let second = Duration::from_secs(1);
    let late = signal.slot().timeout(second).name("late").connect(&slow, Slow::wait);
    signal.slot().timeout(5 * second).connect(&slow, Slow::wait);
    let guard = signal.slot().timeout(second).connect_fn(async |seconds: &u64| {
        tokio::time::sleep(Duration::from_secs(*seconds)).await;
        *seconds
    });
    let locked = signal.slot().timeout(second).connect_mut(&exclusive, Slow::wait_mut);
    signal.slot().timeout(second).connect_sync(&slow, |_, seconds| *seconds);

    let start = tokio::time::Instant::now();
    let error = signal.try_emit(&2).await.unwrap_err();
    assert_eq!(start.elapsed().as_secs(), 1 + 2 + 1 + 1);
    assert_eq!(error.called(), 5);
    assert_eq!(error.failures()[0].name(), Some("late"));
    let expected = [&late, &*guard, &locked];
    for (failure, connection) in error.failures().iter().zip(expected) {
        assert_eq!(*failure.failure(), Failure::TimedOut);
        assert_eq!(format!("{:?}", failure.connection()), format!("{connection:?}"));
    }
    assert_eq!(error.failures().len(), 3);
    assert!(error.to_string().contains("slot late was not ready at its deadline"));
    assert_eq!(log.take(), ["handler dropped"; 3]);

    assert_eq!(signal.call(&2).collect::<Vec<_>>().await, [2, 2]);
    assert_eq!(signal.emit(&2).await, 5);
    let start = tokio::time::Instant::now();
    assert_eq!(signal.call_concurrent(&2).collect::<Vec<_>>().await, [2, 2]);
    assert_eq!(signal.emit_concurrent(&2).await, 5);
    assert_eq!(start.elapsed().as_secs(), 4);
    assert_eq!(signal.try_emit(&0).await.unwrap(), 5, "in time");
}

#[tokio::test(start_paused = true)]
async fn the_time_spent_waiting_for_a_lock_counts() {
    let signal: sigwire::AsyncSignal<u64, u64> = sigwire::AsyncSignal::new();
    let exclusive = Arc::new(AsyncMutex::new(Slow(Default::default())));
    signal.slot().timeout(Duration::from_secs(1)).connect_mut(&exclusive, Slow::wait_mut);
    let held = exclusive.lock().await;
    assert!(signal.try_emit(&0).await.is_err());
    drop(held);
    assert!(signal.try_emit(&0).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_deadline_in_the_past_and_one_that_never_comes_are_deadlines_too() {
    let signal: sigwire::AsyncSignal<u64, u64> = sigwire::AsyncSignal::new();
    let slow = Arc::new(Slow(Default::default()));
    let never = signal.slot().timeout(Duration::MAX).connect(&slow, Slow::wait);
    assert_eq!(signal.try_emit(&1).await.unwrap(), 1);
    never.disconnect();
    signal.slot().timeout(Duration::ZERO).connect(&slow, Slow::wait);
    assert!(signal.try_emit(&1).await.is_err());
}

#[test]
fn a_deadline_without_tokio_is_a_panic_that_names_what_is_missing() {
    let signal: sigwire::AsyncSignal<u64, u64> = sigwire::AsyncSignal::new();
    let slow = Arc::new(Slow(Default::default()));
    signal.slot().timeout(Duration::from_secs(1)).connect(&slow, Slow::wait);
    let message = futures::executor::block_on(panic_in(signal.emit(&0)));
    assert!(message.contains("no reactor running"), "{message}");
}

#[test]
fn spawned_handlers_run_in_parallel() {
    executors::on_a_worker(Box::pin(async {
        let signal: sigwire::AsyncSignal<u32, usize> = sigwire::AsyncSignal::new();
        let meeting = Arc::new(std::sync::Barrier::new(2));
        for _ in 0..2 {
            // Blocks its worker until the other is there too.
            signal.connect(&meeting, async |meeting: &std::sync::Barrier, n: &u32| {
                meeting.wait();
                *n as usize
            });
        }
        let mut results = Vec::new();
        for spawned in signal.emit_spawned(Arc::new(1)) {
            results.push(spawned.handler.await.unwrap());
        }
        assert_eq!(results, [Some(1); 2]);
    }));
}

#[tokio::test]
async fn panics_of_spawned_handlers_stay_in_their_tasks() {
    let signal: sigwire::AsyncSignal<u32> = sigwire::AsyncSignal::new();
    let owner = Arc::new(());
    let mut connections = vec![signal.connect(&owner, async |_: &(), _: &u32| ())];
    for kind in [IN_MAKING, IN_THE_FIRST_POLL, IN_A_LATER_POLL] {
        connections.push(signal.connect(&owner, move |_: &(), _: &u32| panicking(kind)));
    }
    connections.push(signal.connect_sync(&owner, |_, _| panic!("sync")));
    connections.push(signal.connect(&owner, async |_: &(), _: &u32| yield_once().await));
    let spawned = signal.emit_spawned(Arc::new(1));
    assert_eq!(spawned.len(), 6);
    let mut ends = Vec::new();
    for (spawned, connection) in spawned.into_iter().zip(&connections) {
        assert_eq!(format!("{:?}", spawned.connection), format!("{connection:?}"));
        ends.push(match spawned.handler.await {
            Ok(result) => format!("{result:?}"),
            Err(error) => panic_of(|| resume_unwind(error.into_panic())),
        });
    }
    assert_eq!(
        ends,
        ["Some(())", IN_MAKING, IN_THE_FIRST_POLL, IN_A_LATER_POLL, "sync", "Some(())"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_spawned_handler_ends_in_none_at_its_deadline() {
    let signal: sigwire::AsyncSignal<u64, u64> = sigwire::AsyncSignal::new();
    let slow = Arc::new(Slow(Default::default()));
    signal.slot().timeout(Duration::from_secs(1)).connect(&slow, Slow::wait);
    signal.connect(&slow, Slow::wait);
    let spawned = signal.emit_spawned(Arc::new(2));
    let ends: Vec<_> = futures::stream::iter(spawned)
        .then(|spawned| async { spawned.handler.await.unwrap() })
        .collect()
        .await;
    assert_eq!(ends, [None, Some(2)]);
}

#[tokio::test]
async fn aborting_a_spawned_handler_drops_it_with_its_owner_and_the_event() {
    let log = Log::default();
    let signal: sigwire::AsyncSignal<Noter> = sigwire::AsyncSignal::new();
    let door = Arc::new((Door::default(), Noter::new(&log, "owner")));
    signal.connect(&door, async |door: &(Door, Noter), event: &Noter| {
        door.0.pass().await;
        event.on(&1);
    });
    let mut spawned = signal.emit_spawned(Arc::new(Noter::new(&log, "event")));
    yield_once().await;
    drop((door, signal));
    assert!(log.take().is_empty(), "both are held by the handler alone");
    let handler = spawned.remove(0).handler;
    handler.abort();
    assert!(handler.await.unwrap_err().is_cancelled());
    assert_eq!(log.take(), ["owner dropped", "event dropped"]);
}

#[tokio::test]
async fn a_spawned_handler_runs_on_although_nobody_waits_and_frees_the_event_afterwards() {
    let log = Log::default();
    let signal: sigwire::AsyncSignal<Noter> = sigwire::AsyncSignal::new();
    let door = Arc::new(Door::default());
    signal.connect(&door, async |door: &Door, event: &Noter| {
        door.pass().await;
        event.on(&1);
    });
    drop(signal.emit_spawned(Arc::new(Noter::new(&log, "event"))));
    drop(signal);
    yield_once().await;
    door.open();
    while Arc::strong_count(&door) > 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(log.take(), ["event 1", "event dropped"]);
}

#[test]
fn emit_spawned_outside_of_a_runtime_panics() {
    let signal: sigwire::AsyncSignal<u32> = sigwire::AsyncSignal::new();
    let message = panic_of(|| signal.emit_spawned(Arc::new(1)));
    assert!(message.contains("no reactor running"), "{message}");
}

#[test]
fn emit_on_starts_an_emission_from_code_that_is_not_async() {
    let runtime = executors::workers();
    let signal: sigwire::AsyncSignal<str> = sigwire::AsyncSignal::new();
    let done = runtime.block_on(signal.emit_on(runtime.handle(), Arc::from("nobody")));
    assert_eq!(done.unwrap(), 0);
    let door = Arc::new(Door::default());
    signal.connect(&door, async |door: &Door, _: &str| door.pass().await);
    signal.connect(&door, async |_: &Door, word: &str| assert_eq!(word, "tea"));
    let emission = signal.emit_on(runtime.handle(), Arc::from("tea"));
    signal.connect_sync(&door, |_, _| panic!("connected too late"));
    door.open();
    assert_eq!(runtime.block_on(emission).unwrap(), 2);
}

#[test]
fn when_the_signal_is_dropped_an_emission_on_a_runtime_starts_no_further_handler() {
    let runtime = executors::workers();
    let log = Log::default();
    let signal: sigwire::AsyncSignal<Noter> = sigwire::AsyncSignal::new();
    let (started, start) = std::sync::mpsc::channel();
    let owner = Arc::new((Door::default(), Mutex::new(started)));
    type Started = Mutex<std::sync::mpsc::Sender<()>>;
    let connection =
        signal.connect(&owner, async |(door, started): &(Door, Started), _: &Noter| {
            started.lock().unwrap().send(()).unwrap();
            door.pass().await;
        });
    signal.connect_sync(&owner, |_, _| panic!("the signal is gone"));
    let emission = signal.emit_on(runtime.handle(), Arc::new(Noter::new(&log, "event")));
    start.recv_timeout(Duration::from_secs(20)).unwrap();
    drop(signal);
    assert!(!connection.is_connected() && !connection.disconnect());
    owner.0.open();
    assert_eq!(runtime.block_on(emission).unwrap(), 1);
    assert_eq!(log.take(), ["event dropped"]);
}

#[test]
fn an_emission_that_is_aborted_by_its_own_handler_ends_there() {
    let runtime = executors::workers();
    let signal: sigwire::AsyncSignal<u32> = sigwire::AsyncSignal::new();
    let own: Arc<Mutex<Option<tokio::task::AbortHandle>>> = Arc::default();
    signal.connect(&own, async |own: &Mutex<Option<tokio::task::AbortHandle>>, _: &u32| {
        loop {
            yield_once().await;
            if let Some(own) = &*own.lock().unwrap() {
                own.abort();
                break;
            }
        }
        std::future::pending().await
    });
    signal.connect_sync(&own, |_, _| panic!("it was aborted"));
    let emission = signal.emit_on(runtime.handle(), Arc::new(1));
    *own.lock().unwrap() = Some(emission.abort_handle());
    assert!(runtime.block_on(emission).unwrap_err().is_cancelled());
    assert_eq!(Arc::strong_count(&own), 1);
}

#[test]
fn an_emission_may_move_between_executors_and_threads() {
    static SIGNAL: sigwire::AsyncSignal<u32, usize> = sigwire::AsyncSignal::new();
    let doors: Vec<_> = (0..4).map(|_| Arc::new(Door::default())).collect();
    for door in &doors {
        SIGNAL.connect(door, Door::address);
    }
    let (sequence, together) = (SIGNAL.emit(&1), SIGNAL.emit_concurrent(&1));
    let mut both = Box::pin(async { (sequence.await, together.await) });
    for door in &doors {
        both = thread::spawn(move || {
            assert!(poll_by_none(&mut both).is_pending());
            both
        })
        .join()
        .unwrap();
        door.open();
    }
    let runtime = executors::workers();
    let both = runtime.block_on(runtime.spawn(both));
    assert_eq!(both.unwrap(), (4, 4));
}

#[test]
fn many_tasks_on_many_threads_emit_connect_and_disconnect_at_once() {
    let runtime = executors::workers();
    let signal = Arc::new(sigwire::AsyncSignal::<u32>::new());
    let calls = Arc::new(AtomicUsize::new(0));
    let lasting = Arc::new(calls.clone());
    signal.connect(&lasting, async |calls: &Arc<AtomicUsize>, _: &u32| {
        yield_once().await;
        calls.fetch_add(1, SeqCst);
    });
    let tasks: Vec<_> = (0..8)
        .map(|task| {
            let signal = signal.clone();
            runtime.spawn(async move {
                for round in 0..100 {
                    let owner = Arc::new(AtomicUsize::new(0));
                    let tracked = sigwire::HazardArc::new(AtomicUsize::new(0));
                    let handler = async |calls: &AtomicUsize, _: &u32| {
                        tokio::task::yield_now().await;
                        calls.fetch_add(1, SeqCst);
                    };
                    let connection = signal.connect(&owner, handler);
                    signal.connect(&tracked, handler);
                    let emission = signal.emit(&1);
                    match (task + round) % 4 {
                        0 => assert!(emission.await >= 1),
                        1 => _ = signal.emit_concurrent(&1).await,
                        2 => {
                            let mut emission = Box::pin(signal.emit_concurrent(&1));
                            _ = poll!(&mut emission);
                            drop(tracked);
                        }
                        _ => {
                            connection.disconnect();
                            _ = signal.try_emit(&1).await.unwrap();
                        }
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        runtime.block_on(task).unwrap();
    }
    assert!(calls.load(SeqCst) >= 8 * 75);
    signal.prune();
    assert_eq!(signal.slot_count(), 1);
}
