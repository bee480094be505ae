//! What can be a handler.

use core::future::Future;

use crate::raw::MaybeSend;

/// An `async` method that can be a handler: `async fn(&self, &E) -> R` of the owner by its path, or an async
/// closure with the owner first, `async |owner: &T, event: &E| ..`. Its future may borrow from both.
///
/// There is nothing to implement: it holds for whatever has this shape. In thread-safe signals the future
/// must be `Send`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no `async` method of `{T}` for this signal's events",
    label = "cannot be a handler here",
    note = "a handler is `async fn(&self, event: &E) -> R`, or `async |owner: &T, event: &E| ..` with both types \
            written out; for one that is not async use `connect_sync`",
    note = "the future of a thread-safe `AsyncSignal`'s handler must be `Send`; \
            `sigwire::local::AsyncSignal` takes any"
)]
pub trait AsyncMethod<'a, T: ?Sized, E: ?Sized, R, F> {
    #[doc(hidden)]
    type Future: Future<Output = R> + MaybeSend<F> + 'a;
    #[doc(hidden)]
    fn start(&self, owner: &'a T, event: &'a E) -> Self::Future;
}

impl<'a, T, E, R, F, M, V> AsyncMethod<'a, T, E, R, F> for M
where
    T: ?Sized + 'a,
    E: ?Sized + 'a,
    M: Fn(&'a T, &'a E) -> V,
    V: Future<Output = R> + MaybeSend<F> + 'a,
{
    type Future = V;
    #[inline(always)]
    fn start(&self, owner: &'a T, event: &'a E) -> V {
        self(owner, event)
    }
}

/// An async closure, or any that returns a future, that can be a handler without owner.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no `async` closure for this signal's events",
    label = "cannot be a handler here",
    note = "a handler without owner is `async |event: &E| ..` or `|event: &E| async move {{ .. }}`; \
            in a thread-safe `AsyncSignal` its future must be `Send`"
)]
pub trait AsyncClosure<'a, E: ?Sized, R, F> {
    #[doc(hidden)]
    type Future: Future<Output = R> + MaybeSend<F> + 'a;
    #[doc(hidden)]
    fn start(&self, event: &'a E) -> Self::Future;
}

impl<'a, E, R, F, C, V> AsyncClosure<'a, E, R, F> for C
where
    E: ?Sized + 'a,
    C: Fn(&'a E) -> V,
    V: Future<Output = R> + MaybeSend<F> + 'a,
{
    type Future = V;
    fn start(&self, event: &'a E) -> V {
        self(event)
    }
}

/// An `async` method that takes `&mut self`, for [`connect_mut`](crate::generic::AsyncSource::connect_mut).
#[cfg(feature = "tokio")]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no `async` method of `&mut {T}` for this signal's events",
    label = "cannot be a handler here",
    note = "`connect_mut` takes `async fn(&mut self, event: &E) -> R`, of an owner in an `Arc<tokio::sync::Mutex<T>>`; \
            in a thread-safe `AsyncSignal` its future must be `Send`"
)]
pub trait AsyncMutMethod<'a, T: ?Sized, E: ?Sized, R, F> {
    #[doc(hidden)]
    type Future: Future<Output = R> + MaybeSend<F> + 'a;
    #[doc(hidden)]
    fn start(&self, owner: &'a mut T, event: &'a E) -> Self::Future;
}

#[cfg(feature = "tokio")]
impl<'a, T, E, R, F, M, V> AsyncMutMethod<'a, T, E, R, F> for M
where
    T: ?Sized + 'a,
    E: ?Sized + 'a,
    M: Fn(&'a mut T, &'a E) -> V,
    V: Future<Output = R> + MaybeSend<F> + 'a,
{
    type Future = V;
    fn start(&self, owner: &'a mut T, event: &'a E) -> V {
        self(owner, event)
    }
}
