//! What few slots have. The others pay nothing for it.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::base::SlotKey;
use crate::raw::{Flavor, KeepAlive, SlotState, StateCell};

pub(crate) struct Special<F: Flavor> {
    /// Owns what is to end with the slot, beside what its handle refers to.
    pub(crate) keep_alive: Option<KeepAlive<F>>,
    pub(crate) name: Option<&'static str>,
    pub(crate) calls_left: Option<usize>,
    pub(crate) blocks: usize,
    /// The slot was connected through a weak pointer, and its owner was never seen complete.
    pub(crate) incomplete: bool,
    /// Shows the state of the slot's entry to who calls it later than its emission.
    pub(crate) gate: Option<F::Strong<StateCell<F>>>,
}

impl<F: Flavor> Default for Special<F> {
    fn default() -> Self {
        Special {
            keep_alive: None,
            name: None,
            calls_left: None,
            blocks: 0,
            incomplete: false,
            gate: None,
        }
    }
}

impl<F: Flavor> Special<F> {
    pub(crate) fn state(&self) -> SlotState {
        if self.incomplete {
            SlotState::Incomplete
        } else if self.blocks > 0 || self.calls_left.is_some() {
            SlotState::Ask
        } else {
            SlotState::Call
        }
    }

    pub(crate) fn is_nothing(&self) -> bool {
        let is_plain = self.state() == SlotState::Call && self.keep_alive.is_none();
        is_plain && self.name.is_none() && self.gate.is_none()
    }

    pub(crate) fn show(&self, state: SlotState) {
        if let Some(gate) = &self.gate {
            gate.store(state);
        }
    }
}

/// What is special to the slots of one signal.
pub(crate) enum Specials<F: Flavor> {
    /// In no order: few are found by looking at all of them.
    Few(Vec<(SlotKey, Special<F>)>),
    Many(BTreeMap<SlotKey, Special<F>>),
}

const FEW: usize = 16;

impl<F: Flavor> Specials<F> {
    pub(crate) fn new() -> Self {
        Specials::Few(Vec::new())
    }

    pub(crate) fn get(&self, key: SlotKey) -> Option<&Special<F>> {
        match self {
            Specials::Few(few) => few.iter().find(|(of, _)| *of == key).map(|(_, special)| special),
            Specials::Many(many) => many.get(&key),
        }
    }

    pub(crate) fn get_mut(&mut self, key: SlotKey) -> Option<&mut Special<F>> {
        match self {
            Specials::Few(few) => {
                few.iter_mut().find(|(of, _)| *of == key).map(|(_, special)| special)
            }
            Specials::Many(many) => many.get_mut(&key),
        }
    }

    /// Of a slot that has nothing special yet.
    pub(crate) fn insert(&mut self, key: SlotKey, special: Special<F>) {
        match self {
            Specials::Few(few) if few.len() < FEW => {
                few.reserve_exact(1);
                few.push((key, special));
            }
            Specials::Few(few) => {
                let former = core::mem::take(few).into_iter();
                *self = Specials::Many(former.chain([(key, special)]).collect());
            }
            Specials::Many(many) => _ = many.insert(key, special),
        }
    }

    pub(crate) fn remove(&mut self, key: SlotKey) -> Option<Special<F>> {
        match self {
            Specials::Few(few) => {
                let at = few.iter().position(|(of, _)| *of == key)?;
                Some(few.swap_remove(at).1)
            }
            Specials::Many(many) => many.remove(&key),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Specials::Few(few) => few.is_empty(),
            Specials::Many(many) => many.is_empty(),
        }
    }
}
