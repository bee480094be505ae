//! Whether a slot may be called, in one byte.

use core::sync::atomic::Ordering;

use crate::raw::{Atom, Flavor};

/// What an emission does when it comes to the slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum SlotState {
    /// Calls it.
    Call = 0,
    /// Asks the ledger: the slot is blocked, or its calls are counted, or the list is no longer the
    /// current version.
    Ask = 1,
    /// As `Ask`. Also, the owner was never seen complete: if it is absent, it may still come.
    Incomplete = 2,
    /// Skips it: the slot is disconnected, and its entry has not been swept out yet.
    Gone = 3,
}

/// The state of a slot. Written under the signal's lock, read without it.
pub(crate) struct StateCell<F: Flavor>(F::State);

impl<F: Flavor> StateCell<F> {
    pub(crate) fn new(state: SlotState) -> Self {
        StateCell(F::State::new(state as u8))
    }

    /// Cheaper than comparing with [`load`](Self::load): one comparison.
    #[inline(always)]
    pub(crate) fn is(&self, state: SlotState, order: Ordering) -> bool {
        self.0.load(order) == state as u8
    }

    #[inline(always)]
    pub(crate) fn load(&self, order: Ordering) -> SlotState {
        match self.0.load(order) {
            0 => SlotState::Call,
            1 => SlotState::Ask,
            2 => SlotState::Incomplete,
            _ => SlotState::Gone,
        }
    }

    pub(crate) fn store(&self, state: SlotState) {
        self.0.store(state as u8, Ordering::Release);
    }
}
