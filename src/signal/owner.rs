//! The types that can own a slot.

use alloc::rc::{self, Rc};
use core::cell::RefCell;

use crate::raw::Flavor;
use crate::raw::{Checked, Link, Local, MaybeSendSync, StoredLink};

/// A pointer to the object whose method a slot calls: `Arc<T>` for thread-safe signals, `Rc<T>` in
/// [`local`](crate::local). `T` may be unsized, so an `Arc<dyn Trait>` is an owner too. The slot
/// holds the owner weakly: connecting never keeps it alive.
///
/// The `Weak` pointers of both are owners as well. With them, objects can connect themselves during
/// construction, in [`Arc::new_cyclic`](std::sync::Arc::new_cyclic). The signal keeps such a slot
/// while its owner is under construction, and calls it only once the owner is complete: see
/// [`Source::connect`](crate::Source::connect).
///
/// [`HazardArc`](crate::HazardArc) and its weak pointer are owners for thread-safe signals, too.
///
/// The trait is sealed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot own a slot of this signal",
    label = "not an owner for this signal",
    note = "a thread-safe `Signal` takes `&Arc<T>` where `T: Send + Sync + 'static`; \
            a `sigwire::local::Signal` takes `&Rc<T>`",
    note = "for an owner that is changed by its slots, use `connect_mut` with `&Arc<Mutex<T>>`, \
            `&Arc<RwLock<T>>` or, in `local`, `&Rc<RefCell<T>>`",
    note = "for `Rc` owners of handlers that wait for a loop, use `on` with a `LocalQueue`"
)]
pub trait Owner<F: Flavor>: sealed::Sealed<F> {
    /// The type whose methods can be connected.
    type Target: ?Sized + 'static;
    #[doc(hidden)]
    type Weak: Link<Target = Self::Target> + MaybeSendSync<F> + 'static;
    #[doc(hidden)]
    fn weak(&self) -> Self::Weak;
    #[doc(hidden)]
    fn address(&self) -> *const () {
        self.weak().address()
    }
}

/// A lock or cell that gives `&mut` access to its content, for
/// [`connect_mut`](crate::Source::connect_mut). The trait is sealed.
///
/// | type | crate | feature |
/// |---|---|---|
/// | `RefCell` | `core` | |
/// | `Mutex`, `RwLock` | `std` | `std` |
/// | `Mutex`, `FairMutex`, `RwLock` | [`parking_lot`](https://docs.rs/parking_lot), and all others built on `lock_api` 0.4 | `lock_api` |
/// | `Mutex`, `RwLock` | [`tokio`](https://docs.rs/tokio) | `tokio` |
///
/// ```
/// # #[cfg(feature = "lock_api")] {
/// use parking_lot::Mutex;
/// use sigwire::Signal;
/// use std::sync::Arc;
///
/// let numbers: Signal<u64> = Signal::new();
/// let sum = Arc::new(Mutex::new(0));
/// numbers.connect_mut(&sum, |sum, n| *sum += n);
/// numbers.emit(&2);
/// assert_eq!(*sum.lock(), 2);
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`connect_mut` cannot borrow a `{Self}` mutably",
    label = "is none of the locks and cells that `connect_mut` takes",
    note = "`connect_mut` takes `&Arc<Mutex<T>>` or `&Arc<RwLock<T>>`, and `&Rc<RefCell<T>>` in \
            `sigwire::local`; for a method that takes `&self`, use `connect`",
    note = "the locks of `parking_lot` and others need the feature `lock_api`, those of tokio the feature `tokio`"
)]
pub trait InteriorMut: sealed::Lockable + 'static {
    /// The content of the lock: the method gets `&mut Inner`.
    type Inner: ?Sized;
    #[doc(hidden)]
    fn with_mut<U>(&self, use_it: impl FnOnce(&mut Self::Inner) -> U) -> U;
}

