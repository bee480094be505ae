//! For runs under ThreadSanitizer: a lock that it can see. The slow path of `Mutex` lies in the
//! precompiled standard library, which is not instrumented; here a gate of our own comes before it.

use core::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use crate::family::Lock;

pub struct SeenMutex<T> {
    taken: AtomicBool,
    value: Mutex<T>,
}

pub struct SeenGuard<'a, T> {
    taken: &'a AtomicBool,
    /// None only while it is dropped.
    value: Option<MutexGuard<'a, T>>,
}

impl<T> Lock<T> for SeenMutex<T> {
    type Guard<'a>
        = SeenGuard<'a, T>
    where
        T: 'a;

    fn new(value: T) -> Self {
        SeenMutex { taken: AtomicBool::new(false), value: Mutex::new(value) }
    }

    fn lock(&self) -> SeenGuard<'_, T> {
        loop {
            if let Some(guard) = self.try_lock() {
                return guard;
            }
            std::thread::yield_now();
        }
    }

    fn try_lock(&self) -> Option<SeenGuard<'_, T>> {
        (!self.taken.swap(true, Ordering::Acquire))
            .then(|| SeenGuard { taken: &self.taken, value: Some(Lock::lock(&self.value)) })
    }
}

impl<T> Deref for SeenGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.value.as_ref().expect("it is locked")
    }
}

impl<T> DerefMut for SeenGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect("it is locked")
    }
}

impl<T> Drop for SeenGuard<'_, T> {
    fn drop(&mut self) {
        self.value = None;
        self.taken.store(false, Ordering::Release);
    }
}
