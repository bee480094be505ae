//! Several pieces of work, each done whichever of them panic.

use core::cell::Cell;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Of the panics in what was done, the first.
#[derive(Default)]
pub(super) struct FirstPanic(Cell<Option<Box<dyn Any + Send>>>);

impl FirstPanic {
    /// Returns whether it did not panic. One piece of work may be part of another.
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

    /// Goes on with the panic, if there was one.
    #[inline]
    pub(super) fn resume(self) {
        if let Some(panic) = self.0.take() {
            resume_unwind(panic);
        }
    }
}

/// Another panic goes on.
impl Drop for FirstPanic {
    #[inline]
    fn drop(&mut self) {
        if let Some(panic) = self.0.take() {
            forget(panic);
        }
    }
}

/// The destructor of what a panic carries may panic, too.
#[cold]
#[inline(never)]
fn forget(panic: Box<dyn Any + Send>) {
    _ = crate::base::message(panic);
}
