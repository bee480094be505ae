//! What knows its event and result by its type, over what does not.

use core::marker::PhantomData;
use core::ops::Deref;
use core::sync::atomic::Ordering;

use super::entry::AnyEntry;
use super::handle::{Handle, seldom};
use crate::base::tag;
use crate::raw::{Flavor, SlotState, StateCell};

/// Something of a signal of events `E`, whose slots return `R`.
///
/// What it is does not know these types, so what is done with it is compiled once for all of them. All
/// handles in it are of `E` and `R`. A handle loses its types only to be put into the slots of a signal
/// of the same types, and `crate::slots` leaves it there.
#[repr(transparent)]
pub(crate) struct Typed<E: ?Sized, R, T> {
    what: T,
    /// Neither can be taken for a subtype: what is put in as one would be called as the other.
    types: PhantomData<fn(*mut E, R) -> R>,
}

impl<E: ?Sized, R, T> Typed<E, R, T> {
    /// # Safety
    /// All handles in it are of `E` and `R`.
    #[inline(always)]
    pub(crate) const unsafe fn assume(what: T) -> Self {
        Typed { what, types: PhantomData }
    }

    /// # Safety
    /// As for `assume`, as long as the reference is there.
    #[inline(always)]
    pub(crate) unsafe fn from_ref(what: &T) -> &Self {
        // SAFETY: it is one of these, but for the name.
        unsafe { &*(what as *const T as *const Self) }
    }

    /// # Safety
    /// It goes where all handles are of `E` and `R`, or is never called.
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
    /// What to call, if that is to be called without asking. Without threads that stays so until it is called.
    #[inline(always)]
    pub(crate) fn to_call(&self) -> Option<&Handle<E, R, F>> {
        if !self.what.state.is(SlotState::Call, Ordering::Relaxed) {
            seldom();
            return None;
        }
        // SAFETY: it is of a signal of these types, and not vacant: see below.
        Some(unsafe { Typed::from_ref(&self.what.handle) })
    }

    /// What to call, unless the slot is gone.
    #[inline(always)]
    pub(crate) fn unless_gone(&self) -> Option<&Handle<E, R, F>> {
        if self.what.state.is(SlotState::Gone, Ordering::Relaxed) {
            return None;
        }
        // SAFETY: it is of a signal of these types. It is not vacant: then it would be gone, and stay so. And
        // for it to become vacant, nobody else may refer to it.
        Some(unsafe { Typed::from_ref(&self.what.handle) })
    }

    #[inline(always)]
    pub(crate) fn state(&self) -> &StateCell<F> {
        &self.what.state
    }

    /// What a reader says while this slot is called.
    #[inline(always)]
    pub(crate) fn tag(&self) -> usize {
        tag(self.what.key_bits)
    }
}
