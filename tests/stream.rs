//! Streams of events and waiting for the next one, in each flavour and under three executors.

mod common;

use std::cell::RefCell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures::executor::block_on;
use futures::future::{FusedFuture, join};
use futures::poll;
use futures::stream::{FusedStream, Stream, StreamExt};
use sigwire::{Lost, Overflow, Wait};

/// Runs the test under `futures`, and under both runtimes of tokio.
fn under_each_executor(test: impl AsyncFn()) {
    block_on(test());
    #[cfg(not(sigwire_tsan))]
    {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test());
        Tasks::new().0.block_on(test());
    }
}

/// Tasks on the threads of tokio.
#[cfg(not(sigwire_tsan))]
struct Tasks(tokio::runtime::Runtime);

/// ThreadSanitizer does not see the locks by which tokio's threads wait for each other, and takes what
/// they do for races. It gets tasks with a thread for each.
#[cfg(sigwire_tsan)]
struct Tasks(());

type Join<T> = Box<dyn FnOnce() -> T>;

#[cfg(not(sigwire_tsan))]
impl Tasks {
    fn new() -> Self {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        Tasks(builder.worker_threads(2).build().unwrap())
    }
    fn spawn<T: Send + 'static>(&self, task: impl Future<Output = T> + Send + 'static) -> Join<T> {
        let (runtime, task) = (self.0.handle().clone(), self.0.spawn(task));
        Box::new(move || runtime.block_on(task).unwrap())
    }
}

#[cfg(sigwire_tsan)]
impl Tasks {
    fn new() -> Self {
        Tasks(())
    }
    fn spawn<T: Send + 'static>(&self, task: impl Future<Output = T> + Send + 'static) -> Join<T> {
        let task = std::thread::spawn(move || block_on(task));
        Box::new(move || task.join().unwrap())
    }
}

/// Counts how often it is woken.
#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wakes {
    fn take(&self) -> usize {
        self.0.swap(0, SeqCst)
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

fn poll_with<S: Stream + Unpin>(stream: &mut S, wakes: &Arc<Wakes>) -> Poll<Option<S::Item>> {
    let waker = Waker::from(wakes.clone());
    Pin::new(stream).poll_next(&mut Context::from_waker(&waker))
}

/// What can be had without waiting.
fn ready<S: Stream + Unpin>(stream: &mut S) -> Vec<S::Item> {
    let mut context = Context::from_waker(Waker::noop());
    let mut items = Vec::new();
    while let Poll::Ready(Some(item)) = Pin::new(&mut *stream).poll_next(&mut context) {
        items.push(item);
    }
    items
}

fn is_pending<F: Future + Unpin>(future: &mut F) -> bool {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop())).is_pending()
}

thread_local! {
    static ACT: RefCell<Option<Box<dyn Fn()>>> = const { RefCell::new(None) };
}

/// What [`act`] does on this thread.
fn set_act(act: impl Fn() + 'static) {
    ACT.set(Some(Box::new(act)));
}

/// Once; does nothing inside itself.
fn act() {
    if let Some(act) = ACT.take() {
        act();
        ACT.set(Some(act));
    }
}

/// Acts when it is cloned, woken or dropped.
#[derive(PartialEq, Debug)]
struct Acts;

impl Clone for Acts {
    fn clone(&self) -> Self {
        act();
        Acts
    }
}

impl Drop for Acts {
    fn drop(&mut self) {
        act();
    }
}

impl Wake for Acts {
    fn wake(self: Arc<Self>) {
        act();
    }
}

