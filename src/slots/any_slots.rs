//! The slots of one signal: connects, disconnects and prunes them, and decides which may be called.
//!
//! The [`List`] contains what an emission needs, and is read without a lock. The [`Ledger`]
//! contains everything else, under the lock of [`Versions`]. No user code runs under that lock.
//! Destructors of owners and of captured values are user code, so values that must be dropped are
//! moved out of the lock first, in a [`Freed`].

use core::any::TypeId;
use smallvec::SmallVec;

use super::ledger::Ledger;
use super::list::List;
use super::rare_data::RareData;
use crate::base::{Running, SlotKey};
use crate::raw::Flavor;
use crate::raw::SlotState;
use crate::raw::{
    Admission, AnyEntry, AnyHandle, EditGuard, KeepAlive, Liveness, SlotLabel, Typed, Versions,
};

type Freed<F> = SmallVec<[KeepAlive<F>; 2]>;
type SlotsGuard<'a, F> = EditGuard<'a, List<F>, Ledger<F>, F>;

/// The slots of a signal whose events are `E` and whose slots return `R`. The contents do not depend
/// on `E` and `R`. So connecting and disconnecting are compiled once for all signals, and only
/// calling is compiled for each event type.
pub(crate) type Slots<E, R, F> = Typed<E, R, AnySlots<F>>;

pub(crate) struct AnySlots<F: Flavor> {
    pub(crate) versions: Versions<List<F>, Ledger<F>, F>,
}

/// A handle, and the owner of the values it needs.
pub(crate) type AnyOwnedHandle<F> = (AnyHandle<F>, Option<KeepAlive<F>>);

/// Makes the handle of a new slot.
pub(crate) enum HandleMaker<'a, F: Flavor> {
    Made(AnyOwnedHandle<F>),
    /// For a slot that knows its own connection. Called at most once.
    OfKey(&'a mut dyn FnMut(SlotKey) -> AnyOwnedHandle<F>),
}

/// A slot to be connected.
pub(crate) struct NewSlot<F: Flavor> {
    pub(crate) priority: i32,
    pub(crate) rare_data: Option<RareData<F>>,
    /// The owner and method for which at most one slot may be connected.
    pub(crate) unique: Option<(*const (), TypeId)>,
}

impl<F: Flavor> AnySlots<F> {
    pub(crate) fn new() -> Self {
        AnySlots { versions: Versions::new(List::new(), Ledger::new()) }
    }

    /// Whether no slot is connected, or the whole signal is blocked.
    #[inline(always)]
    pub(crate) fn calls_none(&self) -> bool {
        self.versions.is_idle()
    }

    pub(crate) fn is_signal_blocked(&self) -> bool {
        is_signal_blocked(self.versions.lock().parts().1)
    }

    pub(crate) fn connect(&self, slot: NewSlot<F>, maker: HandleMaker<'_, F>) -> SlotKey {
        let mut freed = None;
        let mut guard = self.versions.lock();
        let (list, ledger) = guard.parts();
        if let Some((owner, method)) = slot.unique {
            let mut entries = list.entries().iter();
            if let Some(standing) = entries.find(|entry| matches(entry, owner, Some(method))) {
                return standing.key();
            }
        }
        let prunes = ledger.connected() >= ledger.prune_at;
        if prunes {
            prune(list, ledger, freed.insert(Freed::new()));
        }
        let state = state_of(ledger, slot.rare_data.as_ref());
        let is_named = slot.rare_data.as_ref().is_some_and(|rare_data| rare_data.name.is_some());
        let key = ledger.issue_key(list);
        if let Some(rare_data) = slot.rare_data {
            rare_data.publish(state);
            ledger.change(key, |standing| *standing = rare_data);
        }
        let (handle, keep_alive) = match maker {
            HandleMaker::Made(made) => made,
            HandleMaker::OfKey(make) => make(key),
        };
        let label = SlotLabel { key, priority: slot.priority, is_named };
        let (entry, keep_alive) = AnyEntry::new(handle, keep_alive, label, state);
        if keep_alive.is_some() {
            ledger.change(key, |rare_data| rare_data.keep_alive = keep_alive);
        }
        guard.edit(
            |list, ledger| {
                if prunes || ledger.gaps(list) > list.entries().len() / 2 {
                    ledger.sweep(list);
                }
                // Emissions sweep without shrinking, since they must not allocate.
                list.shrink();
                let at = list.insert(entry);
                ledger.note_inserted(list, at);
            },
            ask_before_calls,
        );
        unlock(guard);
        if let Some(freed) = freed {
            self.drop_or_disconnect(freed, key);
        }
        key
    }

