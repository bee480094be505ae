//! Several pieces of work, each done whichever of them panic.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Of the panics in what was done, the first.
#[derive(Default)]
pub(super) struct FirstPanic(Option<Box<dyn Any + Send>>);

impl FirstPanic {
    /// Returns whether it did not panic.
    #[inline(always)]
    pub(super) fn catch(&mut self, work: impl FnOnce()) -> bool {
        match catch_unwind(AssertUnwindSafe(work)) {
            Ok(()) => true,
            Err(panic) => self.note(panic),
        }
    }

    #[cold]
    #[inline(never)]
    fn note(&mut self, panic: Box<dyn Any + Send>) -> bool {
        if self.0.is_none() {
            self.0 = Some(panic);
        }
        false
    }

    #[inline]
    pub(super) fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// Goes on with the panic, if there was one.
    #[inline]
    pub(super) fn resume(self) {
        if let Some(panic) = self.0 {
            resume_unwind(panic);
        }
    }
}
