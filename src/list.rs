//! The slots in the order they are called.

use core::sync::atomic::Ordering;
use smallvec::SmallVec;

use crate::family::Family;
use crate::raw::{Caller, Handle, NotCalled};
use crate::state::{SlotState, StateCell};
use crate::table::{SlotKey, tag};

/// One slot as an emission sees it. All but the state stays as it is while an emission can see it.
pub(crate) struct Entry<E: ?Sized + 'static, R: 'static, F: Family> {
    pub(crate) handle: Handle<E, R, F>,
    /// The key as one number, for one load.
    key_bits: u64,
    priority: i32,
    state: StateCell<F>,
}

impl<E: ?Sized + 'static, R: 'static, F: Family> Entry<E, R, F> {
    pub(crate) fn new(
        handle: Handle<E, R, F>,
        key: SlotKey,
        priority: i32,
        state: SlotState,
    ) -> Self {
        Entry { handle, key_bits: key.to_bits(), priority, state: StateCell::new(state) }
    }

    pub(crate) fn key(&self) -> SlotKey {
        SlotKey::from_bits(self.key_bits)
    }

    /// What a lane says while this slot is called.
    #[inline(always)]
    pub(crate) fn tag(&self) -> usize {
        tag(self.key_bits)
    }

    /// Calls the slot, if it may be called without asking.
    #[inline(always)]
    pub(crate) fn call_through<'l>(
        &'l self,
        caller: &mut Caller<'l>,
        event: &E,
    ) -> Result<R, NotCalled> {
        self.handle.call_through(&self.state, caller, event)
    }

    #[inline(always)]
    pub(crate) fn is(&self, state: SlotState) -> bool {
        self.state.is(state, Ordering::Relaxed)
    }

    pub(crate) fn set(&self, state: SlotState) {
        self.state.store(state);
    }

    /// From now on the ledger decides: the list is not the current version any more.
    pub(crate) fn ask(&self) {
        if self.is(SlotState::Call) {
            self.set(SlotState::Ask);
        }
    }

    #[inline(always)]
    pub(crate) fn is_gone(&self) -> bool {
        self.is(SlotState::Gone)
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Family> Clone for Entry<E, R, F> {
    fn clone(&self) -> Self {
        Entry {
            handle: self.handle.clone(),
            key_bits: self.key_bits,
            priority: self.priority,
            state: StateCell::new(self.state.load(Ordering::Relaxed)),
        }
    }
}

/// Entries by priority, highest first, then by connection order. Disconnected ones stay as gaps
/// until they are swept out, so that disconnecting costs the same however long the list is.
pub(crate) struct List<E: ?Sized + 'static, R: 'static, F: Family> {
    entries: SmallVec<[Entry<E, R, F>; 1]>,
}

impl<E: ?Sized + 'static, R: 'static, F: Family> List<E, R, F> {
    pub(crate) fn new() -> Self {
        List { entries: SmallVec::new() }
    }

    #[inline(always)]
    pub(crate) fn entries(&self) -> &[Entry<E, R, F>] {
        &self.entries
    }

    /// Puts `entry` behind all of its priority or a higher one, and says where that is.
    pub(crate) fn insert(&mut self, entry: Entry<E, R, F>) -> usize {
        let last = self.entries.last();
        let at = if last.is_none_or(|last| last.priority >= entry.priority) {
            self.entries.len()
        } else {
            self.entries.partition_point(|other| other.priority >= entry.priority)
        };
        if self.entries.len() == self.entries.capacity() {
            // By half and not by doubling: a list may be large, and is copied seldom.
            self.entries.reserve_exact((self.entries.len() / 2).max(4));
        }
        self.entries.insert(at, entry);
        at
    }

    /// Gives up what the gap at `position` still holds, and gaps at the end altogether.
    /// Returns how many gaps are no more.
    pub(crate) fn vacate(&mut self, position: usize) -> usize {
        self.entries[position].handle = Handle::vacant();
        let before = self.entries.len();
        while self.entries.last().is_some_and(Entry::is_gone) {
            self.entries.pop();
        }
        before - self.entries.len()
    }

    /// Removes all gaps, without allocating.
    pub(crate) fn sweep(&mut self) {
        self.entries.retain(|entry| !entry.is_gone());
    }

    /// Gives memory back when most of it is unused.
    pub(crate) fn fit(&mut self) {
        if self.entries.capacity() > 4 * self.entries.len().max(4) {
            self.entries.shrink_to_fit();
        }
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Family> Clone for List<E, R, F> {
    fn clone(&self) -> Self {
        List { entries: self.entries.clone() }
    }
}
