//! What `try_emit` of an asynchronous signal reports.

use core::fmt;

use crate::connection::Connection;
use crate::family::Family;

/// Some handlers failed in an asynchronous [`try_emit`](super::AsyncSignal::try_emit). All the others ran to
/// their end.
pub struct AsyncEmitError<F: Family> {
    pub(super) called: usize,
    pub(super) failures: Vec<SlotFailure<F>>,
}

impl<F: Family> AsyncEmitError<F> {
    /// How many handlers were called, those that failed included.
    pub fn called(&self) -> usize {
        self.called
    }

    /// The failures, in the order of their slots. At least one.
    pub fn failures(&self) -> &[SlotFailure<F>] {
        &self.failures
    }
}

impl<F: Family> fmt::Debug for AsyncEmitError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncEmitError")
            .field("called", &self.called)
            .field("failures", &self.failures)
            .finish()
    }
}

impl<F: Family> fmt::Display for AsyncEmitError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failed = self.failures.iter().filter(|failure| failure.in_slot).count();
        write!(f, "{failed} of {} handlers failed", self.called)?;
        for (place, failure) in self.failures.iter().enumerate() {
            write!(f, "{}{failure}", if place == 0 { ": " } else { "; " })?;
        }
        Ok(())
    }
}

impl<F: Family> std::error::Error for AsyncEmitError<F> {}

/// Why a handler failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// It panicked, in making its future or in polling it, with this text, where it is one.
    Panicked(String),
    /// It was dropped at the deadline that its slot's option `timeout` set.
    TimedOut,
}

/// One failure of a handler.
pub struct SlotFailure<F: Family> {
    pub(super) connection: Connection<F>,
    pub(super) name: Option<&'static str>,
    pub(super) failure: Failure,
    pub(super) in_slot: bool,
}

impl<F: Family> SlotFailure<F> {
    /// The connection of the slot, for instance to disconnect it.
    pub fn connection(&self) -> &Connection<F> {
        &self.connection
    }

    /// The name the slot was connected with, if it was.
    pub fn name(&self) -> Option<&'static str> {
        self.name
    }

    /// Whether it was the handler that failed. If not, a destructor did, of what the emission let go of when it came
    /// to this slot: what a dead slot captured, say, or a tracked owner it had called before.
    pub fn in_slot(&self) -> bool {
        self.in_slot
    }

    /// What happened.
    pub fn failure(&self) -> &Failure {
        &self.failure
    }
}

impl<F: Family> fmt::Debug for SlotFailure<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlotFailure")
            .field("connection", &self.connection)
            .field("name", &self.name)
            .field("failure", &self.failure)
            .field("in_slot", &self.in_slot)
            .finish()
    }
}

impl<F: Family> fmt::Display for SlotFailure<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.unwrap_or("without name");
        let who = if self.in_slot { "slot" } else { "a destructor at slot" };
        write!(f, "{who} {name} ")?;
        match &self.failure {
            Failure::Panicked(message) => write!(f, "panicked with `{message}`"),
            Failure::TimedOut => f.write_str("was not ready at its deadline"),
        }
    }
}