    /// Drops what a prune freed. If a destructor panics, the new slot is disconnected, because the
    /// caller does not get its connection.
    #[cold]
    fn drop_or_disconnect(&self, freed: Freed<F>, key: SlotKey) {
        struct Disconnect<'a, F: Flavor>(&'a AnySlots<F>, SlotKey);
        impl<F: Flavor> Drop for Disconnect<'_, F> {
            fn drop(&mut self) {
                self.0.disconnect(self.1);
            }
        }
        let disconnect = Disconnect(self, key);
        drop(freed);
        core::mem::forget(disconnect);
    }

    pub(crate) fn disconnect(&self, key: SlotKey) -> bool {
        let mut freed = Freed::<F>::new();
        let mut guard = self.versions.lock();
        let (list, ledger) = guard.parts();
        let Some(position) = ledger.position(list, key) else { return false };
        let was_connected = is_connected(&list.entries()[position], ledger);
        remove_slot(list, ledger, key, &mut freed);
        self.reclaim(&mut guard, Some(position));
        unlock(guard);
        was_connected
    }

    /// Disconnects the entries that match, and returns how many of them were connected.
    fn disconnect_if(&self, matches: impl Fn(&AnyEntry<F>) -> bool) -> usize {
        let mut freed = Freed::<F>::new();
        let mut guard = self.versions.lock();
        let (list, ledger) = guard.parts();
        let mut count = 0;
        for entry in list.entries() {
            if !entry.is_gone() && matches(entry) {
                count += usize::from(is_connected(entry, ledger));
                remove_slot(list, ledger, entry.key(), &mut freed);
            }
        }
        self.reclaim(&mut guard, None);
        unlock(guard);
        count
    }

    pub(crate) fn disconnect_all(&self) -> usize {
        self.disconnect_if(|_| true)
    }

    pub(crate) fn disconnect_matching(&self, owner: *const (), method: Option<TypeId>) -> usize {
        self.disconnect_if(|entry| matches(entry, owner, method))
    }

    pub(crate) fn prune(&self) -> usize {
        let mut freed = Freed::<F>::new();
        let mut guard = self.versions.lock();
        let (list, ledger) = guard.parts();
        let count = prune(list, ledger, &mut freed);
        self.reclaim(&mut guard, None);
        unlock(guard);
        count
    }

    /// How many slots are connected and have an owner.
    pub(crate) fn count(&self) -> usize {
        count(&mut self.versions.lock())
    }

    /// The count, and whether the whole signal is blocked. `None` if the lock is not free.
    pub(crate) fn try_look(&self) -> Option<(usize, bool)> {
        let mut guard = self.versions.try_lock()?;
        Some((count(&mut guard), is_signal_blocked(guard.parts().1)))
    }

    #[cfg(feature = "std")]
    pub(crate) fn name_of(&self, entry: &AnyEntry<F>) -> Option<&'static str> {
        if !entry.is_named() {
            return None;
        }
        self.versions.lock().parts().1.rare_data(entry.key())?.name
    }

    /// Removes a slot whose owner an emission found gone.
    #[cold]
    pub(crate) fn prune_one(&self, key: SlotKey) {
        let mut freed = Freed::<F>::new();
        let mut guard = self.versions.lock();
        let (list, ledger) = guard.parts();
        let entry = ledger.position(list, key).map(|position| &list.entries()[position]);
        if entry.is_some_and(|entry| !is_connected(entry, ledger)) {
            remove_slot(list, ledger, key, &mut freed);
            guard.tidy_later();
        }
        unlock(guard);
    }

    /// Does the cleanup that had to wait for running emissions. Does not allocate.
    #[cold]
    pub(crate) fn tidy(&self) {
        let mut guard = self.versions.lock();
        guard.tidy(|list, ledger| ledger.sweep(list));
        unlock(guard);
    }

    /// Frees the memory of removed slots: of the one at `position`, or of all. If an emission is
    /// still reading the list, that happens when it ends.
    fn reclaim(&self, guard: &mut SlotsGuard<'_, F>, position: Option<usize>) {
        let in_place = guard.edit_in_place(|list, ledger| {
            match position {
                Some(position) => list.vacate(position),
                None => ledger.sweep(list),
            }
            if ledger.gaps(list) > list.entries().len() / 2 {
                ledger.sweep(list);
            }
            list.shrink();
        });
        if in_place.is_err() {
            let (list, ledger) = guard.parts();
            if ledger.gaps(list) > list.entries().len() / 2 {
                guard.edit(|list, ledger| ledger.sweep(list), ask_before_calls);
            } else {
                guard.tidy(|list, ledger| ledger.sweep(list));
            }
        }
    }
}

