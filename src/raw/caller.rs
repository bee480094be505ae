//! An emission as the handles see it that it calls.

use core::cell::Cell;
use core::marker::PhantomData;

use crate::base::SlotKey;
#[cfg(feature = "std")]
use {
    super::Shared,
    super::hazard::{self, HazardCell},
};

/// Decides whether a slot is called when its state alone does not; and is told what an emission
/// does besides calling slots, so that a panic there is not reported as the slot's.
pub(crate) trait Admission {
    /// Whether the slot may be called. Asked only while the target is kept alive, so that a slot
    /// that is admitted is also called.
    fn admits(&self, key: SlotKey) -> bool;
    /// If `begins`: from now on, destructors may run that the slot did not cause. Otherwise: what
    /// runs from now on is the slot's doing again.
    fn passing_over(&self, _begins: bool) {}
    /// The emission ends. Destructors that run from now on are not the doing of any slot.
    #[cfg(feature = "std")]
    fn ending(&self) {}
}

/// The caller of handles: a running emission, or one call out of a suspended one.
///
/// Where a call counts no references, the caller protects the target by a hazard cell. It keeps the
/// cell until it is dropped, so emissions on one thread may end in any order. Everything that it
/// calls outlives it: the borrow checker ensures that by `'l`.
pub struct Caller<'l> {
    admission: &'l dyn Admission,
    #[cfg(feature = "std")]
    cell: Option<&'static HazardCell<Shared>>,
    /// There was no cell left, so calls count references.
    #[cfg(feature = "std")]
    counts: bool,
    /// Makes `'l` invariant.
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

    /// Its hazard cell, if it has one or the thread has a spare one.
    #[cfg(feature = "std")]
    #[inline(always)]
    pub(super) fn cell(&mut self) -> Option<&'static HazardCell<Shared>> {
        if self.cell.is_none() {
            self.cell = hazard::spare_cell();
        }
        self.cell
    }

    /// Whether calls count references, because no cell was left.
    #[cfg(feature = "std")]
    pub(super) fn counts(&self) -> bool {
        self.counts
    }

    /// Takes a hazard cell. None is left if too many emissions on this thread have one, or while
    /// the thread ends: then calls count references.
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
            // SAFETY: the cell belongs to this caller. By the contract of `Link::enter`, every
            // target has been left, and its memory is kept for as long as the caller exists.
            unsafe { hazard::give_back(cell, self.admission) };
        }
    }
}
