use core::any::TypeId;
use core::ops::Deref;
use std::sync::Arc;

use super::{Caller, Checked, Hold, KeepAlive, Link, Liveness, NotCalled};
use crate::raw::Flavor;

/// Stands in a slot for an owner that the slot does not call. It is a pointer, in one word, to what
/// is known about the owner.
pub(crate) trait StandIn: Clone {
    /// The owner's liveness, as far as it is known.
    fn liveness(&self) -> Liveness;
    /// The owner's address, also after the owner is gone.
    fn owner(&self) -> *const ();
    /// The identity and name of the owner's method.
    fn method(&self) -> (TypeId, &'static str);
}

/// A link that holds its target strongly, so an emission calls it without counting references.
#[derive(Clone)]
pub(crate) struct Held<T>(T);

impl<T> Held<T> {
    pub(super) fn new(target: T) -> Self {
        Held(target)
    }
}

#[cfg(feature = "std")]
impl<F: Flavor> KeepAlive<F> {
    /// Owns the value that must be dropped when the slot of a [`Held`] target ends.
    pub(crate) fn until_the_end<T: Clone + 'static>(ends: Checked<T, F>) -> Self {
        // SAFETY: it was `Checked`.
        unsafe { KeepAlive::new(ends.0) }
    }
}

// SAFETY: `ENTERS_BY_EXCHANGE` is false, so this impl promises nothing.
unsafe impl<T: StandIn> Link for Held<T> {
    type Target = T;
    /// Holds a clone of the target, which does not move. Emissions do not need it.
    type Strong = Arc<T>;
    /// Entering it only reads.
    const ENTERS_BY_EXCHANGE: bool = false;
    type Entered<'a>
        = Borrowed<'a, T>
    where
        T: 'a;

    fn upgrade(&self) -> Option<Arc<T>> {
        (self.liveness() == Liveness::Alive).then(|| Arc::new(self.0.clone()))
    }
    #[inline]
    fn liveness(&self) -> Liveness {
        self.0.liveness()
    }
    fn address(&self) -> *const () {
        self.0.owner()
    }
    const KNOWS_METHOD: bool = true;
    fn method(&self) -> (TypeId, &'static str) {
        self.0.method()
    }
    #[inline(always)]
    unsafe fn enter(&self, _: &mut Caller<'_>) -> Result<Borrowed<'_, T>, NotCalled> {
        match self.liveness() {
            Liveness::Alive => Ok(Borrowed(&self.0)),
            Liveness::Gone | Liveness::Absent => Err(NotCalled::Dead),
        }
    }
}

/// A target that the emission's list keeps alive.
pub(crate) struct Borrowed<'a, T>(&'a T);

impl<T> Deref for Borrowed<'_, T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        self.0
    }
}

// SAFETY: the target is borrowed, or `keep` returns an `Arc` that owns a clone of it.
unsafe impl<T: Clone> Hold for Borrowed<'_, T> {
    type Strong = Arc<T>;
    fn keep(self) -> Option<Arc<T>> {
        Some(Arc::new(self.0.clone()))
    }
}
