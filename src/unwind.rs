//! Slots may panic: nothing of a signal is ever left half done while user code runs, so all of it
//! may be used after a panic was caught, in both flavours.

use core::panic::{RefUnwindSafe, UnwindSafe};

use crate::family::Family;
use crate::list::List;
use crate::raw::WeakTable;
use crate::signal::Source;
use crate::slots::Slots;

impl<E: ?Sized + 'static, R: 'static, F: Family> UnwindSafe for Source<E, R, F> {}
impl<E: ?Sized + 'static, R: 'static, F: Family> RefUnwindSafe for Source<E, R, F> {}
impl<E: ?Sized + 'static, R: 'static, F: Family> RefUnwindSafe for Slots<E, R, F> {}
impl<E: ?Sized + 'static, R: 'static, F: Family> RefUnwindSafe for List<E, R, F> {}
impl<F: Family> UnwindSafe for WeakTable<F> {}
impl<F: Family> RefUnwindSafe for WeakTable<F> {}

#[cfg(feature = "std")]
mod queues {
    use super::{RefUnwindSafe, UnwindSafe};
    use crate::queue::{Home, Queue};

    impl<H: Home> UnwindSafe for Queue<H> {}
    impl<H: Home> RefUnwindSafe for Queue<H> {}
}
