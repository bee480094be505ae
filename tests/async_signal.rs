//! Asynchronous signals: each test in both flavors, with tracked owners too, and by three executors.

// ThreadSanitizer does not see the locks of the standard library, which tokio uses: see tests/threads.rs for what it
// can run.
#![cfg(all(feature = "tokio", not(sigwire_tsan)))]

mod common;

use futures::future::{join, poll_fn, ready};
use futures::{FutureExt, Stream, StreamExt, poll};
use sigwire::Failure;
use std::cell::Cell;
use std::future::Future;
use std::mem::replace;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::pin::Pin;
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

    /// Gives the door's address.
    async fn address(&self, _: &u32) -> usize {
        self.pass().await;
        std::ptr::from_ref(self).addr()
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

const IN_MAKING: &str = "in making";
const IN_THE_FIRST_POLL: &str = "in the first poll";
const IN_A_LATER_POLL: &str = "in a later poll";

/// A future that panics, and when.
fn panicking(kind: &'static str) -> impl Future<Output = ()> + Send + 'static {
    assert!(kind != IN_MAKING, "{kind}");
    async move {
        assert!(kind != IN_THE_FIRST_POLL, "{kind}");
        yield_once().await;
        panic!("{kind}");
    }
}

#[repr(align(64))]
struct Aligned64([u8; 64]);
#[repr(align(128))]
struct Aligned128([u8; 128]);

/// What a handler held while it waited.
struct Held {
    size: usize,
    align: usize,
}

impl Held {
    fn new<T>() -> Self {
        Held { size: size_of::<T>(), align: align_of::<T>() }
    }
}

/// Holds bytes that are all 5 while it waits, and looks at them afterwards.
async fn held<T: Bytes>(bytes: T) -> Held {
    yield_once().await;
    assert!(std::ptr::from_ref(&bytes).is_aligned());
    assert!(bytes.bytes().iter().all(|byte| *byte == 5));
    Held::new::<T>()
}

trait Bytes {
    fn bytes(&self) -> &[u8];
}
impl Bytes for () {
    fn bytes(&self) -> &[u8] {
        &[]
    }
}
impl<const N: usize> Bytes for [u8; N] {
    fn bytes(&self) -> &[u8] {
        self
    }
}
impl Bytes for Aligned64 {
    fn bytes(&self) -> &[u8] {
        &self.0
    }
}
impl Bytes for Aligned128 {
    fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Where something is.
fn address(door: &Door) -> usize {
    std::ptr::from_ref(door).addr()
}

/// A handler's future that waits at a door, and must not be polled when it is over. How often it was polled is counted.
struct Strict {
    door: Arc<Door>,
    polls: Arc<AtomicUsize>,
    is_over: bool,
    panics: bool,
}

impl Future for Strict {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        assert!(!replace(&mut self.is_over, true), "polled when it was over");
        self.polls.fetch_add(1, SeqCst);
        let passed = Box::pin(self.door.pass()).poll_unpin(context);
        self.is_over = passed.is_ready();
        if self.is_over && self.panics {
            self.is_over = true;
            panic!("after the door");
        }
        passed
    }
}

/// As many as wait with their task's own waker, one more, and others.
const FEW_AND_MANY: [usize; 8] = [1, 2, 3, 29, 30, 31, 32, 100];

/// Polls with a waker that wakes nobody.
fn poll_by_none<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    future.poll_unpin(&mut Context::from_waker(Waker::noop()))
}

/// A waker, and how often it was woken.
fn counting_waker() -> (Waker, Arc<Woken>) {
    let woken = Arc::new(Woken::default());
    (woken.clone().into(), woken)
}

#[derive(Default)]
struct Woken(AtomicUsize);
impl std::task::Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// Runs it inside as many emissions as may be nested.
fn at_the_bottom(run: &mut dyn FnMut()) {
    thread_local! {
        static RUN: Cell<Option<*mut dyn FnMut()>> = const { Cell::new(None) };
        static SIGNAL: sigwire::local::Signal<u32> =
            const { sigwire::local::Signal::new() };
    }
    // SAFETY: only the lifetime differs, and it is used before this returns.
    RUN.set(Some(unsafe { std::mem::transmute::<*mut (dyn FnMut() + '_), *mut dyn FnMut()>(run) }));
    SIGNAL.with(|signal| {
        let _guard = signal.connect_fn(|depth| {
            if *depth < 256 {
                SIGNAL.with(|signal| signal.emit(&(depth + 1)));
            } else if let Some(run) = RUN.take() {
                // SAFETY: `at_the_bottom` borrows it meanwhile.
                unsafe { (*run)() };
            }
        });
        signal.emit(&1);
    });
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

both_flavors! {
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

    /// The same, which can also be polled again after a panic.
    fn emission<'a>(way: Way, signal: &'a AsyncSignal<u32>, n: &'a u32) -> Pin<Box<dyn Future<Output = usize> + 'a>> {
        match way {
            Emit => Box::pin(signal.emit(n)),
            Call => Box::pin(signal.call(n).count()),
            Try => Box::pin(signal.try_emit(n).map(|called| called.unwrap())),
            Concurrently => Box::pin(signal.emit_concurrent(n)),
            CallConcurrently => Box::pin(signal.call_concurrent(n).count()),
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

    /// Handlers with a door each.
    struct Strictly {
        signal: AsyncSignal<u32>,
        doors: Vec<Arc<Door>>,
        polls: Vec<Arc<AtomicUsize>>,
        owner: Strong<Noter>,
    }
    impl Strictly {
        fn new(handlers: usize) -> Self {
            let (signal, owner) = (AsyncSignal::new(), Strong::new(Noter::new(&Log::default(), "")));
            let doors: Vec<_> = (0..handlers).map(|_| Arc::new(Door::default())).collect();
            let polls: Vec<Arc<AtomicUsize>> = doors.iter().map(|_| Arc::default()).collect();
            for (door, polls) in std::iter::zip(&doors, &polls) {
                let (door, polls) = (door.clone(), Arc::clone(polls));
                signal.connect(&owner, move |_: &Noter, _: &u32| Strict {
                    door: door.clone(),
                    polls: polls.clone(),
                    is_over: false,
                    panics: false,
                });
            }
            Strictly { signal, doors, polls, owner }
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

        // While a handler is under way.

        async fn a_future_under_way_runs_to_its_end_although_its_slot_is_disconnected() {
            for way in WAYS {
                let log = Behind::new().called_after(way, |this| {
                    let Behind { signal, connections, .. } = this.as_ref().unwrap();
                    assert!(connections[0].disconnect());
                    assert_eq!(signal.slot_count(), 2);
                });
                let log = log.await;
                assert!(log.contains(&"a ends 1".to_owned()), "{way:?}: {log:?}");
            }
        }

        async fn what_a_closure_captured_is_dropped_with_its_future_when_it_is_disconnected_meanwhile() {
            for way in WAYS {
                let signal: AsyncSignal<u32> = AsyncSignal::new();
                let door = Arc::new(Door::default());
                let kept = Arc::downgrade(&door);
                let guard = signal.connect_fn(move |_: &u32| {
                    let door = door.clone();
                    async move { door.pass().await }
                });
                let mut emission = Box::pin(run(way, &signal, &1));
                assert!(poll!(&mut emission).is_pending());
                drop(guard);
                kept.upgrade().expect("its future is under way").open();
                assert_eq!(emission.await, 1);
                assert!(kept.upgrade().is_none(), "{way:?}");
            }
        }

        async fn an_owner_whose_handler_is_under_way_is_held_until_that_ends_and_dropped_right_after() {
            for way in WAYS {
                let Behind { signal, log, a, b: _b, c: _c, .. } = Behind::new();
                let door = a.door.clone();
                let alive = Strong::downgrade(&a);
                let mut emission = Box::pin(run(way, &signal, &1));
                assert!(poll!(&mut emission).is_pending());
                drop(a);
                assert!(alive.upgrade().is_some(), "{way:?}");
                log.take();
                door.open();
                emission.await;
                let log = log.take();
                assert_eq!(log[..2], ["a ends 1", "a dropped"], "{way:?}");
            }
        }

        async fn an_emission_that_is_not_started_holds_no_owner() {
            let Behind { signal, log, a, b, c, .. } = Behind::new();
            let emissions = (signal.emit(&1), signal.emit_concurrent(&1), signal.call(&1));
            drop((a, b, c));
            assert_eq!(log.take(), ["a dropped", "b dropped", "c dropped"]);
            assert_eq!(emissions.0.await, 0);
            assert_eq!(emissions.1.await, 0);
            assert_eq!(emissions.2.count().await, 0);
        }

        async fn an_owner_that_ends_in_its_own_handler_is_dropped_right_after_its_future() {
            for way in WAYS {
                let log = Log::default();
                let signal: AsyncSignal<u32> = AsyncSignal::new();
                struct Last {
                    noter: Noter,
                    own: Strong<Exclusive<Option<Strong<Last>>>>,
                }
                let own = Strong::new(Exclusive::new(None));
                let last = Strong::new(Last { noter: Noter::new(&log, "a"), own: own.clone() });
                with(&own, |own| *own = Some(last.clone()));
                signal.connect(&last, async |last: &Last, _: &u32| {
                    let own = with(&last.own, Option::take);
                    drop(own);
                    last.noter.on(&1);
                    yield_once().await;
                    last.noter.on(&2);
                });
                let b = Worker::new(&log, "b");
                signal.slot().priority(-1).connect(&b, Worker::note);
                drop(last);
                assert_eq!(run(way, &signal, &1).await, 2);
                let log = log.take();
                let end = log.iter().position(|line| line == "a 2").unwrap();
                assert_eq!(log[end + 1], "a dropped", "{way:?}");
            }
        }

        async fn disconnect_and_wait_does_not_wait_for_the_end_of_a_future() {
            let Behind { signal, log, a, b: _b, c: _c, connections } = Behind::new();
            let mut emission = signal.emit(&1);
            assert!(poll!(&mut emission).is_pending());
            connections[0].disconnect_and_wait().unwrap();
            a.door.open();
            assert_eq!(emission.await, 3);
            assert_eq!(log.take()[1], "a ends 1");
        }

        // Handlers that emit.

        async fn a_nested_emission_runs_at_once_inside_the_handler_that_awaits_it() {
            for way in WAYS {
                let log = Log::default();
                let signal: Strong<AsyncSignal<u32>> = Strong::new(AsyncSignal::new());
                let nesting = Strong::new((Strong::downgrade(&signal), log.clone()));
                signal.connect(&nesting, async |nesting: &(Weak<AsyncSignal<u32>>, Log), n: &u32| {
                    let (signal, log) = nesting;
                    log.add(format!("before {n}"));
                    if *n > 0 {
                        let signal = signal.upgrade().unwrap();
                        let less = n - 1;
                        // Boxed, as is any future that contains itself.
                        assert_eq!(signal.emit(&less).await, 2);
                    }
                    log.add(format!("after {n}"));
                });
                let b = Worker::new(&log, "b");
                signal.connect(&b, Worker::note);
                assert_eq!(run(way, &signal, &1).await, 2);
                assert_eq!(log.take(), ["before 1", "before 0", "after 0", "b 0", "after 1", "b 1"]);
            }
        }

        async fn runaway_recursion_ends_in_a_panic_that_names_the_depth() {
            for way in WAYS {
                let signal: Strong<AsyncSignal<u32>> = Strong::new(AsyncSignal::new());
                let again = Strong::new(Strong::downgrade(&signal));
                signal.connect(&again, move |again: &Weak<AsyncSignal<u32>>, n: &u32| {
                    let (again, n) = (again.upgrade().unwrap(), *n);
                    boxed(async move { _ = again_and_again(way, &again, &n).await })
                });
                let message = match way {
                    Try => {
                        let error = signal.try_emit(&1).await.unwrap_err();
                        let Failure::Panicked(message) = error.failures()[0].failure() else {
                            panic!("it panicked")
                        };
                        message.clone()
                    }
                    _ => panic_in(run(way, &signal, &1)).await,
                };
                assert!(message.contains("nested 256 deep"), "{way:?}: {message}");
                signal.disconnect_all();
                assert_eq!(run(way, &signal, &1).await, 0);
            }
        }

        async fn runaway_recursion_that_waits_in_between_ends_in_that_panic_too() {
            for way in WAYS {
                let signal: Strong<AsyncSignal<u32>> = Strong::new(AsyncSignal::new());
                let again = Strong::new(Strong::downgrade(&signal));
                signal.connect(&again, move |again: &Weak<AsyncSignal<u32>>, n: &u32| {
                    let (again, n) = (again.upgrade().unwrap(), *n);
                    boxed(async move {
                        yield_once().await;
                        _ = again_and_again(way, &again, &n).await
                    })
                });
                let message = panic_in(run(way, &signal, &1)).await;
                assert!(message.contains("nested 256 deep"), "{way:?}: {message}");
            }
        }

        // Panics.

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
                        let good = order.iter().filter(|kind| [READY, PENDING].contains(kind)).count();
                        assert_eq!((called, panics), (good, order.len() - good), "{way:?} {order:?}");
                        let (done, started): (Vec<_>, Vec<_>) =
                            log.take().into_iter().partition(|entry| entry == "done");
                        assert_eq!((started, done.len()), (order.map(String::from).to_vec(), good));
                    }
                }
            }
        }

        async fn an_emission_polled_where_it_is_nested_too_deep_goes_on_when_it_is_polled_elsewhere() {
            for way in WAYS {
                for polled_before in [false, true] {
                    let Behind { signal, log, a, b: _b, c: _c, .. } = Behind::new();
                    let mut emission = emission(way, &signal, &1);
                    if polled_before {
                        assert!(poll_by_none(&mut emission).is_pending(), "{way:?}");
                    }
                    let mut message = String::new();
                    at_the_bottom(&mut || message = common::panic_of(|| poll_by_none(&mut emission)));
                    assert!(message.contains("nested 256 deep"), "{message}");
                    a.door.open();
                    assert_eq!(poll_by_none(&mut emission), Poll::Ready(3), "{way:?}, {polled_before}");
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
            for (n, kind) in [IN_MAKING, IN_THE_FIRST_POLL, IN_A_LATER_POLL].into_iter().enumerate() {
                let (once, again) = (&error.failures()[2 * n], &error.failures()[2 * n + 1]);
                assert_eq!((once.name(), again.name()), (Some(kind), None));
                assert!(!once.connection().is_connected());
                assert!(again.connection().disconnect() && !bad[2 * n + 1].is_connected());
                assert_eq!(*once.failure(), Failure::Panicked(kind.to_owned()));
            }
            assert!(error.to_string().starts_with("7 of 11 slots failed: slot in making panicked"));
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
            assert!(error.to_string().starts_with(
                "1 of 2 slots failed: a destructor at slot without name panicked"
            ));
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
                    signal.connect(&owner, move |owner: &Noter, _: &u32| Bad(owner.log.clone(), pending));
                    assert!(panic_in(run(way, &signal, &1)).await.contains("of a future"));
                    assert_eq!(log.take(), ["future dropped"]);
                    let error = signal.try_emit(&1).await.unwrap_err();
                    assert_eq!((error.called(), error.failures().len()), (1, 1));
                    assert_eq!(log.take(), ["future dropped"]);
                    if pending && IN_SEQUENCE.contains(&way) {
                        let mut emission = Box::pin(run(way, &signal, &1));
                        assert!(poll_by_none(&mut emission).is_pending());
                        common::panic_of(|| drop(emission));
                        assert_eq!(log.take(), ["future dropped"]);
                    }
                    drop(owner);
                    assert_eq!(log.take(), ["owner dropped"]);
                }
            }
        }

        // Emissions that are dropped.

        async fn dropping_an_emission_drops_its_futures_and_calls_no_further_handler() {
            for way in WAYS {
                let Behind { signal, log, a, b, c, .. } = Behind::new();
                signal.disconnect_all();
                signal.connect(&a, Worker::wait);
                signal.connect(&b, Worker::wait);
                let mut emission = Box::pin(run(way, &signal, &1));
                assert!(poll!(&mut emission).is_pending());
                drop((a, b));
                let started = if IN_SEQUENCE.contains(&way) { 1 } else { 2 };
                let before: Vec<_> =
                    log.take().into_iter().filter(|line| line.contains("starts")).collect();
                assert_eq!(before.len(), started, "{way:?}");
                drop(emission);
                let dropped = log.take();
                assert_eq!(dropped.len(), started, "{way:?}: {dropped:?}");
                assert!(dropped.iter().all(|line| line.contains("dropped")), "{way:?}");
                signal.connect(&c, Worker::note);
                assert_eq!(run(way, &signal, &2).await, 1);
                assert_eq!(signal.slot_count(), 1);
            }
        }

        async fn a_leaked_emission_keeps_what_it_holds_and_harms_nothing() {
            for way in [Emit, Concurrently] {
                let Behind { signal, log, a, b, c: _c, .. } = Behind::new();
                let event = Box::new(1);
                match way {
                    Emit => {
                        let mut emission = signal.emit(&event);
                        assert!(poll!(&mut emission).is_pending());
                        std::mem::forget(emission);
                    }
                    _ => {
                        let mut emission = signal.emit_concurrent(&event);
                        assert!(poll!(&mut emission).is_pending());
                        std::mem::forget(emission);
                    }
                }
                drop(event);
                // Wakes what is leaked.
                a.door.open();
                yield_once().await;
                log.take();
                signal.connect(&b, Worker::also);
                assert_eq!(signal.emit(&2).await, 4);
                assert_eq!(log.take(), ["a starts 2", "a ends 2", "b 2", "c 2", "b also 2"]);
            }
        }

        async fn a_handler_may_drop_another_emission_of_its_signal_that_is_under_way() {
            let Behind { signal, log, a, b, c: _c, .. } = Behind::new();
            signal.disconnect_all();
            signal.connect(&a, Worker::wait);
            type Kept = Strong<Exclusive<Option<FutureOf>>>;
            let kept: Kept = Strong::new(Exclusive::new(None));
            let alive = Strong::downgrade(&a);
            let leaked: Strong<AsyncSignal<u32>> = signal.clone();
            let mut first: FutureOf = boxed(async move {
                leaked.emit(&1).await;
            });
            assert!(poll!(&mut first).is_pending());
            with(&kept, |kept| *kept = Some(first));
            signal.disconnect_all();
            drop(a);
            assert!(alive.upgrade().is_some());
            signal.connect(&kept, async |kept: &Exclusive<Option<FutureOf>>, _: &u32| {
                let first = with(kept, Option::take);
                drop(first);
            });
            signal.connect(&b, Worker::note);
            log.take();
            assert_eq!(signal.emit(&2).await, 2);
            assert_eq!(log.take(), ["a dropped", "b 2"]);
        }

        // Streams of results.

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
            for (handlers, way) in [(31, Concurrently), (100, Concurrently), (2, CallConcurrently)] {
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

        // Many, and woken from elsewhere.

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

        // Room for the futures.

        async fn futures_of_all_sizes_and_alignments_share_one_room() {
            let signal: AsyncSignal<u32, Held> = AsyncSignal::new();
            let owner = Strong::new(5_u8);
            for _ in 0..2 {
                signal.connect(&owner, async |owner: &u8, _: &u32| held(Aligned64([*owner; 64])).await);
                signal.connect(&owner, async |owner: &u8, _: &u32| held([*owner; 10_000]).await);
                signal.connect(&owner, |_: &u8, _: &u32| ready(Held::new::<()>()));
                signal.connect(&owner, async |owner: &u8, _: &u32| held(Aligned128([*owner; 128])).await);
                signal.connect(&owner, async |_: &u8, _: &u32| held(()).await);
                signal.connect(&owner, async |owner: &u8, _: &u32| held([*owner; 3]).await);
                signal.connect_sync(&owner, |_, _| Held::new::<u8>());
            }
            let sizes = |results: Vec<Held>| {
                results.into_iter().map(|result| (result.size, result.align)).collect::<Vec<_>>()
            };
            let one = [(64, 64), (10_000, 1), (0, 1), (128, 128), (0, 1), (3, 1), (1, 1)];
            let all = sizes(signal.call(&1).collect().await);
            assert_eq!(all, one.repeat(2));
            let mut all = sizes(signal.call_concurrent(&1).collect().await);
            all.sort_unstable();
            let mut sorted = one.repeat(2);
            sorted.sort_unstable();
            assert_eq!(all, sorted);
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

    type FutureOf = Boxed<'static, ()>;

    /// Emits the same event again, and expects that to fail in its own way.
    async fn again_and_again(way: Way, signal: &AsyncSignal<u32>, n: &u32) -> usize {
        if way == Try {
            match signal.try_emit(n).await {
                Ok(called) => called,
                Err(error) => {
                    let Failure::Panicked(message) = error.failures()[0].failure().clone() else {
                        panic!("it panicked")
                    };
                    std::panic::panic_any(message)
                }
            }
        } else {
            run(way, signal, n).await
        }
    }
}

// What only one flavor has, or one runtime.

static QUIT: sigwire::AsyncSignal<str, usize> = sigwire::AsyncSignal::new();

#[test]
fn an_asynchronous_signal_can_be_a_static() {
    let _guard = QUIT.connect_fn(async |word: &str| word.len());
    assert_eq!(QUIT.call("tea").next().now_or_never(), Some(Some(3)));
    const { assert!(size_of::<sigwire::local::AsyncSignal<str>>() == size_of::<usize>()) };
}

#[test]
fn a_local_handler_may_hold_what_is_not_send() {
    use std::{cell::Cell, rc::Rc};
    let signal: sigwire::local::AsyncSignal<Rc<Cell<u32>>> = Default::default();
    let owner = Rc::new(Cell::new(1));
    signal.connect(&owner, async |owner: &Cell<u32>, event: &Rc<Cell<u32>>| {
        let event = event.clone();
        yield_once().await;
        owner.set(owner.get() + event.get());
    });
    futures::executor::block_on(signal.emit_concurrent(&Rc::new(Cell::new(2))));
    assert_eq!(owner.get(), 3);
}

/// Ends when its time has come, and says when it is dropped.
struct Slow(common::Log);
impl Slow {
    async fn wait(&self, seconds: &u64) -> u64 {
        let log = self.0.clone();
        let _end = common::AtEnd(|| log.add("handler dropped"));
        tokio::time::sleep(Duration::from_secs(*seconds)).await;
        *seconds
    }
    async fn wait_mut(&mut self, seconds: &u64) -> u64 {
        self.wait(seconds).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_is_dropped_at_its_deadline_and_try_emit_says_which() {
    let log = common::Log::default();
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
    common::executors::on_a_worker(async {
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
    });
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
            Err(error) => common::panic_of(|| resume_unwind(error.into_panic())),
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
    let log = common::Log::default();
    let signal: sigwire::AsyncSignal<common::Noter> = sigwire::AsyncSignal::new();
    let door = Arc::new((Door::default(), common::Noter::new(&log, "owner")));
    signal.connect(&door, async |door: &(Door, common::Noter), event: &common::Noter| {
        door.0.pass().await;
        event.on(&1);
    });
    let mut spawned = signal.emit_spawned(Arc::new(common::Noter::new(&log, "event")));
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
    let log = common::Log::default();
    let signal: sigwire::AsyncSignal<common::Noter> = sigwire::AsyncSignal::new();
    let door = Arc::new(Door::default());
    signal.connect(&door, async |door: &Door, event: &common::Noter| {
        door.pass().await;
        event.on(&1);
    });
    drop(signal.emit_spawned(Arc::new(common::Noter::new(&log, "event"))));
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
    let message = common::panic_of(|| signal.emit_spawned(Arc::new(1)));
    assert!(message.contains("no reactor running"), "{message}");
}

#[test]
fn emit_on_starts_an_emission_from_code_that_is_not_async() {
    let runtime = common::executors::workers();
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
    let runtime = common::executors::workers();
    let log = common::Log::default();
    let signal: sigwire::AsyncSignal<common::Noter> = sigwire::AsyncSignal::new();
    let (started, start) = std::sync::mpsc::channel();
    let owner = Arc::new((Door::default(), Mutex::new(started)));
    type Started = Mutex<std::sync::mpsc::Sender<()>>;
    let connection =
        signal.connect(&owner, async |(door, started): &(Door, Started), _: &common::Noter| {
            started.lock().unwrap().send(()).unwrap();
            door.pass().await;
        });
    signal.connect_sync(&owner, |_, _| panic!("the signal is gone"));
    let emission = signal.emit_on(runtime.handle(), Arc::new(common::Noter::new(&log, "event")));
    start.recv_timeout(Duration::from_secs(20)).unwrap();
    drop(signal);
    assert!(!connection.is_connected() && !connection.disconnect());
    owner.0.open();
    assert_eq!(runtime.block_on(emission).unwrap(), 1);
    assert_eq!(log.take(), ["event dropped"]);
}

#[test]
fn an_emission_that_is_aborted_by_its_own_handler_ends_there() {
    let runtime = common::executors::workers();
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
    let runtime = common::executors::workers();
    let both = runtime.block_on(runtime.spawn(both));
    assert_eq!(both.unwrap(), (4, 4));
}

#[test]
fn many_tasks_on_many_threads_emit_connect_and_disconnect_at_once() {
    let runtime = common::executors::workers();
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

#[test]
fn an_emission_that_is_nested_too_deep_is_no_failure_of_a_handler() {
    let runtime = common::executors::workers();
    let _inside = runtime.enter();
    let deeper: Arc<sigwire::Signal<u32>> = Arc::default();
    let signal: Arc<sigwire::AsyncSignal<u32>> = Arc::default();
    let owner = Arc::new((Arc::downgrade(&deeper), Arc::downgrade(&signal)));
    signal.connect_sync(&owner, |_, _| panic!("it is too deep to be called"));
    deeper.connect(&owner, |(deeper, signal), depth| {
        let (deeper, signal) = (deeper.upgrade().unwrap(), signal.upgrade().unwrap());
        if *depth < 256 {
            deeper.emit(&(depth + 1));
            return;
        }
        let message = common::panic_of(|| signal.try_emit(&1).now_or_never());
        assert!(message.contains("nested 256 deep"), "{message}");
        let message = common::panic_of(|| signal.emit_spawned(Arc::new(1)));
        assert!(message.contains("nested 256 deep"), "{message}");
    });
    assert_eq!(deeper.emit(&1), 1);
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
