//! A link to an event sink that a slot calls without counting references: a stream's channel.

use core::ops::Deref;

use super::{Caller, Hold, Link, Liveness, NotCalled};

/// Counts its keepers. It ends when the last keeper is dropped, although its memory may stay
/// longer.
pub(crate) trait CountsKeepers {
    /// Counts one more keeper. Returns false, and counts none, if it has ended.
    fn try_retain(&self) -> bool;
    /// Counts one keeper less.
    fn release(&self);
}

/// Receives the events of the slot that calls it. Does not end during such a call.
pub(crate) trait Intake<E: ?Sized>: CountsKeepers {
    /// Takes the event, unless it has ended or `is_to_be_called` returns false. Calls
    /// `is_to_be_called` at most once, after an atomic read-modify-write that this call has
    /// performed.
    fn take_over(&self, event: &E, is_to_be_called: impl FnOnce() -> bool) -> bool;
}

/// A strong pointer that is counted as a keeper: while it exists, what it points to does not end.
pub(crate) struct Keeper<S: Deref<Target: CountsKeepers>>(S);

impl<S: Deref<Target: CountsKeepers>> Keeper<S> {
    /// The first keeper, which is counted already.
    pub(crate) fn first(strong: S) -> Self {
        Keeper(strong)
    }

    pub(crate) fn strong(&self) -> &S {
        &self.0
    }
}

impl<S: Deref<Target: CountsKeepers> + Clone> Clone for Keeper<S> {
    fn clone(&self) -> Self {
        let is_kept = self.0.try_retain();
        debug_assert!(is_kept, "it does not end while a keeper exists");
        Keeper(self.0.clone())
    }
}

impl<S: Deref<Target: CountsKeepers>> Drop for Keeper<S> {
    fn drop(&mut self) {
        self.0.release();
    }
}

impl<S: Deref<Target: CountsKeepers>> Deref for Keeper<S> {
    type Target = S::Target;
    fn deref(&self) -> &S::Target {
        &self.0
    }
}

// SAFETY: the pointer inside is a `Hold` too: it keeps the target alive and in place.
unsafe impl<S: Hold<Target: CountsKeepers>> Hold for Keeper<S> {
    type Strong = Self;
    fn keep(self) -> Option<Self> {
        Some(self)
    }
}

/// A link to an [`Intake`]. It keeps the memory, so that a call counts no references, but is not a
/// keeper. It may be dropped under the signal's lock. So once only links are left, that memory must
/// not hold values of the user, whose destructors would run there.
#[derive(Clone)]
pub(super) struct Inlet<S>(pub(super) S);

// SAFETY: `ENTERS_BY_EXCHANGE` is false, so there is nothing to promise.
unsafe impl<S: Hold<Target: CountsKeepers> + Clone> Link for Inlet<S> {
    type Target = S::Target;
    type Strong = Keeper<S>;
    const ENTERS_BY_EXCHANGE: bool = false;
    type Entered<'a>
        = Keeper<S>
    where
        S: 'a;

    fn upgrade(&self) -> Option<Keeper<S>> {
        self.0.try_retain().then(|| Keeper(self.0.clone()))
    }
    /// Always alive: it ends when its connection does, not before.
    fn liveness(&self) -> Liveness {
        Liveness::Alive
    }
    fn address(&self) -> *const () {
        core::ptr::from_ref(&*self.0).cast()
    }
    unsafe fn enter(&self, _: &mut Caller<'_>) -> Result<Keeper<S>, NotCalled> {
        self.upgrade().ok_or(NotCalled::Dead)
    }
}
