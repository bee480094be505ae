//! Measures one event for many async subscribers that keep up: it is emitted, then each subscriber
//! takes it. Compares the result with `tokio::sync::broadcast` and `async-broadcast`.

mod common;

use std::future::Future;
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use common::{Event, loops, paired};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use futures::Stream;
use sigwire::Overflow;
use tokio::sync::broadcast;

const CAPACITY: usize = 16;

fn ready<T>(poll: Poll<T>) -> T {
    match poll {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("an event is there"),
    }
}

trait Broadcast<E> {
    const NAME: &'static str;
    fn new(subscribers: usize) -> Self;
    fn send(&self, event: E);
    /// Each subscriber takes one event.
    fn take(&mut self, context: &mut Context<'_>, taken: impl FnMut(E));
}

/// An event whose `clone` might run any code, as far as the stream knows.
#[derive(Clone)]
struct Message(#[allow(dead_code)] Event);

impl From<Event> for Message {
    fn from(event: Event) -> Self {
        Message(event)
    }
}

macro_rules! sigwire {
    ($signal:ident, $signal_type:ty, $stream:ty, $name:literal) => {
        struct $signal<E: Clone + Send + 'static>($signal_type, Vec<$stream>);

        impl<E: Clone + Send + 'static> Broadcast<E> for $signal<E> {
            const NAME: &'static str = $name;
            fn new(subscribers: usize) -> Self {
                let signal = <$signal_type>::new();
                let stream = |_| signal.stream(CAPACITY, Overflow::DropOldest);
                let streams = (0..subscribers).map(stream).collect();
                $signal(signal, streams)
            }
            #[inline(always)]
            fn send(&self, event: E) {
                black_box(self.0.emit(&event));
            }
            #[inline(always)]
            fn take(&mut self, context: &mut Context<'_>, mut taken: impl FnMut(E)) {
                for stream in &mut self.1 {
                    let event = ready(Pin::new(stream).poll_next(context));
                    taken(event.expect("the signal lives").expect("there was room"));
                }
            }
        }
    };
}
sigwire!(Shared, sigwire::Signal<E>, sigwire::EventStream<E>, "sigwire");
sigwire!(Local, sigwire::local::Signal<E>, sigwire::local::EventStream<E>, "sigwire local");

struct Tokio<E>(broadcast::Sender<E>, Vec<broadcast::Receiver<E>>);

impl<E: Clone> Broadcast<E> for Tokio<E> {
    const NAME: &'static str = "tokio broadcast";
    fn new(subscribers: usize) -> Self {
        let sender = broadcast::Sender::new(CAPACITY);
        let receivers = (0..subscribers).map(|_| sender.subscribe()).collect();
        Tokio(sender, receivers)
    }
    #[inline(always)]
    fn send(&self, event: E) {
        assert!(black_box(self.0.send(event)).is_ok(), "there are receivers");
    }
    #[inline(always)]
    fn take(&mut self, context: &mut Context<'_>, mut taken: impl FnMut(E)) {
        for receiver in &mut self.1 {
            taken(ready(pin!(receiver.recv()).poll(context)).expect("there was room"));
        }
    }
}

/// Takes events without waiting, so without a future: the minimum that a subscriber costs.
struct TokioTry(Tokio<Event>);

impl Broadcast<Event> for TokioTry {
    const NAME: &'static str = "tokio broadcast, try_recv";
    fn new(subscribers: usize) -> Self {
        TokioTry(Tokio::new(subscribers))
    }
    #[inline(always)]
    fn send(&self, event: Event) {
        self.0.send(event);
    }
    #[inline(always)]
    fn take(&mut self, _: &mut Context<'_>, mut taken: impl FnMut(Event)) {
        for receiver in &mut self.0.1 {
            taken(receiver.try_recv().expect("an event is there"));
        }
    }
}

struct AsyncBroadcast(async_broadcast::Sender<Event>, Vec<async_broadcast::Receiver<Event>>);

impl Broadcast<Event> for AsyncBroadcast {
    const NAME: &'static str = "async-broadcast";
    fn new(subscribers: usize) -> Self {
        let (sender, receiver) = async_broadcast::broadcast(CAPACITY);
        let receivers = (0..subscribers).map(|_| receiver.clone()).collect();
        AsyncBroadcast(sender, receivers)
    }
    #[inline(always)]
    fn send(&self, event: Event) {
        black_box(self.0.try_broadcast(event)).expect("there is room");
    }
    #[inline(always)]
    fn take(&mut self, context: &mut Context<'_>, mut taken: impl FnMut(Event)) {
        for receiver in &mut self.1 {
            taken(ready(Pin::new(receiver).poll_next(context)).expect("the sender lives"));
        }
    }
}

#[inline(never)]
fn rounds<E: From<Event>, B: Broadcast<E>>(all: &mut B, count: u64) {
    let mut context = Context::from_waker(Waker::noop());
    for event in 0..count {
        black_box(&*all).send(black_box(event.into()));
        all.take(&mut context, |event| _ = black_box(event));
    }
}

fn measure<B: Broadcast<Event>>(group: &mut BenchmarkGroup<'_, WallTime>, subscribers: usize) {
    let mut all = B::new(subscribers);
    let mut context = Context::from_waker(Waker::noop());
    for sent in 0..100 {
        let mut received = 0;
        all.send(sent);
        all.take(&mut context, |event| {
            assert_eq!(event, sent);
            received += 1;
        });
        assert_eq!(received, subscribers);
    }
    group.bench_function(B::NAME, |bencher| {
        bencher.iter_custom(|count| loops::time(|| rounds(&mut all, count)));
    });
}

/// The budget: no slower than `tokio::sync::broadcast`.
fn compared<E: Clone + Send + From<Event> + 'static>(of: &str, subscribers: usize) {
    let (mut ours, mut theirs) = (Shared::<E>::new(subscribers), Tokio::<E>::new(subscribers));
    let paired =
        paired::compare(1, |count| rounds(&mut ours, count), |count| rounds(&mut theirs, count));
    let each = |ns: f64| ns / subscribers as f64;
    println!(
        "{subscribers} subscribers{of}, each: {} {:.1} ns, {} {:.1} ns, ratio {:.2}",
        Shared::<E>::NAME,
        each(paired.first_ns),
        Tokio::<E>::NAME,
        each(paired.second_ns),
        paired.ratio
    );
}

