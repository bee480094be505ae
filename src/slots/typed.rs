//! A signal's slots with the types of its event and result.
//!
//! Lists, ledgers and all code that runs under the lock do not know these types, so that code is
//! compiled once for all signals. Only the code that calls slots is compiled for each event.
//! Besides `raw`, this file is the only one with `unsafe` code for that. It relies on one rule:
//! everything in a signal has only handles of that signal's types.

use core::any::TypeId;

#[cfg(all(test, feature = "std"))]
use super::any_slots::NewSlot;
use super::any_slots::{AnySlots, HandleMaker, Slots};
use super::connect::Choice;
use super::connection::Connection;
use super::list::List;
use crate::base::SlotKey;
use crate::raw::{
    AnyEntry, Entry, Flavor, Handle, KeepAlive, LazyStrong, Liveness, PinnedVersion, ReaderCell,
    StateCell, Typed,
};

/// The slots of a signal, created when they are first needed.
pub(crate) type OnceSlots<E, R, F> = Typed<E, R, LazyStrong<AnySlots<F>, F>>;

/// One function for each flavor: see `LazyStrong::new`.
macro_rules! new {
    ($flavor:ty) => {
        impl<E: ?Sized, R> OnceSlots<E, R, $flavor> {
            pub(crate) const fn new_const() -> Self {
                // SAFETY: there is no handle in it yet.
                unsafe { Typed::assume(LazyStrong::<_, $flavor>::new()) }
            }
        }
    };
}
new!(crate::raw::Local);
#[cfg(feature = "std")]
new!(crate::raw::Shared);

/// A handle, and the `KeepAlive` of what it needs.
pub(crate) type OwnedHandle<E, R, F> = (Handle<E, R, F>, Option<KeepAlive<F>>);

impl<E: ?Sized, R, F: Flavor> OnceSlots<E, R, F> {
    /// As `new_const`, for any flavor, but not `const`.
    pub(crate) fn none_yet() -> Self {
        // SAFETY: there is no handle in it yet.
        unsafe { Typed::assume(LazyStrong::empty()) }
    }

    #[inline(always)]
    pub(crate) fn get(&self) -> Option<&Slots<E, R, F>> {
        match (**self).get() {
            // SAFETY: they are of the same signal.
            Some(slots) => Some(unsafe { Typed::from_ref(slots) }),
            None => None,
        }
    }

    pub(crate) fn get_or_init(&self) -> &Slots<E, R, F> {
        // SAFETY: they are of the same signal.
        unsafe { Typed::from_ref((**self).slots()) }
    }

    /// A strong reference, for users that may outlive the signal.
    #[cfg(feature = "tokio")]
    pub(crate) fn strong(&self) -> Option<F::Strong<Slots<E, R, F>>> {
        use crate::raw::Link;
        (**self).get()?;
        let raw = F::into_raw((**self).downgrade().upgrade()?);
        // SAFETY: the pointer came from `into_raw`, and `Slots` is a transparent wrapper whose
        // handles are those of a signal of these types.
        Some(unsafe { F::from_raw(raw.cast()) })
    }

    /// Connects a handle without options.
    #[inline(always)]
    pub(crate) fn put(
        &self,
        handle: Handle<E, R, F>,
        keep_alive: Option<KeepAlive<F>>,
    ) -> Connection<F> {
        // SAFETY: these are the slots of a signal of these types.
        (**self).put(unsafe { handle.forget_types() }, keep_alive)
    }

    /// Connects a handle with options.
    pub(crate) fn put_chosen(
        &self,
        choice: Choice,
        (handle, keep_alive): OwnedHandle<E, R, F>,
    ) -> Connection<F> {
        // SAFETY: as in `put`.
        (**self).put_chosen(choice, unsafe { handle.forget_types() }, keep_alive)
    }

