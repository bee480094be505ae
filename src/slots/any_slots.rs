//! The slots of one signal: connecting, disconnecting, pruning, and who may be called.
//!
//! What an emission needs stands in the [`List`], which it reads without a lock. Everything else
//! stands in the [`Ledger`], under the lock of [`Versions`]. User code, and that includes the
//! destructors of owners and of what methods captured, runs under neither: what must be dropped is
//! carried out of the lock first, in a [`Freed`].

use core::any::TypeId;
use smallvec::SmallVec;

use super::ledger::Ledger;
use super::list::List;
use super::special::Special;
use crate::base::{Running, SlotKey};
use crate::raw::Flavor;
use crate::raw::SlotState;
use crate::raw::{
    Admission, AnyEntry, AnyHandle, EditGuard, KeepAlive, Liveness, SlotLabel, Typed, Versions,
};

type Freed<F> = SmallVec<[KeepAlive<F>; 2]>;
type SlotsGuard<'a, F> = EditGuard<'a, List<F>, Ledger<F>, F>;

/// Those of a signal of events `E`, whose slots return `R`. What they are knows neither: so what connects and
/// disconnects is compiled once for all signals, and for each event only what calls.
pub(crate) type Slots<E, R, F> = Typed<E, R, AnySlots<F>>;

pub(crate) struct AnySlots<F: Flavor> {
    pub(crate) versions: Versions<List<F>, Ledger<F>, F>,
}

/// A handle, and what owns what it needs.
pub(crate) type AnyOwnedHandle<F> = (AnyHandle<F>, Option<KeepAlive<F>>);

pub(crate) enum HandleMaker<'a, F: Flavor> {
    Made(AnyOwnedHandle<F>),
    /// For slots that know their own connection. It is called once at most.
    OfKey(&'a mut dyn FnMut(SlotKey) -> AnyOwnedHandle<F>),
}

/// A slot to be connected.
pub(crate) struct NewSlot<F: Flavor> {
    pub(crate) priority: i32,
    pub(crate) special: Option<Special<F>>,
    /// The owner and the method of which there is to be only one slot.
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

    pub(crate) fn is_silent(&self) -> bool {
        is_silent(self.versions.lock().parts().1)
    }

    pub(crate) fn connect(&self, slot: NewSlot<F>, making: HandleMaker<'_, F>) -> SlotKey {
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
        let state = state_of(ledger, slot.special.as_ref());
        let is_named = slot.special.as_ref().is_some_and(|special| special.name.is_some());
        let key = ledger.add(list);
        if let Some(special) = slot.special {
            special.show(state);
            ledger.change(key, |standing| *standing = special);
        }
        let (handle, keep_alive) = match making {
            HandleMaker::Made(made) => made,
            HandleMaker::OfKey(make) => make(key),
        };
        let label = SlotLabel { key, priority: slot.priority, is_named };
        let (entry, keep_alive) = AnyEntry::new(handle, keep_alive, label, state);
        if keep_alive.is_some() {
            ledger.change(key, |special| special.keep_alive = keep_alive);
        }
        guard.edit(
            |list, ledger| {
                if prunes || ledger.gaps(list) > list.entries().len() / 2 {
                    ledger.sweep(list);
                }
                // Emissions sweep, too, and leave this.
                list.fit();
                let at = list.insert(entry);
                ledger.put(list, at);
            },
            retire,
        );
        unlock(guard);
        if let Some(freed) = freed {
            self.drop_or_disconnect(freed, key);
        }
        key
    }

