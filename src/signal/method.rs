//! Weak method handles: a method of an object that can be called as long as the object lives.

use core::any::TypeId;
use core::fmt;
use core::hash::{Hash, Hasher};

use super::callable::Method;
use super::owner::{InteriorMut, Owner};
use crate::raw::Flavor;
use crate::raw::{Checked, Handle, Hold, Invoke, KeepAlive, MaybeSendSync, Target};
use crate::slots::Connection;

/// A method that takes `&self`, or a closure with the owner first.
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

/// A method that takes `&mut self`.
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

/// A method that gets the connection of its own slot.
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

/// A method of an object, held weakly: the `weakref.WeakMethod` of this crate.
///
/// Generic over the flavor. Its everyday names are [`WeakMethod`](crate::WeakMethod) and
/// [`local::WeakMethod`](crate::local::WeakMethod).
///
/// It does not keep the object alive, and can be called as long as something else does. Two are
/// equal when they are the same method of the same object; that stays so, and so does the hash,
/// when the object is gone. A method is known by its type: all `fn` pointers of one signature
/// count as one method, and so do closures that one closure expression made.
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
/// Nothing is allocated for a method path, or a closure without captures, of a sized owner. For any
/// other method one allocation holds it. A call upgrades the owner and releases it; for a `HazardArc` owner it does
/// what an emission to one slot does.
pub struct WeakMethod<E: ?Sized + 'static, R: 'static, F: Flavor> {
    pub(crate) handle: Handle<E, R, F>,
    pub(crate) keep_alive: Option<KeepAlive<F>>,
}

impl<E: ?Sized + 'static, R: 'static, F: Flavor> WeakMethod<E, R, F> {
    /// The method `method` of `owner`: a method path such as `Panel::on_click`, or a closure with
    /// the owner first.
    pub fn new<O, M>(owner: &O, method: M) -> Self
    where
        O: Owner<F>,
        M: Method<O::Target, E, R> + MaybeSendSync<F>,
    {
        let (handle, keep_alive) =
            Handle::new::<ByRef, _, _>(Checked::new(owner.weak()), Checked::new(method));
        WeakMethod { handle, keep_alive }
    }

    /// The method bound to its object, which stays alive as long as the [`BoundMethod`] does.
    /// `None` when the object is gone.
    pub fn upgrade(&self) -> Option<BoundMethod<E, R, F>> {
        let owner = self.handle.pin()?;
        Some(BoundMethod { method: self.clone(), _owner: owner })
    }

    /// Calls the method. `None` when the object is gone.
    pub fn call(&self, event: &E) -> Option<R> {
        self.handle.call(event)
    }

    /// Whether the object is there.
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

/// A method with its object, which it keeps alive. Made by [`WeakMethod::upgrade`].
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
    /// When the method does.
    pub fn call(&self, event: &E) -> R {
        self.method.call(event).expect("a bound method keeps its object")
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
