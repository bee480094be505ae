//! Wakers may panic. Nobody else is to be left asleep for that, nor whom they stand for.

use alloc::sync::Arc;
use core::task::{Context, Waker};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::task::Wake;
use std::thread::Result;

use crate::error::message;
use crate::family::Lock;

/// Wakes. A waker that panics was perhaps not heard, and there may be no other occasion: so it is woken a second
/// time at once. Returns the first panic.
#[inline(always)]
pub(crate) fn wake(waker: &Waker) -> Result<()> {
    let wake = || catch_unwind(AssertUnwindSafe(|| waker.wake_by_ref()));
    wake().or_else(|panic| first(Err(panic), wake()))
}

/// Wakes all of them, also when some panic. Returns the first panic.
pub(crate) fn wake_all(wakers: impl IntoIterator<Item = Waker>) -> Result<()> {
    wakers.into_iter().fold(Ok(()), |woken, waker| {
        let woken = first(woken, wake(&waker));
        first(woken, catch_unwind(AssertUnwindSafe(|| drop(waker))))
    })
}

/// The first panic of two. The second goes no further.
fn first(first: Result<()>, second: Result<()>) -> Result<()> {
    match (first, second) {
        (Ok(()), second) => second,
        (first, Ok(())) => first,
        (first, Err(panic)) => {
            drop(message(panic));
            first
        }
    }
}

/// Wakes a task for others, who can clone and drop it without a panic of the task's waker.
pub(crate) struct Bell {
    task: Arc<Task>,
    waker: Waker,
}

struct Task(Mutex<Option<Waker>>);

impl Bell {
    pub(crate) fn new() -> Self {
        let task = Arc::new(Task(Mutex::new(None)));
        Bell { waker: task.clone().into(), task }
    }

    /// What to poll with, so that the task of `context` is woken.
    pub(crate) fn context(&mut self, context: &Context<'_>) -> Context<'_> {
        let of_the_task = context.waker();
        let is_known = |known: &Waker| known.will_wake(of_the_task);
        if !Lock::lock(&self.task.0).as_ref().is_some_and(is_known) {
            let new = of_the_task.clone();
            let former = Lock::lock(&self.task.0).replace(new);
            drop(former);
        }
        Context::from_waker(&self.waker)
    }
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let Some(waker) = Lock::lock(&self.0).take() else { return };
        let woken = wake(&waker);
        let unused = keep(&mut Lock::lock(&self.0), waker);
        drop(unused);
        if let Err(panic) = woken {
            resume_unwind(panic);
        }
    }
}

/// Puts the waker back, unless another has come meanwhile. Returns what is of no use.
pub(crate) fn keep(place: &mut Option<Waker>, waker: Waker) -> Option<Waker> {
    match place {
        Some(_) => Some(waker),
        None => place.replace(waker),
    }
}
