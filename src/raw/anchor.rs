use alloc::boxed::Box;
use core::marker::PhantomData;

use super::word::{Word, fits};

/// Owns one strong pointer, of whatever type, and does nothing but keep it.
pub(crate) struct Anchor<F> {
    data: Word,
    /// Made for the type in `data`.
    table: &'static Table,
    family: PhantomData<F>,
}

struct Table {
    clone: unsafe fn(&Word) -> Word,
    release: unsafe fn(Word),
}

impl<F> Anchor<F> {
    /// For the thread-safe family, `S` must be `Send + Sync` (see the `Send` impl below).
    #[inline(always)]
    pub(super) fn new<S: Clone>(strong: S) -> Self {
        if const { fits::<S>() } { Self::of(strong) } else { Self::of(Box::new(strong)) }
    }

    #[inline(always)]
    fn of<V: Clone>(value: V) -> Self {
        Anchor {
            data: Word::new(value),
            table: &Table { clone: clone::<V>, release: release::<V> },
            family: PhantomData,
        }
    }
}

impl<F> Anchor<F> {
    /// Takes back a count that was kept by nothing but the knowledge of it.
    ///
    /// # Safety
    /// There is one of this pointer, which fits into a word, beside this anchor's own.
    pub(super) unsafe fn uncount(&self) {
        // SAFETY: `table` was made for the type in `data`; and the caller's promise.
        unsafe { (self.table.release)(self.data) }
    }
}

unsafe fn clone<V: Clone>(data: &Word) -> Word {
    // SAFETY: `Anchor` calls this with the data its table was made for.
    Word::new(unsafe { data.get::<V>() }.clone())
}

unsafe fn release<V>(data: Word) {
    // SAFETY: as in `clone`, and `Anchor` releases once.
    drop(unsafe { data.take::<V>() });
}

impl<F> Clone for Anchor<F> {
    fn clone(&self) -> Self {
        // SAFETY: `table` was made for the type in `data`.
        let data = unsafe { (self.table.clone)(&self.data) };
        Anchor { data, table: self.table, family: PhantomData }
    }
}

impl<F> Drop for Anchor<F> {
    fn drop(&mut self) {
        // SAFETY: `table` was made for the type in `data`, and this runs once.
        unsafe { (self.table.release)(self.data) }
    }
}

// SAFETY: a thread-safe anchor is made (in `handle`) only of strong pointers to what was `Checked` to be
// `Send + Sync`, with which they are.
#[cfg(feature = "std")]
unsafe impl Send for Anchor<crate::family::Shared> {}
// SAFETY: as above; and through a shared anchor nothing can be reached at all.
#[cfg(feature = "std")]
unsafe impl Sync for Anchor<crate::family::Shared> {}
