//! The traits of the weak and strong pointers that handles are made of.

use core::any::TypeId;
use core::marker::PhantomData;
use core::ops::Deref;

use super::Caller;

/// Keeps a target alive while it is called.
///
/// # Safety
/// The target is alive, and does not move, as long as this pointer exists, or the pointer that
/// [`keep`](Self::keep) returns. That holds also when the pointer itself moves.
#[doc(hidden)]
pub unsafe trait Hold: Deref {
    type Strong: Hold<Target = Self::Target, Strong = Self::Strong>;
    /// Turns this into a strong pointer, which may be kept after the call. `None` if the target has
    /// no owner any more.
    fn keep(self) -> Option<Self::Strong>;
    /// Whether dropping this is known to drop the target too. False where that is costly to know.
    #[inline(always)]
    fn is_last(&self) -> bool {
        false
    }
}

// SAFETY: the target is borrowed for `'static`.
#[cfg(feature = "async")]
unsafe impl<T: ?Sized> Hold for &'static T {
    type Strong = Self;
    fn keep(self) -> Option<Self> {
        Some(self)
    }
}

/// A target that a handle refers to. In a thread-safe flavor it is `Send + Sync`.
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

/// What a weak pointer knows about its target.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liveness {
    Alive,
    /// It was dropped, or never will exist.
    Gone,
    /// It was dropped or is not complete yet: this kind of pointer cannot distinguish the two.
    Absent,
}

/// A weak pointer to what a handle calls, in any flavor: std's own, or that of a
/// [`HazardArc`](crate::HazardArc).
///
/// # Safety
/// If [`ENTERS_BY_EXCHANGE`](Self::ENTERS_BY_EXCHANGE) is true, then in a flavor with threads each
/// successful call of [`upgrade`](Self::upgrade) or [`enter`](Self::enter) performs an atomic
/// read-modify-write.
#[doc(hidden)]
pub unsafe trait Link: Clone {
    type Target: ?Sized;
    /// A strong pointer to the target.
    type Strong: Hold<Target = Self::Target, Strong = Self::Strong> + Clone;

    /// Whether a successful [`upgrade`](Self::upgrade) or [`enter`](Self::enter) performs an atomic
    /// read-modify-write. The order described at [`ReaderCell::begin`](super::ReaderCell::begin)
    /// may rest on it.
    const ENTERS_BY_EXCHANGE: bool;

    fn upgrade(&self) -> Option<Self::Strong>;
    fn liveness(&self) -> Liveness;
    /// Where the target is, or was, or will be.
    fn address(&self) -> *const ();
    /// Whether the target knows its method, instead of the handle's type.
    const KNOWS_METHOD: bool = false;
    /// The type that identifies the method, and its name. Only if the target knows its method.
    fn method(&self) -> (TypeId, &'static str) {
        unreachable!("the handle's type knows the method")
    }

    /// Keeps the target alive for one call of an emission.
    type Entered<'a>: Hold<Target = Self::Target, Strong = Self::Strong>
    where
        Self: 'a;

    /// Enters the target, if it is alive.
    ///
    /// # Safety
    /// - This link or another one keeps the target's memory until `caller` is dropped.
    /// - A caller enters one target at a time: what it entered before was dropped. It may enter the
    ///   same target again meanwhile; then it only drops the outer pointer afterwards.
    /// - What it entered is dropped before `caller` is. After [`NotCalled::Begun`],
    ///   [`finish_entering`](Self::finish_entering) is called before either.
    unsafe fn enter(&self, caller: &mut Caller<'_>) -> Result<Self::Entered<'_>, NotCalled>;

    /// Called right after this target was entered. From now on `caller` does not look again at the
    /// target that it left before, until it leaves this one.
    #[inline(always)]
    fn forget_left(&self, _caller: &mut Caller<'_>) {}

    /// Whether [`finish_entering`](Self::finish_entering) does anything.
    const FINISHES_ENTERING: bool = false;
    /// Finishes what [`enter`](Self::enter) has begun. Returns whether to enter the target once
    /// more.
    ///
    /// # Safety
    /// As for `enter`, which has just returned [`Begun`](NotCalled::Begun) for this target.
    unsafe fn finish_entering(&self, _caller: &mut Caller<'_>) -> bool {
        true
    }
}

/// Why a target was not called, or not yet.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotCalled {
    /// The owner is gone, or not complete yet.
    Dead,
    /// The signal has to be asked.
    Asks,
    /// The caller has no hazard cell yet.
    NeedsCell,
    /// Entering the target has begun: see [`Link::finish_entering`].
    Begun,
}
