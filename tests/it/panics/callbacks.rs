//! Each callback of streams and asynchronous signals panics, at its first call, its second, and so
//! on. Afterwards events come as ever: each is delivered or told as lost, who waits is woken, and
//! all is dropped once.

use futures::future::poll_fn;
use futures::stream::Stream;
use sigwire::{Backpressure, Lagged, Overflow};
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, Once};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};

/// What is called of the user's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum At {
    CloneWaker,
    Wake,
    DropWaker,
    CloneEvent,
    DropEvent,
    Make,
    Poll,
    DropFuture,
    DropResult,
}
use At::*;

thread_local! {
    /// What panics next, and after how many calls.
    static BOMB: Cell<Option<(At, usize)>> = const { Cell::new(None) };
    static EXPLODED: Cell<usize> = const { Cell::new(0) };
    /// How many events, wakers, futures and results there are.
    static LIVE: Cell<isize> = const { Cell::new(0) };
    /// What is done when a waker is cloned next.
    static ON_CLONE: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
}

/// What the bomb panics with.
struct Boom;

fn reach(at: At) {
    match BOMB.get() {
        Some((which, 1)) if which == at => {
            BOMB.set(None);
            EXPLODED.set(EXPLODED.get() + 1);
            std::panic::panic_any(Boom);
        }
        Some((which, left)) if which == at => BOMB.set(Some((which, left - 1))),
        _ => (),
    }
}

/// Runs the scenario with a panic at each call of each kind, and expects that nothing is left.
fn at_each_call(kinds: &[At], mut scenario: impl FnMut()) {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let loud = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !info.payload().is::<Boom>() {
                loud(info);
            }
        }));
    });
    for at in kinds {
        for call in 1.. {
            assert!(call < 1_000, "it does not end");
            BOMB.set(Some((*at, call)));
            EXPLODED.set(0);
            let result = catch_unwind(AssertUnwindSafe(&mut scenario));
            let exploded = EXPLODED.get() > 0;
            BOMB.set(None);
            if let Err(panic) = result {
                eprintln!("with a panic in {at:?}, call {call}:");
                std::panic::resume_unwind(panic);
            }
            assert_eq!(
                LIVE.get(),
                0,
                "leaked, or dropped twice, with a panic in {at:?}, call {call}"
            );
            if !exploded {
                break;
            }
        }
    }
}

/// Whether it came through.
fn attempt(run: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(run)).is_ok()
}

