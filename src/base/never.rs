//! A type that no bound on it holds for.

use core::marker::PhantomData;

/// `Never<T>: Fn()` holds for no `T`, and the compiler knows that everywhere: `Fn` is fundamental, so
/// no crate but this one could implement it for `Never`. (For a trait of our own, other crates would
/// have to expect that it is implemented later, and their impls for all `M: Method<..>` would
/// conflict with those for their own types.) It names another type, since the compiler refuses a
/// bound that is false for all.
pub(crate) struct Never<T: ?Sized>(PhantomData<T>);
