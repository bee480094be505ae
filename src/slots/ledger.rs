//! What a signal knows of each slot apart from its position in the call order. The signal's lock
//! protects all of it.

use alloc::boxed::Box;
use alloc::vec::Vec;
use slotmap::SlotMap;

use super::list::List;
use super::rare_data::{RareData, RareDataMap};
use crate::base::SlotKey;
use crate::raw::Flavor;
use crate::raw::KeepAlive;
use crate::raw::SlotState;

/// Finds slots by key, and stores what the entries in the list do not.
///
/// Most signals have few slots. Their keys are found by searching the list. A signal with more
/// slots has a slotmap from keys to positions in the list.
pub(crate) struct Ledger<F: Flavor> {
    /// How many entries of the list are not gaps.
    connected: u32,
    /// The number of connected slots at which the next connect prunes.
    pub(crate) prune_at: u32,
    /// How many `Block` guards block the whole signal.
    pub(crate) blocks: u32,
    /// How many early keys were issued: those issued while there is no map.
    early_keys: u32,
    map: Option<Box<KeyMap>>,
    rare_data: Option<Box<RareDataMap<F>>>,
}

/// The most slots that are found by searching the list.
const MAX_SEARCHED: u32 = 16;

/// The position of each connected slot in the current list.
struct KeyMap {
    positions: SlotMap<SlotKey, u32>,
    /// The slots that were connected before there was a map.
    early: Vec<(SlotKey, u32)>,
}

/// A position that no list has. It marks a key whose slot is not in the list yet, and a map index
/// that is never used again because its versions are used up.
const NO_POSITION: u32 = u32::MAX;

/// What is left of a slot that has just been removed from the ledger.
pub(crate) struct DisconnectedSlot<F: Flavor> {
    pub(crate) position: usize,
    pub(crate) keep_alive: Option<KeepAlive<F>>,
}

/// A connect prunes only if at least this many slots are connected.
const FIRST_PRUNE: u32 = 16;

impl<F: Flavor> Ledger<F> {
    pub(crate) fn new() -> Self {
        let prune_at = FIRST_PRUNE;
        Ledger { connected: 0, prune_at, blocks: 0, early_keys: 0, map: None, rare_data: None }
    }

    pub(crate) fn connected(&self) -> u32 {
        self.connected
    }

    /// How many entries of the list are disconnected.
    pub(crate) fn gaps(&self, list: &List<F>) -> usize {
        list.entries().len() - self.connected as usize
    }

    pub(crate) fn schedule_prune(&mut self) {
        self.prune_at = self.twice_connected();
    }

    fn twice_connected(&self) -> u32 {
        FIRST_PRUNE.max(self.connected.saturating_mul(2))
    }

    /// A key for a slot that is about to be inserted into the list.
    pub(crate) fn issue_key(&mut self, list: &List<F>) -> SlotKey {
        if self.map.is_none()
            && (self.connected >= MAX_SEARCHED || self.early_keys == early::MAX_KEYS)
        {
            self.map = Some(Box::new(KeyMap::of(list)));
        }
        match &mut self.map {
            Some(map) => map.positions.insert(NO_POSITION),
            None => {
                self.early_keys += 1;
                early::key(self.early_keys)
            }
        }
    }

    /// Records that a slot was inserted into the list at this position.
    pub(crate) fn note_inserted(&mut self, list: &List<F>, at: usize) {
        self.connected += 1;
        self.renumber(list, at);
    }

    pub(crate) fn position(&self, list: &List<F>, key: SlotKey) -> Option<usize> {
        match &self.map {
            Some(map) => map.position(key),
            // From the end: usually the newest slots are disconnected first.
            None => list.entries().iter().rposition(|entry| entry.key() == key && !entry.is_gone()),
        }
    }

    pub(crate) fn remove(&mut self, list: &List<F>, key: SlotKey) -> Option<DisconnectedSlot<F>> {
        let position = self.position(list, key)?;
        if let Some(map) = &mut self.map {
            map.remove(key);
        }
        self.connected -= 1;
        // Prunes are amortized: each visits at most twice as many slots as were connected since.
        self.prune_at = self.prune_at.min(self.twice_connected());
        let keep_alive = self.remove_rare_data(key).and_then(|rare_data| {
            rare_data.publish(SlotState::Gone);
            rare_data.keep_alive
        });
        Some(DisconnectedSlot { position, keep_alive })
    }

