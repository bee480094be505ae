use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::sync::atomic::Ordering;

use crate::raw::{Atom, Flavor};

/// A strong pointer made at first use: one word, null until then. Setting and reading it are SeqCst,
/// because [`Versions`](super::Versions) finds its readers through it.
pub(crate) struct LazyStrong<T, F: Flavor> {
    raw: F::Ptr<T>,
    owns: PhantomData<F::Strong<T>>,
}

/// One for each flavor: a trait cannot say that making a pointer cell is `const`.
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
    /// The same for any flavor.
    pub(crate) fn empty() -> Self {
        LazyStrong { raw: F::Ptr::new(core::ptr::null_mut()), owns: PhantomData }
    }

    #[inline]
    pub(crate) fn get(&self) -> Option<&T> {
        // SAFETY: not null, so it is what `into_raw` gave; it stays set, and owned, as long as
        // `self` lives.
        unsafe { self.raw.load(Ordering::SeqCst).as_ref() }
    }

    /// The value, which is made first if need be.
    pub(crate) fn get_or_init(&self, init: impl FnOnce() -> T) -> &T {
        if let Some(value) = self.get() {
            return value;
        }
        let made = F::into_raw(F::strong(init())).cast_mut();
        if !self.raw.replace(core::ptr::null_mut(), made, Ordering::SeqCst) {
            // Another thread was first.
            // SAFETY: `made` came from `into_raw` just now and went nowhere.
            drop(unsafe { F::from_raw(made.cast_const()) });
        }
        self.get().expect("it was set just now, and is never unset")
    }

    /// # Panics
    /// When the value was not made yet.
    pub(crate) fn downgrade(&self) -> F::Weak<T> {
        let raw = self.raw.load(Ordering::Acquire).cast_const();
        assert!(!raw.is_null());
        // SAFETY: `raw` came from `into_raw`; `ManuallyDrop` leaves the strong reference to `self`.
        let strong = ManuallyDrop::new(unsafe { F::from_raw(raw) });
        F::downgrade(&strong)
    }
}

impl<T, F: Flavor> Drop for LazyStrong<T, F> {
    fn drop(&mut self) {
        let raw = self.raw.load(Ordering::Acquire).cast_const();
        if !raw.is_null() {
            // SAFETY: `raw` came from `into_raw`, and `self` ends here.
            drop(unsafe { F::from_raw(raw) });
        }
    }
}
