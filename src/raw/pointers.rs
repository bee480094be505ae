use alloc::rc::{self, Rc};
use core::ops::Deref;

use crate::family::Local;

/// The pointers of a family.
#[doc(hidden)]
pub trait Pointers: Sized + 'static {
    type Strong<T: ?Sized>: Deref<Target = T> + Clone;
    type Weak<T: ?Sized>: Clone;

    fn strong<T>(value: T) -> Self::Strong<T>;
    fn as_ptr<T: ?Sized>(strong: &Self::Strong<T>) -> *const T;
    fn into_raw<T: ?Sized>(strong: Self::Strong<T>) -> *const T;
    /// # Safety
    /// `raw` came from `into_raw` and is used for this once.
    unsafe fn from_raw<T: ?Sized>(raw: *const T) -> Self::Strong<T>;
    fn get_mut<T: ?Sized>(strong: &mut Self::Strong<T>) -> Option<&mut T>;
    fn downgrade<T: ?Sized>(strong: &Self::Strong<T>) -> Self::Weak<T>;

    fn dangling<T>() -> Self::Weak<T>;
    fn upgrade<T: ?Sized>(weak: &Self::Weak<T>) -> Option<Self::Strong<T>>;
    fn is_alive<T: ?Sized>(weak: &Self::Weak<T>) -> bool;
    fn weak_as_ptr<T: ?Sized>(weak: &Self::Weak<T>) -> *const T;
    fn weak_into_raw<T: ?Sized>(weak: Self::Weak<T>) -> *const T;
    /// # Safety
    /// `raw` came from `weak_into_raw` and is used for this once.
    unsafe fn weak_from_raw<T: ?Sized>(raw: *const T) -> Self::Weak<T>;
}

macro_rules! pointers {
    ($family:ty, $strong:ident, $weak:path) => {
        impl Pointers for $family {
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
                // SAFETY: the caller's promise is the one `from_raw` asks for.
                unsafe { $strong::from_raw(raw) }
            }
            fn get_mut<T: ?Sized>(strong: &mut $strong<T>) -> Option<&mut T> {
                $strong::get_mut(strong)
            }
            fn downgrade<T: ?Sized>(strong: &$strong<T>) -> Self::Weak<T> {
                $strong::downgrade(strong)
            }
            fn dangling<T>() -> Self::Weak<T> {
                Self::Weak::<T>::new()
            }
            #[inline(always)]
            fn upgrade<T: ?Sized>(weak: &Self::Weak<T>) -> Option<$strong<T>> {
                weak.upgrade()
            }
            fn is_alive<T: ?Sized>(weak: &Self::Weak<T>) -> bool {
                weak.strong_count() > 0
            }
            fn weak_as_ptr<T: ?Sized>(weak: &Self::Weak<T>) -> *const T {
                weak.as_ptr()
            }
            fn weak_into_raw<T: ?Sized>(weak: Self::Weak<T>) -> *const T {
                weak.into_raw()
            }
            #[inline(always)]
            unsafe fn weak_from_raw<T: ?Sized>(raw: *const T) -> Self::Weak<T> {
                // SAFETY: the caller's promise is the one `from_raw` asks for.
                unsafe { Self::Weak::<T>::from_raw(raw) }
            }
        }
    };
}
pointers!(Local, Rc, rc::Weak<T>);

#[cfg(feature = "std")]
mod shared {
    use super::Pointers;
    use crate::family::Shared;
    use std::sync::{self, Arc};
    pointers!(Shared, Arc, sync::Weak<T>);
}

#[cfg(all(test, sigwire_loom))]
mod modelled {
    use super::Pointers;
    use crate::models::{Modelled, Strong, Weak};
    pointers!(Modelled, Strong, Weak<T>);
}
