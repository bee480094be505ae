use core::mem::ManuallyDrop;

use super::{Checked, Link, Primitives};
use crate::base::SlotTable;

/// A weak pointer to the slots of a signal, whatever its event: what connections hold.
#[doc(hidden)]
pub struct WeakSlots<F: Primitives>(ManuallyDrop<F::Weak<dyn SlotTable<F>>>);

impl<F: Primitives> WeakSlots<F> {
    pub(crate) fn new<T: SlotTable<F> + 'static>(slots: Checked<F::Weak<T>, F>) -> Self {
        let raw = F::weak_into_raw(slots.0) as *const dyn SlotTable<F>;
        // SAFETY: `raw` came from `weak_into_raw` and was only unsized, as std itself would.
        WeakSlots(ManuallyDrop::new(unsafe { F::weak_from_raw(raw) }))
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

impl<F: Primitives> Clone for WeakSlots<F> {
    fn clone(&self) -> Self {
        WeakSlots(self.0.clone())
    }
}

impl<F: Primitives> Drop for WeakSlots<F> {
    /// A program has one wherever it connects and does not keep the connection: so each is only a call.
    #[inline(never)]
    fn drop(&mut self) {
        // SAFETY: this runs once, and nothing uses it afterwards.
        unsafe { ManuallyDrop::drop(&mut self.0) }
    }
}

// SAFETY: it points at slots of which it was `Checked` that they are `Send + Sync`.
#[cfg(feature = "std")]
unsafe impl Send for WeakSlots<super::Shared> {}
// SAFETY: as above.
#[cfg(feature = "std")]
unsafe impl Sync for WeakSlots<super::Shared> {}
