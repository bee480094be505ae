use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::Ordering;

use crate::raw::{Atom, Flavor};

/// A lock for moments in which a few values are moved and nothing else is done. It saves what a lock
/// pays at its release to find out whether someone sleeps: who has to wait looks again, after a while
/// that grows.
pub(crate) struct SpinLock<T, F: Flavor> {
    /// Whoever turns [`FREE`] into [`HELD`] has the value, until it turns it back.
    state: F::State,
    value: UnsafeCell<T>,
}

const FREE: u8 = 0;
const HELD: u8 = 1;

/// Neither `Send` nor `Sync`: the second would share a value that need not be `Sync`.
pub(crate) struct SpinGuard<'a, T, F: Flavor>(&'a SpinLock<T, F>, PhantomData<*const ()>);

impl<T, F: Flavor> SpinLock<T, F> {
    pub(crate) fn new(value: T) -> Self {
        SpinLock { state: F::State::new(FREE), value: UnsafeCell::new(value) }
    }

    #[inline(always)]
    pub(crate) fn lock(&self) -> SpinGuard<'_, T, F> {
        if !self.state.replace(FREE, HELD, Ordering::Acquire) {
            self.wait();
        }
        SpinGuard(self, PhantomData)
    }

    pub(crate) fn try_lock(&self) -> Option<SpinGuard<'_, T, F>> {
        self.state.replace(FREE, HELD, Ordering::Acquire).then(|| SpinGuard(self, PhantomData))
    }

    #[cold]
    fn wait(&self) {
        let mut looks = 0;
        while self.state.load(Ordering::Relaxed) != FREE
            || !self.state.replace(FREE, HELD, Ordering::Acquire)
        {
            F::wait_a_little(looks);
            looks += 1;
        }
    }
}

impl<T, F: Flavor> Deref for SpinGuard<'_, T, F> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: who has a `SpinGuard` turned the state, and is the only one who has, until it is dropped.
        unsafe { &*self.0.value.get() }
    }
}

impl<T, F: Flavor> DerefMut for SpinGuard<'_, T, F> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`, and this borrows it mutably.
        unsafe { &mut *self.0.value.get() }
    }
}

impl<T, F: Flavor> Drop for SpinGuard<'_, T, F> {
    #[inline(always)]
    fn drop(&mut self) {
        self.0.state.store(FREE, Ordering::Release);
    }
}

// SAFETY: as for `Mutex`. One thread at a time has a `SpinGuard`, and keeps it to itself; what it did with
// the value is over before the next one has it, by release and acquire of the state.
#[cfg(feature = "std")]
unsafe impl<T: Send> Sync for SpinLock<T, crate::raw::Shared> {}
