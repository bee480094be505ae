use core::cell::Cell;
use core::marker::PhantomData;

use crate::table::SlotKey;
#[cfg(feature = "std")]
use {super::hazards, super::tracked, crate::family::Shared};

/// What a call asks of the signal when the state of a slot does not say yes or no.
pub(crate) trait Desk {
    /// Whether the slot may be called, asked when its target is held, so that a yes is not lost.
    fn admits(&self, key: SlotKey) -> bool;
    /// A slot is passed over, until this is called again: what is dropped meanwhile, and may panic, is none of
    /// its doing.
    fn passing_over(&self, _begins: bool) {}
}

/// Who calls handles: a running emission, or one call of a suspended one.
///
/// It has a cell of its own while it runs, where it notes what it calls if that counts no references; so
/// emissions on one thread may end in any order. What it calls is there longer than it is, for `'l`: of that
/// the borrow checker is the proof.
pub struct Caller<'l> {
    desk: &'l dyn Desk,
    #[cfg(feature = "std")]
    cell: Option<&'static hazards::Cell<Shared>>,
    /// Makes `'l` what it is, no longer and no shorter.
    calls: PhantomData<Cell<&'l ()>>,
}

impl<'l> Caller<'l> {
    #[inline(always)]
    pub(crate) fn new(desk: &'l dyn Desk) -> Self {
        Caller {
            desk,
            #[cfg(feature = "std")]
            cell: None,
            calls: PhantomData,
        }
    }

    pub(super) fn admits(&self, key: SlotKey) -> bool {
        self.desk.admits(key)
    }

    /// For what takes more than one caller.
    #[inline(always)]
    pub(crate) fn desk(&self) -> &'l dyn Desk {
        self.desk
    }

    pub(super) fn passes_over(&self) {
        self.desk.passing_over(true);
    }

    #[cfg(feature = "std")]
    #[inline(always)]
    pub(super) fn cell(&self) -> Option<&'static hazards::Cell<Shared>> {
        self.cell
    }

    /// Says whether there is a cell to be had. Not if the thread has too many emissions under way, nor while
    /// it ends.
    #[cfg(feature = "std")]
    #[inline]
    pub(super) fn find_cell(&mut self) -> bool {
        if self.cell.is_none() {
            self.cell = tracked::take_cell();
        }
        self.cell.is_some()
    }

    #[cfg(not(feature = "std"))]
    pub(super) fn find_cell(&mut self) -> bool {
        false
    }
}

impl Drop for Caller<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        #[cfg(feature = "std")]
        if let Some(cell) = self.cell {
            // SAFETY: it is this caller's, and what was called is there still: `'l` has not ended.
            unsafe { tracked::give_back(cell) };
        }
    }
}
