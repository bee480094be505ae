//! The mailbox of a connection in its queue. It is protected by the queue's lock.

use std::collections::VecDeque;
use std::time::Instant;

use super::flavor::QueueFlavor;
use super::handler::AnyHandler;
use super::inbox::{AnyInbox, Inbox};
use crate::base::SlotKey;

slotmap::new_key_type! {
    /// Identifies a connection in its queue. After the connection has ended, another may reuse its
    /// place. The old key stays invalid until that place has been reused 2^31 times.
    pub(super) struct MailboxKey;
}

pub(super) struct Mailbox<H: QueueFlavor> {
    /// Created when the first event comes. For a debounced or throttled slot it is created at once.
    pub(super) inbox: Option<Box<dyn AnyInbox>>,
    pub(super) handler: HandlerPlace<H>,
}

pub(super) enum HandlerPlace<H: QueueFlavor> {
    Here(Box<dyn AnyHandler<H>>),
    /// A run has taken it; this is its index in the run's batch.
    InRun(u32),
}

/// The state of a connection whose events a run takes one at a time, right before the call: the
/// connection is paced, or keeps at most one waiting event.
#[derive(Default)]
pub(super) struct TakenSingly {
    pub(super) paced: Option<PacedSlot>,
    /// When its window closes, as entered in the queue's timers.
    pub(super) timer: Option<Instant>,
    /// How many of its first turns belong to events that were flushed or canceled. These turns call
    /// nothing.
    pub(super) void_turns: usize,
    /// How many of its first events the current flush has not taken yet.
    pub(super) in_flush: usize,
}

/// The identity of a debounced or throttled connection.
pub(super) struct PacedSlot {
    /// How many paced connections were made before it.
    pub(super) number: u64,
    pub(super) identity: (usize, SlotKey),
}

impl TakenSingly {
    /// Ends its next turn. Returns whether that turn still had an event.
    pub(super) fn ends_turn(&mut self) -> bool {
        let is_void = self.void_turns > 0;
        self.void_turns -= usize::from(is_void);
        !is_void
    }
}

impl<H: QueueFlavor> Mailbox<H> {
    /// # Panics
    /// If it was taken already.
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
    /// If its events have another type.
    #[inline]
    pub(super) fn events<E: Send + 'static>(&mut self) -> &mut VecDeque<E> {
        let inbox = self.inbox.get_or_insert_with(|| Box::new(Inbox::<E>::new(None)));
        &mut inbox.of().events
    }
}