    /// Connects a slot that knows its own key, unless a slot with the same identity exists. `make`
    /// runs at most once. If there is a gate, it shows the slot's state as well.
    pub(crate) fn put_made(
        &self,
        choice: Choice,
        unique: Option<(*const (), TypeId)>,
        liveness: Liveness,
        gate: Option<F::Strong<StateCell<F>>>,
        make: &mut dyn FnMut(SlotKey) -> OwnedHandle<E, R, F>,
    ) -> Connection<F> {
        let mut make = |key| {
            let (handle, keep_alive) = make(key);
            // SAFETY: as in `put`.
            (unsafe { handle.forget_types() }, keep_alive)
        };
        (**self).put_as(choice, unique, liveness, gate, HandleMaker::OfKey(&mut make))
    }
}

/// A version of the list, kept by its user.
pub(crate) type SharedList<E, R, F> = Typed<E, R, KeptList<F>>;
pub(crate) struct KeptList<F: Flavor>(F::Strong<List<F>>);

/// A version of the list, held in a reader.
pub(crate) type PinnedList<'a, E, R, F> = Typed<E, R, PinnedVersion<'a, List<F>, F>>;

impl<E: ?Sized, R, F: Flavor> Slots<E, R, F> {
    #[cfg(all(test, feature = "std"))]
    pub(crate) fn connect(
        &self,
        slot: NewSlot<F>,
        (handle, keep_alive): OwnedHandle<E, R, F>,
    ) -> SlotKey {
        // SAFETY: as in `OnceSlots::put`.
        let handle = unsafe { handle.forget_types() };
        (**self).connect(slot, HandleMaker::Made((handle, keep_alive)))
    }

    /// The current version. Not inlined in unoptimized builds, so that its stack space is free
    /// again while slots run.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn pin(&self) -> PinnedList<'_, E, R, F> {
        // SAFETY: it is of the same signal.
        unsafe { Typed::assume(self.versions.pin()) }
    }

    /// The current version, shared.
    pub(crate) fn share(&self) -> SharedList<E, R, F> {
        // SAFETY: it is of the same signal.
        unsafe { Typed::assume(KeptList(self.versions.lock().share())) }
    }

    /// A reader for one call, for a version that the caller shares.
    pub(crate) fn reader_for<'a>(
        &'a self,
        list: &'a SharedList<E, R, F>,
    ) -> PinnedList<'a, E, R, F> {
        // SAFETY: it is of the same signal.
        unsafe { Typed::assume(self.versions.reader_for(&list.0)) }
    }

    /// Returns whether something is left to tidy.
    pub(crate) fn unshare(&self, list: SharedList<E, R, F>) -> bool {
        // SAFETY: it is only dropped.
        self.versions.unshare(unsafe { list.forget_types() }.0)
    }
}

impl<E: ?Sized, R, F: Flavor> PinnedList<'_, E, R, F> {
    #[inline(always)]
    pub(crate) fn reader(&self) -> &ReaderCell<List<F>, F> {
        PinnedVersion::reader(self)
    }

    #[inline]
    pub(crate) fn entries(&self) -> &[Entry<E, R, F>] {
        // SAFETY: it is a list of a signal of these types.
        unsafe { entries_of(self) }
    }

    #[cfg(feature = "async")]
    pub(crate) fn share(&self) -> SharedList<E, R, F> {
        // SAFETY: it is of the same signal.
        unsafe { Typed::assume(KeptList((**self).share())) }
    }
}

impl<E: ?Sized, R, F: Flavor> SharedList<E, R, F> {
    #[inline]
    pub(crate) fn entries(&self) -> &[Entry<E, R, F>] {
        // SAFETY: it is a list of a signal of these types.
        unsafe { entries_of(&self.0) }
    }
}

/// # Safety
/// All handles in the list must be of `E` and `R`.
#[inline(always)]
unsafe fn entries_of<E: ?Sized, R, F: Flavor>(list: &List<F>) -> &[Entry<E, R, F>] {
    let entries: *const [AnyEntry<F>] = list.entries();
    // SAFETY: `Entry` is a transparent wrapper of the entries in the list; the types are the
    // caller's promise.
    unsafe { &*(entries as *const [Entry<E, R, F>]) }
}
