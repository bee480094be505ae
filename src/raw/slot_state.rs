use core::sync::atomic::Ordering;

use crate::raw::{Atom, Flavor};

/// What an emission does with a slot when it comes to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum SlotState {
    /// It is called: nothing speaks against it.
    Call = 0,
    /// The ledger decides: the slot is blocked, or counts its calls, or the list is not the current version
    /// any more.
    Ask = 1,
    /// As `Ask`, and the owner was never seen complete: if it is not there, it may still be to come.
    Incomplete = 2,
    /// It is not called: it is disconnected, and its entry waits to be swept out.
    Gone = 3,
}

/// The state of a slot: written under the signal's lock, read without.
pub(crate) struct StateCell<F: Flavor>(F::State);

impl<F: Flavor> StateCell<F> {
    pub(crate) fn new(state: SlotState) -> Self {
        StateCell(F::State::new(state as u8))
    }

    /// One comparison.
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
