//! `Arc` and `Weak`, as far as signals need them, with a strong count that loom checks.

#![allow(unsafe_code)]

use core::mem::ManuallyDrop;
use core::ops::Deref;
use core::ptr::{self, drop_in_place};
use core::sync::atomic::Ordering;
use loom::sync::atomic::{AtomicUsize, fence};

use super::LoomFlavor;
#[cfg(feature = "async")]
use crate::raw::MaybeSend;
use crate::raw::{
    Caller, Hold, Link, Liveness, MaybeSendSync, NotCalled, Pointers, pointers, weak_link,
};

/// Directly before each value in memory.
#[repr(align(16))]
struct Counts {
    strong: AtomicUsize,
    /// All strong pointers together count as one. The count only decides when the memory is freed,
    /// so it is not one of loom's atomics: that keeps the models small.
    weak: std::sync::atomic::AtomicUsize,
    free: unsafe fn(*const Counts),
}

#[repr(C)]
struct Block<T> {
    counts: Counts,
    value: ManuallyDrop<T>,
}

unsafe fn free<T>(counts: *const Counts) {
    // SAFETY: only the last pointer to the block calls this, with the block that `Strong::new` has
    // made.
    drop(unsafe { Box::from_raw(counts.cast_mut().cast::<Block<T>>()) });
}

/// `value` is what `into_raw` returns, of a pointer that is still counted.
fn counts<'a, T: ?Sized>(value: *const T) -> &'a Counts {
    // SAFETY: `Strong::new` has put the counts directly before the value, and the count that the
    // caller has keeps them.
    unsafe { &*value.cast::<Counts>().sub(1) }
}

pub(crate) struct Strong<T: ?Sized>(*const T);

impl<T> Strong<T> {
    pub(crate) fn new(value: T) -> Self {
        assert!(align_of::<T>() <= align_of::<Counts>(), "the value directly follows the counts");
        let counts = Counts { strong: AtomicUsize::new(1), weak: 1.into(), free: free::<T> };
        let block = Box::into_raw(Box::new(Block { counts, value: ManuallyDrop::new(value) }));
        // SAFETY: the block was just allocated.
        Strong(unsafe { &raw const (*block).value }.cast())
    }
}

impl<T: ?Sized> Strong<T> {
    pub(crate) fn as_ptr(this: &Self) -> *const T {
        this.0
    }
    pub(crate) fn into_raw(this: Self) -> *const T {
        ManuallyDrop::new(this).0
    }
    /// # Safety
    /// `raw` came from `into_raw`, and is passed to this function only once.
    pub(crate) unsafe fn from_raw(raw: *const T) -> Self {
        Strong(raw)
    }
    pub(crate) fn strong_count(this: &Self) -> usize {
        counts(this.0).strong.load(Ordering::Relaxed)
    }
    pub(crate) fn downgrade(this: &Self) -> Weak<T> {
        counts(this.0).weak.fetch_add(1, Ordering::Relaxed);
        Weak(this.0)
    }
}

impl<T: ?Sized> Deref for Strong<T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: a strong pointer keeps the value.
        unsafe { &*self.0 }
    }
}

impl<T: ?Sized> Clone for Strong<T> {
    fn clone(&self) -> Self {
        counts(self.0).strong.fetch_add(1, Ordering::Relaxed);
        Strong(self.0)
    }
}

impl<T: ?Sized> Drop for Strong<T> {
    fn drop(&mut self) {
        if counts(self.0).strong.fetch_sub(1, Ordering::Release) == 1 {
            fence(Ordering::Acquire);
            // SAFETY: this was the last strong pointer, and without one no other can be made.
            unsafe { drop_in_place(self.0.cast_mut()) };
            drop(Weak(self.0));
        }
    }
}

pub(crate) struct Weak<T: ?Sized>(*const T);

impl<T> Weak<T> {
    pub(crate) fn new() -> Self {
        Weak(ptr::without_provenance(usize::MAX))
    }
}

impl<T: ?Sized> Weak<T> {
    fn counts(&self) -> Option<&Counts> {
        (self.0.addr() != usize::MAX).then(|| counts(self.0))
    }
    pub(crate) fn upgrade(&self) -> Option<Strong<T>> {
        let one_more = |strong| (strong > 0).then_some(strong + 1);
        let strong = &self.counts()?.strong;
        strong.fetch_update(Ordering::Acquire, Ordering::Relaxed, one_more).ok()?;
        Some(Strong(self.0))
    }
    pub(crate) fn strong_count(&self) -> usize {
        self.counts().map_or(0, |counts| counts.strong.load(Ordering::Relaxed))
    }
    pub(crate) fn as_ptr(&self) -> *const T {
        self.0
    }
    pub(crate) fn into_raw(self) -> *const T {
        ManuallyDrop::new(self).0
    }
    /// # Safety
    /// `raw` came from `into_raw`, and is passed to this function only once.
    pub(crate) unsafe fn from_raw(raw: *const T) -> Self {
        Weak(raw)
    }
}

impl<T: ?Sized> Clone for Weak<T> {
    fn clone(&self) -> Self {
        if let Some(counts) = self.counts() {
            counts.weak.fetch_add(1, Ordering::Relaxed);
        }
        Weak(self.0)
    }
}

impl<T: ?Sized> Drop for Weak<T> {
    fn drop(&mut self) {
        let Some(counts) = self.counts() else { return };
        if counts.weak.fetch_sub(1, Ordering::AcqRel) == 1 {
            // SAFETY: this was the last pointer, so nothing uses the block any more.
            unsafe { (counts.free)(counts) };
        }
    }
}

weak_link!(Strong, Weak<T>, Weak::<()>::new(), |_| false);
pointers!(LoomFlavor<true>, Strong, Weak<T>, fence(Ordering::Acquire));
pointers!(LoomFlavor<false>, Strong, Weak<T>, fence(Ordering::Acquire));

// SAFETY: loom runs all its threads on one thread of the system.
unsafe impl<T: ?Sized + 'static, const B: bool> MaybeSendSync<LoomFlavor<B>> for T {}
// SAFETY: loom runs all its threads on one thread of the system.
#[cfg(feature = "async")]
unsafe impl<T: ?Sized, const B: bool> MaybeSend<LoomFlavor<B>> for T {}
