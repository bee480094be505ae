use core::any::TypeId;
use core::marker::PhantomData;
use core::ops::Deref;

use super::Caller;

/// Keeps a target alive while it is called.
///
/// # Safety
/// The target is alive as long as this is, or what it [keeps](Self::keep), and stays where it is when that
/// moves.
#[doc(hidden)]
pub unsafe trait Hold: Deref {
    type Strong: Hold<Target = Self::Target, Strong = Self::Strong>;
    /// Keeps it longer than that, if it still has an owner.
    fn keep(self) -> Option<Self::Strong>;
    /// Whether to drop it is known to end the target, and costs nothing to know.
    #[inline(always)]
    fn is_last(&self) -> bool {
        false
    }
}

// SAFETY: it is there for ever.
#[cfg(feature = "async")]
unsafe impl<T: ?Sized> Hold for &'static T {
    type Strong = Self;
    fn keep(self) -> Option<Self> {
        Some(self)
    }
}

/// A target out of a handle: so for a thread-safe flavor it is `Send + Sync`.
pub(crate) struct Target<H, F>(H, PhantomData<fn() -> F>);

impl<H: Hold, F> Target<H, F> {
    /// # Safety
    /// For a thread-safe flavor, what `hold` derefs to is `Send + Sync`.
    #[inline(always)]
    pub(super) unsafe fn new(hold: H) -> Self {
        Target(hold, PhantomData)
    }

    #[cfg(feature = "async")]
    #[inline(always)]
    pub(super) fn take(self) -> H {
        self.0
    }
}

impl<H: Hold, F> Deref for Target<H, F> {
    type Target = H::Target;
    #[inline(always)]
    fn deref(&self) -> &H::Target {
        &self.0
    }
}

/// What a weak pointer knows of its target.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liveness {
    Alive,
    /// It was alive, or never will be.
    Gone,
    /// It is gone, or not complete yet: which of the two, this kind of pointer cannot say.
    Absent,
}

/// A weak pointer to what a handle calls, in any flavor: std's own, or that of an owner that is
/// [tracked](crate::HazardArc).
///
/// # Safety
/// Where [`ENTERS_BY_EXCHANGE`](Self::ENTERS_BY_EXCHANGE) is true, that is so.
#[doc(hidden)]
pub unsafe trait Link: Clone {
    type Target: ?Sized;
    /// Keeps the target alive.
    type Strong: Hold<Target = Self::Target, Strong = Self::Strong> + Clone;

    /// Whether [`upgrade`](Self::upgrade) and [`enter`](Self::enter), when they succeed, have made an atomic
    /// read-modify-write. The order that [`ReaderCell::begin`](super::ReaderCell::begin) speaks of may rest on it.
    const ENTERS_BY_EXCHANGE: bool;

    fn upgrade(&self) -> Option<Self::Strong>;
    fn liveness(&self) -> Liveness;
    /// Where the target is, or was, or will be.
    fn address(&self) -> *const ();
    /// Whether the target knows the method, and not the handle's type.
    const KNOWS_METHOD: bool = false;
    /// What tells the method from others, and its name, where the target knows that.
    fn method(&self) -> (TypeId, &'static str) {
        unreachable!("the handle's type knows the method")
    }

    /// Keeps the target alive for one call of an emission.
    type Entered<'a>: Hold<Target = Self::Target, Strong = Self::Strong>
    where
        Self: 'a;

    /// Enters the target.
    ///
    /// # Safety
    /// The memory of the target is kept, by this link or another, until `caller` is dropped. That enters one
    /// target at a time.
    unsafe fn enter(&self, caller: &mut Caller<'_>) -> Result<Self::Entered<'_>, NotCalled>;

    /// SplitToken after the target was entered: nothing of what was entered before is to be looked at before it is left.
    #[inline(always)]
    fn forget_left(&self, _caller: &mut Caller<'_>) {}

    /// Whether there is anything to finish.
    const FINISHES_ENTERING: bool = false;
    /// Finishes what [`enter`](Self::enter) has begun. Says whether it is worth entering the target once more.
    ///
    /// # Safety
    /// As for `enter`, which has just said [`Begun`](NotCalled::Begun).
    unsafe fn finish_entering(&self, _caller: &mut Caller<'_>) -> bool {
        true
    }
}

/// Why a target was not called, or not yet.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotCalled {
    /// The owner is gone.
    Dead,
    /// The signal has to be asked.
    Asks,
    /// The caller has no cell yet.
    NeedsCell,
    /// The target is being entered: [`Link::finish_entering`].
    Begun,
}
