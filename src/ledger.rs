//! What is known of each slot beyond its place in the call order. All of it under the lock.

use alloc::collections::BTreeMap;
use slotmap::SlotMap;

use crate::family::Family;
use crate::list::List;
use crate::raw::Anchor;
use crate::state::{SlotState, StateCell};
use crate::table::SlotKey;

/// A position no list has: the key's place in the map has been used as often as it can be.
const USED_UP: u32 = u32::MAX;

pub(crate) struct Ledger<F: Family> {
    /// Where each connected slot is in the current list.
    positions: SlotMap<SlotKey, u32>,
    /// Few slots have anything special to them; the others pay nothing for it.
    special: BTreeMap<SlotKey, Special<F>>,
    connected: usize,
    /// Disconnected entries that the current list still has.
    pub(crate) gaps: usize,
    /// The number of connected slots at which the next connect prunes.
    pub(crate) prune_at: usize,
}

pub(crate) struct Special<F: Family> {
    pub(crate) anchor: Option<Anchor<F>>,
    pub(crate) name: Option<&'static str>,
    pub(crate) calls_left: Option<usize>,
    pub(crate) blocks: usize,
    /// The slot was connected through a weak pointer, and its owner was never seen complete.
    pub(crate) incomplete: bool,
    /// Shows the state of the slot's entry to who calls it later than its emission.
    pub(crate) gate: Option<F::Strong<StateCell<F>>>,
}

impl<F: Family> Default for Special<F> {
    fn default() -> Self {
        Special {
            anchor: None,
            name: None,
            calls_left: None,
            blocks: 0,
            incomplete: false,
            gate: None,
        }
    }
}

impl<F: Family> Special<F> {
    pub(crate) fn state(&self) -> SlotState {
        if self.incomplete {
            SlotState::Incomplete
        } else if self.blocks > 0 || self.calls_left.is_some() {
            SlotState::Ask
        } else {
            SlotState::Call
        }
    }

    fn is_nothing(&self) -> bool {
        let is_plain = self.state() == SlotState::Call && self.anchor.is_none();
        is_plain && self.name.is_none() && self.gate.is_none()
    }

    pub(crate) fn show(&self, state: SlotState) {
        if let Some(gate) = &self.gate {
            gate.store(state);
        }
    }
}

/// A slot that was connected until now.
pub(crate) struct Taken<F: Family> {
    pub(crate) position: usize,
    pub(crate) anchor: Option<Anchor<F>>,
}

/// The fewest slots that a connect prunes.
const FIRST_PRUNE: usize = 16;

impl<F: Family> Ledger<F> {
    pub(crate) fn new() -> Self {
        Ledger {
            positions: SlotMap::with_key(),
            special: BTreeMap::new(),
            connected: 0,
            gaps: 0,
            prune_at: FIRST_PRUNE,
        }
    }

    pub(crate) fn connected(&self) -> usize {
        self.connected
    }

    pub(crate) fn pruned(&mut self) {
        self.prune_at = self.twice_connected();
    }

    fn twice_connected(&self) -> usize {
        FIRST_PRUNE.max(2 * self.connected)
    }

    /// A key for a slot that is about to be put into the list.
    pub(crate) fn add(&mut self, special: Special<F>) -> SlotKey {
        let key = self.positions.insert(USED_UP);
        self.connected += 1;
        if !special.is_nothing() {
            self.special.insert(key, special);
        }
        key
    }

    pub(crate) fn position(&self, key: SlotKey) -> Option<usize> {
        let position = *self.positions.get(key)?;
        (position != USED_UP).then_some(position as usize)
    }

    pub(crate) fn take(&mut self, key: SlotKey) -> Option<Taken<F>> {
        let position = self.position(key)?;
        if key.version() == u32::MAX {
            // The next use of this place would wrap its version, and old keys would be valid again.
            self.positions[key] = USED_UP;
        } else {
            self.positions.remove(key);
        }
        self.connected -= 1;
        self.gaps += 1;
        // As many connects as there are slots pay for the next prune.
        self.prune_at = self.prune_at.min(self.twice_connected());
        let anchor = if self.special.is_empty() {
            None
        } else {
            self.special.remove(&key).and_then(|special| {
                special.show(SlotState::Gone);
                special.anchor
            })
        };
        Some(Taken { position, anchor })
    }