    fn remove_rare_data(&mut self, key: SlotKey) -> Option<RareData<F>> {
        let all = self.rare_data.as_mut()?;
        let removed = all.remove(key);
        if all.is_empty() {
            self.rare_data = None;
        }
        removed
    }

    pub(crate) fn rare_data(&self, key: SlotKey) -> Option<&RareData<F>> {
        self.rare_data.as_ref()?.get(key)
    }

    /// Changes the rare data of a connected slot, and stores it only if it is not the default.
    pub(crate) fn change<U>(
        &mut self,
        key: SlotKey,
        change: impl FnOnce(&mut RareData<F>) -> U,
    ) -> U {
        let (mut change, mut result) = (Some(change), None);
        self.change_dyn(key, &mut |rare_data| {
            result = change.take().map(|change| change(rare_data));
        });
        result.expect("`change_dyn` calls its closure once")
    }

    /// Does not depend on the closure's type, so it is compiled once.
    fn change_dyn(&mut self, key: SlotKey, change: &mut dyn FnMut(&mut RareData<F>)) {
        let Some(rare_data) = self.rare_data.as_mut().and_then(|all| all.get_mut(key)) else {
            let mut rare_data = RareData::default();
            change(&mut rare_data);
            if !rare_data.is_default() {
                let all = self.rare_data.get_or_insert_with(|| Box::new(RareDataMap::new()));
                all.insert(key, rare_data);
            }
            return;
        };
        change(rare_data);
        if rare_data.is_default() {
            self.remove_rare_data(key);
        }
    }

    /// Whether the slot's owner may not be constructed yet, as in `Arc::new_cyclic`.
    pub(crate) fn is_incomplete(&self, key: SlotKey) -> bool {
        self.rare_data(key).is_some_and(|rare_data| rare_data.incomplete)
    }

    /// Records that the slot's owner was seen alive: if it is absent later, it is gone. Returns
    /// whether this is the first time.
    pub(crate) fn mark_complete(&mut self, key: SlotKey) -> bool {
        let is_new = self.is_incomplete(key);
        if is_new {
            self.change(key, |rare_data| rare_data.incomplete = false);
        }
        is_new
    }

    /// Updates the positions of the entries from `first` on.
    fn renumber(&mut self, list: &List<F>, first: usize) {
        if let Some(map) = &mut self.map {
            map.renumber(list, first);
        }
    }

    /// Removes the gaps of `list`.
    pub(crate) fn sweep(&mut self, list: &mut List<F>) {
        if self.gaps(list) > 0 {
            list.sweep();
            self.renumber(list, 0);
        }
    }
}

impl KeyMap {
    fn of<F: Flavor>(list: &List<F>) -> Self {
        let connected = list.entries().iter().filter(|entry| !entry.is_gone());
        let early = connected.map(|entry| (entry.key(), NO_POSITION)).collect();
        let mut map = KeyMap { positions: SlotMap::with_key(), early };
        map.renumber(list, 0);
        map
    }

    fn position(&self, key: SlotKey) -> Option<usize> {
        let position = match early::is_early(key) {
            true => self.early.iter().find(|(of, _)| *of == key)?.1,
            false => *self.positions.get(key)?,
        };
        (position != NO_POSITION).then_some(position as usize)
    }

    /// Removes a key that has a position.
    fn remove(&mut self, key: SlotKey) {
        if early::is_early(key) {
            self.early.retain(|(of, _)| *of != key);
        } else if key.version() == u32::MAX {
            // Reusing this index would wrap its version, and old keys would be valid again.
            self.positions[key] = NO_POSITION;
        } else {
            self.positions.remove(key);
        }
    }

    fn renumber<F: Flavor>(&mut self, list: &List<F>, first: usize) {
        for (position, entry) in (first..).zip(&list.entries()[first..]) {
            if entry.is_gone() {
                continue;
            }
            let position = u32::try_from(position)
                .ok()
                .filter(|position| *position != NO_POSITION)
                .expect("a signal holds at most 2^32 - 2 slots");
            let key = entry.key();
            if early::is_early(key) {
                let early = self.early.iter_mut().find(|(of, _)| *of == key);
                early.expect("the slot is connected, so its early key is listed").1 = position;
            } else {
                self.positions[key] = position;
            }
        }
    }
}

/// Early keys: those issued while there is no map. All have index 0, which a slotmap reserves for
/// itself, so no map issues the same keys. Their versions number them.
mod early {
    use crate::base::SlotKey;

