//! What can be a handler.

use core::future::Future;

use super::{Answer, Event};
use crate::family::{Family, Local, Shared};
use crate::outcome::Outcome;
use crate::raw::{Hold, Invoke};

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
    type Future: Future<Output = R> + Moves<F> + 'a;
    #[doc(hidden)]
    fn start(&self, owner: &'a T, event: &'a E) -> Self::Future;
}

impl<'a, T, E, R, F, M, V> AsyncMethod<'a, T, E, R, F> for M
where
    T: ?Sized + 'a,
    E: ?Sized + 'a,
    M: Fn(&'a T, &'a E) -> V,
    V: Future<Output = R> + Moves<F> + 'a,
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
    type Future: Future<Output = R> + Moves<F> + 'a;
    #[doc(hidden)]
    fn start(&self, event: &'a E) -> Self::Future;
}

impl<'a, E, R, F, C, V> AsyncClosure<'a, E, R, F> for C
where
    E: ?Sized + 'a,
    C: Fn(&'a E) -> V,
    V: Future<Output = R> + Moves<F> + 'a,
{
    type Future = V;
    fn start(&self, event: &'a E) -> V {
        self(event)
    }
}

/// An `async` method that takes `&mut self`, for [`connect_mut`](super::AsyncSource::connect_mut).
#[cfg(feature = "tokio")]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no `async` method of `&mut {T}` for this signal's events",
    label = "cannot be a handler here",
    note = "`connect_mut` takes `async fn(&mut self, event: &E) -> R`, of an owner in an `Arc<tokio::sync::Mutex<T>>`; \
            in a thread-safe `AsyncSignal` its future must be `Send`"
)]
pub trait AsyncMutMethod<'a, T: ?Sized, E: ?Sized, R, F> {
    #[doc(hidden)]
    type Future: Future<Output = R> + Moves<F> + 'a;
    #[doc(hidden)]
    fn start(&self, owner: &'a mut T, event: &'a E) -> Self::Future;
}

#[cfg(feature = "tokio")]
impl<'a, T, E, R, F, M, V> AsyncMutMethod<'a, T, E, R, F> for M
where
    T: ?Sized + 'a,
    E: ?Sized + 'a,
    M: Fn(&'a mut T, &'a E) -> V,
    V: Future<Output = R> + Moves<F> + 'a,
{
    type Future = V;
    fn start(&self, owner: &'a mut T, event: &'a E) -> V {
        self(owner, event)
    }
}

/// What the futures of this flavour's handlers must be: `Send` in thread-safe signals, anything in
/// [`local`](crate::local). Sealed: it holds for a type or does not.
#[diagnostic::on_unimplemented(
    message = "the future of this handler cannot be sent between threads",
    label = "not `Send`",
    note = "it holds something across an `.await` that is not `Send`; \
            `sigwire::local::AsyncSignal` takes such handlers"
)]
pub trait Moves<F>: sealed::Moves<F> {}

impl<F, V: sealed::Moves<F>> Moves<F> for V {}

mod sealed {
    use super::{Local, Shared};
    pub trait Moves<F> {}
    impl<V> Moves<Local> for V {}
    // `Send` is what the `unsafe impl` for tasks counts on.
    impl<V: Send> Moves<Shared> for V {}
    #[cfg(all(test, sigwire_loom))]
    impl<V> Moves<crate::models::Modelled> for V {}
}

/// How long a handler may take.
pub(super) trait Limit: Clone + 'static {
    /// What comes of a handler that would return an `R`.
    type Output<R>;
    type Limited<V: Future>: Future<Output = Self::Output<V::Output>>;
    fn limit<V: Future>(&self, future: V) -> Self::Limited<V>;
    fn outcome<R>(output: Self::Output<R>) -> Outcome<R>;
}

/// As long as it takes.
#[derive(Clone)]
pub(super) struct NoLimit;

impl Limit for NoLimit {
    type Output<R> = R;
    type Limited<V: Future> = V;
    #[inline(always)]
    fn limit<V: Future>(&self, future: V) -> V {
        future
    }
    #[inline(always)]
    fn outcome<R>(result: R) -> Outcome<R> {
        Outcome::Returned(result)
    }
}

/// A method or a closure, and how long it may take.
pub(super) struct Limited<M, L> {
    pub(super) method: M,
    pub(super) limit: L,
}

/// Calls an async method.
impl<O, E, R, M, L, F> Invoke<O, Event<E, R, F>, Answer<R>, F> for Limited<M, L>
where
    O: ?Sized + 'static,
    E: ?Sized + 'static,
    R: 'static,
    M: for<'a> AsyncMethod<'a, O, E, R, F> + 'static,
    L: Limit,
    F: Family,
{
    type Method = M;
    #[inline(always)]
    fn invoke(&self, owner: impl Hold<Target = O>, request: &Event<E, R, F>) -> Option<Answer<R>> {
        let start = |owner, event| self.limit.limit(self.method.start(owner, event));
        request.start(owner, start, L::outcome::<R>)
    }
}

/// Calls a method that is not async.
pub(super) struct AtOnce<M>(pub(super) M);

impl<O, E, R, M, F> Invoke<O, Event<E, R, F>, Answer<R>, F> for AtOnce<M>
where
    O: ?Sized,
    E: ?Sized,
    M: Fn(&O, &E) -> R + 'static,
    F: Family,
{
    type Method = M;
    fn invoke(&self, owner: impl Hold<Target = O>, request: &Event<E, R, F>) -> Option<Answer<R>> {
        Some(Answer::Ready(Outcome::Returned((self.0)(&owner, request.event()))))
    }
}

/// Calls the target, which is a closure; keeps it while its future lives.
pub(super) struct Itself;

impl<C, E, R, L, F> Invoke<Limited<C, L>, Event<E, R, F>, Answer<R>, F> for Itself
where
    C: for<'a> AsyncClosure<'a, E, R, F> + 'static,
    E: ?Sized + 'static,
    R: 'static,
    L: Limit,
    F: Family,
{
    type Method = C;
    fn invoke(
        &self,
        closure: impl Hold<Target = Limited<C, L>>,
        request: &Event<E, R, F>,
    ) -> Option<Answer<R>> {
        fn start<'x, C: AsyncClosure<'x, E, R, F>, E: ?Sized, R, L: Limit, F>(
            closure: &'x Limited<C, L>,
            event: &'x E,
        ) -> L::Limited<C::Future> {
            closure.limit.limit(closure.method.start(event))
        }
        request.start(closure, start::<C, E, R, L, F>, L::outcome::<R>)
    }
}
