//! What can be connected: the bounds on methods and closures, and what the compiler says where they do not hold.
//!
//! Each has the bare `Fn` as its supertrait, from which the compiler infers the types of a closure's parameters,
//! and holds for whatever implements that. They are there for their messages.
//!
//! Of each there is a second impl, which never applies. Without it the compiler would take the only impl there is,
//! and complain of what is missing for that. With two it has to choose, finds that neither applies, and says what
//! is written here.

use crate::base::{Impossible, Never};

/// A method that a slot can call: `fn(&self, &E) -> R` of the owner by its path, such as `Panel::on_click`, or a
/// closure with the owner first, `|owner, event| ..`.
///
/// There is nothing to implement: it is `Fn(&T, &E) -> R` by another name.
#[diagnostic::on_unimplemented(
    message = "this is no method that a slot can call: `Fn(&{T}, &{E}) -> {R}` is needed",
    label = "not `Fn(&{T}, &{E}) -> {R}`",
    note = "for a method that takes `&mut self`, put the owner in a `Mutex`, a `RwLock` or, in `local`, \
            a `RefCell`, and use `connect_mut`",
    note = "for a method without a parameter for the event, use a closure: `|owner, _| owner.method()`",
    note = "for an `async` method, use an `AsyncSignal`",
    note = "for a method that takes or returns another type, use a closure that converts: \
            `|owner, event| {{ owner.method(event); }}`"
)]
pub trait Method<T: ?Sized, E: ?Sized, R>: Fn(&T, &E) -> R {}

impl<T: ?Sized, E: ?Sized, R, M: Fn(&T, &E) -> R> Method<T, E, R> for M {}
#[doc(hidden)]
impl<T: ?Sized, E: ?Sized, R, M> Method<T, E, R> for M
where
    Never<M>: Impossible,
    M: Method<T, E, R>,
{
}

/// A method that takes `&mut self`: `fn(&mut self, &E) -> R` by its path, or a closure with the owner first,
/// `|owner, event| ..`.
///
/// There is nothing to implement: it is `Fn(&mut T, &E) -> R` by another name.
#[diagnostic::on_unimplemented(
    message = "this is no method that a slot can call: `Fn(&mut {T}, &{E}) -> {R}` is needed",
    label = "not `Fn(&mut {T}, &{E}) -> {R}`",
    note = "for a method that takes `&self`, use `connect`, or a closure: `|owner, event| owner.method(event)`",
    note = "for a method without a parameter for the event, use a closure: `|owner, _| owner.method()`",
    note = "for an `async` method, use an `AsyncSignal`, and tokio's `Mutex` around the owner",
    note = "for a method that takes or returns another type, use a closure that converts: \
            `|owner, event| {{ owner.method(event); }}`"
)]
pub trait MutMethod<T: ?Sized, E: ?Sized, R>: Fn(&mut T, &E) -> R {}

impl<T: ?Sized, E: ?Sized, R, M: Fn(&mut T, &E) -> R> MutMethod<T, E, R> for M {}
#[doc(hidden)]
impl<T: ?Sized, E: ?Sized, R, M> MutMethod<T, E, R> for M
where
    Never<M>: Impossible,
    M: MutMethod<T, E, R>,
{
}

/// A closure that a slot without owner can call: `|event| ..`.
///
/// There is nothing to implement: it is `Fn(&E) -> R` by another name.
#[diagnostic::on_unimplemented(
    message = "this is no closure that a slot can call: `Fn(&{E}) -> {R}` is needed",
    label = "not `Fn(&{E}) -> {R}`",
    note = "for an `async` closure, use an `AsyncSignal`",
    note = "for a method of an object, use `connect(&owner, Owner::method)`"
)]
pub trait Closure<E: ?Sized, R>: Fn(&E) -> R {}

impl<E: ?Sized, R, C: Fn(&E) -> R> Closure<E, R> for C {}
#[doc(hidden)]
impl<E: ?Sized, R, C> Closure<E, R> for C
where
    Never<C>: Impossible,
    C: Closure<E, R>,
{
}
