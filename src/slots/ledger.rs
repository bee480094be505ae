//! What is known of each slot beyond its place in the call order. All of it under the lock.

use alloc::boxed::Box;
use alloc::vec::Vec;
use slotmap::SlotMap;

use super::list::List;
use super::special::{Special, Specials};
use crate::base::SlotKey;
use crate::raw::Flavor;
use crate::raw::KeepAlive;
use crate::raw::SlotState;

/// Most signals have a few slots: those are found by looking through the list. With more of them there is
/// a slotmap from keys to places in the list.
pub(crate) struct Ledger<F: Flavor> {
    /// How many slots the list has that are not gaps.
    connected: u32,
    /// The number of connected slots at which the next connect prunes.
    pub(crate) prune_at: u32,
    /// How many blocks there are on the whole signal.
    pub(crate) blocks: u32,
    /// How many keys were given without a place in the map.
    given: u32,
    map: Option<Box<KeyMap>>,
    special: Option<Box<Specials<F>>>,
}

/// As many slots are found by looking through the list.
const FEW: u32 = 16;

/// Where each connected slot is in the current list.
struct KeyMap {
    positions: SlotMap<SlotKey, u32>,
    /// Of the slots that were there before the map was.
    early: Vec<(SlotKey, u32)>,
}

/// A position no list has: the key's place in the map has been used as often as it can be.
const USED_UP: u32 = u32::MAX;

/// A slot that was connected until now.
pub(crate) struct DisconnectedSlot<F: Flavor> {
    pub(crate) position: usize,
    pub(crate) keep_alive: Option<KeepAlive<F>>,
}

/// The fewest slots that a connect prunes.
const FIRST_PRUNE: u32 = 16;

impl<F: Flavor> Ledger<F> {
    pub(crate) fn new() -> Self {
        let prune_at = FIRST_PRUNE;
        Ledger { connected: 0, prune_at, blocks: 0, given: 0, map: None, special: None }
    }

    pub(crate) fn connected(&self) -> u32 {
        self.connected
    }

    /// How many entries of the list are disconnected.
    pub(crate) fn gaps(&self, list: &List<F>) -> usize {
        list.entries().len() - self.connected as usize
    }

    pub(crate) fn pruned(&mut self) {
        self.prune_at = self.twice_connected();
    }

    fn twice_connected(&self) -> u32 {
        FIRST_PRUNE.max(self.connected.saturating_mul(2))
    }

    /// A key for a slot that is about to be put into the list.
    pub(crate) fn add(&mut self, list: &List<F>) -> SlotKey {
        if self.map.is_none() && (self.connected >= FEW || self.given == early::MOST) {
            self.map = Some(Box::new(KeyMap::of(list)));
        }
        match &mut self.map {
            Some(map) => map.positions.insert(USED_UP),
            None => {
                self.given += 1;
                early::key(self.given)
            }
        }
    }

    /// The slot at this place of the list is connected now.
    pub(crate) fn put(&mut self, list: &List<F>, at: usize) {
        self.connected += 1;
        self.renumber(list, at);
    }

    pub(crate) fn position(&self, list: &List<F>, key: SlotKey) -> Option<usize> {
        match &self.map {
            Some(map) => map.position(key),
            // The newest go first as a rule.
            None => list.entries().iter().rposition(|entry| entry.key() == key && !entry.is_gone()),
        }
    }

    pub(crate) fn take(&mut self, list: &List<F>, key: SlotKey) -> Option<DisconnectedSlot<F>> {
        let position = self.position(list, key)?;
        if let Some(map) = &mut self.map {
            map.remove(key);
        }
        self.connected -= 1;
        // As many connects as there are slots pay for the next prune.
        self.prune_at = self.prune_at.min(self.twice_connected());
        let keep_alive = self.remove_special(key).and_then(|special| {
            special.show(SlotState::Gone);
            special.keep_alive
        });
        Some(DisconnectedSlot { position, keep_alive })
    }

    fn remove_special(&mut self, key: SlotKey) -> Option<Special<F>> {
        let specials = self.special.as_mut()?;
        let removed = specials.remove(key);
        if specials.is_empty() {
            self.special = None;
        }
        removed
    }

