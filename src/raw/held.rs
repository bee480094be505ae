use std::sync::Arc;

use super::Link;

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
        = &'a T
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
    unsafe fn enter(&self, (): ()) -> Option<&T> {
        self.0.is_alive().then_some(&self.0)
    }
}
