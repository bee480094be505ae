//! A bound that never holds.

use core::marker::PhantomData;

/// Holds for nothing: no type implements it.
pub(crate) trait Impossible {}

/// The type of which it is asked. It names another, since the compiler refuses a bound that is false for all.
pub(crate) struct Never<T: ?Sized>(PhantomData<T>);
