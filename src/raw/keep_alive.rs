//! An owned strong pointer whose type is erased.

use alloc::boxed::Box;
use core::marker::PhantomData;

use super::erased_ptr::{ErasedPtr, fits};

/// Owns one strong pointer of any type. It can be cloned and dropped, nothing else.
pub(crate) struct KeepAlive<F> {
    data: ErasedPtr,
    /// Made for the type of the value in `data`.
    vtable: &'static KeepAliveVtable,
    flavor: PhantomData<F>,
}

struct KeepAliveVtable {
    clone: unsafe fn(&ErasedPtr) -> ErasedPtr,
    release: unsafe fn(ErasedPtr),
}

impl<F> KeepAlive<F> {
    /// # Safety
    /// `strong` borrows nothing. For the thread-safe flavor it is `Send + Sync`: what it points at was
    /// `Checked`.
    #[inline(always)]
    pub(super) unsafe fn new<S: Clone>(strong: S) -> Self {
        if const { fits::<S>() } { Self::of(strong) } else { Self::of(Box::new(strong)) }
    }

    #[inline(always)]
    fn of<V: Clone>(value: V) -> Self {
        KeepAlive {
            data: ErasedPtr::new(value),
            vtable: &KeepAliveVtable { clone: clone::<V>, release: release::<V> },
            flavor: PhantomData,
        }
    }
}

impl<F> KeepAlive<F> {
    /// Drops one strong count that no pointer represents.
    ///
    /// # Safety
    /// - The strong pointer fits into one word, so it is not boxed.
    /// - Besides the count of this `KeepAlive`, there is one more that belongs to the caller.
    pub(super) unsafe fn uncount(&self) {
        // SAFETY: `vtable` was made for the type in `data`. A copy of the pointer releases the
        // count that the caller gives up, and this `KeepAlive` still has its own.
        unsafe { (self.vtable.release)(self.data) }
    }
}

unsafe fn clone<V: Clone>(data: &ErasedPtr) -> ErasedPtr {
    // SAFETY: only `KeepAlive` calls this, with data of the type `V` that its vtable was made for.
    ErasedPtr::new(unsafe { data.get::<V>() }.clone())
}

unsafe fn release<V>(data: ErasedPtr) {
    // SAFETY: as in `clone`. `KeepAlive` releases each count once.
    drop(unsafe { data.take::<V>() });
}

impl<F> Clone for KeepAlive<F> {
    fn clone(&self) -> Self {
        // SAFETY: `vtable` was made for the type in `data`.
        let data = unsafe { (self.vtable.clone)(&self.data) };
        KeepAlive { data, vtable: self.vtable, flavor: PhantomData }
    }
}

impl<F> Drop for KeepAlive<F> {
    fn drop(&mut self) {
        // SAFETY: `vtable` was made for the type in `data`. `drop` runs once.
        unsafe { (self.vtable.release)(self.data) }
    }
}

// SAFETY: a `KeepAlive<Shared>` is made, in `handle` and `held`, only from values that were
// `Checked` to be `Send + Sync`, or from strong pointers to such values, which then are
// `Send + Sync` too.
#[cfg(feature = "std")]
unsafe impl Send for KeepAlive<crate::raw::Shared> {}
// SAFETY: as above.
#[cfg(feature = "std")]
unsafe impl Sync for KeepAlive<crate::raw::Shared> {}
