//! The error of `try_emit`.

use std::fmt;

use crate::raw::Flavor;
use crate::slots::Connection;

/// Lists what failed during a `try_emit` of a [`Signal`](crate::Signal::try_emit) or an
/// `AsyncSignal`.
///
/// Generic over the flavor. Its everyday names are [`EmitError`](crate::EmitError) and
/// [`local::EmitError`](crate::local::EmitError).
///
/// Either slots failed, or destructors panicked that ran during the emission. All other slots were
/// called.
pub struct EmitError<F: Flavor> {
    pub(crate) called: usize,
    pub(crate) failures: Vec<SlotFailure<F>>,
}

impl<F: Flavor> EmitError<F> {
    /// How many slots were called, including those that failed.
    pub fn called(&self) -> usize {
        self.called
    }

    /// The failures, in the order of their slots. There is at least one.
    pub fn failures(&self) -> &[SlotFailure<F>] {
        &self.failures
    }
}

impl<F: Flavor> fmt::Debug for EmitError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmitError")
            .field("called", &self.called)
            .field("failures", &self.failures)
            .finish()
    }
}

impl<F: Flavor> fmt::Display for EmitError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failed = self.failures.iter().filter(|failure| failure.in_slot).count();
        write!(f, "{failed} of {} slots failed", self.called)?;
        for (place, failure) in self.failures.iter().enumerate() {
            write!(f, "{}{failure}", if place == 0 { ": " } else { "; " })?;
        }
        Ok(())
    }
}

impl<F: Flavor> std::error::Error for EmitError<F> {}

/// Why a slot failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// The slot panicked. This is the message, or a placeholder if the panic payload is not a
    /// string. An asynchronous handler panicked either while its future was created or while it was
    /// polled.
    Panicked(String),
    /// The slot's future was dropped at the deadline set by the slot's `timeout` option.
    TimedOut,
}

const TIMED_OUT: &str = "was not ready at its deadline";

/// One failure, with the slot it belongs to.
///
/// Generic over the flavor. Its everyday names are [`SlotFailure`](crate::SlotFailure) and
/// [`local::SlotFailure`](crate::local::SlotFailure).
pub struct SlotFailure<F: Flavor> {
    pub(crate) connection: Connection<F>,
    pub(crate) name: Option<&'static str>,
    pub(crate) failure: Failure,
    pub(crate) in_slot: bool,
}

impl<F: Flavor> SlotFailure<F> {
    /// The connection of the slot, for instance to disconnect it.
    pub fn connection(&self) -> &Connection<F> {
        &self.connection
    }

    /// The slot's name, if it was connected with one.
    pub fn name(&self) -> Option<&'static str> {
        self.name
    }

    /// Whether the slot itself failed.
    ///
    /// If not, a destructor panicked that the emission ran when it reached this slot. It may have
    /// dropped what a dead slot had captured, or a [`HazardArc`](crate::HazardArc) owner that an
    /// earlier slot used.
    pub fn in_slot(&self) -> bool {
        self.in_slot
    }

    /// What happened.
    pub fn failure(&self) -> &Failure {
        &self.failure
    }

    /// The panic message, or a description of what happened.
    pub fn message(&self) -> &str {
        match &self.failure {
            Failure::Panicked(message) => message,
            Failure::TimedOut => TIMED_OUT,
        }
    }
}

impl<F: Flavor> fmt::Debug for SlotFailure<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlotFailure")
            .field("connection", &self.connection)
            .field("name", &self.name)
            .field("failure", &self.failure)
            .field("in_slot", &self.in_slot)
            .finish()
    }
}

impl<F: Flavor> fmt::Display for SlotFailure<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.unwrap_or("without name");
        let who = if self.in_slot { "slot" } else { "a destructor at slot" };
        write!(f, "{who} {name} ")?;
        match &self.failure {
            Failure::Panicked(message) => write!(f, "panicked with `{message}`"),
            Failure::TimedOut => f.write_str(TIMED_OUT),
        }
    }
}
