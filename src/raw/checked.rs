use core::marker::PhantomData;

use crate::family::Local;

/// What a slot may hold: anything that is `Send + Sync` in a thread-safe family, anything at all in one for a
/// single thread.
///
/// # Safety
/// For a thread-safe family, what implements it is `Send + Sync`.
pub unsafe trait MaybeSendSync<F> {}

/// What a task may hold: anything that is `Send` in a thread-safe family, anything at all in one for a single
/// thread.
///
/// # Safety
/// For a thread-safe family, what implements it is `Send`.
#[cfg(feature = "async")]
pub unsafe trait MaybeSend<F> {}

// SAFETY: no thread-safe family.
unsafe impl<T: ?Sized> MaybeSendSync<Local> for T {}
// SAFETY: no thread-safe family.
#[cfg(feature = "async")]
unsafe impl<T: ?Sized> MaybeSend<Local> for T {}

#[cfg(feature = "std")]
mod shared {
    use crate::family::Shared;
    // SAFETY: it is what is asked for.
    unsafe impl<T: ?Sized + Send + Sync> super::MaybeSendSync<Shared> for T {}
    // SAFETY: it is what is asked for.
    #[cfg(feature = "async")]
    unsafe impl<T: ?Sized + Send> super::MaybeSend<Shared> for T {}
}

#[cfg(all(test, sigwire_loom))]
mod modelled {
    use crate::models::LoomFamily;
    // SAFETY: loom runs all its threads on one.
    unsafe impl<T: ?Sized, const B: bool> super::MaybeSendSync<LoomFamily<B>> for T {}
    // SAFETY: loom runs all its threads on one.
    #[cfg(feature = "async")]
    unsafe impl<T: ?Sized, const B: bool> super::MaybeSend<LoomFamily<B>> for T {}
}

/// A value that was checked to be [`MaybeSendSync`], also where that cannot be said of its type: the compiler
/// knows no such thing of pairs.
pub(crate) struct Checked<V, F>(pub(super) V, PhantomData<fn() -> F>);

impl<V, F> Checked<V, F> {
    #[inline(always)]
    pub(crate) fn new(value: V) -> Self
    where
        V: MaybeSendSync<F>,
    {
        Checked(value, PhantomData)
    }

    /// For what is good for any family.
    #[cfg(any(feature = "async", test))]
    pub(crate) fn any(value: V) -> Self
    where
        V: Send + Sync,
    {
        Checked(value, PhantomData)
    }

    pub(crate) fn and<W>(self, other: Checked<W, F>) -> Checked<(V, W), F> {
        Checked((self.0, other.0), PhantomData)
    }
}
