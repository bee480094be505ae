use alloc::boxed::Box;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;

use super::handle::{is_thin, thin_from};
use crate::family::Family;

/// Owns one strong pointer, of whatever type, and does nothing but keep it.
pub(crate) struct Anchor<F> {
    data: *const (),
    /// Made for the type behind `data`.
    table: &'static Table,
    family: PhantomData<F>,
}

struct Table {
    /// Makes one more strong pointer.
    clone: unsafe fn(*const ()) -> *const (),
    /// Drops the strong pointer.
    release: unsafe fn(*const ()),
}

impl<F: Family> Anchor<F> {
    /// For the thread-safe family, `T` must be `Send + Sync` (see the `Send` impl below).
    pub(super) fn new<T: ?Sized>(strong: F::Strong<T>) -> Self {
        if is_thin::<T>() {
            Anchor {
                data: F::into_raw(strong).cast(),
                table: &Table { clone: clone_thin::<T, F>, release: release_thin::<T, F> },
                family: PhantomData,
            }
        } else {
            Anchor {
                data: Box::into_raw(Box::new(strong)).cast_const().cast(),
                table: &Table { clone: clone_boxed::<T, F>, release: release_boxed::<T, F> },
                family: PhantomData,
            }
        }
    }
}

unsafe fn clone_thin<T: ?Sized, F: Family>(data: *const ()) -> *const () {
    // SAFETY: `data` is what `into_raw` gave for a thin `T`; `ManuallyDrop` leaves it its count.
    let strong = ManuallyDrop::new(unsafe { F::from_raw::<T>(thin_from(data)) });
    F::into_raw(F::Strong::<T>::clone(&strong)).cast()
}

unsafe fn release_thin<T: ?Sized, F: Family>(data: *const ()) {
    // SAFETY: `data` is what `into_raw` gave for a thin `T`; `Anchor` releases once.
    drop(unsafe { F::from_raw::<T>(thin_from(data)) });
}

unsafe fn clone_boxed<T: ?Sized, F: Family>(data: *const ()) -> *const () {
    // SAFETY: `data` is the box that `new` or this function leaked, and is only read.
    let strong = unsafe { &*data.cast::<F::Strong<T>>() };
    Box::into_raw(Box::new(strong.clone())).cast_const().cast()
}

unsafe fn release_boxed<T: ?Sized, F: Family>(data: *const ()) {
    // SAFETY: `data` is the box that `new` or `clone_boxed` leaked; `Anchor` releases once.
    drop(unsafe { Box::from_raw(data.cast_mut().cast::<F::Strong<T>>()) });
}

impl<F> Clone for Anchor<F> {
    fn clone(&self) -> Self {
        // SAFETY: `table` was made for the type of `data`.
        let data = unsafe { (self.table.clone)(self.data) };
        Anchor { data, table: self.table, family: PhantomData }
    }
}

impl<F> Drop for Anchor<F> {
    fn drop(&mut self) {
        // SAFETY: `table` was made for the type of `data`, and this runs once.
        unsafe { (self.table.release)(self.data) }
    }
}

// SAFETY: a thread-safe anchor is made (in `handle`) only of owners, and of adapters that hold a
// weak owner and a method; `Owner<Shared>` and `Captures<Shared>` ask all of them to be
// `Send + Sync`, with which an `Arc` of them is.
#[cfg(feature = "std")]
unsafe impl Send for Anchor<crate::family::Shared> {}
// SAFETY: as above; and through a shared anchor nothing can be reached at all.
#[cfg(feature = "std")]
unsafe impl Sync for Anchor<crate::family::Shared> {}
