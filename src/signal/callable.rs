//! What can be connected: the bounds on methods and closures, and the compiler's messages when they
//! do not hold.
//!
//! The supertrait of each bound is the bare `Fn`, from which the compiler infers the types of a
//! closure's parameters. Everything that implements that `Fn` implements the bound. The bounds
//! exist only for their messages.
//!
//! Each bound has a second impl, which never applies. With only one impl, the compiler would assume
//! that impl and complain about its unmet bounds. With two, it finds that neither applies, and
//! prints the message written here.

use crate::base::Never;

/// A method that a slot can call: either the path of a `fn(&self, &E) -> R` of the owner, such as
/// `Panel::on_click`, or a closure whose first parameter is the owner, `|owner, event| ..`.
///
/// You never implement this trait: it is another name for `Fn(&T, &E) -> R`.
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
    Never<M>: Fn(),
    M: Method<T, E, R>,
{
}

/// A method that takes `&mut self`: either the path of a `fn(&mut self, &E) -> R`, or a closure
/// whose first parameter is the owner, `|owner, event| ..`.
///
/// You never implement this trait: it is another name for `Fn(&mut T, &E) -> R`.
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
    Never<M>: Fn(),
    M: MutMethod<T, E, R>,
{
}

/// A closure that a slot without an owner can call: `|event| ..`.
///
/// You never implement this trait: it is another name for `Fn(&E) -> R`.
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
    Never<C>: Fn(),
    C: Closure<E, R>,
{
}
