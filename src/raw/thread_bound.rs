use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Opens the values that were bound to the thread on which it was made. It never leaves that
/// thread.
pub(crate) struct HomeThread {
    number: usize,
    here: PhantomData<*const ()>,
}

/// A value that only its [`HomeThread`] can open, so any thread may hold it. Dropping this does not
/// drop the value; to drop it, [take](Self::take) it first.
pub(crate) struct ThreadBound<T> {
    /// The number of its `HomeThread`. No two `HomeThread`s ever have the same number.
    home: usize,
    value: ManuallyDrop<T>,
}

// SAFETY: the value can be reached only through its `HomeThread`, which never leaves the thread on
// which the value was bound. On other threads the value is not even dropped.
unsafe impl<T> Send for ThreadBound<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for ThreadBound<T> {}

impl HomeThread {
    /// # Panics
    /// If there are more `HomeThread`s than a word can number.
    pub(crate) fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let following = |number: usize| number.checked_add(1);
        let number = NEXT.fetch_update(Ordering::Relaxed, Ordering::Relaxed, following);
        let number = number.expect("a word can number all queues");
        HomeThread { number, here: PhantomData }
    }

    pub(crate) fn bind<T>(&self, value: T) -> ThreadBound<T> {
        ThreadBound { home: self.number, value: ManuallyDrop::new(value) }
    }
}

impl<T> ThreadBound<T> {
    /// # Panics
    /// When it is bound to another.
    #[inline]
    pub(crate) fn open<'a>(&'a self, home: &'a HomeThread) -> &'a T {
        assert!(self.home == home.number, "a value must be opened by the thread it is bound to");
        &self.value
    }

    /// # Panics
    /// When it is bound to another.
    pub(crate) fn take(self, home: &HomeThread) -> T {
        self.open(home);
        ManuallyDrop::into_inner(self.value)
    }
}

#[cfg(all(test, not(sigwire_loom)))]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::rc::Rc;

    #[test]
    fn a_value_is_opened_where_it_was_bound_and_leaked_elsewhere() {
        let (one, two) = (HomeThread::new(), HomeThread::new());
        let value = Rc::new(1);
        let bound = one.bind(value.clone());
        assert_eq!(**bound.open(&one), 1);
        assert!(catch_unwind(AssertUnwindSafe(|| **bound.open(&two))).is_err());
        let lost = one.bind(value.clone());
        std::thread::spawn(move || _ = lost).join().unwrap();
        assert_eq!(Rc::strong_count(&value), 3);
        drop(bound.take(&one));
        assert_eq!(Rc::strong_count(&value), 2);
    }
}
