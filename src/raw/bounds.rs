//! `Send` and `Sync` bounds that hold for the thread-safe flavor only.

use core::marker::PhantomData;

use crate::raw::Local;

/// What a slot may hold: anything that is `Send + Sync` in a thread-safe signal, anything at all in
/// [`local`](crate::local). There is nothing to implement: it holds for a type or does not.
///
/// # Safety
/// For a thread-safe flavor, what implements it is `Send + Sync`.
#[diagnostic::on_unimplemented(
    message = "what this closure captures cannot be used by several threads",
    label = "not `Send + Sync`",
    note = "slots of a thread-safe `Signal` run on whichever thread emits: capture no `Rc`, `Cell` or `RefCell`, \
            but an `Arc`, an atomic or a `Mutex`",
    note = "for slots that stay on one thread, use a `sigwire::local::Signal`, which takes anything"
)]
pub unsafe trait MaybeSendSync<F>: 'static {}

/// What the future of a handler must be: `Send` in a thread-safe signal, anything at all in
/// [`local`](crate::local). There is nothing to implement: it holds for a type or does not.
///
/// # Safety
/// For a thread-safe flavor, what implements it is `Send`.
#[cfg(feature = "async")]
#[diagnostic::on_unimplemented(
    message = "the future of this handler cannot be sent between threads",
    label = "not `Send`",
    note = "it holds something across an `.await` that is not `Send`; \
            `sigwire::local::AsyncSignal` takes such handlers"
)]
pub unsafe trait MaybeSend<F> {}

// SAFETY: `Local` is not thread-safe, so there is nothing to promise.
unsafe impl<T: ?Sized + 'static> MaybeSendSync<Local> for T {}
// SAFETY: `Local` is not thread-safe, so there is nothing to promise.
#[cfg(feature = "async")]
unsafe impl<T: ?Sized> MaybeSend<Local> for T {}

#[cfg(feature = "std")]
mod shared {
    use crate::raw::Shared;
    // Otherwise the compiler says only that `Send` or `Sync` is missing, and not what to do.
    #[diagnostic::do_not_recommend]
    // SAFETY: the impl requires `Send + Sync`.
    unsafe impl<T: ?Sized + Send + Sync + 'static> super::MaybeSendSync<Shared> for T {}
    // SAFETY: the impl requires `Send`.
    #[cfg(feature = "async")]
    unsafe impl<T: ?Sized + Send> super::MaybeSend<Shared> for T {}
}

/// A value that was checked to be [`MaybeSendSync`]. Needed where the bound cannot be written: the
/// compiler cannot derive it for a pair from the bounds of its parts.
pub(crate) struct Checked<V, F>(pub(super) V, PhantomData<fn() -> F>);

impl<V, F> Checked<V, F> {
    #[inline(always)]
    pub(crate) fn new(value: V) -> Self
    where
        V: MaybeSendSync<F>,
    {
        Checked(value, PhantomData)
    }

    /// For a value that is `Send + Sync`, and so fits any flavor.
    #[cfg(any(feature = "async", all(test, feature = "std")))]
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