/// The owner's weak pointer. Not inlined, so that all methods of a type share one function.
#[inline(never)]
pub(crate) fn weak_of<O: Owner<F>, F: Flavor>(owner: &O) -> O::Weak {
    owner.weak()
}

/// As `weak_of`, for a handle that stores only the owner.
#[inline(never)]
pub(crate) fn stored<O: Owner<F>, F: Flavor>(owner: &O) -> StoredLink<O::Weak, F> {
    StoredLink::new(Checked::new(owner.weak()))
}

mod sealed {
    pub trait Sealed<F> {}
    pub trait Lockable {}
}

macro_rules! owner {
    ($flavor:ty, $strong:ident, $weak:path, $($send:tt)*) => {
        impl<T: ?Sized $($send)* + 'static> sealed::Sealed<$flavor> for $strong<T> {}
        impl<T: ?Sized $($send)* + 'static> Owner<$flavor> for $strong<T> {
            type Target = T;
            type Weak = $weak;
            #[inline(always)]
            fn weak(&self) -> $weak {
                $strong::downgrade(self)
            }
        }
        impl<T: ?Sized $($send)* + 'static> sealed::Sealed<$flavor> for $weak {}
        impl<T: ?Sized $($send)* + 'static> Owner<$flavor> for $weak {
            type Target = T;
            type Weak = $weak;
            #[inline(always)]
            fn weak(&self) -> $weak {
                self.clone()
            }
        }
    };
}
owner!(Local, Rc, rc::Weak<T>,);

#[cold]
#[inline(never)]
fn already_borrowed<T: ?Sized>() -> ! {
    panic!(
        "a slot of `{}` cannot run because its owner is already borrowed, by the caller or by a \
             slot further up that emitted (end that borrow before emitting)",
        core::any::type_name::<T>()
    )
}

impl<T: ?Sized> sealed::Lockable for RefCell<T> {}
impl<T: ?Sized + 'static> InteriorMut for RefCell<T> {
    type Inner = T;
    fn with_mut<U>(&self, use_it: impl FnOnce(&mut T) -> U) -> U {
        match self.try_borrow_mut() {
            Ok(mut inner) => use_it(&mut inner),
            Err(_) => already_borrowed::<T>(),
        }
    }
}

#[cfg(feature = "std")]
mod shared {
    use super::{InteriorMut, Owner, already_borrowed, sealed};
    use crate::raw::Shared;
    use crate::raw::{HazardArc, WeakHazardArc};
    use std::any::type_name;
    use std::cell::{Cell, RefCell};
    use std::ptr;
    use std::sync::{self, Arc, LockResult, Mutex, RwLock, TryLockError, TryLockResult};

    owner!(Shared, Arc, sync::Weak<T>, + Send + Sync);

