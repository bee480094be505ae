//! Waking tasks when wakers may panic. A panic must not prevent any task from being woken.

use alloc::sync::Arc;
use core::task::Waker;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::task::Wake;
use std::thread::Result;

use crate::base::message;
use crate::raw::{Shared, SpinLock};

/// Wakes a task. If the waker panics, the wakeup may be lost, and there may be no later one, so it
/// is woken once more at once. Returns the first panic.
#[inline(always)]
pub(crate) fn wake(waker: &Waker) -> Result<()> {
    let wake = || catch_unwind(AssertUnwindSafe(|| waker.wake_by_ref()));
    wake().or_else(|panic| first(Err(panic), wake()))
}

/// Wakes all tasks, even if some wakers panic. Returns the first panic.
pub(crate) fn wake_all(wakers: impl IntoIterator<Item = Waker>) -> Result<()> {
    let mut woken = Ok(());
    for waker in wakers {
        woken = first(woken, wake(&waker));
        woken = first(woken, catch_unwind(AssertUnwindSafe(|| drop(waker))));
    }
    woken
}

/// The first of two panics. A second one is dropped.
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

/// Stands in for a task's waker: others can clone and drop its waker without a panic of the task's
/// own.
pub(crate) struct TaskWaker {
    forwarder: Arc<WakeForwarder>,
    waker: Waker,
}

/// Forwards wakeups to the task's waker.
///
/// It is `None` while a thread wakes the task. Another thread that wants to wake the task in that
/// moment has nothing to do: either the task is about to be woken, or it was woken and its next
/// poll, which stores a waker here, has not begun.
struct WakeForwarder(SpinLock<Option<Waker>, Shared>);

impl TaskWaker {
    pub(crate) fn new(task: Waker) -> Self {
        let forwarder = Arc::new(WakeForwarder(SpinLock::new(Some(task))));
        TaskWaker { waker: forwarder.clone().into(), forwarder }
    }

    /// Sets the task's waker. Must be called at the beginning of each poll of the task.
    pub(crate) fn set_task(&self, task: &Waker) {
        // `will_wake` compares pointers, and runs no user code under the lock.
        if !self.forwarder.0.lock().as_ref().is_some_and(|known| known.will_wake(task)) {
            let task = task.clone();
            let former = self.forwarder.0.lock().replace(task);
            drop(former);
        }
    }

    /// The waker to use in place of the task's own.
    pub(crate) fn waker(&self) -> &Waker {
        &self.waker
    }
}

impl Wake for WakeForwarder {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let Some(waker) = self.0.lock().take() else { return };
        let woken = wake(&waker);
        let unused = put_back(&mut self.0.lock(), waker);
        drop(unused);
        if let Err(panic) = woken {
            resume_unwind(panic);
        }
    }
}

/// Puts the waker back, unless another one was stored in the meantime. Returns the waker if it was
/// not put back, to be dropped outside of the lock.
pub(crate) fn put_back(place: &mut Option<Waker>, waker: Waker) -> Option<Waker> {
    match place {
        Some(_) => Some(waker),
        None => place.replace(waker),
    }
}
