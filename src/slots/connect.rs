//! Connecting: turns options and a handle into a slot and its connection.

use core::any::TypeId;

use super::any_slots::{AnySlots, HandleMaker, NewSlot};
use super::connection::{Connection, WeakSlots};
use super::rare_data::RareData;
use crate::base::SlotKey;
use crate::raw::{AnyHandle, Flavor, KeepAlive, LazyStrong, Liveness, StateCell};

/// The options that the user has chosen for a slot.
#[derive(Clone, Copy, Default)]
pub(crate) struct Choice {
    pub(crate) priority: i32,
    pub(crate) calls_left: Option<usize>,
    pub(crate) unique: bool,
    pub(crate) name: Option<&'static str>,
}

impl<F: Flavor> LazyStrong<AnySlots<F>, F> {
    pub(crate) fn slots(&self) -> &AnySlots<F> {
        self.get_or_init(AnySlots::new)
    }

    pub(crate) fn connection(&self, key: SlotKey) -> Connection<F> {
        Connection::new(WeakSlots::new(self.downgrade()), key)
    }

    /// Connects a handle without options. All arguments are passed in registers.
    #[inline(never)]
    pub(crate) fn put(
        &self,
        handle: AnyHandle<F>,
        keep_alive: Option<KeepAlive<F>>,
    ) -> Connection<F> {
        let liveness = handle.liveness();
        let maker = HandleMaker::Made((handle, keep_alive));
        self.put_as(Choice::default(), None, liveness, None, maker)
    }

    /// Connects a handle with options.
    #[inline(never)]
    pub(crate) fn put_chosen(
        &self,
        choice: Choice,
        handle: AnyHandle<F>,
        keep_alive: Option<KeepAlive<F>>,
    ) -> Connection<F> {
        let identity = choice.unique.then(|| (handle.owner(), handle.method()));
        let liveness = handle.liveness();
        self.put_as(choice, identity, liveness, None, HandleMaker::Made((handle, keep_alive)))
    }

    /// Connects a slot, unless a slot with the same identity exists. If there is a gate, it shows
    /// the slot's state as well.
    pub(crate) fn put_as(
        &self,
        choice: Choice,
        unique: Option<(*const (), TypeId)>,
        liveness: Liveness,
        gate: Option<F::Strong<StateCell<F>>>,
        maker: HandleMaker<'_, F>,
    ) -> Connection<F> {
        let Choice { priority, calls_left, name, .. } = choice;
        let incomplete = liveness == Liveness::Absent;
        let is_plain = name.is_none() && calls_left.is_none() && gate.is_none();
        let rare_data = (!is_plain || incomplete).then(|| RareData {
            name,
            calls_left,
            incomplete,
            gate,
            ..RareData::default()
        });
        let key = self.slots().connect(NewSlot { priority, rare_data, unique }, maker);
        self.connection(key)
    }
}