/// Publishes whether the signal is idle, and unlocks.
fn unlock<F: Flavor>(mut guard: SlotsGuard<'_, F>) {
    let ledger = guard.parts().1;
    let is_idle = ledger.connected() == 0 || is_signal_blocked(ledger);
    guard.set_idle(is_idle);
}

/// Whether the whole signal is blocked.
fn is_signal_blocked<F: Flavor>(ledger: &Ledger<F>) -> bool {
    ledger.blocks > 0
}

/// The state that the entry of a connected slot must have.
fn state_of<F: Flavor>(ledger: &Ledger<F>, rare_data: Option<&RareData<F>>) -> SlotState {
    match rare_data.map_or(SlotState::Call, RareData::state) {
        SlotState::Call if is_signal_blocked(ledger) => SlotState::Ask,
        state => state,
    }
}

/// Updates the published state of a connected slot.
fn publish_state<F: Flavor>(entry: &AnyEntry<F>, ledger: &Ledger<F>) {
    let rare_data = ledger.rare_data(entry.key());
    let state = state_of(ledger, rare_data);
    entry.set(state);
    if let Some(rare_data) = rare_data {
        rare_data.publish(state);
    }
}

fn count<F: Flavor>(guard: &mut SlotsGuard<'_, F>) -> usize {
    let (list, ledger) = guard.parts();
    let connected = |entry: &&AnyEntry<F>| !entry.is_gone() && is_connected(entry, ledger);
    list.entries().iter().filter(connected).count()
}

/// Disconnects a slot in the list and the ledger. The caller drops `freed` after unlocking.
fn remove_slot<F: Flavor>(
    list: &List<F>,
    ledger: &mut Ledger<F>,
    key: SlotKey,
    freed: &mut Freed<F>,
) {
    if let Some(removed) = ledger.remove(list, key) {
        let entry = &list.entries()[removed.position];
        entry.set_gone();
        if let Some(keep_alive) = entry.take_owned() {
            freed.push(keep_alive);
        }
        if let Some(keep_alive) = removed.keep_alive {
            freed.push(keep_alive);
        }
    }
}

/// Disconnects the slots whose owners are gone.
fn prune<F: Flavor>(list: &List<F>, ledger: &mut Ledger<F>, freed: &mut Freed<F>) -> usize {
    let before = ledger.connected();
    for entry in list.entries() {
        if !entry.is_gone() && !is_connected(entry, ledger) {
            remove_slot(list, ledger, entry.key(), freed);
        }
    }
    ledger.schedule_prune();
    (before - ledger.connected()) as usize
}

/// Whether the slot has an owner, or one that may not be constructed yet. The slot must be in the
/// ledger.
fn is_connected<F: Flavor>(entry: &AnyEntry<F>, ledger: &mut Ledger<F>) -> bool {
    match entry.handle().liveness() {
        Liveness::Alive => {
            if ledger.mark_complete(entry.key()) {
                entry.set(SlotState::Ask);
            }
            true
        }
        Liveness::Gone => false,
        Liveness::Absent => ledger.is_incomplete(entry.key()),
    }
}

fn matches<F: Flavor>(entry: &AnyEntry<F>, owner: *const (), method: Option<TypeId>) -> bool {
    !entry.is_gone()
        && core::ptr::eq(entry.handle().owner(), owner)
        && method.is_none_or(|method| entry.handle().method() == method)
}

/// Makes emissions that still read this replaced list ask the ledger before each call.
fn ask_before_calls<F: Flavor>(former: &List<F>) {
    former.entries().iter().for_each(AnyEntry::ask);
}

impl<F: Flavor> Admission for AnySlots<F> {
    #[cold]
    fn admits(&self, key: SlotKey) -> bool {
        let mut freed = Freed::<F>::new();
        let mut guard = self.versions.lock();
        let (list, ledger) = guard.parts();
        let Some(position) = ledger.position(list, key) else { return false };
        ledger.mark_complete(key);
        if is_signal_blocked(ledger) {
            return false;
        }
        let (admitted, is_last) = match ledger.rare_data(key) {
            None => (true, false),
            Some(_) => ledger.change(key, |rare_data| {
                let admitted = rare_data.blocks == 0;
                if admitted {
                    rare_data.calls_left = rare_data.calls_left.map(|left| left - 1);
                }
                (admitted, rare_data.calls_left == Some(0))
            }),
        };
        publish_state(&list.entries()[position], ledger);
        if is_last {
            remove_slot(list, ledger, key, &mut freed);
            guard.tidy_later();
        }
        unlock(guard);
        admitted
    }
}

