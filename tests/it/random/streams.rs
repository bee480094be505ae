//! Random operations on a stream that is waited for, beside a model of it.

use crate::streams::{Wakes, poll_with};
use crate::support::random::{Random, for_seeds};
use sigwire::{Backpressure, Lagged};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

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

    fn take(&mut self) -> Option<Result<u32, Lagged>> {
        let lost = self.events.iter().take_while(|held| **held == Held::TakenBack).count();
        if lost > 0 {
            self.events.drain(..lost);
            return Some(Err(Lagged(lost as u64)));
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
    for_seeds(module_path!(), &[], 40_000, |seed| {
        let mut random = Random::new(seed);
        let events: Vec<u32> = (0..OPERATIONS as u32).collect();
        let signal: sigwire::AsyncSignal<u32> = sigwire::AsyncSignal::new();
        let mut model = Model { capacity: 1 + random.below(4), events: Vec::new() };
        let mut stream = signal.stream(model.capacity, Backpressure);
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
