//! Streams: when a consumer is woken, and what it receives.

use core::future::Future;
use futures::future::join;
use loom::future::block_on;
use loom::thread;
use std::sync::Arc;

use super::*;
use crate::async_signal::AsyncSlotOptions;
use crate::generic::EventStream;
use crate::overflow::{Backpressure, Lagged, Overflow};
use crate::signal::SlotOptions;
use crate::slots::ScopedConnection;
use crate::stream::{Feed, StreamEvent, stream_event};

stream_event!(Modelled,);

/// Emits the events in order, on a thread that drops the signal at its end.
fn emit_elsewhere(signal: &Arc<Signal>, events: &'static [u32]) -> thread::JoinHandle<()> {
    let signal = signal.clone();
    thread::spawn(move || events.iter().for_each(|event| _ = signal.emit(event)))
}

/// All items until the stream ends. Loom reports a wait that nobody ends.
fn all<T: 'static>(mut stream: EventStream<T, Modelled>) -> Vec<Result<T, Lagged>> {
    block_on(async {
        let mut items = Vec::new();
        while let Some(item) = stream.next().await {
            items.push(item);
        }
        items
    })
}

#[test]
fn a_consumer_is_woken_by_each_event_and_by_the_end_of_the_signal() {
    loom::model(|| {
        let signal = Arc::new(Signal::default());
        let stream = signal.stream(2, Overflow::DropOldest);
        let emitter = emit_elsewhere(&signal, &[1, 2]);
        drop(signal);
        assert_eq!(all(stream), [Ok(1), Ok(2)]);
        emitter.join().unwrap();
    });
}

#[test]
fn a_consumer_that_waits_with_another_waker_each_time_is_woken_all_the_same() {
    loom::model(|| {
        let signal = Arc::new(Signal::default());
        let mut stream = signal.stream(2, Overflow::DropOldest);
        let emitter = emit_elsewhere(&signal, &[1]);
        drop(signal);
        let waker = std::task::Waker::noop();
        let mut context = std::task::Context::from_waker(waker);
        let polled = core::pin::Pin::new(&mut stream);
        let polled = futures_core::Stream::poll_next(polled, &mut context);
        let expected = match polled {
            core::task::Poll::Ready(item) => {
                assert_eq!(item, Some(Ok(1)));
                &[][..]
            }
            core::task::Poll::Pending => &[Ok(1)],
        };
        assert_eq!(all(stream), expected);
        emitter.join().unwrap();
    });
}

/// Accesses what it contains when it is cloned. That is after the emission's fences, which would
/// hide a lock without order.
struct Touched(Exclusive);

impl Clone for Touched {
    fn clone(&self) -> Self {
        self.0.touch();
        Touched(self.0.clone())
    }
}

#[test]
fn while_its_signal_lives_on_a_consumer_is_woken_by_an_event_and_sees_what_was_done_before() {
    loom::model(|| {
        let signal: Arc<generic::Signal<Touched, (), Modelled>> = Arc::default();
        let mut stream = signal.stream(1, Overflow::DropNewest);
        let emitter = {
            let signal = signal.clone();
            thread::spawn(move || signal.emit(&Touched(Exclusive::new())))
        };
        let event = block_on(stream.next()).unwrap().unwrap();
        event.0.touch();
        assert_eq!(emitter.join().unwrap(), 1);
    });
}

/// One thread emits into a stream that holds one event, while another one receives.
fn overflow(overflow: Overflow, check: fn(&[Result<u32, Lagged>])) {
    loom::model(move || {
        let signal = Arc::new(Signal::default());
        let stream = signal.stream(1, overflow);
        let emitter = emit_elsewhere(&signal, &[1, 2, 3]);
        drop(signal);
        check(&all(stream));
        emitter.join().unwrap();
    });
}

/// Each event was received, or is among those reported as lost in its place.
fn in_order_and_complete(items: &[Result<u32, Lagged>]) {
    let mut due = 1;
    for item in items {
        match item {
            Ok(event) => {
                assert_eq!(u64::from(*event), due);
                due += 1;
            }
            Err(Lagged(events)) => due += events,
        }
    }
    assert_eq!(due, 4);
}

#[test]
fn drop_oldest_keeps_the_newest_event_and_reports_how_many_were_lost() {
    overflow(Overflow::DropOldest, |items| {
        in_order_and_complete(items);
        assert_eq!(items.last(), Some(&Ok(3)));
    });
}

#[test]
fn drop_newest_keeps_the_oldest_event_and_reports_how_many_were_lost() {
    overflow(Overflow::DropNewest, |items| {
        in_order_and_complete(items);
        assert_eq!(items[0], Ok(1));
    });
}

#[test]
fn latest_has_the_last_event_and_reports_no_loss() {
    overflow(Overflow::Latest, |items| {
        assert!(items.is_sorted_by(|a, b| a.unwrap() < b.unwrap()));
        assert_eq!(items.last(), Some(&Ok(3)));
    });
}

#[test]
fn two_emitters_lose_nothing_that_there_is_room_for() {
    loom::model(|| {
        let signal = Arc::new(Signal::default());
        let stream = signal.stream(2, Overflow::DropNewest);
        let emitter = emit_elsewhere(&signal, &[1]);
        signal.emit(&2);
        drop(signal);
        let mut events: Vec<_> = all(stream).into_iter().map(Result::unwrap).collect();
        events.sort();
        assert_eq!(events, [1, 2]);
        emitter.join().unwrap();
    });
}

