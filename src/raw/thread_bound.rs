use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A place on the thread that made it, where its residents may be looked at. It does not leave that thread.
pub(crate) struct HomeThread {
    number: usize,
    here: PhantomData<*const ()>,
}

/// A value that only its [`HomeThread`] opens, so that memory which any thread has may have it too. Dropping it
/// does not drop the value: that has to be [taken](Self::take).
pub(crate) struct ThreadBound<T> {
    /// That of its residence, which no other ever has.
    residence: usize,
    value: ManuallyDrop<T>,
}

// SAFETY: the value is reached by whoever has its residence, which never leaves one thread; and it was put in
// there. Elsewhere it is not even dropped.
unsafe impl<T> Send for ThreadBound<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for ThreadBound<T> {}

impl HomeThread {
    /// # Panics
    /// When a word cannot number all of them.
    pub(crate) fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let following = |number: usize| number.checked_add(1);
        let number = NEXT.fetch_update(Ordering::Relaxed, Ordering::Relaxed, following);
        let number = number.expect("there are fewer queues than words have values");
        HomeThread { number, here: PhantomData }
    }

    pub(crate) fn settle<T>(&self, value: T) -> ThreadBound<T> {
        ThreadBound { residence: self.number, value: ManuallyDrop::new(value) }
    }
}

impl<T> ThreadBound<T> {
    /// # Panics
    /// When it is the residence of others.
    #[inline]
    pub(crate) fn open<'a>(&'a self, residence: &'a HomeThread) -> &'a T {
        assert!(self.residence == residence.number, "each residence opens its own");
        &self.value
    }

    /// # Panics
    /// When it is the residence of others.
    pub(crate) fn take(self, residence: &HomeThread) -> T {
        self.open(residence);
        ManuallyDrop::into_inner(self.value)
    }
}

#[cfg(all(test, not(sigwire_loom)))]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::rc::Rc;

    #[test]
    fn a_resident_is_opened_where_it_was_settled_and_leaked_elsewhere() {
        let (one, two) = (HomeThread::new(), HomeThread::new());
        let value = Rc::new(1);
        let resident = one.settle(value.clone());
        assert_eq!(**resident.open(&one), 1);
        assert!(catch_unwind(AssertUnwindSafe(|| **resident.open(&two))).is_err());
        let lost = one.settle(value.clone());
        std::thread::spawn(move || _ = lost).join().unwrap();
        assert_eq!(Rc::strong_count(&value), 3);
        drop(resident.take(&one));
        assert_eq!(Rc::strong_count(&value), 2);
    }
}