    const INDEX: u64 = 0;
    /// How many odd versions there are.
    pub(super) const MAX_KEYS: u32 = u32::MAX / 2 + 1;

    /// The `nth` early key, counted from 1.
    pub(super) fn key(nth: u32) -> SlotKey {
        SlotKey::from_bits((u64::from(nth) * 2 - 1) << 32 | INDEX)
    }

    pub(super) fn is_early(key: SlotKey) -> bool {
        key.to_bits() as u32 == INDEX as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw::Local;
    use crate::raw::{AnyEntry, SlotLabel};

    type Slots = List<Local>;

    /// Appends a slot to the list.
    fn put(ledger: &mut Ledger<Local>, list: &mut Slots) -> SlotKey {
        let key = ledger.issue_key(list);
        let label = SlotLabel { key, priority: 0, is_named: false };
        let at = list.insert(AnyEntry::of_nobody(label, SlotState::Call));
        ledger.note_inserted(list, at);
        key
    }

    fn take(ledger: &mut Ledger<Local>, list: &mut Slots, key: SlotKey) -> Option<usize> {
        let position = ledger.remove(list, key)?.position;
        list.entries()[position].set(SlotState::Gone);
        ledger.sweep(list);
        Some(position)
    }

    #[test]
    fn a_place_whose_versions_run_out_is_not_used_again_so_that_old_keys_stay_invalid() {
        let (mut ledger, mut list) = (Ledger::<Local>::new(), Slots::new());
        let nearly = r#"[{"value":null,"version":0},{"value":7,"version":4294967293}]"#;
        let positions: SlotMap<SlotKey, u32> = serde_json::from_str(nearly).unwrap();
        let first = positions.keys().next().unwrap();
        assert_eq!(first.version(), u32::MAX - 2);
        let mut map = KeyMap { positions, early: Vec::new() };
        map.remove(first);
        ledger.map = Some(Box::new(map));

        let last = put(&mut ledger, &mut list);
        assert_eq!(last.version(), u32::MAX, "the last use of the index");
        assert_eq!(ledger.position(&list, last), Some(0));
        assert_eq!(take(&mut ledger, &mut list, last), Some(0));
        assert_eq!((ledger.position(&list, last), ledger.connected()), (None, 0));
        assert!(ledger.remove(&list, last).is_none());

        let next = put(&mut ledger, &mut list);
        let place = |key: SlotKey| key.to_bits() as u32;
        assert_ne!(place(next), place(last), "its first key would be valid again");
        assert_eq!((ledger.position(&list, first), ledger.position(&list, last)), (None, None));
    }

    #[test]
    fn keys_that_no_map_gave_are_all_different_and_when_they_run_out_a_map_gives_more() {
        let (mut ledger, mut list) = (Ledger::<Local>::new(), Slots::new());
        let first = put(&mut ledger, &mut list);
        assert_eq!(first.version(), 1);
        ledger.early_keys = early::MAX_KEYS - 1;
        let last = put(&mut ledger, &mut list);
        assert_eq!((last.version(), ledger.map.is_none()), (u32::MAX, true));
        let next = put(&mut ledger, &mut list);
        assert!(!early::is_early(next) && ledger.map.is_some());
        for (position, key) in [first, last, next].into_iter().enumerate() {
            assert_eq!(ledger.position(&list, key), Some(position));
            assert_eq!(SlotKey::from_bits(key.to_bits()), key);
        }
        assert_eq!(take(&mut ledger, &mut list, first), Some(0));
        assert_eq!(ledger.position(&list, first), None);
        assert_eq!(ledger.position(&list, last), Some(0), "the others have moved up");
        assert_eq!(take(&mut ledger, &mut list, next), Some(1));
        assert_ne!(put(&mut ledger, &mut list), next);
    }

    #[test]
    fn slots_are_found_by_their_keys_however_many_there_are_and_were() {
        let (mut ledger, mut list) = (Ledger::<Local>::new(), Slots::new());
        let mut keys = Vec::new();
        for round in 0..100 {
            keys.push(put(&mut ledger, &mut list));
            if round % 3 == 2 {
                let at = round * 7 % keys.len();
                assert_eq!(take(&mut ledger, &mut list, keys.remove(at)), Some(at));
            }
            for (position, key) in keys.iter().enumerate() {
                assert_eq!(ledger.position(&list, *key), Some(position), "round {round}");
            }
        }
    }
}