#[test]
fn the_next_event_comes_or_the_end_does_and_what_came_is_delivered() {
    loom::model(|| {
        let signal = Arc::new(Signal::default());
        let next = signal.next_event();
        let emitter = emit_elsewhere(&signal, &[1, 2]);
        assert_eq!(block_on(next), Some(1));
        emitter.join().unwrap();
        let none = signal.next_event();
        let ender = thread::spawn(move || drop(signal));
        assert_eq!(block_on(none), None);
        ender.join().unwrap();
    });
}

#[test]
fn a_disconnect_beside_an_emission_ends_the_stream_after_its_event_if_it_was_called() {
    loom::model(|| {
        let signal = Arc::new(Signal::default());
        let stream = signal.stream(1, Overflow::DropOldest);
        let connection = stream.connection().clone();
        let emitter = {
            let signal = signal.clone();
            thread::spawn(move || signal.emit(&1))
        };
        assert!(connection.disconnect());
        let events = all(stream).len();
        assert_eq!(emitter.join().unwrap(), events);
    });
}

#[test]
fn the_same_goes_for_an_event_whose_clone_is_user_code() {
    loom::model(|| {
        let signal: Arc<generic::Signal<Touched, (), Modelled>> = Arc::default();
        let stream = signal.stream(1, Overflow::DropOldest);
        let connection = stream.connection().clone();
        let emitter = {
            let signal = signal.clone();
            thread::spawn(move || signal.emit(&Touched(Exclusive::new())))
        };
        assert!(connection.disconnect());
        let events = all(stream).len();
        assert_eq!(emitter.join().unwrap(), events);
    });
}

#[test]
fn after_disconnecting_a_stream_and_waiting_no_event_is_cloned_and_none_comes() {
    loom::model(|| {
        let signal: Arc<generic::Signal<Touched, (), Modelled>> = Arc::default();
        let mut stream = signal.stream(1, Overflow::DropOldest);
        let exclusive = Exclusive::new();
        let emitter = {
            let (signal, event) = (signal.clone(), Touched(exclusive.clone()));
            thread::spawn(move || signal.emit(&event))
        };
        assert_eq!(stream.connection().disconnect_and_wait(), Ok(true));
        exclusive.touch();
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let polled = core::pin::Pin::new(&mut stream);
        let polled = futures_core::Stream::poll_next(polled, &mut context);
        let core::task::Poll::Ready(item) = polled else { panic!("an event or the end is there") };
        assert_eq!(emitter.join().unwrap(), usize::from(item.is_some()));
    });
}

#[test]
fn a_stream_dropped_beside_an_emission_drops_its_events() {
    #[derive(Clone)]
    struct Event(#[allow(dead_code)] Arc<()>);
    loom::model(|| {
        let signal: Arc<generic::Signal<Event, (), Modelled>> = Arc::default();
        let stream = signal.stream(1, Overflow::DropOldest);
        let event = Arc::new(());
        let emitter = {
            let (signal, event) = (signal.clone(), Event(event.clone()));
            thread::spawn(move || signal.emit(&event))
        };
        drop(stream);
        assert!(emitter.join().unwrap() <= 1);
        assert_eq!((Arc::strong_count(&event), signal.slot_count()), (1, 0));
    });
}

type AsyncSignal = generic::AsyncSignal<u32, (), Modelled>;

/// Emits the events in order, each when there is room for it, on a thread that drops the signal at
/// its end.
fn emit_all_elsewhere(
    signal: &Arc<AsyncSignal>,
    events: &'static [u32],
) -> thread::JoinHandle<usize> {
    let signal = signal.clone();
    thread::spawn(move || {
        block_on(async {
            let mut called = 0;
            for event in events {
                called += signal.emit(event).await;
            }
            called
        })
    })
}

#[test]
fn an_emission_that_waits_for_room_is_woken_when_there_is_some_and_nothing_is_lost() {
    loom::model(|| {
        let signal = Arc::new(AsyncSignal::default());
        let stream = signal.stream(1, Backpressure);
        let emitter = emit_all_elsewhere(&signal, &[1, 2]);
        drop(signal);
        assert_eq!(all(stream), [Ok(1), Ok(2)]);
        assert_eq!(emitter.join().unwrap(), 2);
    });
}

#[test]
fn two_emissions_that_wait_for_room_are_both_woken() {
    loom::model(|| {
        let signal = Arc::new(AsyncSignal::default());
        let stream = signal.stream(1, Backpressure);
        block_on(signal.emit(&1));
        let emitter = thread::spawn(move || block_on(join(signal.emit(&2), signal.emit(&3))));
        assert_eq!(all(stream), [Ok(1), Ok(2), Ok(3)]);
        assert_eq!(emitter.join().unwrap(), (1, 1));
    });
}

#[test]
fn an_emission_that_waits_for_room_goes_on_when_the_stream_is_dropped() {
    loom::model(|| {
        let signal = Arc::new(AsyncSignal::default());
        let stream = signal.stream(1, Backpressure);
        let emitter = emit_all_elsewhere(&signal, &[1, 2]);
        drop(stream);
        assert!(emitter.join().unwrap() <= 2);
        assert_eq!(signal.slot_count(), 0);
    });
}

#[test]
fn an_event_taken_back_while_others_are_taken_is_delivered_or_reported_in_its_place() {
    loom::model(|| {
        let signal = Arc::new(AsyncSignal::default());
        let stream = signal.stream(1, Backpressure);
        block_on(signal.emit(&1));
        let emitter = thread::spawn(move || {
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            let mut emission = core::pin::pin!(signal.emit(&2));
            _ = emission.as_mut().poll(&mut context);
        });
        let items = all(stream);
        assert!(items == [Ok(1), Ok(2)] || items == [Ok(1), Err(Lagged(1))], "{items:?}");
        emitter.join().unwrap();
    });
}
