//! A spin lock that sleeps when it has waited for long.

use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::Ordering;

use crate::raw::{Atom, Flavor};

/// A lock for critical sections that only move a few values. Unlocking is one store: it does not
/// have to find out whether a thread sleeps. Instead a waiting thread checks the state again and
/// again, after pauses that grow.
pub(crate) struct SpinLock<T, F: Flavor> {
    /// The thread that replaces [`FREE`] by [`HELD`] has the lock until it stores [`FREE`].
    state: F::State,
    value: UnsafeCell<T>,
}

const FREE: u8 = 0;
const HELD: u8 = 1;

/// Holds the lock until it is dropped. Neither `Send` nor `Sync`: `Sync` would share a value that
/// need not be `Sync`.
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
        // SAFETY: this guard holds the lock, so there is no other guard, and no other access.
        unsafe { &*self.0.value.get() }
    }
}

impl<T, F: Flavor> DerefMut for SpinGuard<'_, T, F> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`; and the guard is borrowed mutably.
        unsafe { &mut *self.0.value.get() }
    }
}

impl<T, F: Flavor> Drop for SpinGuard<'_, T, F> {
    #[inline(always)]
    fn drop(&mut self) {
        self.0.state.store(FREE, Ordering::Release);
    }
}

// SAFETY: as for `Mutex`. One thread at a time has a `SpinGuard`, which is not `Send`. The store in
// its `drop` is Release and the exchange in `lock` and `try_lock` is Acquire, so all accesses under
// one guard happen before those under the next.
#[cfg(feature = "std")]
unsafe impl<T: Send> Sync for SpinLock<T, crate::raw::Shared> {}
