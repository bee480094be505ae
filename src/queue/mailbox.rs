//! What a connection has in its queue, under the queue's lock.

use std::collections::VecDeque;
use std::time::Instant;

use super::flavor::QueueFlavor;
use super::handler::AnyHandler;
use super::inbox::{AnyInbox, Inbox};
use crate::base::SlotKey;

slotmap::new_key_type! {
    /// Names a connection in its queue. When that has ended, another may get the same place there.
    /// A former key then names nothing, until that place was used another 2^31 times.
    pub(super) struct MailboxKey;
}

pub(super) struct Mailbox<H: QueueFlavor> {
    /// Made when the first event comes, unless the slot is debounced or throttled.
    pub(super) inbox: Option<Box<dyn AnyInbox>>,
    pub(super) handler: HandlerPlace<H>,
}

pub(super) enum HandlerPlace<H: QueueFlavor> {
    Here(Box<dyn AnyHandler<H>>),
    /// A run has taken it: this is its index in the run's batch.
    InRun(u32),
}

/// About a connection whose events a run takes one at a time, right before the call: it is paced,
/// or at most one event of it waits.
#[derive(Default)]
pub(super) struct TakenSingly {
    pub(super) paced: Option<PacedSlot>,
    /// When its window closes, as the queue's timers know it.
    pub(super) timer: Option<Instant>,
    /// How many of its first turns are of events that were flushed or cancelled, and call nothing.
    pub(super) void_turns: usize,
    /// How many of its first events the flush that is under way still has to take.
    pub(super) in_flush: usize,
}

/// About a connection that is debounced or throttled.
pub(super) struct PacedSlot {
    /// How many of these were connected before it.
    pub(super) number: u64,
    pub(super) identity: (usize, SlotKey),
}

impl TakenSingly {
    /// Its next turn is over. Returns whether there was an event that had this turn.
    pub(super) fn ends_turn(&mut self) -> bool {
        let is_void = self.void_turns > 0;
        self.void_turns -= usize::from(is_void);
        !is_void
    }
}

impl<H: QueueFlavor> Mailbox<H> {
    /// # Panics
    /// When it was taken already.
    #[inline]
    pub(super) fn take_handler(&mut self, at: u32) -> Box<dyn AnyHandler<H>> {
        match std::mem::replace(&mut self.handler, HandlerPlace::InRun(at)) {
            HandlerPlace::Here(handler) => handler,
            HandlerPlace::InRun(_) => panic!("only one batch is under way"),
        }
    }

    /// How many events wait.
    pub(super) fn waiting(&self) -> usize {
        self.inbox.as_ref().map_or(0, |inbox| inbox.len())
    }

    /// # Panics
    /// When its events have another type.
    #[inline]
    pub(super) fn events<E: Send + 'static>(&mut self) -> &mut VecDeque<E> {
        let inbox = self.inbox.get_or_insert_with(|| Box::new(Inbox::<E>::new(None)));
        &mut inbox.of().events
    }
}
