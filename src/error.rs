//! What `try_emit` reports.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::connection::Connection;
use crate::family::Family;

/// Some slots panicked in a [`try_emit`](crate::Signal::try_emit), or what they let go of did. All the
/// others were called.
pub struct EmitError<F: Family> {
    pub(crate) called: usize,
    pub(crate) panics: Vec<SlotPanic<F>>,
}

impl<F: Family> EmitError<F> {
    /// How many slots were called, those that panicked included.
    pub fn called(&self) -> usize {
        self.called
    }

    /// The panics, in the order of their slots. At least one.
    pub fn panics(&self) -> &[SlotPanic<F>] {
        &self.panics
    }
}

impl<F: Family> fmt::Debug for EmitError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmitError")
            .field("called", &self.called)
            .field("panics", &self.panics)
            .finish()
    }
}

impl<F: Family> fmt::Display for EmitError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let panicked = self.panics.iter().filter(|panic| panic.in_slot).count();
        write!(f, "{panicked} of {} slots panicked", self.called)?;
        for (panic, separator) in
            self.panics.iter().zip([": "].into_iter().chain(std::iter::repeat("; ")))
        {
            write!(f, "{separator}{panic}")?;
        }
        Ok(())
    }
}

impl<F: Family> std::error::Error for EmitError<F> {}

/// One panic of a slot.
pub struct SlotPanic<F: Family> {
    pub(crate) connection: Connection<F>,
    pub(crate) name: Option<&'static str>,
    pub(crate) message: String,
    pub(crate) in_slot: bool,
}

impl<F: Family> SlotPanic<F> {
    /// The connection of the slot, for instance to disconnect it.
    pub fn connection(&self) -> &Connection<F> {
        &self.connection
    }

    /// The name the slot was connected with, if it was.
    pub fn name(&self) -> Option<&'static str> {
        self.name
    }

    /// Whether it was the slot that panicked. If not, a destructor did, of what the emission let go of when it came
    /// to this slot: what a dead slot captured, say, or a tracked owner it had called before.
    pub fn in_slot(&self) -> bool {
        self.in_slot
    }

    /// What the slot panicked with, where that is a text.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl<F: Family> fmt::Debug for SlotPanic<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlotPanic")
            .field("connection", &self.connection)
            .field("name", &self.name)
            .field("message", &self.message)
            .field("in_slot", &self.in_slot)
            .finish()
    }
}

impl<F: Family> fmt::Display for SlotPanic<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.unwrap_or("without name");
        let who = if self.in_slot { "slot" } else { "a destructor at slot" };
        write!(f, "{who} {name} panicked with `{}`", self.message)
    }
}

/// The text of a panic. The payload is dropped here, and panics of its destructor go no further.
/// One whose destructor panics again and again is leaked.
pub(crate) fn message(mut payload: Box<dyn Any + Send>) -> String {
    let text = if let Some(text) = payload.downcast_ref::<&'static str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "something that is not a text".to_owned()
    };
    for _ in 0..8 {
        match catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            Ok(()) => return text,
            Err(next) => payload = next,
        }
    }
    std::mem::forget(payload);
    text
}