/// Emissions that wait for room and are dropped, while another one keeps waiting. Measures the time
/// of each, and of taking two events afterwards. Neither may grow with their number.
fn dropped_emissions() {
    let signal: sigwire::AsyncSignal<Event> = sigwire::AsyncSignal::new();
    for count in [1_000, 10_000, 100_000, 1_000_000] {
        let mut stream = signal.stream(1, sigwire::Backpressure);
        let mut context = Context::from_waker(Waker::noop());
        let mut begin = |event| {
            let mut emission = signal.emit(event);
            _ = Pin::new(&mut emission).poll(&mut context);
            emission
        };
        let events: Vec<Event> = (0..count).collect();
        drop(begin(&0));
        let mut waits = begin(&0);
        let start = Instant::now();
        for event in &events {
            waits = begin(event);
        }
        let each = start.elapsed().as_nanos() as f64 / count as f64;
        let start = Instant::now();
        for _ in 0..2 {
            _ = black_box(Pin::new(&mut stream).poll_next(&mut Context::from_waker(Waker::noop())));
        }
        let takes = start.elapsed();
        println!(
            "{count} emissions dropped while one waits: {each:.0} ns each, then two takes {takes:?}"
        );
        drop(waits);
    }
}

fn streams(criterion: &mut Criterion) {
    dropped_emissions();
    for subscribers in [1, 10, 100, 1_000] {
        compared::<Event>("", subscribers);
        compared::<Message>(" to messages", subscribers);
        let mut group = criterion.benchmark_group(format!("stream/{subscribers}"));
        group.throughput(Throughput::Elements(subscribers as u64));
        group.warm_up_time(Duration::from_millis(500));
        group.measurement_time(Duration::from_secs(2));
        measure::<Tokio<Event>>(&mut group, subscribers);
        measure::<Shared<Event>>(&mut group, subscribers);
        measure::<TokioTry>(&mut group, subscribers);
        measure::<AsyncBroadcast>(&mut group, subscribers);
        measure::<Local<Event>>(&mut group, subscribers);
    }
}

criterion_group!(benches, streams);
criterion_main!(benches);
