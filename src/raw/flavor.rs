//! The pointers, cells and locks that a flavor consists of.
//!
//! [`Shared`] uses `Arc`, atomics and `Mutex`; [`Local`] uses `Rc`, `Cell` and `RefCell`.
//! Everything above this module is written once, generic over [`Flavor`].

use core::cell::{Cell, RefCell, RefMut};
use core::ops::DerefMut;
use core::sync::atomic::Ordering;

use crate::raw::Pointers;

/// The thread-safe flavor: owners are `Arc`, methods are `Send + Sync`.
#[derive(Debug, Clone, Copy)]
#[cfg(feature = "std")]
pub struct Shared;

/// The single-threaded flavor: owners are `Rc`, methods need not be `Send`.
#[derive(Debug, Clone, Copy)]
pub struct Local;

/// What a flavor consists of. Sealed: [`Shared`] and [`Local`] are the only flavors.
pub trait Flavor: Pointers {
    /// A pointer that an emission and a connect may access at the same time.
    #[doc(hidden)]
    type Ptr<T>: Atom<*mut T>;
    /// A counter that both may access at the same time.
    #[doc(hidden)]
    type Count: Atom<usize>;
    /// The number of the thread that a reader cell belongs to.
    #[doc(hidden)]
    type Thread: Atom<usize>;
    /// A small state that several threads may access at the same time.
    #[doc(hidden)]
    type State: Atom<u8>;
    /// A type whose alignment keeps data of different threads on different cache lines.
    #[doc(hidden)]
    type Spacing;
    /// The lock that connects and disconnects hold for a moment. User code never runs under it.
    #[doc(hidden)]
    type Lock<T>: Lock<T>;
    /// Whether slots of one signal can run on several threads.
    #[doc(hidden)]
    const THREADED: bool;
    /// Whether an atomic read-modify-write is a full barrier: no load after it overtakes a store
    /// before it.
    #[doc(hidden)]
    const EXCHANGE_IS_BARRIER: bool;
    /// A SeqCst fence.
    #[doc(hidden)]
    fn full_fence();
    /// Stands between SeqCst operations whose single total order matters. Does nothing, except in a
    /// model checker whose SeqCst is weaker than that of the language: there it is a fence.
    #[doc(hidden)]
    #[inline(always)]
    fn sequential() {}
    /// A number that no other running thread has. Never 0.
    #[doc(hidden)]
    fn this_thread() -> usize;
    /// Pauses before checking again what another thread does. `looks` is the number of checks so
    /// far: the pause grows with it.
    #[doc(hidden)]
    fn wait_a_little(looks: u32);
}

/// A cell that is read and written through `&self`. The single-threaded flavor ignores orderings.
#[doc(hidden)]
pub trait Atom<V> {
    fn new(value: V) -> Self;
    fn load(&self, order: Ordering) -> V;
    fn store(&self, value: V, order: Ordering);
    fn swap(&self, value: V, order: Ordering) -> V;
    /// Replaces `current` by `new`. Returns false, and changes nothing, if the value is not
    /// `current`.
    fn replace(&self, current: V, new: V, order: Ordering) -> bool;
}

#[doc(hidden)]
pub trait Lock<T> {
    type Guard<'a>: DerefMut<Target = T>
    where
        Self: 'a,
        T: 'a;
    fn new(value: T) -> Self;
    fn lock(&self) -> Self::Guard<'_>;
    fn try_lock(&self) -> Option<Self::Guard<'_>>;
}

impl<V: Copy + PartialEq> Atom<V> for Cell<V> {
    #[inline(always)]
    fn new(value: V) -> Self {
        Cell::new(value)
    }
    #[inline(always)]
    fn load(&self, _: Ordering) -> V {
        self.get()
    }
    #[inline(always)]
    fn store(&self, value: V, _: Ordering) {
        self.set(value);
    }
    #[inline(always)]
    fn swap(&self, value: V, _: Ordering) -> V {
        Cell::replace(self, value)
    }
    #[inline(always)]
    fn replace(&self, current: V, new: V, _: Ordering) -> bool {
        let as_expected = self.get() == current;
        if as_expected {
            self.set(new);
        }
        as_expected
    }
}

/// The number of the thread where there is only one.
#[doc(hidden)]
pub struct OnlyThread;

impl Atom<usize> for OnlyThread {
    fn new(_: usize) -> Self {
        OnlyThread
    }
    fn load(&self, _: Ordering) -> usize {
        Local::this_thread()
    }
    #[inline(always)]
    fn store(&self, _: usize, _: Ordering) {}
    fn swap(&self, _: usize, _: Ordering) -> usize {
        Local::this_thread()
    }
    fn replace(&self, _: usize, _: usize, _: Ordering) -> bool {
        true
    }
}

