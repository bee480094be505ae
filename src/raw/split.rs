use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::ops::Deref;
use std::sync::Arc;

/// Two values in one piece of memory: one that all see who have it, and one of which there is a [`SplitOwner`] user.
pub(crate) struct Split<A, B> {
    shared: A,
    own: UnsafeCell<B>,
}

// SAFETY: `shared` may be looked at from several threads at once. `own` is reached through the right to it
// only, by one thread after the other, which is all that `Send` is needed for.
unsafe impl<A: Sync, B: Send> Sync for Split<A, B> {}

/// The one pointer to a [`Split`] that gives the right to what it has of its own.
pub(crate) struct SplitOwner<T: ?Sized>(Arc<T>);

/// Opens one twin's own value.
pub(crate) struct SplitToken<'a> {
    /// That of the twin.
    address: usize,
    of: PhantomData<&'a mut ()>,
}

impl<A, B> Split<A, B> {
    /// There are no other twins, and of each there is no other `SplitOwner`.
    pub(crate) fn pair(shared: A, own: B) -> (SplitOwner<Self>, Arc<Self>) {
        let twin = Arc::new(Split { shared, own: UnsafeCell::new(own) });
        (SplitOwner(twin.clone()), twin)
    }

    /// # Panics
    /// When it is the right of another.
    #[inline]
    pub(crate) fn own<'a>(&'a self, right: &'a mut SplitToken<'_>) -> &'a mut B {
        assert!(right.address == core::ptr::from_ref(self).addr(), "each right opens its own");
        // SAFETY: nobody else refers to the value now. Whoever does has borrowed mutably a right with this
        // address, and through it a `SplitOwner` that keeps what is at this address there; of which there is one,
        // and it is borrowed here.
        unsafe { &mut *self.own.get() }
    }
}

impl<A, B> Deref for Split<A, B> {
    type Target = A;
    #[inline(always)]
    fn deref(&self) -> &A {
        &self.shared
    }
}

impl<T> SplitOwner<T> {
    /// The same, with some of its type forgotten.
    ///
    /// # Panics
    /// When that makes something else of it.
    pub(crate) fn forget_type<U: ?Sized>(
        self,
        forget: impl FnOnce(Arc<T>) -> Arc<U>,
    ) -> SplitOwner<U> {
        // So that nothing else can have its address.
        let kept = self.0.clone();
        let forgotten = forget(self.0);
        assert!(core::ptr::addr_eq(Arc::as_ptr(&kept), Arc::as_ptr(&forgotten)));
        SplitOwner(forgotten)
    }
}

impl<T: ?Sized> SplitOwner<T> {
    /// The twin, and the right to it.
    #[inline(always)]
    pub(crate) fn parts(&mut self) -> (&T, SplitToken<'_>) {
        (&self.0, SplitToken { address: Arc::as_ptr(&self.0).addr(), of: PhantomData })
    }

    /// The twin without that right.
    pub(crate) fn share(&self) -> Arc<T> {
        self.0.clone()
    }
}

impl<T: ?Sized> Deref for SplitOwner<T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[test]
    fn a_right_opens_its_own_and_no_other() {
        let ((mut one, _), (mut two, other)) = (Split::pair("a", 1), Split::pair("b", 2));
        let (same, mut right) = one.parts();
        *same.own(&mut right) += 10;
        assert_eq!((**same, *same.own(&mut right)), ("a", 11));
        assert!(catch_unwind(AssertUnwindSafe(|| *other.own(&mut right))).is_err());
        assert_eq!(*other.own(&mut two.parts().1), 2);
    }

    #[test]
    fn forgetting_a_type_gives_the_same_twin() {
        let (one, twin) = Split::pair((), 1);
        let mut one = one.forget_type(|twin| twin as Arc<dyn Send>);
        assert_eq!(*twin.own(&mut one.parts().1), 1);
        let forget = || Split::pair((), 1).0.forget_type(|_| Arc::new(()) as Arc<dyn Send>);
        assert!(catch_unwind(|| drop(forget())).is_err());
    }
}
