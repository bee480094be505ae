//! Streams of events and waiting for the next one, in each flavor and under three executors.

mod asynchronous;
mod ending;
mod events;
mod helpers;
mod next_event;
mod overflow;
mod threads;
mod waking;

use futures::executor::block_on;
use futures::future::{FusedFuture, join};
use futures::poll;
use futures::stream::{FusedStream, Stream, StreamExt};
use sigwire::{Backpressure, Lagged, Overflow};
use std::cell::RefCell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

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

/// ThreadSanitizer does not see the locks by which tokio's threads wait for each other, and takes
/// what they do for races. It gets tasks with a thread for each.
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
pub struct Wakes(AtomicUsize);

impl Wakes {
    pub fn take(&self) -> usize {
        self.0.swap(0, SeqCst)
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

pub fn poll_with<S: Stream + Unpin>(stream: &mut S, wakes: &Arc<Wakes>) -> Poll<Option<S::Item>> {
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
