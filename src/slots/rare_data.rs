//! Data that only few slots have, stored apart so that the other slots do not pay for it.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::base::SlotKey;
use crate::raw::{Flavor, KeepAlive, SlotState, StateCell};

pub(crate) struct RareData<F: Flavor> {
    /// Owns a value that must be dropped with the slot and that the entry has no place for.
    pub(crate) keep_alive: Option<KeepAlive<F>>,
    pub(crate) name: Option<&'static str>,
    pub(crate) calls_left: Option<usize>,
    pub(crate) blocks: usize,
    /// The slot was connected through a weak pointer, and its owner was never seen complete.
    pub(crate) incomplete: bool,
    /// A copy of the entry's state, for a queue that calls the slot after the emission.
    pub(crate) gate: Option<F::Strong<StateCell<F>>>,
}

impl<F: Flavor> Default for RareData<F> {
    fn default() -> Self {
        RareData {
            keep_alive: None,
            name: None,
            calls_left: None,
            blocks: 0,
            incomplete: false,
            gate: None,
        }
    }
}

impl<F: Flavor> RareData<F> {
    pub(crate) fn state(&self) -> SlotState {
        if self.incomplete {
            SlotState::Incomplete
        } else if self.blocks > 0 || self.calls_left.is_some() {
            SlotState::Ask
        } else {
            SlotState::Call
        }
    }

    pub(crate) fn is_default(&self) -> bool {
        let is_plain = self.state() == SlotState::Call && self.keep_alive.is_none();
        is_plain && self.name.is_none() && self.gate.is_none()
    }

    pub(crate) fn publish(&self, state: SlotState) {
        if let Some(gate) = &self.gate {
            gate.store(state);
        }
    }
}

/// The rare data of a signal's slots, by slot.
pub(crate) enum RareDataMap<F: Flavor> {
    /// Unsorted, and searched linearly.
    Few(Vec<(SlotKey, RareData<F>)>),
    Many(BTreeMap<SlotKey, RareData<F>>),
}

const MAX_SMALL: usize = 16;

impl<F: Flavor> RareDataMap<F> {
    pub(crate) fn new() -> Self {
        RareDataMap::Few(Vec::new())
    }

    pub(crate) fn get(&self, key: SlotKey) -> Option<&RareData<F>> {
        match self {
            RareDataMap::Few(few) => {
                few.iter().find(|(of, _)| *of == key).map(|(_, rare_data)| rare_data)
            }
            RareDataMap::Many(many) => many.get(&key),
        }
    }

    pub(crate) fn get_mut(&mut self, key: SlotKey) -> Option<&mut RareData<F>> {
        match self {
            RareDataMap::Few(few) => {
                few.iter_mut().find(|(of, _)| *of == key).map(|(_, rare_data)| rare_data)
            }
            RareDataMap::Many(many) => many.get_mut(&key),
        }
    }

    /// Adds the rare data of a slot that has none yet.
    pub(crate) fn insert(&mut self, key: SlotKey, rare_data: RareData<F>) {
        match self {
            RareDataMap::Few(few) if few.len() < MAX_SMALL => {
                few.reserve_exact(1);
                few.push((key, rare_data));
            }
            RareDataMap::Few(few) => {
                let former = core::mem::take(few).into_iter();
                *self = RareDataMap::Many(former.chain([(key, rare_data)]).collect());
            }
            RareDataMap::Many(many) => _ = many.insert(key, rare_data),
        }
    }

    pub(crate) fn remove(&mut self, key: SlotKey) -> Option<RareData<F>> {
        match self {
            RareDataMap::Few(few) => {
                let at = few.iter().position(|(of, _)| *of == key)?;
                Some(few.swap_remove(at).1)
            }
            RareDataMap::Many(many) => many.remove(&key),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        match self {
            RareDataMap::Few(few) => few.is_empty(),
            RareDataMap::Many(many) => many.is_empty(),
        }
    }
}