    /// Nobody gets the connection of a slot whose connecting panics: so that ends, too.
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
        take(list, ledger, key, &mut freed);
        self.settle(&mut guard, Some(position));
        unlock(guard);
        was_connected
    }

    /// Disconnects what `matches`, and says how many of them were connected.
    fn disconnect_if(&self, matches: impl Fn(&AnyEntry<F>) -> bool) -> usize {
        let mut freed = Freed::<F>::new();
        let mut guard = self.versions.lock();
        let (list, ledger) = guard.parts();
        let mut count = 0;
        for entry in list.entries() {
            if !entry.is_gone() && matches(entry) {
                count += usize::from(is_connected(entry, ledger));
                take(list, ledger, entry.key(), &mut freed);
            }
        }
        self.settle(&mut guard, None);
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
        self.settle(&mut guard, None);
        unlock(guard);
        count
    }

    /// How many slots are connected and have an owner.
    pub(crate) fn count(&self) -> usize {
        count(&mut self.versions.lock())
    }

    /// The same, and whether the whole signal is blocked, without waiting for the lock.
    pub(crate) fn try_look(&self) -> Option<(usize, bool)> {
        let mut guard = self.versions.try_lock()?;
        Some((count(&mut guard), is_silent(guard.parts().1)))
    }

    #[cfg(feature = "std")]
    pub(crate) fn name_of(&self, entry: &AnyEntry<F>) -> Option<&'static str> {
        if !entry.is_named() {
            return None;
        }
        self.versions.lock().parts().1.special(entry.key())?.name
    }

    /// An emission found the owner of this slot gone.
    #[cold]
    pub(crate) fn prune_one(&self, key: SlotKey) {
        let mut freed = Freed::<F>::new();
        let mut guard = self.versions.lock();
        let (list, ledger) = guard.parts();
        let entry = ledger.position(list, key).map(|position| &list.entries()[position]);
        if entry.is_some_and(|entry| !is_connected(entry, ledger)) {
            take(list, ledger, key, &mut freed);
            guard.tidy_later();
        }
        unlock(guard);
    }

    /// Does what emissions were in the way of; without allocating.
    #[cold]
    pub(crate) fn tidy(&self) {
        let mut guard = self.versions.lock();
        guard.tidy(|list, ledger| ledger.sweep(list));
        unlock(guard);
    }

    /// After slots were taken, one of them at `position`: gives their memory back, now if no
    /// emission is in the way, otherwise at its end.
    fn settle(&self, guard: &mut SlotsGuard<'_, F>, position: Option<usize>) {
        let in_place = guard.edit_in_place(|list, ledger| {
            match position {
                Some(position) => list.vacate(position),
                None => ledger.sweep(list),
            }
            if ledger.gaps(list) > list.entries().len() / 2 {
                ledger.sweep(list);
            }
            list.fit();
        });
        if in_place.is_err() {
            let (list, ledger) = guard.parts();
            if ledger.gaps(list) > list.entries().len() / 2 {
                guard.edit(|list, ledger| ledger.sweep(list), retire);
            } else {
                guard.tidy(|list, ledger| ledger.sweep(list));
            }
        }
    }
}

/// Publishes what emissions need to know, and unlocks.
fn unlock<F: Flavor>(mut guard: SlotsGuard<'_, F>) {
    let ledger = guard.parts().1;
    let is_idle = ledger.connected() == 0 || is_silent(ledger);
    guard.set_idle(is_idle);
}

/// Whether the whole signal is blocked.
fn is_silent<F: Flavor>(ledger: &Ledger<F>) -> bool {
    ledger.blocks > 0
}

/// The state of a slot that is connected.
fn state_of<F: Flavor>(ledger: &Ledger<F>, special: Option<&Special<F>>) -> SlotState {
    match special.map_or(SlotState::Call, Special::state) {
        SlotState::Call if is_silent(ledger) => SlotState::Ask,
        state => state,
    }
}

/// Shows the state of a connected slot.
fn show<F: Flavor>(entry: &AnyEntry<F>, ledger: &Ledger<F>) {
    let special = ledger.special(entry.key());
    let state = state_of(ledger, special);
    entry.set(state);
    if let Some(special) = special {
        special.show(state);
    }
}

fn count<F: Flavor>(guard: &mut SlotsGuard<'_, F>) -> usize {
    let (list, ledger) = guard.parts();
    let connected = |entry: &&AnyEntry<F>| !entry.is_gone() && is_connected(entry, ledger);
    list.entries().iter().filter(connected).count()
}

/// Disconnects a slot in the lists. What it owned is to be dropped after unlocking.
fn take<F: Flavor>(list: &List<F>, ledger: &mut Ledger<F>, key: SlotKey, freed: &mut Freed<F>) {
    if let Some(taken) = ledger.take(list, key) {
        let entry = &list.entries()[taken.position];
        entry.set_gone();
        if let Some(keep_alive) = entry.take_owned() {
            freed.push(keep_alive);
        }
        if let Some(keep_alive) = taken.keep_alive {
            freed.push(keep_alive);
        }
    }
}

/// Disconnects the slots whose owners are gone.
fn prune<F: Flavor>(list: &List<F>, ledger: &mut Ledger<F>, freed: &mut Freed<F>) -> usize {
    let before = ledger.connected();
    for entry in list.entries() {
        if !entry.is_gone() && !is_connected(entry, ledger) {
            take(list, ledger, entry.key(), freed);
        }
    }
    ledger.pruned();
    (before - ledger.connected()) as usize
}

