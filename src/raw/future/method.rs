//! What can be a handler: the bounds on asynchronous methods and closures, and what the compiler
//! says where they do not hold.
//!
//! Each has an `AsyncFn` as its supertrait, from which the compiler infers the types of a closure's
//! parameters. `AsyncFn` alone cannot say that the future must be `Send`.
//!
//! Each has a second impl, which never applies. With one impl, the compiler would take it and report
//! what is missing for it. With two it has to choose. It finds that neither applies, and prints the
//! message of the trait.

// These messages do not reach one mistake: an `async` closure that lends what it captures to its
// future. The compiler says that it "does not implement `Fn` because it captures state from its
// environment", and quotes the line of the bound. So in `AsyncSource` and `AsyncSlotOptions` a comment
// in that line says what to do.

use core::future::Future;

use crate::base::Never;

/// An `async` method that can be a handler: the path of an `async fn(&self, &E) -> R` of the owner,
/// or an async closure that takes the owner first, `async |owner, event| ..`. Its future may borrow
/// from both.
///
/// You do not implement this trait: everything with this shape has it. In thread-safe signals the
/// future must be `Send`.
#[diagnostic::on_unimplemented(
    message = "this is no `async` method that a handler can be: `async Fn(&{T}, &{E}) -> {R}` is needed",
    label = "not `async Fn(&{T}, &{E}) -> {R}`",
    note = "for a method that is not `async`, use `connect_sync`",
    note = "for a method that takes `&mut self`, put the owner in tokio's `Mutex`, and use `connect_mut`",
    note = "for a method without a parameter for the event, use a closure: `async |owner, _| owner.method().await`",
    note = "for a closure that returns a future, write the types: `|owner: &T, event: &E| async move {{ .. }}`"
)]
pub trait AsyncMethod<'a, T: ?Sized, E: ?Sized, R>: AsyncFn(&T, &E) -> R {
    #[doc(hidden)]
    type Future: Future<Output = R> + 'a;
    #[doc(hidden)]
    fn start(&self, owner: &'a T, event: &'a E) -> Self::Future;
}

impl<'a, T, E, R, M, V> AsyncMethod<'a, T, E, R> for M
where
    T: ?Sized + 'a,
    E: ?Sized + 'a,
    M: AsyncFn(&T, &E) -> R + Fn(&'a T, &'a E) -> V,
    V: Future<Output = R> + 'a,
{
    type Future = V;
    #[inline(always)]
    fn start(&self, owner: &'a T, event: &'a E) -> V {
        self(owner, event)
    }
}

#[doc(hidden)]
impl<'a, T: ?Sized + 'a, E: ?Sized + 'a, R, M> AsyncMethod<'a, T, E, R> for M
where
    Never<M>: Fn(),
    M: AsyncMethod<'a, T, E, R>,
{
    type Future = <M as AsyncMethod<'a, T, E, R>>::Future;
    fn start(&self, _: &'a T, _: &'a E) -> Self::Future {
        unreachable!("it holds for nothing")
    }
}

/// An async closure, or one that returns a future, that can be a handler without owner.
#[diagnostic::on_unimplemented(
    message = "this is no `async` closure that a handler can be: `async Fn(&{E}) -> {R}` is needed",
    label = "not `async Fn(&{E}) -> {R}`",
    note = "for a closure that does not wait, write `async` all the same: `async |event| ..`",
    note = "for a closure that returns a future, write the type: `|event: &E| async move {{ .. }}`",
    note = "for a method of an object, use `connect(&owner, Owner::method)`"
)]
pub trait AsyncClosure<'a, E: ?Sized, R>: AsyncFn(&E) -> R {
    #[doc(hidden)]
    type Future: Future<Output = R> + 'a;
    #[doc(hidden)]
    fn start(&self, event: &'a E) -> Self::Future;
}

impl<'a, E, R, C, V> AsyncClosure<'a, E, R> for C
where
    E: ?Sized + 'a,
    C: AsyncFn(&E) -> R + Fn(&'a E) -> V,
    V: Future<Output = R> + 'a,
{
    type Future = V;
    fn start(&self, event: &'a E) -> V {
        self(event)
    }
}

#[doc(hidden)]
impl<'a, E: ?Sized + 'a, R, C> AsyncClosure<'a, E, R> for C
where
    Never<C>: Fn(),
    C: AsyncClosure<'a, E, R>,
{
    type Future = <C as AsyncClosure<'a, E, R>>::Future;
    fn start(&self, _: &'a E) -> Self::Future {
        unreachable!("it holds for nothing")
    }
}

/// An `async` method that takes `&mut self`, for
/// [`connect_mut`](crate::generic::AsyncSource::connect_mut).
#[cfg(feature = "tokio")]
#[diagnostic::on_unimplemented(
    message = "this is no `async` method that a handler can be: `async Fn(&mut {T}, &{E}) -> {R}` is needed",
    label = "not `async Fn(&mut {T}, &{E}) -> {R}`",
    note = "for a method that takes `&self`, use `connect`",
    note = "for a method that is not `async`, use a closure: `async |owner, event| owner.method(event)`",
    note = "for a method without a parameter for the event, use a closure: `async |owner, _| owner.method().await`"
)]
pub trait AsyncMutMethod<'a, T: ?Sized, E: ?Sized, R>: AsyncFn(&mut T, &E) -> R {
    #[doc(hidden)]
    type Future: Future<Output = R> + 'a;
    #[doc(hidden)]
    fn start(&self, owner: &'a mut T, event: &'a E) -> Self::Future;
}

#[cfg(feature = "tokio")]
impl<'a, T, E, R, M, V> AsyncMutMethod<'a, T, E, R> for M
where
    T: ?Sized + 'a,
    E: ?Sized + 'a,
    M: AsyncFn(&mut T, &E) -> R + Fn(&'a mut T, &'a E) -> V,
    V: Future<Output = R> + 'a,
{
    type Future = V;
    fn start(&self, owner: &'a mut T, event: &'a E) -> V {
        self(owner, event)
    }
}

#[cfg(feature = "tokio")]
#[doc(hidden)]
impl<'a, T: ?Sized + 'a, E: ?Sized + 'a, R, M> AsyncMutMethod<'a, T, E, R> for M
where
    Never<M>: Fn(),
    M: AsyncMutMethod<'a, T, E, R>,
{
    type Future = <M as AsyncMutMethod<'a, T, E, R>>::Future;
    fn start(&self, _: &'a mut T, _: &'a E) -> Self::Future {
        unreachable!("it holds for nothing")
    }
}
