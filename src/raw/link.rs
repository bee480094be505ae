use core::ops::Deref;

/// A weak pointer to what a handle calls, in any family: std's own, or that of an owner that is
/// [tracked](crate::Tracked).
#[doc(hidden)]
pub trait Link: Clone {
    type Target: ?Sized;
    /// Keeps the target alive.
    type Strong: Deref<Target = Self::Target> + Clone;

    fn upgrade(&self) -> Option<Self::Strong>;
    fn is_alive(&self) -> bool;
    /// Where the target is, or was, or will be.
    fn address(&self) -> *const ();

    /// Uses the target, if it is alive, in an emission. Whatever becomes of its owners meanwhile, it is
    /// destroyed after that.
    #[inline(always)]
    fn enter<U>(&self, use_it: impl FnOnce(&Self::Target) -> U) -> Option<U> {
        self.upgrade().map(|target| use_it(&target))
    }
}