both_flavours! {
    fn emit(signal: &Signal<u32>, events: impl IntoIterator<Item = u32>) {
        events.into_iter().for_each(|n| _ = signal.emit(&n));
    }

    #[test]
    fn a_stream_gives_each_event_in_order_and_ends_after_the_last_when_its_signal_is_dropped() {
        under_each_executor(async || {
            let signal: Signal<u32> = Signal::new();
            signal.emit(&0);
            let stream = signal.stream(8, Overflow::DropOldest);
            emit(&signal, 1..=5);
            drop(signal);
            assert_eq!(stream.collect::<Vec<_>>().await, [1, 2, 3, 4, 5].map(Ok));
        });
    }

    #[test]
    fn a_consumer_that_waits_is_woken_by_an_emission_and_by_the_end_of_the_signal() {
        under_each_executor(async || {
            let signal: Signal<u32> = Signal::new();
            let mut stream = signal.stream(1, Overflow::DropOldest);
            let mut events = Vec::new();
            let consumer = async {
                while let Some(event) = stream.next().await {
                    events.push(event);
                }
            };
            let emitter = async {
                for n in 1..=3 {
                    signal.emit(&n);
                    yield_once().await;
                }
                drop(signal);
            };
            join(consumer, emitter).await;
            assert_eq!(events, [1, 2, 3].map(Ok));
        });
    }

    #[test]
    fn the_inherent_next_gives_what_the_one_of_other_crates_gives() {
        under_each_executor(async || {
            let signal: Signal<u32> = Signal::new();
            let mut stream = signal.stream(4, Overflow::DropOldest);
            emit(&signal, 1..=2);
            assert_eq!(EventStream::next(&mut stream).await, Some(Ok(1)));
            assert_eq!(StreamExt::next(&mut stream).await, Some(Ok(2)));
            drop(EventStream::next(&mut stream));
            drop(signal);
            assert_eq!(EventStream::next(&mut stream).await, None);
            assert_eq!(EventStream::next(&mut stream).await, None);
        });
    }

    #[test]
    fn a_disconnected_stream_ends_after_the_events_it_had() {
        let disconnect_all = |signal: &Signal<u32>, _: &EventStream<u32>| signal.disconnect_all() == 1;
        let by_connection = |_: &Signal<u32>, stream: &EventStream<u32>| stream.connection().disconnect();
        for disconnect in [disconnect_all as fn(&Signal<u32>, &EventStream<u32>) -> bool, by_connection] {
            let signal: Signal<u32> = Signal::new();
            let mut stream = signal.stream(4, Overflow::DropOldest);
            emit(&signal, 1..=2);
            assert!(disconnect(&signal, &stream));
            assert_eq!(signal.emit(&3), 0);
            assert!(!stream.is_terminated());
            assert_eq!(block_on(stream.next()), Some(Ok(1)));
            assert_eq!(block_on(stream.next()), Some(Ok(2)));
            assert!(!stream.is_terminated(), "its end was not told yet");
            assert_eq!(block_on(stream.next()), None);
            assert!(stream.is_terminated());
        }
    }

    #[test]
    fn dropping_a_stream_disconnects_it_and_drops_the_events_in_it() {
        let signal: Signal<Std<()>> = Signal::new();
        let stream = signal.stream(4, Overflow::DropOldest);
        let event = Std::new(());
        assert_eq!(signal.emit(&event), 1);
        assert_eq!(Std::strong_count(&event), 2);
        let connection = stream.connection().clone();
        drop(stream);
        assert_eq!(Std::strong_count(&event), 1);
        assert!(!connection.is_connected());
        assert_eq!((signal.slot_count(), signal.emit(&event)), (0, 0));
    }

    // Overflow.

    #[test]
    fn drop_oldest_keeps_the_newest_events_and_says_first_how_many_came_before() {
        let signal: Signal<u32> = Signal::new();
        let mut stream = signal.stream(3, Overflow::DropOldest);
        emit(&signal, 1..=8);
        assert_eq!(ready(&mut stream), [Err(Lost(5)), Ok(6), Ok(7), Ok(8)]);
        emit(&signal, 9..=11);
        assert_eq!(ready(&mut stream), [9, 10, 11].map(Ok), "there was room again");
        emit(&signal, 12..=14);
        assert_eq!(block_on(stream.next()), Some(Ok(12)));
        emit(&signal, 15..=16);
        assert_eq!(ready(&mut stream), [Err(Lost(1)), Ok(14), Ok(15), Ok(16)]);
        assert_eq!(stream.missed(), 6);
    }

    #[test]
    fn drop_newest_keeps_the_oldest_events_and_says_where_each_gap_is() {
        let signal: Signal<u32> = Signal::new();
        let mut stream = signal.stream(2, Overflow::DropNewest);
        emit(&signal, 1..=5);
        assert_eq!(block_on(stream.next()), Some(Ok(1)));
        emit(&signal, 6..=7);
        assert_eq!(block_on(stream.next()), Some(Ok(2)));
        emit(&signal, 8..=8);
        let rest = [Err(Lost(3)), Ok(6), Err(Lost(1)), Ok(8)];
        assert_eq!(ready(&mut stream), rest);
        assert_eq!(stream.missed(), 4);
        emit(&signal, 9..=9);
        assert_eq!(ready(&mut stream), [Ok(9)]);
    }

    #[test]
    fn what_was_lost_last_is_reported_at_once_and_before_the_end() {
        let signal: Signal<u32> = Signal::new();
        let mut stream = signal.stream(1, Overflow::DropNewest);
        emit(&signal, 1..=3);
        assert_eq!(ready(&mut stream), [Ok(1), Err(Lost(2))]);
        emit(&signal, 4..=6);
        drop(signal);
        assert_eq!(block_on(stream.next()), Some(Ok(4)));
        assert!(!stream.is_terminated());
        assert_eq!(block_on(stream.next()), Some(Err(Lost(2))));
        assert_eq!(block_on(stream.next()), None);
        assert!(stream.is_terminated());
    }

    #[test]
    fn select_sees_the_end_of_a_stream_and_of_a_next_event() {
        let signal: Signal<u32> = Signal::new();
        let (mut stream, mut next) = (signal.stream(4, Overflow::DropOldest), signal.next_event());
        drop(signal);
        let mut forever = futures::future::pending::<()>();
        let ends = async {
            futures::select! {
                item = futures::StreamExt::next(&mut stream) => assert_eq!(item, None),
                () = forever => unreachable!("it never comes"),
            }
            futures::select! {
                event = next => assert_eq!(event, None),
                () = forever => unreachable!("it never comes"),
            }
        };
        assert_eq!(futures::FutureExt::now_or_never(ends), Some(()));
        assert!(stream.is_terminated() && next.is_terminated());
    }

    #[test]
    fn latest_keeps_one_event_whatever_the_capacity_and_counts_what_it_replaced() {
        for capacity in [1, 100] {
            let signal: Signal<u32> = Signal::new();
            let mut stream = signal.stream(capacity, Overflow::Latest);
            emit(&signal, 1..=5);
            assert_eq!(ready(&mut stream), [Ok(5)]);
            emit(&signal, 6..=7);
            assert_eq!(stream.missed(), 5);
            drop(signal);
            assert_eq!(ready(&mut stream), [Ok(7)]);
            assert!(stream.is_terminated());
        }
    }

    #[test]
    fn a_full_stream_that_has_lost_nothing_reports_nothing() {
        for overflow in [Overflow::DropOldest, Overflow::DropNewest] {
            let signal: Signal<u32> = Signal::new();
            let mut stream = signal.stream(100, overflow);
            for round in 0..3 {
                emit(&signal, round * 100..(round + 1) * 100);
                let events: Vec<_> = (round * 100..(round + 1) * 100).map(Ok).collect();
                assert_eq!(ready(&mut stream), events);
            }
            assert_eq!(stream.missed(), 0);
        }
    }

    #[test]
    fn room_for_no_event_is_refused_with_a_panic_that_says_what_to_do() {
        let signal: Signal<u32> = Signal::new();
        for overflow in [Overflow::DropOldest, Overflow::DropNewest, Overflow::Latest] {
            let message = panic_of(|| signal.stream(0, overflow));
            assert!(message.contains("room for 0 events"), "{message}");
            assert!(message.contains("1 or more"), "{message}");
            assert_eq!(panic_of(|| signal.slot().stream(0, overflow)), message);
        }
        assert_eq!(signal.slot_count(), 0);
    }

    // Waking.

    #[test]
    fn a_consumer_is_woken_once_however_many_events_come() {
        let signal: Signal<u32> = Signal::new();
        let mut stream = signal.stream(8, Overflow::DropOldest);
        let wakes = Arc::new(Wakes::default());
        signal.emit(&0);
        assert!(poll_with(&mut stream, &wakes).is_ready());
        signal.emit(&0);
        assert_eq!(wakes.take(), 0, "nobody waited");
        assert!(poll_with(&mut stream, &wakes).is_ready());
        for _ in 0..2 {
            assert!(poll_with(&mut stream, &wakes).is_pending());
        }
        emit(&signal, 1..=5);
        assert_eq!(wakes.take(), 1);
        drop(signal);
        assert_eq!(wakes.take(), 0, "it is awake");
    }

    #[test]
    fn the_waker_of_the_last_poll_is_woken_and_former_ones_are_let_go() {
        let signal: Signal<u32> = Signal::new();
        let mut stream = signal.stream(8, Overflow::DropOldest);
        let [former, last] = [(); 2].map(|()| Arc::new(Wakes::default()));
        assert!(poll_with(&mut stream, &former).is_pending());
        assert!(poll_with(&mut stream, &last).is_pending());
        assert_eq!(Arc::strong_count(&former), 1);
        signal.emit(&1);
        assert_eq!((former.take(), last.take()), (0, 1));
        assert_eq!(Arc::strong_count(&last), 1);
    }

    #[test]
    fn dropping_a_stream_wakes_nobody_and_lets_go_of_its_waker() {
        let signal: Signal<u32> = Signal::new();
        let mut stream = signal.stream(8, Overflow::DropOldest);
        let wakes = Arc::new(Wakes::default());
        assert!(poll_with(&mut stream, &wakes).is_pending());
        drop(stream);
        assert_eq!((wakes.take(), Arc::strong_count(&wakes)), (0, 1));
    }

    #[test]
    fn an_emission_wakes_and_clones_once_for_each_of_a_thousand_streams() {
        let signal: Signal<Std<()>> = Signal::new();
        let wakes = Arc::new(Wakes::default());
        let mut streams: Vec<_> =
            (0..1_000).map(|_| signal.stream(2, Overflow::DropOldest)).collect();
        assert!(streams.iter_mut().all(|stream| poll_with(stream, &wakes).is_pending()));
        let event = Std::new(());
        assert_eq!(signal.emit(&event), 1_000);
        assert_eq!((wakes.take(), Std::strong_count(&event)), (1_000, 1_001));
        assert!(streams.iter_mut().all(|stream| ready(stream).len() == 1));
        assert!(streams.iter_mut().all(|stream| poll_with(stream, &wakes).is_pending()));
        drop(signal);
        assert_eq!(wakes.take(), 1_000);
    }

    #[test]
    fn a_waker_may_use_the_stream_and_its_signal_when_it_is_woken_and_when_it_is_dropped() {
        let signal: Std<Signal<u32>> = Std::new(Signal::new());
        let stream = Std::new(Exclusive::new(signal.stream(8, Overflow::DropOldest)));
        let poll = |waker: &Waker| {
            with(&stream, |s| Pin::new(s).poll_next(&mut Context::from_waker(waker)))
        };
        let acts = Waker::from(Arc::new(Acts));
        assert!(poll(&acts).is_pending());
        let (in_act, signal_in_act) = (stream.clone(), signal.clone());
        set_act(move || {
            signal_in_act.emit(&2);
            assert_eq!(with(&in_act, ready).len(), 2);
        });
        signal.emit(&1);
        let in_act = signal.clone();
        set_act(move || _ = in_act.emit(&3));
        assert!(poll(&Waker::from(Arc::new(Acts))).is_pending());
        assert!(poll(Waker::noop()).is_pending());
        ACT.take();
        let emitted = with(&stream, ready);
        assert_eq!(emitted, [Ok(3)], "by the former waker as it was dropped");
    }

    // What an event does when it is cloned and dropped.

    #[test]
    fn an_event_may_use_the_stream_and_its_signal_when_it_is_cloned_and_when_it_is_dropped() {
        for overflow in [Overflow::DropOldest, Overflow::DropNewest, Overflow::Latest] {
            let signal: Std<Signal<Acts>> = Std::new(Signal::new());
            let stream = Std::new(Exclusive::new(signal.stream(1, overflow)));
            let (in_act, signal_in_act) = (stream.clone(), signal.clone());
            set_act(move || {
                assert!(with(&in_act, |stream| stream.missed()) < 100);
                signal_in_act.emit(&Acts);
            });
            (0..4).for_each(|_| _ = signal.emit(&Acts));
            ACT.take();
            assert!(with(&stream, |stream| stream.missed()) >= 7);
            assert!(with(&stream, ready).iter().filter(|item| item.is_ok()).count() == 1);
        }
    }

    #[test]
    fn a_clone_that_panics_panics_the_emission_and_the_stream_goes_on() {
        struct Fragile(u32);
        impl Clone for Fragile {
            fn clone(&self) -> Self {
                assert!(self.0 != 2, "fragile");
                Fragile(self.0)
            }
        }
        let signal: Signal<Fragile> = Signal::new();
        let mut stream = signal.stream(4, Overflow::DropOldest);
        let next = signal.next_event();
        signal.emit(&Fragile(1));
        assert_eq!(panic_of(|| signal.emit(&Fragile(2))), "fragile");
        signal.emit(&Fragile(3));
        let numbers: Vec<_> = ready(&mut stream).into_iter().map(|e| e.unwrap().0).collect();
        assert_eq!(numbers, [1, 3]);
        assert_eq!(block_on(next).unwrap().0, 1);

        let next = signal.next_event();
        drop(stream);
        assert_eq!(panic_of(|| signal.emit(&Fragile(2))), "fragile");
        assert!(block_on(next).is_none(), "its call is used up");
    }

    // Inside emissions, and options.

    #[test]
    fn a_stream_made_during_an_emission_has_its_first_event_from_the_next_one() {
        let signal: Std<Signal<u32>> = Std::new(Signal::new());
        let made = Std::new(Exclusive::new(None));
        let (in_slot, signal_in_slot) = (made.clone(), Std::downgrade(&signal));
        let _guard = signal.slot().once().connect_fn(move |_| {
            let signal = signal_in_slot.upgrade().unwrap();
            with(&in_slot, |made| *made = Some(signal.stream(4, Overflow::DropOldest)));
        });
        emit(&signal, 1..=2);
        assert_eq!(with(&made, |made| ready(made.as_mut().unwrap())), [Ok(2)]);
    }

    #[test]
    fn a_stream_dropped_by_an_earlier_slot_of_an_emission_is_not_reached_by_it() {
        let signal: Signal<u32> = Signal::new();
        let stream = Std::new(Exclusive::new(Some(signal.stream(4, Overflow::DropOldest))));
        let in_slot = stream.clone();
        let _guard = signal.slot().priority(1).connect_fn(move |_| {
            drop(with(&in_slot, |stream| stream.take()));
        });
        assert_eq!(signal.emit(&1), 1);
    }

    #[test]
    fn slot_options_go_for_streams_too() {
        let signal: Signal<u32> = Signal::new();
        let mut twice = signal.slot().times(2).name("twice").stream(8, Overflow::DropOldest);
        emit(&signal, 1..=3);
        assert!(format!("{:?}", signal.slot().name("twice")).contains("twice"));
        assert_eq!(ready(&mut twice), [Ok(1), Ok(2)]);
        assert!(twice.is_terminated());

        let order = Log::default();
        let (early, late) = (order.clone(), order.clone());
        let _late = signal.connect_fn(move |_| late.add("0"));
        let mut next = signal.slot().priority(1).times(7).next_event();
        let _early = signal.slot().priority(2).connect_fn(move |_| early.add("2"));
        assert!(is_pending(&mut next));
        emit(&signal, 4..=5);
        assert_eq!(block_on(next), Some(4), "it is one event, whatever `times` said");
    }

    #[test]
    fn while_it_is_blocked_a_stream_gets_nothing_and_that_is_no_loss() {
        let signal: Signal<u32> = Signal::new();
        let mut stream = signal.stream(8, Overflow::DropOldest);
        signal.emit(&1);
        let block = stream.connection().block();
        signal.emit(&2);
        drop(block);
        let block = signal.block();
        signal.emit(&3);
        drop(block);
        signal.emit(&4);
        assert_eq!(ready(&mut stream), [Ok(1), Ok(4)]);
    }

    #[test]
    fn events_that_are_borrowed_are_streamed_as_what_owns_them() {
        let words: Signal<str> = Signal::new();
        let mut stream: EventStream<String> = words.stream(4, Overflow::DropOldest);
        let next: NextEvent<String> = words.next_event();
        words.emit("tea");
        assert_eq!(ready(&mut stream), [Ok("tea".to_owned())]);
        assert_eq!(block_on(next).as_deref(), Some("tea"));
        let numbers: Signal<[u8]> = Signal::new();
        let next = numbers.next_event();
        numbers.emit(&[1, 2]);
        assert_eq!(block_on(next), Some(vec![1, 2]));
    }

    // The next event.

    #[test]
    fn the_next_event_is_that_of_the_first_emission_after_the_call_however_late_it_is_awaited() {
        under_each_executor(async || {
            let signal: Signal<u32> = Signal::new();
            signal.emit(&1);
            let next = signal.next_event();
            assert_eq!(signal.slot_count(), 1, "connected at the call");
            emit(&signal, 2..=4);
            assert_eq!(signal.slot_count(), 0, "done at the first");
            assert_eq!(next.await, Some(2));
        });
    }

    #[test]
    fn who_awaits_the_next_event_is_woken_by_it() {
        under_each_executor(async || {
            let signal: Signal<u32> = Signal::new();
            let emitter = async {
                yield_once().await;
                emit(&signal, 7..=8);
            };
            assert_eq!(join(signal.next_event(), emitter).await.0, Some(7));
        });
    }

    #[test]
    fn who_awaits_the_next_event_gets_none_when_the_signal_ends() {
        under_each_executor(async || {
            for by_drop in [true, false] {
                let signal: Signal<u32> = Signal::new();
                let [before, waiting] = [signal.next_event(), signal.next_event()];
                let end = async {
                    yield_once().await;
                    if by_drop {
                        drop(signal);
                    } else {
                        signal.disconnect_all();
                    }
                };
                assert_eq!(join(waiting, end).await.0, None);
                assert_eq!(before.await, None, "nor does it wait for a signal that is gone");
            }
        });
    }

    #[test]
    fn an_event_that_came_before_the_signal_ended_is_not_lost_to_who_awaits_it_afterwards() {
        let signal: Signal<u32> = Signal::new();
        let next = signal.next_event();
        signal.emit(&1);
        drop(signal);
        assert_eq!(block_on(next), Some(1));
    }

    #[test]
    fn a_next_event_that_is_dropped_disconnects_and_one_that_is_done_stays_done() {
        let signal: Signal<u32> = Signal::new();
        drop(signal.next_event());
        assert_eq!(signal.slot_count(), 0);
        let mut next = signal.next_event();
        assert!(is_pending(&mut next) && !next.is_terminated());
        emit(&signal, 1..=2);
        assert_eq!(block_on(&mut next), Some(1));
        assert!(next.is_terminated());
        assert_eq!(block_on(&mut next), None);
    }

    // Of asynchronous signals.

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
            assert_eq!(ready(&mut oldest), [Err(Lost(2)), Ok(3), Ok(4)]);
            assert_eq!(ready(&mut newest), [Ok(1), Ok(2), Err(Lost(2))]);
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
            let mut stream = signal.stream(2, Wait);
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
            let mut streams = [signal.stream(1, Wait), signal.stream(1, Wait)];
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
            let mut stream = signal.stream(1, Wait);
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
                let mut stream = signal.stream(1, Wait);
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
                        Err(Lost(events)) => {
                            let gap = due as usize..due as usize + events as usize;
                            assert!(gap.clone().all(|n| dropped.contains(&n)), "{gap:?} {dropped:?}");
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
            let mut stream = signal.stream(1, Wait);
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
            let stream = signal.stream(1, Wait);
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
            let stream = signal.stream(1, Wait);
            signal.emit(&1).await;
            let mut emission = signal.emit(&2);
            assert!(poll!(&mut emission).is_pending());
            assert!(stream.connection().disconnect());
            let all: Vec<_> = stream.collect().await;
            assert_eq!(all, [Ok(1), Ok(2)], "and then the end, whether or not the emission goes on");
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
            let mut stream = signal.stream(1, Wait);
            block_on(signal.emit(&1));
            let mut emissions = [2, 3].each_ref().map(|n| signal.emit(n));
            let wakes = Arc::new(Wakes::default());
            for (emission, waker) in emissions.iter_mut().zip([Waker::from(Arc::new(Panics)), wakes.clone().into()]) {
                assert!(Pin::new(emission).poll(&mut Context::from_waker(&waker)).is_pending());
            }
            if take {
                assert!(panic_of(|| is_pending(&mut stream.next())).contains("in a waker"));
                assert_eq!(ready(&mut stream), [Err(Lost(1)), Ok(2), Ok(3)]);
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
    fn a_waker_that_panics_at_the_last_event_may_panic_at_the_end_too() {
        struct Panics;
        impl Wake for Panics {
            fn wake(self: Arc<Self>) {
                panic!("in a waker");
            }
        }
        let signal: Signal<u32> = Signal::new();
        let mut next = signal.next_event();
        let waker = Waker::from(Arc::new(Panics));
        assert!(Pin::new(&mut next).poll(&mut Context::from_waker(&waker)).is_pending());
        assert!(panic_of(|| signal.emit(&1)).contains("in a waker"));
        assert_eq!(block_on(next), Some(1));
    }

    #[test]
    fn an_asynchronous_stream_with_room_for_no_event_is_refused_as_well() {
        let signal: AsyncSignal<u32> = AsyncSignal::new();
        for message in [panic_of(|| signal.stream(0, Wait)), panic_of(|| signal.slot().stream(0, Overflow::Latest))] {
            assert!(message.contains("1 or more"), "{message}");
        }
        assert_eq!(signal.slot_count(), 0);
    }

    #[test]
    fn debug_tells_that_a_stream_makes_emissions_wait() {
        let signal: AsyncSignal<u32> = AsyncSignal::new();
        let text = format!("{:?}", signal.stream(2, Wait));
        assert!(text.contains("overflow: Wait"), "{text}");
    }

    #[test]
    fn debug_tells_how_a_stream_stands() {
        let signal: Signal<u32> = Signal::new();
        let stream = signal.slot().name("log").stream(2, Overflow::DropNewest);
        emit(&signal, 1..=3);
        let text = format!("{stream:?} {:?}", signal.next_event());
        for part in ["EventStream", "\"log\"", "capacity: 2", "DropNewest", "waiting: 2", "missed: 1", "NextEvent"] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }
}

async fn yield_once() {
    let mut yielded = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

// Threads.

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
                    Err(Lost(events)) => due += events,
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
        let mut stream = signal.stream(capacity, Wait);
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
        let mut stream = signal.slot().timeout(Duration::from_millis(10)).stream(1, Wait);
        assert_eq!(signal.try_emit(&1).await.unwrap(), 1);
        let error = signal.try_emit(&2).await.unwrap_err();
        assert!(matches!(error.failures()[0].failure(), Failure::TimedOut));
        assert_eq!(ready(&mut stream), [Ok(1), Err(Lost(1))]);
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

/// What a stream with room for `capacity` events holds, as obviously as can be said.
struct Model {
    capacity: usize,
    events: Vec<Held>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Held {
    In(u32),
    /// There is no room for it yet.
    Ahead(u32),
    TakenBack,
}

impl Model {
    /// Lets in what there is room for, and says which those are.
    fn let_in(&mut self) -> Vec<u32> {
        let mut room = self.capacity;
        let mut let_in = Vec::new();
        for held in &mut self.events {
            match *held {
                Held::Ahead(event) if room > 0 => {
                    *held = Held::In(event);
                    let_in.push(event);
                    room -= 1;
                }
                Held::In(_) => room -= 1,
                _ => (),
            }
        }
        let_in
    }

    fn waits(&mut self, event: u32) -> Option<&mut Held> {
        self.events.iter_mut().find(|held| **held == Held::Ahead(event))
    }

    fn take(&mut self) -> Option<Result<u32, Lost>> {
        let lost = self.events.iter().take_while(|held| **held == Held::TakenBack).count();
        if lost > 0 {
            self.events.drain(..lost);
            return Some(Err(Lost(lost as u64)));
        }
        match self.events.first()? {
            Held::In(event) => {
                let event = *event;
                self.events.remove(0);
                Some(Ok(event))
            }
            other => panic!("{other:?} has room"),
        }
    }
}

#[test]
fn whatever_is_emitted_taken_and_dropped_a_stream_that_is_waited_for_does_as_its_model() {
    const OPERATIONS: usize = 120;
    common::random::for_seeds(module_path!(), &[], 40_000, |seed| {
        let mut random = common::random::Random::new(seed);
        let events: Vec<u32> = (0..OPERATIONS as u32).collect();
        let signal: sigwire::AsyncSignal<u32> = sigwire::AsyncSignal::new();
        let mut model = Model { capacity: 1 + random.below(4), events: Vec::new() };
        let mut stream = signal.stream(model.capacity, Wait);
        let consumer = Arc::new(Wakes::default());
        let (mut consumer_waits, mut connected, mut missed) = (false, true, 0);
        type Emission<'a> = (u32, Pin<Box<dyn Future<Output = usize> + 'a>>, Arc<Wakes>);
        let mut emissions: Vec<Emission<'_>> = Vec::new();
        fn poll((_, emission, wakes): &mut Emission<'_>) -> Poll<usize> {
            *wakes = Arc::default();
            emission.as_mut().poll(&mut Context::from_waker(&wakes.clone().into()))
        }
        /// Yet. (Concurrent futures may have woken their task to be polled again.)
        fn not_woken(emissions: &[Emission<'_>]) {
            emissions.iter().for_each(|(_, _, wakes)| _ = wakes.take());
        }
        // How many of ten steps emit, and how many take. Of the others, so many drop an emission.
        let (emit, take, drops) =
            [(4, 3, 3), (5, 1, 2), (5, 0, 2), (5, 1, 5), (6, 2, 9)][random.below(5)];
        for event in &events {
            let step = random.below(10);
            match step {
                _ if step < emit => {
                    let emission: Pin<Box<dyn Future<Output = usize>>> = match random.below(2) {
                        0 => Box::pin(signal.emit(event)),
                        _ => Box::pin(signal.emit_concurrent(event)),
                    };
                    let mut emission = (*event, emission, Arc::default());
                    let polled = poll(&mut emission);
                    if !connected {
                        assert_eq!(polled, Poll::Ready(0));
                        continue;
                    }
                    model.events.push(Held::Ahead(*event));
                    if model.let_in().is_empty() {
                        assert!(polled.is_pending());
                        emissions.push(emission);
                    } else {
                        assert_eq!(polled, Poll::Ready(1));
                    }
                    assert_eq!(consumer.take(), usize::from(std::mem::take(&mut consumer_waits)));
                }
                _ if step < emit + take => {
                    not_woken(&emissions);
                    let item = poll_with(&mut stream, &consumer);
                    consumer_waits = item.is_pending();
                    match model.take() {
                        None if connected => assert!(item.is_pending()),
                        expected => assert_eq!(item, Poll::Ready(expected)),
                    }
                    let let_in = model.let_in();
                    for (event, _, wakes) in &emissions {
                        assert_eq!(wakes.take(), usize::from(let_in.contains(event)));
                    }
                }
                _ if !emissions.is_empty() && random.below(10) < drops => {
                    let (event, emission, _) = emissions.remove(random.below(emissions.len()));
                    drop(emission);
                    if let Some(held) = model.waits(event) {
                        *held = Held::TakenBack;
                        missed += 1;
                    }
                }
                _ if !emissions.is_empty() && random.below(2) == 0 => {
                    let which = random.below(emissions.len());
                    let polled = poll(&mut emissions[which]);
                    let waits = model.waits(emissions[which].0).is_some();
                    assert_eq!(polled.is_pending(), waits);
                    if !waits {
                        drop(emissions.remove(which));
                    }
                }
                _ if connected && random.one_in(20) => {
                    connected = !stream.connection().disconnect();
                    assert_eq!(consumer.take(), usize::from(std::mem::take(&mut consumer_waits)));
                }
                _ => (),
            }
            assert_eq!(stream.missed(), missed);
        }
        not_woken(&emissions);
        drop(stream);
        for emission in &mut emissions {
            assert_eq!(emission.2.take(), usize::from(model.waits(emission.0).is_some()));
            assert_eq!(poll(emission), Poll::Ready(1));
        }
        OPERATIONS
    });
}
