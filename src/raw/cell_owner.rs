use core::cell::UnsafeCell;
use std::boxed::Box;

/// Opens what it wards, and nothing else does: so a lock around the cell_owner is one around all of that,
/// wherever it is.
///
/// It is known by the address of its box.
pub(crate) struct CellOwner(Box<u8>);

/// A value that only its [`CellOwner`] opens.
pub(crate) struct OwnedCell<T> {
    cell_owner: usize,
    value: UnsafeCell<T>,
}

// SAFETY: through a shared reference the value is reached by whoever has its cell_owner mutably borrowed, one
// after the other. That may be on any thread, which is all that `Send` is needed for.
unsafe impl<T: Send> Sync for OwnedCell<T> {}

impl CellOwner {
    pub(crate) fn new() -> Self {
        CellOwner(Box::new(0))
    }

    fn address(&self) -> usize {
        core::ptr::from_ref(&*self.0).addr()
    }

    pub(crate) fn cell_owner<T>(&self, value: T) -> OwnedCell<T> {
        OwnedCell { cell_owner: self.address(), value: UnsafeCell::new(value) }
    }

    /// # Panics
    /// When it is the cell_owner of something else.
    #[inline]
    pub(crate) fn open<'a, T>(&'a mut self, warded: &'a OwnedCell<T>) -> &'a mut T {
        assert!(warded.cell_owner == self.address(), "each cell_owner opens its own");
        // SAFETY: nobody else refers to the value now. Whoever does has borrowed a cell_owner with this
        // address mutably; that is this one, since it lives, and it is borrowed here.
        unsafe { &mut *warded.value.get() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[test]
    fn a_ward_opens_its_own_and_no_other() {
        let (mut one, mut two) = (CellOwner::new(), CellOwner::new());
        let (a, b) = (one.cell_owner(1), one.cell_owner(2));
        *one.open(&a) += 10;
        *one.open(&b) += 10;
        assert_eq!((*one.open(&a), *one.open(&b)), (11, 12));
        assert!(catch_unwind(AssertUnwindSafe(|| *two.open(&a))).is_err());
    }
}
