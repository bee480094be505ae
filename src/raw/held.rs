use core::ops::Deref;
use std::sync::Arc;

use super::{Entry, Hold, Link};

/// What stands in a slot for an owner that is not called there.
pub(crate) trait Deputy {
    /// Whether the owner may be.
    fn is_alive(&self) -> bool;
    /// Where the owner is, or was.
    fn owner(&self) -> *const ();
}

/// A link that holds its target, so that an emission calls it without counting references.
pub(crate) struct Held<T>(Arc<T>);

impl<T> Held<T> {
    pub(super) fn new(target: T) -> Self {
        Held(Arc::new(target))
    }
}

impl<T> Clone for Held<T> {
    fn clone(&self) -> Self {
        Held(self.0.clone())
    }
}

impl<T: Deputy> Link for Held<T> {
    type Target = T;
    type Strong = Arc<T>;
    type Place = ();
    type Entered<'a>
        = Borrowed<'a, T>
    where
        T: 'a;

    fn upgrade(&self) -> Option<Arc<T>> {
        self.is_alive().then(|| self.0.clone())
    }
    fn is_alive(&self) -> bool {
        self.0.is_alive()
    }
    fn address(&self) -> *const () {
        self.0.owner()
    }
    #[inline(always)]
    fn place() -> Option<()> {
        Some(())
    }
    #[inline(always)]
    unsafe fn enter(&self, (): ()) -> Entry<Borrowed<'_, T>> {
        if self.0.is_alive() { Entry::Alive(Borrowed(&self.0)) } else { Entry::Dead }
    }
}

/// What the list of an emission keeps.
pub(crate) struct Borrowed<'a, T>(&'a Arc<T>);

impl<T> Deref for Borrowed<'_, T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        self.0
    }
}

impl<T> Hold for Borrowed<'_, T> {
    type Strong = Arc<T>;
    fn keep(self) -> Option<Arc<T>> {
        Some(self.0.clone())
    }
}
