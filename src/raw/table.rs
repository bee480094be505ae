use core::mem::ManuallyDrop;

use super::Link;
use crate::family::Family;
use crate::slots::Slots;
use crate::table::SlotTable;

/// A weak pointer to the slots of a signal, whatever its event: what connections hold.
pub(crate) struct WeakTable<F: Family>(ManuallyDrop<F::Weak<dyn SlotTable<F>>>);

impl<F: Family> WeakTable<F> {
    pub(crate) fn new<E: ?Sized + 'static, R: 'static>(weak: F::Weak<Slots<E, R, F>>) -> Self {
        let raw = F::weak_into_raw(weak) as *const dyn SlotTable<F>;
        // SAFETY: `raw` came from `weak_into_raw` and was only unsized, as std itself would.
        WeakTable(ManuallyDrop::new(unsafe { F::weak_from_raw(raw) }))
    }

    /// Of a signal that never was.
    pub(crate) fn dangling() -> Self {
        Self::new(F::dangling::<Slots<(), (), F>>())
    }

    pub(crate) fn upgrade(&self) -> Option<F::Strong<dyn SlotTable<F>>> {
        self.0.upgrade()
    }

    /// Not used again while anything refers to the slots.
    pub(crate) fn address(&self) -> *const () {
        self.0.address()
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        core::ptr::eq(self.address(), other.address())
    }
}

impl<F: Family> Clone for WeakTable<F> {
    fn clone(&self) -> Self {
        WeakTable(self.0.clone())
    }
}

impl<F: Family> Drop for WeakTable<F> {
    /// A program has one wherever it connects and does not keep the connection: so each is only a call.
    #[inline(never)]
    fn drop(&mut self) {
        // SAFETY: this runs once, and nothing uses it afterwards.
        unsafe { ManuallyDrop::drop(&mut self.0) }
    }
}

#[cfg(feature = "std")]
mod thread_safe {
    use super::{Slots, WeakTable};
    use crate::family::Shared;

    // SAFETY: it points at `Slots<_, _, Shared>`, which are `Send + Sync` as the proof below says.
    unsafe impl Send for WeakTable<Shared> {}
    // SAFETY: as above.
    unsafe impl Sync for WeakTable<Shared> {}

    fn _proof<E: ?Sized + 'static, R: 'static>() {
        fn both<T: Send + Sync>() {}
        both::<Slots<E, R, Shared>>();
    }
}
