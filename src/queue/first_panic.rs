//! Runs several pieces of work, each even if another panics.

use core::cell::Cell;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// The first panic among several pieces of work.
#[derive(Default)]
pub(super) struct FirstPanic(Cell<Option<Box<dyn Any + Send>>>);

impl FirstPanic {
    /// Runs `work`, and returns whether it ended without a panic. Calls may be nested.
    #[inline(always)]
    pub(super) fn catch(&self, work: impl FnOnce()) -> bool {
        match catch_unwind(AssertUnwindSafe(work)) {
            Ok(()) => true,
            Err(panic) => self.note(panic),
        }
    }

    #[cold]
    #[inline(never)]
    fn note(&self, panic: Box<dyn Any + Send>) -> bool {
        match self.0.take() {
            None => self.0.set(Some(panic)),
            Some(first) => {
                self.0.set(Some(first));
                forget(panic);
            }
        }
        false
    }

    #[inline]
    pub(super) fn is_none(&self) -> bool {
        let first = self.0.take();
        let is_none = first.is_none();
        self.0.set(first);
        is_none
    }

    /// Resumes the first panic, if there was one.
    #[inline]
    pub(super) fn resume(self) {
        if let Some(panic) = self.0.take() {
            resume_unwind(panic);
        }
    }
}

/// Runs only if another panic unwinds through here.
impl Drop for FirstPanic {
    #[inline]
    fn drop(&mut self) {
        if let Some(panic) = self.0.take() {
            forget(panic);
        }
    }
}

/// Drops a panic's payload, whose destructor may panic as well.
#[cold]
#[inline(never)]
fn forget(panic: Box<dyn Any + Send>) {
    _ = crate::base::message(panic);
}