/// Counted while it lives. (In a box, so that memory checkers see when it is dropped twice.)
struct Token(#[allow(dead_code)] Box<u8>);

impl Token {
    fn new() -> Self {
        LIVE.set(LIVE.get() + 1);
        Token(Box::new(1))
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        LIVE.set(LIVE.get() - 1);
    }
}

struct Event(usize, #[allow(dead_code)] Token);

impl Clone for Event {
    fn clone(&self) -> Self {
        reach(CloneEvent);
        Event(self.0, Token::new())
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        reach(DropEvent);
    }
}

struct Outcome(#[allow(dead_code)] Token);

impl Drop for Outcome {
    fn drop(&mut self) {
        reach(DropResult);
    }
}

const VTABLE: RawWakerVTable = RawWakerVTable::new(
    |data| {
        reach(CloneWaker);
        if let Some(act) = ON_CLONE.take() {
            act();
        }
        // SAFETY: each waker is one reference.
        unsafe { Arc::increment_strong_count(data.cast::<AtomicBool>()) };
        LIVE.set(LIVE.get() + 1);
        RawWaker::new(data, &VTABLE)
    },
    |data| {
        // SAFETY: as above; this one is used up.
        let woken = unsafe { Arc::from_raw(data.cast::<AtomicBool>()) };
        LIVE.set(LIVE.get() - 1);
        reach(Wake);
        woken.store(true, SeqCst);
    },
    |data| {
        reach(Wake);
        // SAFETY: as above; it is only borrowed.
        unsafe { &*data.cast::<AtomicBool>() }.store(true, SeqCst);
    },
    |data| {
        // SAFETY: as above.
        drop(unsafe { Arc::from_raw(data.cast::<AtomicBool>()) });
        LIVE.set(LIVE.get() - 1);
        reach(DropWaker);
    },
);

/// A task, polled when it was woken. One that panicked knows of that, and is polled again.
struct Job<'a> {
    future: Option<Pin<Box<dyn Future<Output = ()> + 'a>>>,
    waker: Waker,
    woken: Arc<AtomicBool>,
    panicked: bool,
}

impl<'a> Job<'a> {
    fn new(future: impl Future<Output = ()> + 'a) -> Self {
        let (waker, woken) = Self::waker();
        Job { future: Some(Box::pin(future)), waker, woken, panicked: false }
    }

    fn waker() -> (Waker, Arc<AtomicBool>) {
        let woken = Arc::new(AtomicBool::new(true));
        LIVE.set(LIVE.get() + 1);
        let raw = RawWaker::new(Arc::into_raw(woken.clone()).cast(), &VTABLE);
        // SAFETY: the table does what its contract says, but for the panics.
        (unsafe { Waker::from_raw(raw) }, woken)
    }

    /// From now on it is polled with another waker.
    fn change_waker(&mut self) {
        let (waker, woken) = Self::waker();
        let former = std::mem::replace(&mut self.waker, waker);
        attempt(|| drop(former));
        self.woken = woken;
    }

    /// Returns whether there was anything to do.
    fn run(&mut self) -> bool {
        if !self.woken.swap(false, SeqCst) || self.is_done() {
            return false;
        }
        let future = self.future.as_mut().unwrap();
        let polled = catch_unwind(AssertUnwindSafe(|| {
            future.as_mut().poll(&mut Context::from_waker(&self.waker))
        }));
        match polled {
            Ok(Poll::Pending) => (),
            Ok(Poll::Ready(())) => _ = attempt(|| self.future = None),
            Err(_) => {
                self.panicked = true;
                self.woken.store(true, SeqCst);
            }
        }
        true
    }

    fn is_done(&self) -> bool {
        self.future.is_none()
    }
}

fn run_all(jobs: &mut [Job<'_>]) {
    while jobs.iter_mut().fold(false, |ran, job| job.run() | ran) {}
}

type Items = Rc<RefCell<Vec<Result<usize, u64>>>>;

/// Takes as many items as it may, and notes them.
fn consume<'a, S: Stream<Item = Result<Event, Lagged>> + Unpin + 'a>(
    mut stream: S,
    may_take: Rc<Cell<usize>>,
    items: Items,
) -> Job<'a> {
    Job::new(poll_fn(move |context| {
        while may_take.get() > 0 {
            match Pin::new(&mut stream).poll_next(context) {
                Poll::Ready(Some(item)) => {
                    may_take.set(may_take.get() - 1);
                    let noted = item.as_ref().map(|event| event.0).map_err(|lost| lost.0);
                    items.borrow_mut().push(noted);
                    drop(item);
                }
                Poll::Ready(None) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Pending
    }))
}

/// Those whose emissions neither panicked nor were dropped are there, or are told of where they are
/// missing.
fn check_items(items: &[Result<usize, u64>], came_through: &[bool]) {
    let mut due = 0;
    let mut told = 0;
    for item in items.iter().copied().chain([Ok(came_through.len())]) {
        match item {
            Ok(event) => {
                let missing = came_through.get(due..event).unwrap_or_else(|| panic!("{items:?}"));
                let must = missing.iter().filter(|it| **it).count() as u64;
                assert!(must <= told && told <= missing.len() as u64, "{items:?} {came_through:?}");
                (due, told) = (event + 1, 0);
            }
            Err(lost) => told += lost,
        }
    }
}

const OF_STREAMS: [At; 5] = [CloneWaker, Wake, DropWaker, CloneEvent, DropEvent];
const OF_HANDLERS: [At; 7] = [CloneWaker, Wake, DropWaker, Make, Poll, DropFuture, DropResult];

/// What handlers wait at.
#[derive(Default)]
struct Gate(Mutex<(bool, Vec<Waker>)>);

impl Gate {
    fn is_open(&self, context: &Context<'_>) -> bool {
        let waker = context.waker().clone();
        let mut gate = self.0.lock().unwrap();
        gate.1.push(waker);
        gate.0
    }

    /// Wakes all, and those that panic again.
    fn open(&self) {
        let waiting = {
            let mut gate = self.0.lock().unwrap();
            gate.0 = true;
            std::mem::take(&mut gate.1)
        };
        for waker in waiting {
            _ = attempt(|| waker.wake_by_ref()) || attempt(|| waker.wake_by_ref());
            attempt(|| drop(waker));
        }
    }
}

/// The future of a handler.
struct Handling {
    /// None when it is ready at once.
    gate: Option<Arc<Gate>>,
    _token: Token,
}

impl Handling {
    fn new(gate: Option<Arc<Gate>>) -> Self {
        reach(Make);
        Handling { gate, _token: Token::new() }
    }
}

impl Future for Handling {
    type Output = Outcome;
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        reach(At::Poll);
        match &self.gate {
            Some(gate) if !gate.is_open(context) => std::task::Poll::Pending,
            _ => std::task::Poll::Ready(Outcome(Token::new())),
        }
    }
}

impl Drop for Handling {
    fn drop(&mut self) {
        reach(DropFuture);
    }
}

#[derive(Clone, Copy, Debug)]
enum Way {
    Emit,
    Concurrently,
    Call,
    CallConcurrently,
    Try,
}
const WAYS: [Way; 5] = [Way::Emit, Way::Concurrently, Way::Call, Way::CallConcurrently, Way::Try];

both_flavors! {
    #[test]
    fn after_a_panic_in_any_callback_of_a_stream_events_come_and_none_is_lost_silently() {
        for overflow in [Overflow::DropOldest, Overflow::DropNewest, Overflow::Latest] {
            at_each_call(&OF_STREAMS, || {
                let events: Vec<Event> = (0..14).map(|n| Event(n, Token::new())).collect();
                let mut signal = Some(Signal::<Event>::new());
                let it = signal.as_ref().unwrap();
                let (items, may_take) = (Items::default(), Rc::new(Cell::new(usize::MAX)));
                let stream = Rc::new(RefCell::new(it.stream(2, overflow)));
                let polled = stream.clone();
                let stream_of_it = futures::stream::poll_fn(move |context| {
                    Pin::new(&mut *polled.borrow_mut()).poll_next(context)
                });
                let mut jobs = vec![consume(stream_of_it, may_take.clone(), items.clone())];
                let (mut next, next_is) = (it.next_event(), Rc::new(Cell::new(None)));
                let noted = next_is.clone();
                jobs.push(Job::new(poll_fn(move |context| {
                    Pin::new(&mut next).poll(context).map(|event| {
                        noted.set(Some(event.as_ref().map(|event| event.0)));
                        drop(event);
                    })
                })));
                run_all(&mut jobs);
                let mut came_through = Vec::new();
                for event in &events {
                    // The first ones are waited for; then the stream overflows, twice.
                    if matches!(event.0, 3 | 8) {
                        may_take.set(0);
                    }
                    if matches!(event.0, 7 | 12) {
                        may_take.set(usize::MAX);
                        jobs[0].woken.store(true, SeqCst);
                        run_all(&mut jobs);
                        jobs[0].change_waker();
                        run_all(&mut jobs);
                    }
                    came_through.push(attempt(|| _ = it.emit(event)));
                    run_all(&mut jobs);
                }
                attempt(|| signal = None);
                run_all(&mut jobs);
                assert!(jobs.iter().all(Job::is_done), "told of the end");
                let missed = stream.borrow().missed();
                let all = items.borrow().iter().filter(|item| item.is_ok()).count() as u64 + missed;
                let must = came_through.iter().filter(|it| **it).count() as u64;
                assert!(
                    must <= all && all <= events.len() as u64,
                    "{overflow:?} {items:?} {missed}"
                );
                if overflow != Overflow::Latest {
                    check_items(&items.borrow(), &came_through);
                }
                let next = next_is.take();
                assert!(next == Some(Some(0)) || EXPLODED.get() > 0, "{next:?}");
                BOMB.set(None);
            });
        }
    }

    #[test]
    fn after_a_panic_in_any_callback_of_a_stream_that_is_waited_for_none_is_lost_silently() {
        for (concurrent, is_dropped) in [(false, false), (true, false), (false, true), (true, true)]
        {
            at_each_call(&OF_STREAMS, || {
                let events: Vec<Event> = (0..100).map(|n| Event(n, Token::new())).collect();
                let signal = AsyncSignal::<Event>::new();
                let (items, may_take) = (Items::default(), Rc::new(Cell::new(0)));
                let mut consumer = consume(signal.stream(1, Backpressure), may_take.clone(), items.clone());
                let emit = |n: usize| {
                    if concurrent {
                        let mut emission = signal.emit_concurrent(&events[n]);
                        Job::new(poll_fn(move |context| {
                            Pin::new(&mut emission).poll(context).map(drop)
                        }))
                    } else {
                        let mut emission = signal.emit(&events[n]);
                        Job::new(poll_fn(move |context| {
                            Pin::new(&mut emission).poll(context).map(drop)
                        }))
                    }
                };
                let take = |consumer: &mut Job<'_>, number: usize| {
                    may_take.set(number);
                    consumer.woken.store(true, SeqCst);
                    while consumer.run() {}
                };
                let mut dropped = Vec::new();
                let mut jobs: Vec<Job<'_>> = (0..6).map(&emit).collect();
                run_all(&mut jobs);
                take(&mut consumer, 1);
                run_all(&mut jobs);
                // One from the middle, and one that has another waker now.
                attempt(|| jobs[3].future = None);
                dropped.push(3);
                jobs[4].change_waker();
                run_all(&mut jobs);
                if is_dropped {
                    attempt(|| consumer.future = None);
                    run_all(&mut jobs);
                    assert!(
                        jobs.iter().all(Job::is_done),
                        "nobody waits for room in a stream that is gone"
                    );
                } else {
                    take(&mut consumer, 2);
                    run_all(&mut jobs);
                    take(&mut consumer, usize::MAX);
                    run_all(&mut jobs);
                    // Now the consumer waits, and is to be woken. Again, if the panic was on this
                    // way.
                    loop {
                        let before = EXPLODED.get();
                        for _ in 0..3 {
                            jobs.push(emit(jobs.len()));
                            run_all(&mut jobs);
                            consumer.run();
                        }
                        run_all(&mut jobs);
                        if EXPLODED.get() == before {
                            break;
                        }
                    }
                    assert!(jobs.iter().all(Job::is_done), "all have had room, and know it");
                    let came_through: Vec<bool> = jobs
                        .iter()
                        .enumerate()
                        .map(|(n, job)| !job.panicked && !dropped.contains(&n))
                        .collect();
                    let while_it_waits = came_through.len() - 1;
                    assert!(items.borrow().contains(&Ok(while_it_waits)), "the consumer was woken");
                    check_items(&items.borrow(), &came_through);
                }
                BOMB.set(None);
            });
        }
    }

    #[test]
    fn an_event_that_comes_while_a_waker_is_cloned_is_not_lost_when_that_panics_as_it_is_dropped() {
        at_each_call(&OF_STREAMS, || {
            let signal = Std::new(Signal::<Event>::new());
            let items = Items::default();
            let stream = signal.stream(4, Overflow::DropOldest);
            let mut consumer = consume(stream, Rc::new(Cell::new(usize::MAX)), items.clone());
            let mut came_through = Rc::new(RefCell::new(Vec::new()));
            for n in 0..3 {
                let (signal, noted) = (signal.clone(), came_through.clone());
                let event = Event(n, Token::new());
                let emit = move || {
                    noted.borrow_mut().push(attempt(|| _ = signal.emit(&event)));
                    attempt(|| drop(event));
                };
                ON_CLONE.set(Some(Box::new(emit)));
                consumer.change_waker();
                while consumer.run() {}
                ON_CLONE.take().into_iter().for_each(|emit| emit());
                while consumer.run() {}
            }
            BOMB.set(None);
            let came_through = Rc::get_mut(&mut came_through).unwrap().take();
            assert_eq!(came_through.len(), 3);
            check_items(&items.borrow(), &came_through);
        });
    }

    /// Runs one emission of handlers that are ready, and of handlers that wait at two gates.
    /// `with_options` makes the slots; `let_pass` is done where those at the second gate are to go
    /// on.
    fn run_handlers(
        way: Way,
        is_dropped: bool,
        with_options: impl for<'a> Fn(
            AsyncSlotOptions<'a, Event, Outcome>,
        ) -> AsyncSlotOptions<'a, Event, Outcome>,
        let_pass: impl Fn(&Gate),
    ) {
        let event = Event(0, Token::new());
        let signal = AsyncSignal::<Event, Outcome>::new();
        let owner = Strong::new(Token::new());
        let gates = [(); 2].map(|()| Arc::<Gate>::default());
        let gate_of = [None, Some(0), None, Some(1), Some(0), None];
        let started = gate_of.map(|gate| {
            let started = Rc::new(Cell::new(0));
            let gate = gate.map(|gate: usize| gates[gate].clone());
            let noted = SameThread(started.clone());
            with_options(signal.slot()).connect(&owner, move |_: &Token, _: &Event| {
                noted.add();
                Handling::new(gate.clone())
            });
            started
        });
        let results = Rc::new(Cell::new(0));
        let noted = results.clone();
        let note = move |outcome: Outcome| {
            noted.set(noted.get() + 1);
            drop(outcome);
        };
        fn each<'a>(
            mut results: impl Stream<Item = Outcome> + Unpin + 'a,
            note: impl Fn(Outcome) + 'a,
        ) -> Job<'a> {
            Job::new(poll_fn(move |context| {
                while let Some(outcome) = futures::ready!(Pin::new(&mut results).poll_next(context))
                {
                    note(outcome);
                }
                Poll::Ready(())
            }))
        }
        let mut job = match way {
            Way::Emit => {
                let mut emission = signal.emit(&event);
                Job::new(poll_fn(move |context| Pin::new(&mut emission).poll(context).map(drop)))
            }
            Way::Concurrently => {
                let mut emission = signal.emit_concurrent(&event);
                Job::new(poll_fn(move |context| Pin::new(&mut emission).poll(context).map(drop)))
            }
            Way::Try => {
                let mut emission = signal.try_emit(&event);
                Job::new(poll_fn(move |context| Pin::new(&mut emission).poll(context).map(drop)))
            }
            Way::Call => each(signal.call(&event), note),
            Way::CallConcurrently => each(signal.call_concurrent(&event), note),
        };
        run_all(std::slice::from_mut(&mut job));
        gates[0].open();
        run_all(std::slice::from_mut(&mut job));
        if is_dropped {
            attempt(|| job.future = None);
        } else {
            job.change_waker();
            run_all(std::slice::from_mut(&mut job));
            let_pass(&gates[1]);
            run_all(std::slice::from_mut(&mut job));
            assert!(job.is_done(), "{way:?}: it is told that it can go on");
            assert!(started.iter().all(|started| started.get() == 1), "{way:?}: {started:?}");
            if matches!(way, Way::Call | Way::CallConcurrently) {
                // One of them may have had its deadline.
                assert!(results.get() >= 5 - EXPLODED.get(), "{way:?}");
            }
        }
        BOMB.set(None);
        gates.iter().for_each(|gate| gate.open());
        let mut again = signal.emit(&event);
        let again = Pin::new(&mut again).poll(&mut Context::from_waker(Waker::noop()));
        assert_eq!(again, Poll::Ready(6), "the signal is as it was");
        gates.iter().for_each(|gate| gate.open());
    }

    #[test]
    fn after_a_panic_in_any_callback_of_an_emission_it_goes_on_and_runs_each_handler_once() {
        for way in WAYS {
            for is_dropped in [false, true] {
                at_each_call(&OF_HANDLERS, || {
                    run_handlers(way, is_dropped, |slot| slot, Gate::open);
                });
            }
        }
    }

    /// But for panics as the clock wakes, which are within tokio.
    #[cfg(feature = "tokio")]
    #[test]
    fn after_a_panic_in_any_callback_of_handlers_with_deadlines_their_emission_goes_on_too() {
        use std::time::Duration;
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        let _entered = runtime.enter();
        for way in WAYS {
            for is_dropped in [false, true] {
                let kinds = OF_HANDLERS.into_iter().filter(|at| *at != Wake).collect::<Vec<_>>();
                at_each_call(&kinds, || {
                    let pass = |_: &Gate| {
                        runtime.block_on(tokio::time::advance(Duration::from_millis(20)))
                    };
                    run_handlers(
                        way,
                        is_dropped,
                        |slot| slot.timeout(Duration::from_millis(10)),
                        pass,
                    );
                });
            }
        }
    }
}

/// Shared by handlers that are called on one thread.
struct SameThread(Rc<Cell<usize>>);

// SAFETY: these tests have one thread each.
unsafe impl Send for SameThread {}
// SAFETY: as above.
unsafe impl Sync for SameThread {}

impl SameThread {
    fn add(&self) {
        self.0.set(self.0.get() + 1);
    }
}
