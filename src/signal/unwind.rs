//! Slots may panic: nothing of a signal is ever left half done while user code runs, so all of it
//! may be used after a panic was caught, in both flavors.

use core::panic::{RefUnwindSafe, UnwindSafe};

use super::source::Source;
use crate::raw::Flavor;
use crate::slots::{AnySlots, List, WeakSlots};

impl<E: ?Sized + 'static, R: 'static, F: Flavor> UnwindSafe for Source<E, R, F> {}
impl<E: ?Sized + 'static, R: 'static, F: Flavor> RefUnwindSafe for Source<E, R, F> {}
impl<F: Flavor> RefUnwindSafe for AnySlots<F> {}
impl<F: Flavor> RefUnwindSafe for List<F> {}
impl<F: Flavor> UnwindSafe for WeakSlots<F> {}
impl<F: Flavor> RefUnwindSafe for WeakSlots<F> {}