impl<T> Lock<T> for RefCell<T> {
    type Guard<'a>
        = RefMut<'a, T>
    where
        T: 'a;
    fn new(value: T) -> Self {
        RefCell::new(value)
    }
    fn lock(&self) -> RefMut<'_, T> {
        self.borrow_mut()
    }
    fn try_lock(&self) -> Option<RefMut<'_, T>> {
        self.try_borrow_mut().ok()
    }
}

impl Flavor for Local {
    type Spacing = ();
    type Ptr<T> = Cell<*mut T>;
    type Count = Cell<usize>;
    type Thread = OnlyThread;
    type State = Cell<u8>;
    type Lock<T> = RefCell<T>;
    const THREADED: bool = false;
    const EXCHANGE_IS_BARRIER: bool = true;
    #[inline(always)]
    fn full_fence() {}
    #[inline(always)]
    fn this_thread() -> usize {
        1
    }
    fn wait_a_little(_: u32) {
        unreachable!("there is no other thread to wait for")
    }
}

/// Implements [`Atom`] for atomics: those of std, or those of a model checker.
#[cfg(feature = "std")]
macro_rules! atom {
    ($($atomic:ty: $value:ty $(, $generic:ident)?;)*) => {$(
        impl$(<$generic>)? Atom<$value> for $atomic {
            #[inline(always)]
            fn new(value: $value) -> Self {
                <$atomic>::new(value)
            }
            #[inline(always)]
            fn load(&self, order: Ordering) -> $value {
                <$atomic>::load(self, order)
            }
            #[inline(always)]
            fn store(&self, value: $value, order: Ordering) {
                <$atomic>::store(self, value, order);
            }
            #[inline(always)]
            fn swap(&self, value: $value, order: Ordering) -> $value {
                <$atomic>::swap(self, value, order)
            }
            #[inline(always)]
            fn replace(&self, current: $value, new: $value, order: Ordering) -> bool {
                self.compare_exchange(current, new, order, Ordering::Relaxed).is_ok()
            }
        }
    )*};
}
#[cfg(all(test, sigwire_loom))]
pub(crate) use atom;

#[cfg(feature = "std")]
mod shared {
    use super::{Atom, Flavor, Lock, Ordering, Shared};
    use std::sync::atomic::{AtomicPtr, AtomicU8, AtomicUsize, fence};
    use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
    use std::time::Duration;

    atom! {
        AtomicPtr<T>: *mut T, T;
        AtomicUsize: usize;
        AtomicU8: u8;
    }

    /// Ignores poisoning: no user code runs under the lock, so no panic leaves the value half
    /// changed.
    impl<T> Lock<T> for Mutex<T> {
        type Guard<'a>
            = MutexGuard<'a, T>
        where
            T: 'a;
        fn new(value: T) -> Self {
            Mutex::new(value)
        }
        fn lock(&self) -> MutexGuard<'_, T> {
            // ThreadSanitizer does not see `lock`, which is in the precompiled standard library. It
            // sees `try_lock`, which is inlined.
            while cfg!(sigwire_tsan) {
                match Lock::try_lock(self) {
                    Some(guard) => return guard,
                    None => std::thread::yield_now(),
                }
            }
            Mutex::lock(self).unwrap_or_else(PoisonError::into_inner)
        }
        fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
            match Mutex::try_lock(self) {
                Ok(guard) => Some(guard),
                Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => None,
            }
        }
    }

    /// Two cache lines: x86-64 fetches them in pairs.
    #[doc(hidden)]
    #[repr(align(128))]
    pub struct LinePair;

    impl Flavor for Shared {
        type Spacing = LinePair;
        type Ptr<T> = AtomicPtr<T>;
        type Count = AtomicUsize;
        type Thread = AtomicUsize;
        type State = AtomicU8;
        type Lock<T> = Mutex<T>;
        const THREADED: bool = true;
        // On x86-64 it is a locked instruction, which is a full barrier: Intel SDM vol. 3A, "Memory
        // Ordering in P6 and More Recent Processor Families".
        const EXCHANGE_IS_BARRIER: bool = cfg!(target_arch = "x86_64");
        #[inline(always)]
        fn full_fence() {
            fence(Ordering::SeqCst);
        }
        #[inline(always)]
        fn this_thread() -> usize {
            crate::base::this_thread()
        }
        fn wait_a_little(looks: u32) {
            match looks {
                0..16 => std::hint::spin_loop(),
                16..32 => std::thread::yield_now(),
                _ => std::thread::sleep(Duration::from_micros(50 << (looks - 32).min(4))),
            }
        }
    }
}