    pub(crate) fn special(&self, key: SlotKey) -> Option<&Special<F>> {
        if self.special.is_empty() { None } else { self.special.get(&key) }
    }

    /// Changes what is special to a connected slot. `U` is what `change` returns.
    pub(crate) fn change<U>(
        &mut self,
        key: SlotKey,
        change: impl FnOnce(&mut Special<F>) -> U,
    ) -> U {
        let special = self.special.entry(key).or_default();
        let result = change(special);
        if special.is_nothing() {
            self.special.remove(&key);
        }
        result
    }

    /// The owner of this slot may be still to come.
    pub(crate) fn is_incomplete(&self, key: SlotKey) -> bool {
        self.special(key).is_some_and(|special| special.incomplete)
    }

    /// The owner of this slot is there: from now on, when it is not, it is gone. Says whether that is new.
    pub(crate) fn seen_alive(&mut self, key: SlotKey) -> bool {
        let is_new = self.is_incomplete(key);
        if is_new {
            self.change(key, |special| special.incomplete = false);
        }
        is_new
    }

    /// Takes note of where the entries from `first` on are.
    pub(crate) fn renumber<E: ?Sized + 'static, R: 'static>(
        &mut self,
        list: &List<E, R, F>,
        first: usize,
    ) {
        for (position, entry) in list.entries().iter().enumerate().skip(first) {
            if !entry.is_gone() {
                self.positions[entry.key()] = u32::try_from(position)
                    .ok()
                    .filter(|position| *position != USED_UP)
                    .expect("a signal holds at most 2^32 - 2 slots");
            }
        }
    }

    /// Removes the gaps of `list`.
    pub(crate) fn sweep<E: ?Sized + 'static, R: 'static>(&mut self, list: &mut List<E, R, F>) {
        if self.gaps > 0 {
            list.sweep();
            self.gaps = 0;
            self.renumber(list, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::family::Local;

    #[test]
    fn a_place_whose_versions_run_out_is_not_used_again_so_that_old_keys_stay_invalid() {
        let mut ledger = Ledger::<Local>::new();
        let nearly = r#"[{"value":null,"version":0},{"value":7,"version":4294967293}]"#;
        ledger.positions = serde_json::from_str(nearly).unwrap();
        let first = ledger.positions.keys().next().unwrap();
        assert_eq!(first.version(), u32::MAX - 2);
        ledger.connected = 1;
        assert_eq!(ledger.take(first).unwrap().position, 7);

        let last = ledger.add(Special::default());
        assert_eq!(last.version(), u32::MAX, "the last use of the place");
        ledger.positions[last] = 8;
        assert_eq!(ledger.position(last), Some(8));
        assert_eq!(ledger.take(last).unwrap().position, 8);
        assert_eq!((ledger.position(last), ledger.connected()), (None, 0));
        assert!(ledger.take(last).is_none());

        let next = ledger.add(Special::default());
        let place = |key: SlotKey| key.to_bits() as u32;
        assert_ne!(place(next), place(last), "its first key would be valid again");
        ledger.positions[next] = 9;
        assert_eq!((ledger.position(first), ledger.position(last)), (None, None));
    }

    #[test]
    fn the_version_of_a_key_counts_the_uses_of_its_place() {
        let mut ledger = Ledger::<Local>::new();
        for use_of_place in 0..5 {
            let key = ledger.add(Special::default());
            assert_eq!(key.version(), 2 * use_of_place + 1);
            assert_eq!(SlotKey::from_bits(key.to_bits()), key);
            ledger.positions[key] = 0;
            ledger.take(key).unwrap();
        }
    }
}
