use core::sync::atomic::Ordering;

use super::{AnyHandle, KeepAlive};
use crate::base::SlotKey;
use crate::raw::{Atom, Flavor};
use crate::raw::{SlotState, StateCell};

/// One slot as an emission sees it. All that it calls by stays as it is while an emission can see it.
///
/// It owns what its handle refers to, if that is nobody else's: what a closure or a method captured.
/// Of an entry and its copies only the newest does, so that disconnecting drops it at once, however
/// many emissions still have an older list.
pub(crate) struct AnyEntry<F: Flavor> {
    pub(super) handle: AnyHandle<F>,
    /// The key as one number, for one load.
    pub(super) key_bits: u64,
    priority: i32,
    pub(super) state: StateCell<F>,
    /// 1 if one strong count of the handle's target belongs to this entry.
    owns: F::State,
    is_named: bool,
}

/// What an entry says of its slot, beside what to call.
#[derive(Clone, Copy)]
pub(crate) struct SlotLabel {
    pub(crate) key: SlotKey,
    pub(crate) priority: i32,
    /// Whether the slot has a name, which is to be looked up.
    pub(crate) is_named: bool,
}

impl<F: Flavor> AnyEntry<F> {
    /// Gives the keep_alive back if it is not of the handle's own target.
    pub(crate) fn new(
        handle: AnyHandle<F>,
        keep_alive: Option<KeepAlive<F>>,
        label: SlotLabel,
        state: SlotState,
    ) -> (Self, Option<KeepAlive<F>>) {
        let own = keep_alive.as_ref().and_then(|_| handle.own_keep_alive());
        let owns = F::State::new(u8::from(own.is_some()));
        let rest = if own.is_some() { None } else { keep_alive };
        // Its count is the entry's now.
        core::mem::forget(own);
        let SlotLabel { key, priority, is_named } = label;
        let (key_bits, state) = (key.to_bits(), StateCell::new(state));
        (AnyEntry { handle, key_bits, priority, state, owns, is_named }, rest)
    }

    #[inline(always)]
    pub(crate) fn handle(&self) -> &AnyHandle<F> {
        &self.handle
    }

    /// One that stands for a slot.
    #[cfg(test)]
    pub(crate) fn of_nobody(label: SlotLabel, state: SlotState) -> Self {
        Self::new(AnyHandle::vacant(), None, label, state).0
    }

    pub(crate) fn key(&self) -> SlotKey {
        SlotKey::from_bits(self.key_bits)
    }

    pub(crate) fn priority(&self) -> i32 {
        self.priority
    }

    #[cfg(feature = "std")]
    pub(crate) fn is_named(&self) -> bool {
        self.is_named
    }

    #[inline(always)]
    pub(crate) fn is(&self, state: SlotState) -> bool {
        self.state.is(state, Ordering::Relaxed)
    }

    /// Unless it is gone, which it is for good.
    pub(crate) fn set(&self, state: SlotState) {
        if !self.is_gone() {
            self.state.store(state);
        }
    }

    pub(crate) fn set_gone(&self) {
        self.state.store(SlotState::Gone);
    }

    /// From now on the ledger decides: the list is not the current version any more.
    pub(crate) fn ask(&self) {
        if self.is(SlotState::Call) {
            self.state.store(SlotState::Ask);
        }
    }

    #[inline(always)]
    pub(crate) fn is_gone(&self) -> bool {
        self.is(SlotState::Gone)
    }

    /// Gives up what it owns, to be dropped where that may be.
    #[inline]
    pub(crate) fn let_go(&self) -> Option<KeepAlive<F>> {
        if !self.disown() {
            return None;
        }
        let keep_alive = self.handle.own_keep_alive()?;
        // SAFETY: one count belonged to this entry, which gives it up.
        unsafe { keep_alive.uncount() };
        Some(keep_alive)
    }

    /// Whether it has owned something until now.
    #[inline]
    fn disown(&self) -> bool {
        self.owns.load(Ordering::Relaxed) != 0 && self.owns.swap(0, Ordering::AcqRel) != 0
    }

    /// A gap that was let go keeps nothing else either.
    pub(crate) fn vacate(&mut self) {
        self.set_gone();
        drop(self.let_go());
        self.handle = AnyHandle::vacant();
    }
}

impl<F: Flavor> Clone for AnyEntry<F> {
    fn clone(&self) -> Self {
        AnyEntry {
            handle: self.handle.another(),
            key_bits: self.key_bits,
            priority: self.priority,
            state: StateCell::new(self.state.load(Ordering::Relaxed)),
            owns: F::State::new(u8::from(self.disown())),
            is_named: self.is_named,
        }
    }
}

impl<F: Flavor> Drop for AnyEntry<F> {
    #[inline]
    fn drop(&mut self) {
        drop(self.let_go());
    }
}
