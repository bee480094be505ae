//! How the slots of an asynchronous signal start the futures of their handlers.

use core::task::Poll;

#[cfg(feature = "tokio")]
use super::AsyncMutMethod;
use super::{AsyncClosure, AsyncMethod, Limit, Request};
use crate::base::Outcome;
#[cfg(feature = "tokio")]
use crate::raw::MaybeSendSync;
use crate::raw::{Again, Flavor, Hold, Invoke, MaybeSend, Target};

/// What a handler returns at once: its outcome, or that it is pending.
pub(crate) type Answer<R> = Poll<Outcome<R>>;

/// Calls an `async` method of the owner.
pub(crate) struct CallAsync;

impl<O, E, R, M, L, F> Invoke<(M, L), O, Request<E, R, F>, Answer<R>, F> for CallAsync
where
    O: ?Sized + 'static,
    E: ?Sized + 'static,
    R: 'static,
    M: for<'a> AsyncMethod<'a, O, E, R, Future: MaybeSend<F>> + 'static,
    L: Limit,
    F: Flavor,
{
    type Method = M;
    #[inline(always)]
    fn invoke(
        (method, limit): &(M, L),
        owner: Target<impl Hold<Target = O>, F>,
        request: &Request<E, R, F>,
    ) -> Option<Answer<R>> {
        // SAFETY: the method starts its future for arguments of any lifetime, so it keeps them
        // nowhere else. The future is `MaybeSend` by the bound.
        unsafe { request.start(owner, |owner, event| method.start(owner, event), limit, None) }
    }
    #[inline(always)]
    fn invoke_or_again(
        (method, limit): &(M, L),
        owner: Target<impl Hold<Target = O>, F>,
        request: &Request<E, R, F>,
        again: Again<'_, Request<E, R, F>, Answer<R>>,
    ) -> Option<Answer<R>> {
        let make = |owner, event| method.start(owner, event);
        // SAFETY: as in `invoke`.
        unsafe { request.start(owner, make, limit, Some(again)) }
    }
}

/// Calls an `async` closure. The target is the closure with its limit, which is kept alive while
/// its future exists.
pub(crate) struct CallAsyncClosure;

impl<C, E, R, L, F> Invoke<(), (C, L), Request<E, R, F>, Answer<R>, F> for CallAsyncClosure
where
    C: for<'a> AsyncClosure<'a, E, R, Future: MaybeSend<F>> + 'static,
    E: ?Sized + 'static,
    R: 'static,
    L: Limit,
    F: Flavor,
{
    type Method = C;
    fn invoke(
        (): &(),
        closure: Target<impl Hold<Target = (C, L)>, F>,
        request: &Request<E, R, F>,
    ) -> Option<Answer<R>> {
        let limit = closure.1.clone();
        // SAFETY: as in `CallAsync::invoke`, with `AsyncClosure::Future`.
        unsafe { request.start(closure, |(closure, _), event| closure.start(event), &limit, None) }
    }
}

/// Calls an `async` method of the value in a tokio mutex, as soon as it has the lock.
#[cfg(feature = "tokio")]
pub(crate) struct CallAsyncLocked;

#[cfg(feature = "tokio")]
async fn lock_and_run<T: ?Sized, E: ?Sized, R, M>(
    method: M,
    owner: &tokio::sync::Mutex<T>,
    event: &E,
) -> R
where
    M: for<'x> AsyncMutMethod<'x, T, E, R>,
{
    let mut inner = owner.lock().await;
    method.start(&mut inner, event).await
}

#[cfg(feature = "tokio")]
impl<T, E, R, M, L, F> Invoke<(M, L), tokio::sync::Mutex<T>, Request<E, R, F>, Answer<R>, F>
    for CallAsyncLocked
where
    T: ?Sized + 'static,
    E: ?Sized + 'static,
    R: 'static,
    M: for<'x> AsyncMutMethod<'x, T, E, R, Future: MaybeSend<F>>
        + MaybeSendSync<F>
        + Clone
        + 'static,
    L: Limit,
    F: Flavor,
{
    type Method = M;
    fn invoke(
        (method, limit): &(M, L),
        owner: Target<impl Hold<Target = tokio::sync::Mutex<T>>, F>,
        request: &Request<E, R, F>,
    ) -> Option<Answer<R>> {
        let start = |owner, event| lock_and_run::<T, E, R, M>(method.clone(), owner, event);
        // SAFETY: as in `CallAsync::invoke`, with `AsyncMutMethod::Future`. For a thread-safe
        // flavor the future is `Send` if `E` is `Sync`. It contains the method, which is `Send`;
        // the method's future, which is `MaybeSend`; a reference to the mutex, which is `Sync`
        // since targets are; and a guard of the mutex, which is no more than such a reference.
        unsafe { request.start(owner, start, limit, None) }
    }
}

/// Calls a method that is not async.
pub(crate) struct CallSync;

impl<O, E, R, M, F> Invoke<M, O, Request<E, R, F>, Answer<R>, F> for CallSync
where
    O: ?Sized,
    E: ?Sized,
    M: Fn(&O, &E) -> R + 'static,
    F: Flavor,
{
    type Method = M;
    fn invoke(
        method: &M,
        owner: Target<impl Hold<Target = O>, F>,
        request: &Request<E, R, F>,
    ) -> Option<Answer<R>> {
        Some(Answer::Ready(Outcome::Returned(method(&owner, request.event()))))
    }
}
