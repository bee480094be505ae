//! One slot in a signal's list: its handle, and what the handle's target captured.

use core::sync::atomic::Ordering;

use super::{AnyHandle, KeepAlive};
use crate::base::SlotKey;
use crate::raw::{Atom, Flavor};
use crate::raw::{SlotState, StateCell};

/// One slot as emissions see it. While an emission can see an entry, only `state` and `owns`
/// change.
///
/// If the target of the handle was made for this slot (it holds what a closure or method captured),
/// an entry owns one strong count of it. Among an entry and its copies only the newest copy owns
/// it. So disconnecting drops the captures at once, even if emissions still read older lists.
pub(crate) struct AnyEntry<F: Flavor> {
    pub(super) handle: AnyHandle<F>,
    /// The [`SlotKey`] as one integer, so that one load reads it.
    pub(super) key_bits: u64,
    priority: i32,
    pub(super) state: StateCell<F>,
    /// 1 if this entry owns one strong count of the handle's target, otherwise 0.
    owns: F::State,
    is_named: bool,
}

/// The part of an entry that describes its slot.
#[derive(Clone, Copy)]
pub(crate) struct SlotLabel {
    pub(crate) key: SlotKey,
    pub(crate) priority: i32,
    /// Whether the slot has a name. The name itself is in the ledger.
    pub(crate) is_named: bool,
}

impl<F: Flavor> AnyEntry<F> {
    /// Takes over `keep_alive` if it keeps the handle's own target; returns it otherwise.
    pub(crate) fn new(
        handle: AnyHandle<F>,
        keep_alive: Option<KeepAlive<F>>,
        label: SlotLabel,
        state: SlotState,
    ) -> (Self, Option<KeepAlive<F>>) {
        let own = keep_alive.as_ref().and_then(|_| handle.own_keep_alive());
        let owns = F::State::new(u8::from(own.is_some()));
        let rest = if own.is_some() { None } else { keep_alive };
        // The entry owns this count now: `owns` says so.
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

    /// Makes emissions ask the ledger: this list is no longer the current version.
    pub(crate) fn ask(&self) {
        if self.is(SlotState::Call) {
            self.state.store(SlotState::Ask);
        }
    }

    #[inline(always)]
    pub(crate) fn is_gone(&self) -> bool {
        self.is(SlotState::Gone)
    }

    /// Gives up the strong count that this entry owns, if any. The caller drops it where user code
    /// may run.
    #[inline]
    pub(crate) fn take_owned(&self) -> Option<KeepAlive<F>> {
        if !self.disown() {
            return None;
        }
        let keep_alive = self.handle.own_keep_alive()?;
        // SAFETY: `disown` returned true, so one strong count belonged to this entry, and only to
        // it. `own_keep_alive` has just counted another one, so `keep_alive` stays valid.
        unsafe { keep_alive.uncount() };
        Some(keep_alive)
    }

    /// Returns true if this entry owned a strong count. It does not own one any more.
    #[inline]
    fn disown(&self) -> bool {
        self.owns.load(Ordering::Relaxed) != 0 && self.owns.swap(0, Ordering::AcqRel) != 0
    }

    /// Drops what a disconnected entry still holds.
    pub(crate) fn vacate(&mut self) {
        self.set_gone();
        drop(self.take_owned());
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
        drop(self.take_owned());
    }
}
