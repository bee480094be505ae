//! A queue as a future.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use super::flavor::QueueFlavor;
use super::queue::Queue;
use super::run::RunReport;

impl<H: QueueFlavor> Queue<H> {
    /// Waits until events are queued, then runs them and returns the report. Call it in a loop, in
    /// a task of an async executor. Only one task at a time can wait. Handlers are called only
    /// while the future is polled. The future can be dropped at any time.
    ///
    /// It has no timer. If slots are debounced or throttled, wait for this future and for the
    /// [`next_deadline`](Self::next_deadline), whichever comes first, and call [`run`](Self::run)
    /// at the deadline.
    ///
    /// ```no_run
    /// # async fn task(queue: sigwire::Queue) {
    /// loop {
    ///     queue.drive().await;
    /// }
    /// # }
    /// ```
    ///
    /// # Panics
    /// The future panics when it is polled if [`run`](Self::run) would panic.
    pub fn drive(&self) -> Drive<'_, H> {
        Drive { queue: self, has_yielded: false }
    }
}

/// Waits until events are queued, and runs them. Made by
/// [`Queue::drive`](crate::generic::Queue::drive).
#[must_use = "a future does nothing unless it is awaited"]
pub struct Drive<'a, H: QueueFlavor> {
    queue: &'a Queue<H>,
    has_yielded: bool,
}

impl<H: QueueFlavor> Future for Drive<'_, H> {
    type Output = RunReport;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<RunReport> {
        let queue = self.queue;
        let waker = context.waker();
        if !queue.core.has_work_or_keeps(waker) {
            queue.core.drop_ended(&queue.loop_side);
            return Poll::Pending;
        }
        // The handlers of the last run emitted these events. Other tasks have their turn first.
        if !self.has_yielded && queue.core.take_feedback() {
            self.has_yielded = true;
            waker.wake_by_ref();
            return Poll::Pending;
        }
        let report = queue.run();
        queue.core.note_feedback(report.left > 0);
        Poll::Ready(report)
    }
}

impl<H: QueueFlavor> fmt::Debug for Drive<'_, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Drive").field(self.queue).finish()
    }
}
