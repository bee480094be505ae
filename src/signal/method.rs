//! Weak method handles: a method and a weak reference to its object.

use core::any::TypeId;
use core::fmt;
use core::hash::{Hash, Hasher};

use super::callable::Method;
use super::owner::{InteriorMut, Owner};
use crate::raw::Flavor;
use crate::raw::{Checked, Handle, Hold, Invoke, KeepAlive, MaybeSendSync, Target};
use crate::slots::Connection;

/// Calls a method that takes `&self`, or a closure whose first parameter is the owner.
pub(crate) struct ByRef;

impl<O, E, R, M, F> Invoke<M, O, E, R, F> for ByRef
where
    O: ?Sized,
    E: ?Sized,
    M: Fn(&O, &E) -> R + 'static,
    F: Flavor,
{
    type Method = M;
    #[inline(always)]
    fn invoke(method: &M, owner: Target<impl Hold<Target = O>, F>, event: &E) -> Option<R> {
        Some(method(&owner, event))
    }
}

/// Calls a method that takes `&mut self`.
pub(crate) struct ByMut;

impl<O, E, R, M, F> Invoke<M, O, E, R, F> for ByMut
where
    O: ?Sized + InteriorMut,
    E: ?Sized,
    M: Fn(&mut O::Inner, &E) -> R + 'static,
    F: Flavor,
{
    type Method = M;
    fn invoke(method: &M, owner: Target<impl Hold<Target = O>, F>, event: &E) -> Option<R> {
        Some(owner.with_mut(|inner| method(inner, event)))
    }
}

/// Calls a method that also gets the connection of its own slot.
pub(crate) struct Extended;

impl<O, E, R, M, F> Invoke<(M, Connection<F>), O, E, R, F> for Extended
where
    O: ?Sized,
    E: ?Sized,
    M: Fn(&O, &Connection<F>, &E) -> R + 'static,
    F: Flavor,
{
    type Method = M;
    fn invoke(
        (method, connection): &(M, Connection<F>),
        owner: Target<impl Hold<Target = O>, F>,
        event: &E,
    ) -> Option<R> {
        Some(method(&owner, connection, event))
    }
}

/// A method of an object, where the object is held weakly. It is the counterpart of Python's
/// `weakref.WeakMethod`.
///
/// Generic over the flavor. Its everyday names are [`WeakMethod`](crate::WeakMethod) and
/// [`local::WeakMethod`](crate::local::WeakMethod).
///
/// It does not keep the object alive, and can be called as long as something else does. Two
/// `WeakMethod`s are equal if they are the same method of the same object. Equality and hash stay
/// the same after the object is gone. A method is identified by its type. Therefore all `fn`
/// pointers with the same signature count as one method, and so do all closures made by the same
/// closure expression.
///
/// ```
/// use sigwire::WeakMethod;
/// use std::sync::Arc;
///
/// struct Foo;
/// impl Foo {
///     fn say(&self, word: &str) -> String {
///         format!("Foo says {word}")
///     }
/// }
///
/// let foo = Arc::new(Foo);
/// let say = WeakMethod::new(&foo, Foo::say);
/// assert_eq!(say.upgrade().expect("foo is alive").call("hi"), "Foo says hi");
/// assert_eq!(say.call("ho").as_deref(), Some("Foo says ho"));
///
/// drop(foo);
/// assert!(!say.is_alive());
/// assert_eq!(say.call("hm"), None);
/// ```
///
/// # Cost
/// A method path, or a closure without captures, of a sized owner needs no allocation. Any other
/// method needs one. A call upgrades the owner and releases it. For a `HazardArc` owner, a call
/// does what an emission to one slot does.
pub struct WeakMethod<E: ?Sized + 'static, R: 'static, F: Flavor> {
    pub(crate) handle: Handle<E, R, F>,
    pub(crate) keep_alive: Option<KeepAlive<F>>,
}

impl<E: ?Sized + 'static, R: 'static, F: Flavor> WeakMethod<E, R, F> {
    /// Makes a handle to a method of `owner`. The method is a path such as `Panel::on_click`, or a
    /// closure whose first parameter is the owner.
    pub fn new<O, M>(owner: &O, method: M) -> Self
    where
        O: Owner<F>,
        M: Method<O::Target, E, R> + MaybeSendSync<F>,
    {
        let (handle, keep_alive) =
            Handle::new::<ByRef, _, _>(Checked::new(owner.weak()), Checked::new(method));
        WeakMethod { handle, keep_alive }
    }

    /// Binds the method to its object, which then stays alive as long as the [`BoundMethod`].
    /// Returns `None` if the object is gone.
    pub fn upgrade(&self) -> Option<BoundMethod<E, R, F>> {
        let owner = self.handle.pin()?;
        Some(BoundMethod { method: self.clone(), _owner: owner })
    }

    /// Calls the method. Returns `None` if the object is gone.
    pub fn call(&self, event: &E) -> Option<R> {
        self.handle.call(event)
    }

    /// Whether the object is alive.
    pub fn is_alive(&self) -> bool {
        self.handle.is_alive()
    }

    fn identity(&self) -> (*const (), TypeId) {
        (self.handle.owner(), self.handle.method())
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Flavor> Clone for WeakMethod<E, R, F> {
    fn clone(&self) -> Self {
        WeakMethod { handle: self.handle.clone(), keep_alive: self.keep_alive.clone() }
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Flavor> PartialEq for WeakMethod<E, R, F> {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Flavor> Eq for WeakMethod<E, R, F> {}

impl<E: ?Sized + 'static, R: 'static, F: Flavor> Hash for WeakMethod<E, R, F> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Flavor> fmt::Debug for WeakMethod<E, R, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakMethod")
            .field("method", &self.handle.name())
            .field("owner", &self.handle.owner())
            .field("is_alive", &self.is_alive())
            .finish()
    }
}

/// A method together with its object, which it keeps alive. Made by [`WeakMethod::upgrade`].
///
/// Generic over the flavor. Its everyday names are [`BoundMethod`](crate::BoundMethod) and
/// [`local::BoundMethod`](crate::local::BoundMethod).
#[must_use = "it keeps the object alive, and does nothing else until it is called"]
pub struct BoundMethod<E: ?Sized + 'static, R: 'static, F: Flavor> {
    method: WeakMethod<E, R, F>,
    _owner: KeepAlive<F>,
}

impl<E: ?Sized + 'static, R: 'static, F: Flavor> BoundMethod<E, R, F> {
    /// Calls the method.
    ///
    /// # Panics
    /// If the method panics.
    pub fn call(&self, event: &E) -> R {
        self.method.call(event).expect("a bound method keeps its object alive")
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Flavor> fmt::Debug for BoundMethod<E, R, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundMethod")
            .field("method", &self.method.handle.name())
            .field("owner", &self.method.handle.owner())
            .finish()
    }
}
