use core::ops::Deref;

use super::{Caller, Hold, Link, Liveness, NotCalled};

/// What ends when nobody keeps it from its end any more, which is not when its memory goes.
pub(crate) trait CountsKeepers {
    /// One more keeps it. False: it has ended.
    fn keep_on(&self) -> bool;
    /// And one less.
    fn let_go(&self);
}

/// What takes events over, when its slot is called. Such a call keeps it from its end.
pub(crate) trait Intake<E: ?Sized>: CountsKeepers {
    /// Takes the event over, unless it has ended or `is_to_be_called` says no. That is asked once, after an
    /// atomic exchange that came after this began.
    fn take_over(&self, event: &E, is_to_be_called: impl FnOnce() -> bool) -> bool;
}

/// Keeps it from its end.
pub(crate) struct Keeper<S: Deref<Target: CountsKeepers>>(S);

impl<S: Deref<Target: CountsKeepers>> Keeper<S> {
    /// The first one, which is counted already.
    pub(crate) fn first(strong: S) -> Self {
        Keeper(strong)
    }

    pub(crate) fn strong(&self) -> &S {
        &self.0
    }
}

impl<S: Deref<Target: CountsKeepers> + Clone> Clone for Keeper<S> {
    fn clone(&self) -> Self {
        let is_kept = self.0.keep_on();
        debug_assert!(is_kept, "this keeps it");
        Keeper(self.0.clone())
    }
}

impl<S: Deref<Target: CountsKeepers>> Drop for Keeper<S> {
    fn drop(&mut self) {
        self.0.let_go();
    }
}

impl<S: Deref<Target: CountsKeepers>> Deref for Keeper<S> {
    type Target = S::Target;
    fn deref(&self) -> &S::Target {
        &self.0
    }
}

// SAFETY: what it points at is alive and stays where it is, as the pointer in it says.
unsafe impl<S: Hold<Target: CountsKeepers>> Hold for Keeper<S> {
    type Strong = Self;
    fn keep(self) -> Option<Self> {
        Some(self)
    }
}

/// A link to what takes events over. It holds the memory, so that a call counts no references, but does not keep
/// it from its end. It may be dropped under the signal's lock: so nothing of the user's is to be left in that
/// memory when no pointer but links is.
#[derive(Clone)]
pub(super) struct Inlet<S>(pub(super) S);

// SAFETY: nothing is said.
unsafe impl<S: Hold<Target: CountsKeepers> + Clone> Link for Inlet<S> {
    type Target = S::Target;
    type Strong = Keeper<S>;
    const ENTERS_BY_EXCHANGE: bool = false;
    type Entered<'a>
        = Keeper<S>
    where
        S: 'a;

    fn upgrade(&self) -> Option<Keeper<S>> {
        self.0.keep_on().then(|| Keeper(self.0.clone()))
    }
    /// It ends with its connection, not before.
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
