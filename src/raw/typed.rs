//! Typed wrappers around types that do not know their event and result.

use core::marker::PhantomData;
use core::ops::Deref;
use core::sync::atomic::Ordering;

use super::entry::AnyEntry;
use super::handle::{Handle, seldom};
use crate::base::tag;
use crate::raw::{Flavor, SlotState, StateCell};

/// A part of a signal whose events are `E` and whose slots return `R`.
///
/// The wrapped type does not know `E` and `R`, so its code is compiled once for all of them. All
/// handles in it are of `E` and `R`. A handle loses its types only when it is put into the slots of
/// a signal of the same types, and `crate::slots` leaves it there.
#[repr(transparent)]
pub(crate) struct Typed<E: ?Sized, R, T> {
    what: T,
    /// Invariant in both types: otherwise a handle could be put in with one type, and be called
    /// with a subtype or supertype.
    types: PhantomData<fn(*mut E, R) -> R>,
}

impl<E: ?Sized, R, T> Typed<E, R, T> {
    /// # Safety
    /// All handles in `what` must be of `E` and `R`.
    #[inline(always)]
    pub(crate) const unsafe fn assume(what: T) -> Self {
        Typed { what, types: PhantomData }
    }

    /// # Safety
    /// As for `assume`, as long as the reference lives.
    #[inline(always)]
    pub(crate) unsafe fn from_ref(what: &T) -> &Self {
        // SAFETY: `Self` is a transparent wrapper of `T`.
        unsafe { &*(what as *const T as *const Self) }
    }

    /// # Safety
    /// The result must be put where all handles are of `E` and `R`, or never be called.
    #[inline(always)]
    pub(crate) unsafe fn forget_types(self) -> T {
        self.what
    }
}

impl<E: ?Sized, R, T> Deref for Typed<E, R, T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        &self.what
    }
}

impl<E: ?Sized, R, F: Flavor> Clone for Handle<E, R, F> {
    fn clone(&self) -> Self {
        Typed { what: self.what.another(), types: PhantomData }
    }
}

/// One slot as an emission sees it.
pub(crate) type Entry<E, R, F> = Typed<E, R, AnyEntry<F>>;

impl<E: ?Sized, R, F: Flavor> Entry<E, R, F> {
    /// The handle, if it may be called without asking the ledger. In the single-threaded flavor,
    /// this stays so until the call.
    #[inline(always)]
    pub(crate) fn to_call(&self) -> Option<&Handle<E, R, F>> {
        if !self.what.state.is(SlotState::Call, Ordering::Relaxed) {
            seldom();
            return None;
        }
        // SAFETY: the handle is of a signal of these types, and not vacant: see below.
        Some(unsafe { Typed::from_ref(&self.what.handle) })
    }

    /// The handle, unless the slot is gone.
    #[inline(always)]
    pub(crate) fn unless_gone(&self) -> Option<&Handle<E, R, F>> {
        if self.what.state.is(SlotState::Gone, Ordering::Relaxed) {
            return None;
        }
        // SAFETY: the handle is of a signal of these types. It is not vacant: a vacant entry would
        // be in the state `Gone`, and stay so. And an entry becomes vacant only when nothing else
        // refers to it.
        Some(unsafe { Typed::from_ref(&self.what.handle) })
    }

    #[inline(always)]
    pub(crate) fn state(&self) -> &StateCell<F> {
        &self.what.state
    }

    /// What a reader stores while this slot is called.
    #[inline(always)]
    pub(crate) fn tag(&self) -> usize {
        tag(self.what.key_bits)
    }
}
