//! A batch: the handlers and events that a run takes at once.

use std::time::Instant;

use super::flavor::QueueFlavor;
use super::handler::AnyHandler;
use super::mailbox::{Mailbox, MailboxKey};

/// When a run stops.
#[derive(Clone, Copy)]
pub(super) struct RunLimit {
    pub(super) events: usize,
    pub(super) deadline: Option<Instant>,
}

impl RunLimit {
    pub(super) const NONE: RunLimit = RunLimit { events: usize::MAX, deadline: None };

    pub(super) fn is_reached(&self, events: usize) -> bool {
        events >= self.events || self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }
}

/// Handlers with events whose turn has come.
pub(super) struct RunBatch<H: QueueFlavor> {
    pub(super) handlers: Vec<TakenHandler<H>>,
    /// Whose event is next, as indices into `handlers`.
    pub(super) order: Vec<u32>,
    /// How many of those were delivered.
    pub(super) delivered: usize,
    /// There is only one handler, with at most one event. Such a batch is never given back.
    pub(super) is_single: bool,
    /// An event was taken, but its debounce or throttle holds it back or passes it over.
    pub(super) is_held_back: bool,
    /// The windows that were due when the run began are closed; events are taken next.
    pub(super) has_closed: bool,
    /// Set in a flush: only events of this connection are taken.
    pub(super) flushes: Option<MailboxKey>,
    /// This is the last batch: nothing is left to take.
    pub(super) is_last: bool,
}

pub(super) struct TakenHandler<H: QueueFlavor> {
    pub(super) key: MailboxKey,
    pub(super) handler: Box<dyn AnyHandler<H>>,
    /// How many of its events are in the batch.
    pub(super) count: usize,
}

impl<H: QueueFlavor> Default for RunBatch<H> {
    fn default() -> Self {
        RunBatch {
            handlers: Vec::new(),
            order: Vec::new(),
            delivered: 0,
            is_single: false,
            is_held_back: false,
            has_closed: false,
            flushes: None,
            is_last: false,
        }
    }
}

impl<H: QueueFlavor> RunBatch<H> {
    /// Takes this mailbox's handler, and returns its index in `handlers`.
    pub(super) fn add(&mut self, key: MailboxKey, mailbox: &mut Mailbox<H>) -> u32 {
        let at = self.handlers.len() as u32;
        self.handlers.push(TakenHandler { key, handler: mailbox.take_handler(at), count: 0 });
        at
    }
}
