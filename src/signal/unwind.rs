//! Unwind safety. User code never runs while a signal's data is inconsistent, so a signal can be
//! used after a slot's panic was caught.

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
