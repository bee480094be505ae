//! The signal's side of a slot whose handler waits in a queue. Emitting calls it.

use core::any::TypeId;
use core::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;

use super::flavor::QueueFlavor;
use super::mailbox::MailboxKey;
use super::queue_core::QueueCore;
use super::state::Enqueued;
use crate::raw::Shared;
use crate::raw::{Hold, Invoke, Liveness, StandIn, Target};

pub(super) struct QueueSender<E: 'static, H: QueueFlavor> {
    pub(super) queue: Arc<QueueCore<H>>,
    pub(super) key: MailboxKey,
    pub(super) view: H::View<E>,
    /// Keeps at most one waiting event.
    pub(super) is_latest: bool,
    /// How many [`EndsWithSlot`] there are.
    pub(super) ends: AtomicU32,
}

/// Puts the event into the queue.
pub(super) struct Enqueue;

impl<E, H> Invoke<(), Arc<QueueSender<E, H>>, E, (), Shared> for Enqueue
where
    E: Clone + Send + 'static,
    H: QueueFlavor,
{
    type Method = Enqueue;
    #[inline]
    fn invoke(
        (): &(),
        sender: Target<impl Hold<Target = Arc<QueueSender<E, H>>>, Shared>,
        event: &E,
    ) -> Option<()> {
        sender.send(event)
    }
}

impl<E: Clone + Send + 'static, H: QueueFlavor> QueueSender<E, H> {
    /// Returns `None` if the connection has ended.
    #[inline]
    fn send(&self, event: &E) -> Option<()> {
        let event = event.clone();
        let mut state = self.queue.lock();
        let enqueued = state.enqueue(self.key, event, self.is_latest);
        let wakes = match enqueued {
            Enqueued::Waits(_) => true,
            // Other events wait, so the loop has been woken, unless that panicked.
            Enqueued::Lost(_) => state.running == 0,
            Enqueued::Ended(_) => false,
        };
        let wake_up = if wakes { state.wake_up() } else { None };
        drop(state);
        let has_ended = matches!(enqueued, Enqueued::Ended(_));
        self.queue.wake_and_drop(wake_up, enqueued);
        (!has_ended).then_some(())
    }
}

impl<E: Send + 'static, H: QueueFlavor> StandIn for Arc<QueueSender<E, H>> {
    #[inline]
    fn liveness(&self) -> Liveness {
        if self.queue.is_closed() { Liveness::Gone } else { H::liveness(&self.view) }
    }
    fn owner(&self) -> *const () {
        H::owner(&self.view)
    }
    fn method(&self) -> (TypeId, &'static str) {
        H::method_of(&self.view)
    }
}

/// Lives as long as the slot. When the last clone is dropped, the connection's mailbox is removed.
pub(super) struct EndsWithSlot<E: Send + 'static, H: QueueFlavor>(Arc<QueueSender<E, H>>);

impl<E: Send + 'static, H: QueueFlavor> EndsWithSlot<E, H> {
    /// Must be called once per sender.
    pub(super) fn new(sender: Arc<QueueSender<E, H>>) -> Self {
        sender.ends.store(1, Ordering::Relaxed);
        EndsWithSlot(sender)
    }
}

impl<E: Send + 'static, H: QueueFlavor> Clone for EndsWithSlot<E, H> {
    fn clone(&self) -> Self {
        self.0.ends.fetch_add(1, Ordering::Relaxed);
        EndsWithSlot(self.0.clone())
    }
}

impl<E: Send + 'static, H: QueueFlavor> Drop for EndsWithSlot<E, H> {
    fn drop(&mut self) {
        if self.0.ends.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.queue.remove(self.0.key);
        }
    }
}
