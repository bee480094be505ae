//! Asynchronous signals: each test in both flavors, with tracked owners too, and by three
//! executors.

/// Compiles each test once, and runs it by each executor.
macro_rules! tests {
    ($($(#[$attribute:meta])* async fn $name:ident() $body:block)*) => {
        $($(#[$attribute])* async fn $name() $body)*
        mod multi_thread_tokio {
            $(#[test] fn $name() { super::multi_thread(super::boxed(super::$name())) })*
        }
        mod current_thread_tokio {
            $(#[test] fn $name() {
                super::executors::current_thread(super::boxed(super::$name()))
            })*
        }
        mod without_tokio {
            $(#[test] fn $name() {
                super::executors::without_tokio(super::boxed(super::$name()))
            })*
        }
    };
}

mod before_start;
mod concurrent;
mod connecting;
mod dropped;
mod handlers;
mod helpers;
mod nesting;
mod options;
mod panics;
mod results;
mod room;
mod runtimes;
mod under_way;
mod waking;

use crate::support::panic_of;
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
    panic_of(|| caught.map_err(|panic| resume_unwind(panic)))
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

/// A handler's future that waits at a door, and must not be polled when it is over. How often it
/// was polled is counted.
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
