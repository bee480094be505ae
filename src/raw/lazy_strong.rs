//! A strong pointer that is made when it is first needed.

use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::sync::atomic::Ordering;

use crate::raw::{Atom, Flavor};

/// A strong pointer in one word: null until first use, set once. Setting and reading it are SeqCst,
/// because [`Versions`](super::Versions) reaches its reader cells through it.
pub(crate) struct LazyStrong<T, F: Flavor> {
    raw: F::Ptr<T>,
    owns: PhantomData<F::Strong<T>>,
}

/// One `new` for each flavor: a trait function cannot be `const`.
macro_rules! new {
    ($flavor:ty, $pointer:ty) => {
        impl<T> LazyStrong<T, $flavor> {
            pub(crate) const fn new() -> Self {
                LazyStrong { raw: <$pointer>::new(core::ptr::null_mut()), owns: PhantomData }
            }
        }
    };
}
new!(crate::raw::Local, core::cell::Cell<*mut T>);
#[cfg(feature = "std")]
new!(crate::raw::Shared, core::sync::atomic::AtomicPtr<T>);

impl<T, F: Flavor> LazyStrong<T, F> {
    /// As `new`, for any flavor, but not `const`.
    pub(crate) fn empty() -> Self {
        LazyStrong { raw: F::Ptr::new(core::ptr::null_mut()), owns: PhantomData }
    }

    #[inline]
    pub(crate) fn get(&self) -> Option<&T> {
        // SAFETY: if not null, the pointer came from `into_raw`. It is not changed again, and
        // `self` owns it until it is dropped.
        unsafe { self.raw.load(Ordering::SeqCst).as_ref() }
    }

    /// The value. Makes it first if there is none yet.
    pub(crate) fn get_or_init(&self, init: impl FnOnce() -> T) -> &T {
        if let Some(value) = self.get() {
            return value;
        }
        let made = F::into_raw(F::strong(init())).cast_mut();
        if !self.raw.replace(core::ptr::null_mut(), made, Ordering::SeqCst) {
            // Another thread has set it first.
            // SAFETY: `made` came from `into_raw` above, and nothing else has a copy of it.
            drop(unsafe { F::from_raw(made.cast_const()) });
        }
        self.get().expect("the pointer is set once and never unset")
    }

    /// # Panics
    /// If the value was not made yet.
    pub(crate) fn downgrade(&self) -> F::Weak<T> {
        let raw = self.raw.load(Ordering::Acquire).cast_const();
        assert!(!raw.is_null());
        // SAFETY: `raw` came from `into_raw`. `ManuallyDrop` leaves the strong count with `self`.
        let strong = ManuallyDrop::new(unsafe { F::from_raw(raw) });
        F::downgrade(&strong)
    }
}

impl<T, F: Flavor> Drop for LazyStrong<T, F> {
    fn drop(&mut self) {
        let raw = self.raw.load(Ordering::Acquire).cast_const();
        if !raw.is_null() {
            // SAFETY: `raw` came from `into_raw`. `self` owned it, and is not used again.
            drop(unsafe { F::from_raw(raw) });
        }
    }
}
