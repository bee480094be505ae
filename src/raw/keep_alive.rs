use alloc::boxed::Box;
use core::marker::PhantomData;

use super::erased_ptr::{ErasedPtr, fits};

/// Owns one strong pointer, of whatever type, and does nothing but keep it.
pub(crate) struct KeepAlive<F> {
    data: ErasedPtr,
    /// Made for the type in `data`.
    table: &'static KeepAliveVtable,
    flavor: PhantomData<F>,
}

struct KeepAliveVtable {
    clone: unsafe fn(&ErasedPtr) -> ErasedPtr,
    release: unsafe fn(ErasedPtr),
}

impl<F> KeepAlive<F> {
    /// For the thread-safe flavor, `S` must be `Send + Sync` (see the `Send` impl below).
    #[inline(always)]
    pub(super) fn new<S: Clone>(strong: S) -> Self {
        if const { fits::<S>() } { Self::of(strong) } else { Self::of(Box::new(strong)) }
    }

    #[inline(always)]
    fn of<V: Clone>(value: V) -> Self {
        KeepAlive {
            data: ErasedPtr::new(value),
            table: &KeepAliveVtable { clone: clone::<V>, release: release::<V> },
            flavor: PhantomData,
        }
    }
}

impl<F> KeepAlive<F> {
    /// Takes back a count that was kept by nothing but the knowledge of it.
    ///
    /// # Safety
    /// There is one of this pointer, which fits into a word, beside this keep_alive's own.
    pub(super) unsafe fn uncount(&self) {
        // SAFETY: `table` was made for the type in `data`; and the caller's promise.
        unsafe { (self.table.release)(self.data) }
    }
}

unsafe fn clone<V: Clone>(data: &ErasedPtr) -> ErasedPtr {
    // SAFETY: `KeepAlive` calls this with the data its table was made for.
    ErasedPtr::new(unsafe { data.get::<V>() }.clone())
}

unsafe fn release<V>(data: ErasedPtr) {
    // SAFETY: as in `clone`, and `KeepAlive` releases once.
    drop(unsafe { data.take::<V>() });
}

impl<F> Clone for KeepAlive<F> {
    fn clone(&self) -> Self {
        // SAFETY: `table` was made for the type in `data`.
        let data = unsafe { (self.table.clone)(&self.data) };
        KeepAlive { data, table: self.table, flavor: PhantomData }
    }
}

impl<F> Drop for KeepAlive<F> {
    fn drop(&mut self) {
        // SAFETY: `table` was made for the type in `data`, and this runs once.
        unsafe { (self.table.release)(self.data) }
    }
}

// SAFETY: a thread-safe keep_alive is made (in `handle`) only of strong pointers to what was `Checked` to be
// `Send + Sync`, with which they are.
#[cfg(feature = "std")]
unsafe impl Send for KeepAlive<crate::raw::Shared> {}
// SAFETY: as above; and through a shared keep_alive nothing can be reached at all.
#[cfg(feature = "std")]
unsafe impl Sync for KeepAlive<crate::raw::Shared> {}
