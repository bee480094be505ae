use core::cell::Cell;
use core::marker::PhantomData;

use crate::base::SlotKey;
#[cfg(feature = "std")]
use {
    super::Shared,
    super::hazard::{self, HazardCell},
};

/// What a call asks of the signal when the state of a slot does not say yes or no.
pub(crate) trait Admission {
    /// Whether the slot may be called, asked when its target is held, so that a yes is not lost.
    fn admits(&self, key: SlotKey) -> bool;
    /// A slot is passed over, until this is called again: what is dropped meanwhile, and may panic, is none of
    /// its doing.
    fn passing_over(&self, _begins: bool) {}
    /// The emission ends, and destroys what it left: that is no slot's doing either.
    #[cfg(feature = "std")]
    fn ending(&self) {}
}

/// Who calls handles: a running emission, or one call of a suspended one.
///
/// It has a cell of its own while it runs, where it notes what it calls if that counts no references; so
/// emissions on one thread may end in any order. What it calls is there longer than it is, for `'l`: of that
/// the borrow checker is the proof.
pub struct Caller<'l> {
    admission: &'l dyn Admission,
    #[cfg(feature = "std")]
    cell: Option<&'static HazardCell<Shared>>,
    /// There is no cell to be had.
    #[cfg(feature = "std")]
    counts: bool,
    /// Makes `'l` what it is, no longer and no shorter.
    calls: PhantomData<Cell<&'l ()>>,
}

impl<'l> Caller<'l> {
    #[inline(always)]
    pub(crate) fn new(admission: &'l dyn Admission) -> Self {
        Caller {
            admission,
            #[cfg(feature = "std")]
            cell: None,
            #[cfg(feature = "std")]
            counts: false,
            calls: PhantomData,
        }
    }

    #[inline(always)]
    pub(crate) fn admission(&self) -> &'l dyn Admission {
        self.admission
    }

    /// Its cell, if there is one or the thread has one at hand.
    #[cfg(feature = "std")]
    #[inline(always)]
    pub(super) fn cell(&mut self) -> Option<&'static HazardCell<Shared>> {
        if self.cell.is_none() {
            self.cell = hazard::spare_cell();
        }
        self.cell
    }

    /// Whether references are counted instead.
    #[cfg(feature = "std")]
    pub(super) fn counts(&self) -> bool {
        self.counts
    }

    /// Takes a cell, if there is one to be had: not if the thread has too many emissions under way, nor while it
    /// ends.
    #[inline]
    pub(crate) fn find_cell(&mut self) {
        #[cfg(feature = "std")]
        if self.cell.is_none() {
            self.cell = hazard::take_another_cell();
            self.counts = self.cell.is_none();
        }
    }
}

impl Drop for Caller<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        #[cfg(feature = "std")]
        if let Some(cell) = self.cell {
            // SAFETY: it is this caller's, and what was called is there still: `'l` has not ended.
            unsafe { hazard::give_back(cell, self.admission) };
        }
    }
}