const TOO_MANY_BLOCKS: &str = "too many blocks at once";

/// What a connection asks of the signal it belongs to.
impl<F: Flavor> AnySlots<F> {
    pub(crate) fn is_connected(&self, key: SlotKey) -> bool {
        let mut guard = self.versions.lock();
        let (list, ledger) = guard.parts();
        ledger
            .position(list, key)
            .is_some_and(|position| is_connected(&list.entries()[position], ledger))
    }

    pub(crate) fn name(&self, key: SlotKey) -> Option<&'static str> {
        self.versions.try_lock()?.parts().1.rare_data(key)?.name
    }

    pub(crate) fn running(&self, key: SlotKey) -> Running {
        let here = F::this_thread();
        self.versions.threads_in(key.tag()).fold(Running::Nowhere, |found, thread| {
            if thread == here { Running::Here } else { found.max(Running::Elsewhere) }
        })
    }

    /// Of the slot, or of the whole signal.
    pub(crate) fn block(&self, key: Option<SlotKey>) {
        self.change_blocks(key, |blocks| blocks.checked_add(1).expect(TOO_MANY_BLOCKS));
    }

    pub(crate) fn unblock(&self, key: Option<SlotKey>) {
        self.change_blocks(key, |blocks| blocks - 1);
    }

    pub(crate) fn is_blocked(&self, key: Option<SlotKey>) -> bool {
        match key {
            None => self.is_signal_blocked(),
            Some(key) => {
                let mut guard = self.versions.lock();
                guard.parts().1.rare_data(key).is_some_and(|rare_data| rare_data.blocks > 0)
            }
        }
    }

    fn change_blocks(&self, key: Option<SlotKey>, change: impl Fn(usize) -> usize) {
        let mut guard = self.versions.lock();
        let (list, ledger) = guard.parts();
        let Some(key) = key else {
            let was_blocked = is_signal_blocked(ledger);
            let blocks = change(ledger.blocks as usize);
            ledger.blocks = u32::try_from(blocks).expect(TOO_MANY_BLOCKS);
            if was_blocked != is_signal_blocked(ledger) {
                for entry in list.entries().iter().filter(|entry| !entry.is_gone()) {
                    publish_state(entry, ledger);
                }
            }
            unlock(guard);
            return;
        };
        let Some(position) = ledger.position(list, key) else { return };
        ledger.change(key, |rare_data| rare_data.blocks = change(rare_data.blocks));
        publish_state(&list.entries()[position], ledger);
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;
    use crate::generic;
    use crate::raw::{Checked, Handle};
    use crate::raw::{Local, Shared};
    use std::panic::{AssertUnwindSafe, catch_unwind};

    fn blocks_at_their_limit<F: Flavor>() {
        let source = generic::Signal::<u32, (), F>::default();
        let slots = source.slots();
        let new = NewSlot { priority: 0, rare_data: None, unique: None };
        let (handle, keep_alive) = Handle::closure(Checked::any(|_: &u32| ()));
        let key = slots.connect(new, (handle, Some(keep_alive)));
        let set = |blocks| slots.versions.lock().parts().1.change(key, |s| s.blocks = blocks);
        set(usize::MAX);
        slots.versions.lock().parts().1.blocks = u32::MAX;
        for blocked in [None, Some(key)] {
            assert!(catch_unwind(AssertUnwindSafe(|| slots.block(blocked))).is_err());
            assert!(slots.is_blocked(blocked), "the count wrapped around");
        }
        set(0);
        slots.versions.lock().parts().1.blocks = 1;
        slots.unblock(None);
        assert_eq!(slots.emit(&1), 1);
    }

    #[test]
    fn an_emission_takes_no_lock_for_a_slot_whose_owner_may_still_be_constructed() {
        let source = crate::local::Signal::<u32>::new();
        let captured = 7;
        let made = catch_unwind(AssertUnwindSafe(|| {
            std::rc::Rc::<u32>::new_cyclic(|weak| {
                source.connect(weak, |_, _| ());
                source.connect(weak, move |_, _| _ = captured);
                panic!("the owner is never constructed")
            })
        }));
        assert!(made.is_err());
        let slots = source.slots();
        let locked = slots.versions.lock();
        assert_eq!(slots.emit(&1), 0, "taking the lock again would panic");
        drop(locked);
        assert_eq!((slots.count(), slots.prune()), (2, 0), "the owner may still be constructed");
    }

    #[test]
    fn blocks_at_their_limit_are_refused_and_do_not_wrap_around() {
        blocks_at_their_limit::<Shared>();
        blocks_at_their_limit::<Local>();
    }
}