/// Whether the slot, which is in the ledger, has an owner, or one that may be still to come.
fn is_connected<F: Flavor>(entry: &AnyEntry<F>, ledger: &mut Ledger<F>) -> bool {
    match entry.handle().liveness() {
        Liveness::Alive => {
            if ledger.seen_alive(entry.key()) {
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

/// A list was replaced: emissions that still run over it ask before they call.
fn retire<F: Flavor>(former: &List<F>) {
    former.entries().iter().for_each(AnyEntry::ask);
}

impl<F: Flavor> Admission for AnySlots<F> {
    #[cold]
    fn admits(&self, key: SlotKey) -> bool {
        let mut freed = Freed::<F>::new();
        let mut guard = self.versions.lock();
        let (list, ledger) = guard.parts();
        let Some(position) = ledger.position(list, key) else { return false };
        ledger.seen_alive(key);
        if is_silent(ledger) {
            return false;
        }
        let (admitted, is_last) = match ledger.special(key) {
            None => (true, false),
            Some(_) => ledger.change(key, |special| {
                let admitted = special.blocks == 0;
                if admitted {
                    special.calls_left = special.calls_left.map(|left| left - 1);
                }
                (admitted, special.calls_left == Some(0))
            }),
        };
        show(&list.entries()[position], ledger);
        if is_last {
            take(list, ledger, key, &mut freed);
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
        self.versions.try_lock()?.parts().1.special(key)?.name
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
            None => self.is_silent(),
            Some(key) => {
                let mut guard = self.versions.lock();
                guard.parts().1.special(key).is_some_and(|special| special.blocks > 0)
            }
        }
    }

    fn change_blocks(&self, key: Option<SlotKey>, change: impl Fn(usize) -> usize) {
        let mut guard = self.versions.lock();
        let (list, ledger) = guard.parts();
        let Some(key) = key else {
            let was_silent = is_silent(ledger);
            let blocks = change(ledger.blocks as usize);
            ledger.blocks = u32::try_from(blocks).expect(TOO_MANY_BLOCKS);
            if was_silent != is_silent(ledger) {
                for entry in list.entries().iter().filter(|entry| !entry.is_gone()) {
                    show(entry, ledger);
                }
            }
            unlock(guard);
            return;
        };
        let Some(position) = ledger.position(list, key) else { return };
        ledger.change(key, |special| special.blocks = change(special.blocks));
        show(&list.entries()[position], ledger);
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
        let new = NewSlot { priority: 0, special: None, unique: None };
        let (handle, keep_alive) = Handle::closure(Checked::any(|_: &u32| ()));
        let key = slots.connect(new, (handle, Some(keep_alive)));
        let set = |blocks| slots.versions.lock().parts().1.change(key, |s| s.blocks = blocks);
        set(usize::MAX);
        slots.versions.lock().parts().1.blocks = u32::MAX;
        for blocked in [None, Some(key)] {
            assert!(catch_unwind(AssertUnwindSafe(|| slots.block(blocked))).is_err());
            assert!(slots.is_blocked(blocked), "it did not wrap around");
        }
        set(0);
        slots.versions.lock().parts().1.blocks = 1;
        slots.unblock(None);
        assert_eq!(slots.emit(&1), 1);
    }

    #[test]
    fn a_slot_whose_owner_may_be_still_to_come_costs_an_emission_no_lock() {
        let source = crate::local::Signal::<u32>::new();
        let captured = 7;
        let made = catch_unwind(AssertUnwindSafe(|| {
            std::rc::Rc::<u32>::new_cyclic(|weak| {
                source.connect(weak, |_, _| ());
                source.connect(weak, move |_, _| _ = captured);
                panic!("it cannot be made")
            })
        }));
        assert!(made.is_err());
        let slots = source.slots();
        let locked = slots.versions.lock();
        assert_eq!(slots.emit(&1), 0, "it would panic if it took the lock once more");
        drop(locked);
        assert_eq!((slots.count(), slots.prune()), (2, 0), "who can say?");
    }

    #[test]
    fn blocks_at_their_limit_are_refused_and_do_not_wrap_around() {
        blocks_at_their_limit::<Shared>();
        blocks_at_their_limit::<Local>();
    }
}
