//! What a run takes at once.

use std::time::Instant;

use super::flavor::QueueFlavor;
use super::handler::AnyHandler;
use super::mailbox::{Mailbox, MailboxKey};

/// How far a run goes.
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

/// Handlers, with events whose turn has come.
pub(super) struct RunBatch<H: QueueFlavor> {
    pub(super) handlers: Vec<TakenHandler<H>>,
    /// Whose event is next, as indices into `handlers`.
    pub(super) order: Vec<u32>,
    /// How many of those were delivered.
    pub(super) delivered: usize,
    /// The one handler has one event, or none: there are no others, and it is not given back.
    pub(super) is_single: bool,
    /// An event was taken that its debounce or throttle holds back or passes over.
    pub(super) is_held_back: bool,
    /// The windows that were due when the run began are closed, and events have their turn.
    pub(super) has_closed: bool,
    /// Only this connection's are taken.
    pub(super) flushes: Option<MailboxKey>,
    /// Nothing is left for a batch after this one.
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
    /// Takes this mailbox's handler, and says at which index it is now.
    pub(super) fn add(&mut self, key: MailboxKey, mailbox: &mut Mailbox<H>) -> u32 {
        let at = self.handlers.len() as u32;
        self.handlers.push(TakenHandler { key, handler: mailbox.take_handler(at), count: 0 });
        at
    }
}
