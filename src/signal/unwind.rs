//! Slots may panic: nothing of a signal is ever left half done while user code runs, so all of it
//! may be used after a panic was caught, in both flavors.

use core::panic::{RefUnwindSafe, UnwindSafe};

use super::flavor::Flavor;
use super::list::List;
use super::slots::Slots;
use super::source::Source;
use crate::raw::WeakSlots;

impl<E: ?Sized + 'static, R: 'static, F: Flavor> UnwindSafe for Source<E, R, F> {}
impl<E: ?Sized + 'static, R: 'static, F: Flavor> RefUnwindSafe for Source<E, R, F> {}
impl<E: ?Sized + 'static, R: 'static, F: Flavor> RefUnwindSafe for Slots<E, R, F> {}
impl<E: ?Sized + 'static, R: 'static, F: Flavor> RefUnwindSafe for List<E, R, F> {}
impl<F: Flavor> UnwindSafe for WeakSlots<F> {}
impl<F: Flavor> RefUnwindSafe for WeakSlots<F> {}
