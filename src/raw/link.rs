use core::ops::Deref;

/// Keeps a target alive while it is called.
#[doc(hidden)]
pub trait Hold: Deref {
    type Strong: Deref<Target = Self::Target>;
    /// Keeps it longer than that, if it still has an owner.
    fn keep(self) -> Option<Self::Strong>;
}

/// What is there for ever.
impl<T: ?Sized> Hold for &'static T {
    type Strong = Self;
    fn keep(self) -> Option<Self> {
        Some(self)
    }
}

/// A weak pointer to what a handle calls, in any family: std's own, or that of an owner that is
/// [tracked](crate::Tracked).
#[doc(hidden)]
pub trait Link: Clone {
    type Target: ?Sized;
    /// Keeps the target alive.
    type Strong: Hold<Target = Self::Target, Strong = Self::Strong> + Clone;

    fn upgrade(&self) -> Option<Self::Strong>;
    fn is_alive(&self) -> bool;
    /// Where the target is, or was, or will be.
    fn address(&self) -> *const ();

    /// Where an emission notes what it is calling, if this kind of pointer needs that.
    type Place: Copy;

    /// That of the innermost emission on this thread. None where there is none to be had at once.
    fn place() -> Option<Self::Place>;

    /// Looks harder; says whether there is one now.
    fn find_place() -> bool {
        Self::place().is_some()
    }

    /// Keeps the target alive for one call of an emission.
    type Entered<'a>: Hold<Target = Self::Target, Strong = Self::Strong>
    where
        Self: 'a;

    /// Enters the target.
    ///
    /// # Safety
    /// `place` is that of the innermost emission on this thread, which enters one target at a time, and
    /// keeps what it has entered until after [`leave_depth`](super::leave_depth).
    unsafe fn enter(&self, place: Self::Place) -> Entry<Self::Entered<'_>>;
}

#[doc(hidden)]
pub enum Entry<T> {
    Alive(T),
    /// The target is gone.
    Dead,
    /// First the emission has to look for its place again.
    Again,
}