    impl<T: Send + Sync + 'static> sealed::Sealed<Shared> for HazardArc<T> {}
    impl<T: Send + Sync + 'static> Owner<Shared> for HazardArc<T> {
        type Target = T;
        type Weak = WeakHazardArc<T>;
        fn weak(&self) -> WeakHazardArc<T> {
            HazardArc::downgrade(self)
        }
    }
    impl<T: Send + Sync + 'static> sealed::Sealed<Shared> for WeakHazardArc<T> {}
    impl<T: Send + Sync + 'static> Owner<Shared> for WeakHazardArc<T> {
        type Target = T;
        type Weak = WeakHazardArc<T>;
        fn weak(&self) -> WeakHazardArc<T> {
            self.clone()
        }
    }

    const FEW: usize = 16;

    std::thread_local! {
        /// The addresses of the locks that slots on this thread hold; null marks a free place. It
        /// has no destructor, so it can still be used while the thread ends.
        static HELD: [Cell<*const ()>; FEW] = const { [const { Cell::new(ptr::null()) }; FEW] };
        /// The locks for which `HELD` has no place. While the thread ends, these are not noted: a
        /// slot that then locks its owner twice deadlocks without the panic that explains it.
        static MORE_HELD: RefCell<Vec<*const ()>> = const { RefCell::new(Vec::new()) };
    }

    /// Notes that this thread holds a lock. Slots may be suspended, each on a stack of its own, so
    /// the locks are not always released in reverse order.
    struct HeldLock(*const ());

    impl HeldLock {
        fn replace(lock: *const (), by: *const ()) -> bool {
            HELD.with(|held| {
                let place = held.iter().find(|place| place.get() == lock);
                place.inspect(|place| place.set(by)).is_some()
            })
        }
        fn note(lock: *const ()) -> Self {
            if !HeldLock::replace(ptr::null(), lock) {
                let _ = MORE_HELD.try_with(|more| more.borrow_mut().push(lock));
            }
            HeldLock(lock)
        }
        fn is_noted(lock: *const ()) -> bool {
            HeldLock::replace(lock, lock)
                || MORE_HELD.try_with(|more| more.borrow().contains(&lock)) == Ok(true)
        }
    }

    impl Drop for HeldLock {
        fn drop(&mut self) {
            if !HeldLock::replace(self.0, ptr::null()) {
                let _ = MORE_HELD.try_with(|more| {
                    let mut more = more.borrow_mut();
                    if let Some(place) = more.iter().position(|lock| *lock == self.0) {
                        more.swap_remove(place);
                    }
                });
            }
        }
    }

    macro_rules! lockable {
        ([$($raw:tt)*] $type:ty, $lock:ident: $try_lock:expr, $wait:expr) => {
            impl<$($raw)* T: ?Sized> sealed::Lockable for $type {}
            impl<$($raw)* T: ?Sized + 'static> InteriorMut for $type {
                type Inner = T;
                fn with_mut<U>(&self, use_it: impl FnOnce(&mut T) -> U) -> U {
                    let $lock = self;
                    let address = ptr::from_ref(self).cast();
                    let locked = match $try_lock {
                        Some(locked) => locked,
                        None if HeldLock::is_noted(address) => already_borrowed::<T>(),
                        None => $wait,
                    };
                    let Ok(mut inner) = locked else { poisoned::<T>() };
                    let _held = HeldLock::note(address);
                    use_it(&mut inner)
                }
            }
        };
    }
    lockable!([] Mutex<T>, lock: unless_taken(lock.try_lock()), lock.lock());
    lockable!([] RwLock<T>, lock: unless_taken(lock.try_write()), lock.write());

    #[inline(always)]
    fn unless_taken<G>(locked: TryLockResult<G>) -> Option<LockResult<G>> {
        match locked {
            Ok(inner) => Some(Ok(inner)),
            Err(TryLockError::Poisoned(poisoned)) => Some(Err(poisoned)),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// The guard of a lock without poisoning.
    #[cfg(any(feature = "lock_api", feature = "tokio"))]
    fn whole<G>(inner: G) -> Result<G, ()> {
        Ok(inner)
    }

    #[cfg(feature = "lock_api")]
    lockable!(
        [R: lock_api::RawMutex + 'static,] lock_api::Mutex<R, T>,
        lock: lock.try_lock().map(whole), whole(lock.lock())
    );
    #[cfg(feature = "lock_api")]
    lockable!(
        [R: lock_api::RawRwLock + 'static,] lock_api::RwLock<R, T>,
        lock: lock.try_write().map(whole), whole(lock.write())
    );

    #[cfg(feature = "tokio")]
    lockable!(
        [] tokio::sync::Mutex<T>,
        lock: lock.try_lock().ok().map(whole), whole(lock.blocking_lock())
    );
    #[cfg(feature = "tokio")]
    lockable!(
        [] tokio::sync::RwLock<T>,
        lock: lock.try_write().ok().map(whole), whole(lock.blocking_write())
    );

    #[cold]
    #[inline(never)]
    fn poisoned<T: ?Sized>() -> ! {
        panic!(
            "a slot of `{}` cannot run because its owner's lock is poisoned: a panic may have left \
             the owner half changed (repair it, then call `clear_poison`)",
            type_name::<T>()
        )
    }
}
