use core::mem::ManuallyDrop;

use super::Link;
use crate::raw::Flavor;

/// A weak pointer whose drop code is an out-of-line call, not inlined.
pub(crate) struct OutlinedWeak<T, F: Flavor>(ManuallyDrop<F::Weak<T>>);

impl<T, F: Flavor> OutlinedWeak<T, F> {
    #[inline]
    pub(crate) fn new(weak: F::Weak<T>) -> Self {
        OutlinedWeak(ManuallyDrop::new(weak))
    }

    /// A pointer to nothing.
    pub(crate) fn dangling() -> Self {
        Self::new(F::dangling())
    }

    pub(crate) fn upgrade(&self) -> Option<F::Strong<T>> {
        self.0.upgrade()
    }

    /// The target's address. It is not reused while anything refers to the target.
    pub(crate) fn address(&self) -> *const () {
        self.0.address()
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        core::ptr::eq(self.address(), other.address())
    }
}

impl<T, F: Flavor> Clone for OutlinedWeak<T, F> {
    fn clone(&self) -> Self {
        OutlinedWeak(self.0.clone())
    }
}

impl<T, F: Flavor> Drop for OutlinedWeak<T, F> {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: this runs once, and nothing uses it afterwards.
        drop_weak::<T, F>(unsafe { ManuallyDrop::take(&mut self.0) });
    }
}

/// A program drops one wherever it connects and does not keep the connection. Each such place has
/// only a call, whose argument is in a register already.
#[inline(never)]
fn drop_weak<T, F: Flavor>(_weak: F::Weak<T>) {}
