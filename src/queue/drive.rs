//! A queue as a future.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use super::Queue;
use super::flavor::QueueFlavor;
use super::run::RunReport;

/// Waits until events are queued, and runs them. Made by [`Queue::drive`](crate::generic::Queue::drive).
#[must_use = "a future does nothing unless it is awaited"]
pub struct Drive<'a, H: QueueFlavor> {
    queue: &'a Queue<H>,
    has_yielded: bool,
}

impl<'a, H: QueueFlavor> Drive<'a, H> {
    pub(super) fn new(queue: &'a Queue<H>) -> Self {
        Drive { queue, has_yielded: false }
    }
}

impl<H: QueueFlavor> Future for Drive<'_, H> {
    type Output = RunReport;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<RunReport> {
        let queue = self.queue;
        let waker = context.waker();
        if !queue.post.has_work_or_keeps(waker) {
            queue.let_go();
            return Poll::Pending;
        }
        // What the handlers of the last run emitted: other tasks have their turn first.
        if !self.has_yielded && queue.post.takes_feedback() {
            self.has_yielded = true;
            waker.wake_by_ref();
            return Poll::Pending;
        }
        let ran = queue.run();
        queue.post.notes_feedback(ran.left > 0);
        Poll::Ready(ran)
    }
}

impl<H: QueueFlavor> fmt::Debug for Drive<'_, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Drive").field(self.queue).finish()
    }
}
