//! Events that wait for a loop, in this crate's queues or in a channel of boxed closures.

use std::hint::black_box;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Weak};

use sigwire::{LocalQueue, Queue, Signal};

use super::Event;
use super::contender::Sink;

/// A loop, and the signal that emits to it from any thread.
pub(crate) trait Loop {
    const NAME: &'static str;
    type Emitter: Send;
    fn with_owners(owners: usize) -> (Self, Self::Emitter)
    where
        Self: Sized;
    fn emit(emitter: &Self::Emitter, event: &Event);
    /// Returns how many handlers it called.
    fn run(&self) -> usize;
}

pub(crate) struct SharedLoop {
    queue: Queue,
    _owners: Vec<Arc<Sink>>,
}

impl Loop for SharedLoop {
    const NAME: &'static str = "sigwire Queue";
    type Emitter = Signal<Event>;

    fn with_owners(owners: usize) -> (Self, Signal<Event>) {
        let (queue, signal) = (Queue::default(), Signal::new());
        let owners: Vec<Arc<Sink>> = (0..owners).map(|_| Arc::default()).collect();
        for owner in &owners {
            signal.slot().on(&queue).connect(owner, Sink::on_event);
        }
        (SharedLoop { queue, _owners: owners }, signal)
    }

    fn emit(signal: &Signal<Event>, event: &Event) {
        black_box(signal.emit(event));
    }

    fn run(&self) -> usize {
        self.queue.run().called
    }
}

pub(crate) struct LocalLoop {
    queue: LocalQueue,
    _owners: Vec<Rc<Sink>>,
}

impl Loop for LocalLoop {
    const NAME: &'static str = "sigwire LocalQueue";
    type Emitter = Signal<Event>;

    fn with_owners(owners: usize) -> (Self, Signal<Event>) {
        let (queue, signal) = (LocalQueue::default(), Signal::new());
        let owners: Vec<Rc<Sink>> = (0..owners).map(|_| Rc::default()).collect();
        for owner in &owners {
            signal.slot().on(&queue).connect(owner, Sink::on_event);
        }
        (LocalLoop { queue, _owners: owners }, signal)
    }

    fn emit(signal: &Signal<Event>, event: &Event) {
        black_box(signal.emit(event));
    }

    fn run(&self) -> usize {
        self.queue.run().called
    }
}

type Job = Box<dyn FnOnce() + Send>;

/// Hand-written.
pub(crate) struct ChannelLoop {
    jobs: Receiver<Job>,
    _owners: Vec<Arc<Sink>>,
}

impl Loop for ChannelLoop {
    const NAME: &'static str = "mpsc of boxed closures";
    type Emitter = (Vec<Weak<Sink>>, Sender<Job>);

    fn with_owners(owners: usize) -> (Self, Self::Emitter) {
        let (sender, jobs) = channel();
        let owners: Vec<Arc<Sink>> = (0..owners).map(|_| Arc::default()).collect();
        let weak = owners.iter().map(Arc::downgrade).collect();
        (ChannelLoop { jobs, _owners: owners }, (weak, sender))
    }

    fn emit((owners, sender): &Self::Emitter, event: &Event) {
        for owner in owners {
            let (owner, event) = (owner.clone(), *event);
            let job = move || {
                if let Some(owner) = owner.upgrade() {
                    owner.on_event(&event);
                }
            };
            sender.send(Box::new(job)).expect("the loop outlives its emitters");
        }
    }

    fn run(&self) -> usize {
        self.jobs.try_iter().map(|job| job()).count()
    }
}

/// Repeatedly emits `batch` events and runs them, until `calls` handlers were called.
#[inline(never)]
pub(crate) fn turns<L: Loop>((queue, emitter): &(L, L::Emitter), batch: u64, calls: u64) {
    let mut called = 0;
    while called < calls {
        for event in 0..batch {
            L::emit(black_box(emitter), black_box(&event));
        }
        called += black_box(queue).run() as u64;
    }
}

/// Runs the events that another thread emits, until `calls` handlers were called.
pub(crate) fn across<L: Loop>(
    queue: &L,
    emitter: L::Emitter,
    owners: u64,
    calls: u64,
) -> L::Emitter {
    std::thread::scope(|scope| {
        let emitting = scope.spawn(move || {
            for event in 0..calls.div_ceil(owners) {
                L::emit(black_box(&emitter), black_box(&event));
            }
            emitter
        });
        let mut called = 0;
        while called < calls {
            called += black_box(queue).run() as u64;
        }
        emitting.join().expect("emitting does not panic")
    })
}
