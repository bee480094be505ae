//! `Rc` or `Arc`, and their weak pointers, as a flavor's pointers.

use alloc::rc::{self, Rc};

use super::{Caller, Hold, Link, Liveness, NotCalled};
use crate::raw::Local;

/// The pointers of a flavor.
#[doc(hidden)]
pub trait Pointers: Sized + 'static {
    type Strong<T: ?Sized>: Hold<Target = T, Strong = Self::Strong<T>> + Clone + Unpin;
    type Weak<T: ?Sized>: Link<Target = T, Strong = Self::Strong<T>>;

    fn strong<T>(value: T) -> Self::Strong<T>;
    fn as_ptr<T: ?Sized>(strong: &Self::Strong<T>) -> *const T;
    fn into_raw<T: ?Sized>(strong: Self::Strong<T>) -> *const T;
    /// # Safety
    /// `raw` came from `into_raw`, and is passed to this function only once.
    unsafe fn from_raw<T: ?Sized>(raw: *const T) -> Self::Strong<T>;
    /// The value, if this is the only strong pointer to it.
    ///
    /// # Safety
    /// There never was a weak pointer to the value. Nobody clones another strong pointer during the
    /// call.
    unsafe fn get_mut<T: ?Sized>(strong: &mut Self::Strong<T>) -> Option<&mut T>;
    fn downgrade<T: ?Sized>(strong: &Self::Strong<T>) -> Self::Weak<T>;

    fn dangling<T>() -> Self::Weak<T>;
    fn weak_into_raw<T: ?Sized>(weak: Self::Weak<T>) -> *const T;
    /// # Safety
    /// `raw` came from `weak_into_raw`, and is passed to this function only once.
    unsafe fn weak_from_raw<T: ?Sized>(raw: *const T) -> Self::Weak<T>;
}

macro_rules! weak_link {
    ($strong:ident, $weak:path, $dangling:expr, $is_last:expr) => {
        // SAFETY: a strong pointer keeps the value alive. The value is in an allocation of its own,
        // so it stays in place when the pointer moves.
        unsafe impl<T: ?Sized> Hold for $strong<T> {
            type Strong = Self;
            #[inline(always)]
            fn keep(self) -> Option<Self> {
                Some(self)
            }
            #[inline(always)]
            fn is_last(&self) -> bool {
                $is_last(self)
            }
        }

        // SAFETY: `upgrade` and `enter` count one more reference: in a threaded flavor by an atomic
        // read-modify-write.
        unsafe impl<T: ?Sized> Link for $weak {
            type Target = T;
            type Strong = $strong<T>;
            const ENTERS_BY_EXCHANGE: bool = true;
            type Entered<'a>
                = $strong<T>
            where
                Self: 'a;

            #[inline(always)]
            fn upgrade(&self) -> Option<$strong<T>> {
                self.upgrade()
            }
            #[inline(always)]
            fn liveness(&self) -> Liveness {
                if self.strong_count() > 0 {
                    Liveness::Alive
                } else if core::ptr::addr_eq(self.as_ptr(), $dangling.as_ptr()) {
                    // Made by `Weak::new`, so it never had a target.
                    Liveness::Gone
                } else {
                    Liveness::Absent
                }
            }
            #[inline(always)]
            fn address(&self) -> *const () {
                self.as_ptr().cast()
            }
            #[inline(always)]
            unsafe fn enter(&self, _: &mut Caller<'_>) -> Result<$strong<T>, NotCalled> {
                match self.upgrade() {
                    Some(target) => Ok(target),
                    None => Err(NotCalled::Dead),
                }
            }
        }
    };
}

macro_rules! pointers {
    ($flavor:ty, $strong:ident, $weak:path, $acquire:expr) => {
        impl Pointers for $flavor {
            type Strong<T: ?Sized> = $strong<T>;
            type Weak<T: ?Sized> = $weak;

            fn strong<T>(value: T) -> $strong<T> {
                $strong::new(value)
            }
            fn as_ptr<T: ?Sized>(strong: &$strong<T>) -> *const T {
                $strong::as_ptr(strong)
            }
            fn into_raw<T: ?Sized>(strong: $strong<T>) -> *const T {
                $strong::into_raw(strong)
            }
            unsafe fn from_raw<T: ?Sized>(raw: *const T) -> $strong<T> {
                // SAFETY: this function has the same contract.
                unsafe { $strong::from_raw(raw) }
            }
            unsafe fn get_mut<T: ?Sized>(strong: &mut $strong<T>) -> Option<&mut T> {
                // ThreadSanitizer does not see the fence.
                #[cfg(sigwire_tsan)]
                return $strong::get_mut(strong);
                // `get_mut` takes two more atomic exchanges, to rule out weak pointers.
                #[cfg(not(sigwire_tsan))]
                return ($strong::strong_count(strong) == 1).then(|| {
                    // Pairs with the Release decrement of each strong pointer that was dropped:
                    // what was done through it happens before.
                    $acquire;
                    // SAFETY: this is the only strong pointer, by the count; it stays the only one
                    // during this call and there are no weak pointers, by the caller's promise.
                    unsafe { &mut *$strong::as_ptr(strong).cast_mut() }
                });
            }
            fn downgrade<T: ?Sized>(strong: &$strong<T>) -> Self::Weak<T> {
                $strong::downgrade(strong)
            }
            fn dangling<T>() -> Self::Weak<T> {
                Self::Weak::<T>::new()
            }
            fn weak_into_raw<T: ?Sized>(weak: Self::Weak<T>) -> *const T {
                weak.into_raw()
            }
            unsafe fn weak_from_raw<T: ?Sized>(raw: *const T) -> Self::Weak<T> {
                // SAFETY: this function has the same contract.
                unsafe { Self::Weak::<T>::from_raw(raw) }
            }
        }
    };
}
/// For the flavor without threads.
fn no_fence() {}

weak_link!(Rc, rc::Weak<T>, rc::Weak::<()>::new(), |rc| Rc::strong_count(rc) == 1);
pointers!(Local, Rc, rc::Weak<T>, no_fence());

#[cfg(feature = "std")]
mod shared {
    use super::{Caller, Hold, Link, Liveness, NotCalled, Pointers};
    use crate::raw::Shared;
    use std::sync::atomic::{Ordering, fence};
    use std::sync::{self, Arc};
    weak_link!(Arc, sync::Weak<T>, sync::Weak::<()>::new(), |_| false);
    pointers!(Shared, Arc, sync::Weak<T>, fence(Ordering::Acquire));
}

#[cfg(all(test, sigwire_loom))]
pub(crate) use {pointers, weak_link};