    pub(crate) fn special(&self, key: SlotKey) -> Option<&Special<F>> {
        self.special.as_ref()?.get(key)
    }

    /// Changes what is special to a connected slot. `U` is what `change` returns.
    pub(crate) fn change<U>(
        &mut self,
        key: SlotKey,
        change: impl FnOnce(&mut Special<F>) -> U,
    ) -> U {
        let (mut change, mut result) = (Some(change), None);
        self.change_as(key, &mut |special| {
            result = change.take().map(|change| change(special));
        });
        result.expect("it is changed once")
    }

    /// The same, whatever it is that changes it.
    fn change_as(&mut self, key: SlotKey, change: &mut dyn FnMut(&mut Special<F>)) {
        let Some(special) = self.special.as_mut().and_then(|specials| specials.get_mut(key)) else {
            let mut special = Special::default();
            change(&mut special);
            if !special.is_nothing() {
                let specials = self.special.get_or_insert_with(|| Box::new(Specials::new()));
                specials.insert(key, special);
            }
            return;
        };
        change(special);
        if special.is_nothing() {
            self.remove_special(key);
        }
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
        let early = connected.map(|entry| (entry.key(), USED_UP)).collect();
        let mut map = KeyMap { positions: SlotMap::with_key(), early };
        map.renumber(list, 0);
        map
    }

    fn position(&self, key: SlotKey) -> Option<usize> {
        let position = match early::is_early(key) {
            true => self.early.iter().find(|(of, _)| *of == key)?.1,
            false => *self.positions.get(key)?,
        };
        (position != USED_UP).then_some(position as usize)
    }

    /// The key has a position.
    fn remove(&mut self, key: SlotKey) {
        if early::is_early(key) {
            self.early.retain(|(of, _)| *of != key);
        } else if key.version() == u32::MAX {
            // The next use of this place would wrap its version, and old keys would be valid again.
            self.positions[key] = USED_UP;
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
                .filter(|position| *position != USED_UP)
                .expect("a signal holds at most 2^32 - 2 slots");
            let key = entry.key();
            if early::is_early(key) {
                let early = self.early.iter_mut().find(|(of, _)| *of == key);
                early.expect("it is there until it is taken").1 = position;
            } else {
                self.positions[key] = position;
            }
        }
    }
}

/// Keys that no map gives: their place is its first, which it keeps for itself, and their versions count
/// them.
mod early {
    use crate::base::SlotKey;

    const PLACE: u64 = 0;
    /// As many as there are odd versions.
    pub(super) const MOST: u32 = u32::MAX / 2 + 1;

    /// The `nth` of them, counted from 1.
    pub(super) fn key(nth: u32) -> SlotKey {
        SlotKey::from_bits((u64::from(nth) * 2 - 1) << 32 | PLACE)
    }

    pub(super) fn is_early(key: SlotKey) -> bool {
        key.to_bits() as u32 == PLACE as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw::Local;
    use crate::raw::{AnyEntry, SlotLabel};

    type Slots = List<Local>;

    /// Puts a slot at the end of the list.
    fn put(ledger: &mut Ledger<Local>, list: &mut Slots) -> SlotKey {
        let key = ledger.add(list);
        let label = SlotLabel { key, priority: 0, is_named: false };
        let at = list.insert(AnyEntry::of_nobody(label, SlotState::Call));
        ledger.put(list, at);
        key
    }

    fn take(ledger: &mut Ledger<Local>, list: &mut Slots, key: SlotKey) -> Option<usize> {
        let position = ledger.take(list, key)?.position;
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
        assert_eq!(last.version(), u32::MAX, "the last use of the place");
        assert_eq!(ledger.position(&list, last), Some(0));
        assert_eq!(take(&mut ledger, &mut list, last), Some(0));
        assert_eq!((ledger.position(&list, last), ledger.connected()), (None, 0));
        assert!(ledger.take(&list, last).is_none());

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
        ledger.given = early::MOST - 1;
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
