//! Wakers may panic. Nobody else is to be left asleep for that, nor whom they stand for.

use alloc::sync::Arc;
use core::task::Waker;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::task::Wake;
use std::thread::Result;

use crate::base::message;
use crate::raw::{Shared, SpinLock};

/// Wakes. A waker that panics was perhaps not heard, and there may be no other occasion: so it is woken a second
/// time at once. Returns the first panic.
#[inline(always)]
pub(crate) fn wake(waker: &Waker) -> Result<()> {
    let wake = || catch_unwind(AssertUnwindSafe(|| waker.wake_by_ref()));
    wake().or_else(|panic| first(Err(panic), wake()))
}

/// Wakes all of them, also when some panic. Returns the first panic.
pub(crate) fn wake_all(wakers: impl IntoIterator<Item = Waker>) -> Result<()> {
    let mut woken = Ok(());
    for waker in wakers {
        woken = first(woken, wake(&waker));
        woken = first(woken, catch_unwind(AssertUnwindSafe(|| drop(waker))));
    }
    woken
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
pub(crate) struct TaskWaker {
    task: Arc<WokenTask>,
    waker: Waker,
}

/// Who is woken. None while somebody wakes it: another who comes then need not. If the task was not woken yet, it will
/// be; and if it was, its next poll has not begun, since that puts a waker here.
struct WokenTask(SpinLock<Option<Waker>, Shared>);

impl TaskWaker {
    pub(crate) fn new(task: Waker) -> Self {
        let task = Arc::new(WokenTask(SpinLock::new(Some(task))));
        TaskWaker { waker: task.clone().into(), task }
    }

    /// From now on it is this task that is woken: to be called at the beginning of each of its polls.
    pub(crate) fn stand_for(&self, task: &Waker) {
        // Which compares pointers, and calls nothing.
        if !self.task.0.lock().as_ref().is_some_and(|known| known.will_wake(task)) {
            let task = task.clone();
            let former = self.task.0.lock().replace(task);
            drop(former);
        }
    }

    /// What is woken in place of the task.
    pub(crate) fn waker(&self) -> &Waker {
        &self.waker
    }
}

impl Wake for WokenTask {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let Some(waker) = self.0.lock().take() else { return };
        let woken = wake(&waker);
        let unused = keep(&mut self.0.lock(), waker);
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
