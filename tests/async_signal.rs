//! Asynchronous signals: each test in both flavours, with tracked owners too, and by three executors.

#![cfg(feature = "tokio")]

mod common;

use futures::channel::{mpsc, oneshot};
use futures::future::{join, poll_fn, ready};
use futures::{FutureExt, StreamExt, poll};
use std::future::Future;
use std::mem::replace;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;
use tokio::sync::Mutex as AsyncMutex;

/// Compiles each test for each executor.
macro_rules! tests {
    ($($(#[$attribute:meta])* async fn $name:ident() $body:block)*) => {
        $($(#[$attribute])* async fn $name() $body)*
        mod multi_thread_tokio {
            $(#[test] fn $name() { super::multi_thread(super::$name()) })*
        }
        mod current_thread_tokio {
            $(#[test] fn $name() { super::executors::current_thread(super::$name()) })*
        }
        mod without_tokio {
            $(#[test] fn $name() { super::executors::without_tokio(super::$name()) })*
        }
    };
}

/// Pending once.
async fn yield_once() {
    let mut again = false;
    poll_fn(|context| {
        if replace(&mut again, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// What handlers wait at until it is opened, for all and for ever.
#[derive(Default)]
struct Door(Mutex<(bool, Vec<Waker>)>);

impl Door {
    async fn pass(&self) {
        poll_fn(|context| {
            let (open, waiting) = &mut *self.0.lock().unwrap();
            if *open {
                return Poll::Ready(());
            }
            waiting.push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    fn open(&self) {
        let waiting = {
            let mut door = self.0.lock().unwrap();
            door.0 = true;
            std::mem::take(&mut door.1)
        };
        waiting.into_iter().for_each(Waker::wake);
    }
}

/// The message of the panic that a future must end in.
async fn panic_in(future: impl Future) -> String {
    let caught = AssertUnwindSafe(future).catch_unwind().await;
    common::panic_of(|| caught.map_err(|panic| resume_unwind(panic)))
}

/// The ways to emit, and await all of it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Emit,
    Call,
    Try,
    Concurrently,
    CallConcurrently,
}
use Way::*;
const WAYS: [Way; 5] = [Emit, Call, Try, Concurrently, CallConcurrently];
const IN_SEQUENCE: [Way; 3] = [Emit, Call, Try];

both_flavours! {
    /// Emits; gives how many handlers were called.
    async fn run(way: Way, signal: &AsyncSignal<u32>, n: &u32) -> usize {
        match way {
            Emit => signal.emit(n).await,
            Call => signal.call(n).count().await,
            Try => signal.try_emit(n).await.unwrap(),
            Concurrently => signal.emit_concurrent(n).await,
            CallConcurrently => signal.call_concurrent(n).count().await,
        }
    }

    /// A noter whose handlers wait at a door.
    struct Worker {
        noter: Noter,
        door: Arc<Door>,
    }
    impl Worker {
        fn new(log: &Log, name: &'static str) -> Strong<Self> {
            Strong::new(Worker { noter: Noter::new(log, name), door: Arc::default() })
        }
        async fn wait(&self, n: &u32) {
            self.noter.log.add(format!("{} starts {n}", self.noter.name));
            self.door.pass().await;
            self.noter.log.add(format!("{} ends {n}", self.noter.name));
        }
        async fn note(&self, n: &u32) {
            self.noter.on(n);
        }
        async fn also(&self, n: &u32) {
            self.noter.also(n);
        }
        fn at_once(&self, n: &u32) {
            self.noter.on(n);
        }
    }

    /// A handler that waits, and `b` and `c` behind it, which note.
    struct Behind {
        log: Log,
        signal: Strong<AsyncSignal<u32>>,
        a: Strong<Worker>,
        b: Strong<Worker>,
        c: Strong<Worker>,
        connections: [Connection; 3],
    }
    impl Behind {
        fn new() -> Self {
            let log = Log::default();
            let signal = Strong::new(AsyncSignal::new());
            let [a, b, c] = ["a", "b", "c"].map(|name| Worker::new(&log, name));
            let connections = [
                signal.connect(&a, Worker::wait),
                signal.connect(&b, Worker::note),
                signal.connect(&c, Worker::note),
            ];
            Behind { log, signal, a, b, c, connections }
        }

        /// What is called when `act` is run while `a` waits.
        async fn called_after(self, way: Way, act: impl FnOnce(&mut Option<Self>)) -> Vec<String> {
            let (log, door) = (self.log.clone(), self.a.door.clone());
            let signal = self.signal.clone();
            let mut emission = Box::pin(run(way, &signal, &1));
            assert!(poll!(&mut emission).is_pending());
            let mut this = Some(self);
            act(&mut this);
            door.open();
            emission.await;
            log.take()
        }
    }

    tests! {
        // What can be a handler.

        async fn async_methods_by_their_path_are_called_with_the_owner_and_the_event() {
            struct Price(u32);
            impl Price {
                async fn of(&self, word: &str) -> String {
                    yield_once().await;
                    format!("{word}: {}", self.0)
                }
            }
            let asked: AsyncSignal<str, String> = AsyncSignal::new();
            let price = Strong::new(Price(30));
            asked.connect(&price, Price::of);
            assert_eq!(asked.call("tea").collect::<Vec<_>>().await, ["tea: 30"]);
            drop(price);
            assert_eq!(asked.emit("tea").await, 0);
        }

        async fn async_closures_with_the_owner_first_are_called() {
            let asked: AsyncSignal<str, usize> = AsyncSignal::new();
            let owner = Strong::new(vec![1, 2]);
            asked.connect(&owner, async |owner: &Vec<i32>, word: &str| {
                yield_once().await;
                owner.len() + word.len()
            });
            assert_eq!(asked.call("tea").collect::<Vec<_>>().await, [5]);
        }

        async fn closures_that_capture_and_return_a_future_are_called_and_dropped_with_their_slot() {
            let signal: AsyncSignal<u32, u32> = AsyncSignal::new();
            let (owner, captured) = (Strong::new(1), Arc::new(10));
            let kept = Arc::downgrade(&captured);
            let connection = signal.connect(&owner, move |owner: &u32, n: &u32| {
                ready(*owner + *n + *captured)
            });
            assert_eq!(signal.call(&100).collect::<Vec<_>>().await, [111]);
            connection.disconnect();
            assert!(kept.upgrade().is_none());
        }

        async fn connect_fn_takes_async_closures_and_closures_that_return_futures() {
            let signal: AsyncSignal<str, usize> = AsyncSignal::new();
            let plus = 1;
            let first = signal.connect_fn(async |word: &str| {
                yield_once().await;
                word.len()
            });
            let second = signal.connect_fn(move |word: &str| {
                let length = word.len();
                async move { length + plus }
            });
            assert_eq!(signal.call("tea").collect::<Vec<_>>().await, [3, 4]);
            drop(first);
            assert_eq!(signal.call("tea").collect::<Vec<_>>().await, [4]);
            second.detach();
            assert_eq!(signal.emit("tea").await, 1);
        }

        async fn a_future_may_borrow_what_its_closure_captured_by_reference_counting() {
            let signal: AsyncSignal<u32, usize> = AsyncSignal::new();
            let words = Arc::new(vec!["a", "b"]);
            let _guard = signal.connect_fn(move |n: &u32| {
                let (words, n) = (words.clone(), *n as usize);
                async move {
                    yield_once().await;
                    words.len() + n
                }
            });
            assert_eq!(signal.call(&1).collect::<Vec<_>>().await, [3]);
        }

        async fn connect_sync_accepts_an_ordinary_method() {
            let log = Log::default();
            let signal = AsyncSignal::new();
            let worker = Worker::new(&log, "a");
            signal.connect_sync(&worker, Worker::at_once);
            for way in WAYS {
                assert_eq!(run(way, &signal, &1).await, 1);
                assert_eq!(log.take(), ["a 1"]);
            }
            assert_eq!(signal.disconnect_method(&worker, Worker::at_once), 1);
        }

        async fn connect_mut_waits_for_the_lock_without_blocking_the_thread() {
            struct Sum(u32);
            impl Sum {
                async fn add(&mut self, n: &u32) {
                    let before = self.0;
                    yield_once().await;
                    self.0 = before + n;
                }
            }
            let signal: AsyncSignal<u32> = AsyncSignal::new();
            let sum = Strong::new(AsyncMutex::new(Sum(0)));
            let connection = signal.connect_mut(&sum, Sum::add);
            let held = sum.lock().await;
            let mut emission = signal.emit(&2);
            for _ in 0..3 {
                assert!(poll!(&mut emission).is_pending());
            }
            drop(held);
            assert_eq!(emission.await, 1);
            // Side by side they would lose one another's addition, but for the lock.
            assert_eq!(join(signal.emit(&3), signal.emit_concurrent(&4)).await, (1, 1));
            assert_eq!(sum.lock().await.0, 9);
            assert_eq!(signal.disconnect_method(&sum, Sum::add), 1);
            assert!(!connection.is_connected());
        }

        async fn connect_mut_accepts_a_closure_that_captures() {
            let signal: AsyncSignal<u32> = AsyncSignal::new();
            let (sum, factor) = (Strong::new(AsyncMutex::new(0)), 10);
            signal.connect_mut(&sum, move |sum: &mut u32, n: &u32| {
                *sum += n * factor;
                ready(())
            });
            signal.emit(&2).await;
            assert_eq!(*sum.lock().await, 20);
        }

        async fn events_may_be_unsized() {
            let bytes: AsyncSignal<[u8], usize> = AsyncSignal::new();
            type Thing = dyn std::fmt::Debug + Send + Sync;
            let things: AsyncSignal<Thing, String> = AsyncSignal::new();
            let owner = Strong::new(1);
            bytes.connect(&owner, async |_: &usize, bytes: &[u8]| {
                yield_once().await;
                bytes.len()
            });
            things.connect(&owner, async |_: &usize, thing: &Thing| {
                yield_once().await;
                format!("{thing:?}")
            });
            assert_eq!(bytes.call(&[1, 2]).collect::<Vec<_>>().await, [2]);
            assert_eq!(things.call_concurrent(&Some(1)).collect::<Vec<_>>().await, ["Some(1)"]);
        }

        // Options, and what connections do.

        async fn handlers_run_by_priority_then_as_they_were_connected() {
            let log = Log::default();
            let signal = AsyncSignal::new();
            let workers = ["a", "b", "c", "d"].map(|name| Worker::new(&log, name));
            signal.connect(&workers[0], Worker::note);
            signal.slot().priority(1).connect(&workers[1], Worker::note);
            signal.slot().priority(-1).connect_sync(&workers[2], Worker::at_once);
            signal.connect(&workers[3], Worker::note);
            for way in WAYS {
                assert_eq!(run(way, &signal, &1).await, 4);
                assert_eq!(log.take(), ["b 1", "a 1", "d 1", "c 1"], "{way:?}");
            }
        }

        async fn concurrent_handlers_are_started_in_order() {
            let log = Log::default();
            let signal = AsyncSignal::new();
            let workers = ["a", "b", "c"].map(|name| Worker::new(&log, name));
            signal.connect(&workers[0], Worker::wait);
            signal.connect(&workers[1], Worker::wait);
            signal.slot().priority(1).connect(&workers[2], Worker::wait);
            for worker in [2, 0, 1] {
                workers[worker].door.0.lock().unwrap().0 = false;
            }
            let mut emission = signal.emit_concurrent(&1);
            assert!(poll!(&mut emission).is_pending());
            assert_eq!(log.take(), ["c starts 1", "a starts 1", "b starts 1"]);
            for worker in [1, 2, 0] {
                workers[worker].door.open();
                let _ = poll!(&mut emission);
            }
            assert_eq!(log.take(), ["b ends 1", "c ends 1", "a ends 1"]);
        }

        async fn once_and_times_are_claimed_before_the_future_is_made() {
            for way in WAYS {
                let Behind { signal, log, a, b: _b, c: _c, .. } = Behind::new();
                signal.disconnect_all();
                let once = signal.slot().once().connect(&a, Worker::wait);
                let n = 1;
                let mut first = Box::pin(run(way, &signal, &n));
                assert!(poll!(&mut first).is_pending());
                assert!(!once.is_connected());
                assert_eq!(run(way, &signal, &2).await, 0, "{way:?}");
                a.door.open();
                assert_eq!(first.await, 1);
                assert_eq!(log.take()[..2], ["a starts 1", "a ends 1"]);

                signal.slot().times(2).connect(&a, Worker::note);
                drop(signal.emit(&2)); // never polled: nothing was claimed
                assert_eq!(run(way, &signal, &3).await, 1);
                assert_eq!(run(way, &signal, &4).await, 1);
                assert_eq!(run(way, &signal, &5).await, 0);
            }
        }

        async fn the_last_call_of_a_slot_counts_although_its_future_is_dropped() {
            let Behind { signal, a, b: _b, c: _c, .. } = Behind::new();
            signal.disconnect_all();
            signal.slot().once().connect(&a, Worker::wait);
            let mut emission = signal.emit(&1);
            assert!(poll!(&mut emission).is_pending());
            drop(emission);
            assert_eq!(signal.emit(&1).await, 0);
            assert_eq!(signal.slot_count(), 0);
        }

        async fn unique_gives_the_standing_connection() {
            let Behind { signal, a, connections, b: _b, c: _c, .. } = Behind::new();
            let again = signal.slot().unique().connect(&a, Worker::wait);
            assert_eq!(signal.slot_count(), 3);
            assert!(again.disconnect() && !connections[0].is_connected());
            signal.slot().unique().timeout(Duration::from_secs(1)).connect(&a, Worker::wait);
            signal.slot().unique().connect(&a, Worker::wait);
            assert_eq!(signal.slot_count(), 3, "also where one of them has a deadline");
        }

        async fn a_signal_answers_what_its_slots_are() {
            let Behind { signal, a, b, c: _c, .. } = Behind::new();
            assert!(!signal.is_empty() && !signal.is_blocked() && signal.slot_count() == 3);
            drop(b);
            assert_eq!(signal.prune(), 1);
            assert_eq!(signal.disconnect_owner(&a), 1);
            assert_eq!(signal.disconnect_all(), 1);
            assert!(signal.is_empty());
            assert!(format!("{signal:?} {:?} {:?}", signal.source(), signal.slot()).contains("Async"));
            assert!(format!("{:?} {:?}", signal.emit(&1), signal.try_emit(&1)).contains("Emit"));
        }

        // Connecting during an emission.

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

        async fn an_emission_covers_the_slots_connected_when_it_was_made() {
            let Behind { signal, log, a, b, c: _c, .. } = Behind::new();
            a.door.open();
            let emission = signal.emit(&1);
            signal.connect(&b, Worker::also);
            assert_eq!(emission.await, 3);
            assert_eq!(log.take(), ["a starts 1", "a ends 1", "b 1", "c 1"]);
        }

        // Before a handler is started.

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
