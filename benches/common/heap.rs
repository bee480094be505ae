//! Counts allocations. Works only in a bench whose global allocator is [`Counting`].

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicU64, Ordering::Relaxed};

pub(crate) struct Counting;

/// Set only inside [`heap`], because counting would distort time measurements: it takes about as
/// long as an allocation.
static COUNTS: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static LIVE_BYTES: AtomicIsize = AtomicIsize::new(0);

/// Reallocations count as allocations.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heap {
    pub(crate) allocations: u64,
    /// The bytes allocated afterwards, minus the bytes allocated before.
    pub(crate) bytes: isize,
}

/// The heap usage of `work`. Its result is dropped only after counting.
pub(crate) fn heap<T>(work: impl FnOnce() -> T) -> (Heap, T) {
    let (allocations, bytes) = (ALLOCATIONS.load(Relaxed), LIVE_BYTES.load(Relaxed));
    COUNTS.store(true, Relaxed);
    let result = work();
    COUNTS.store(false, Relaxed);
    let heap = Heap {
        allocations: ALLOCATIONS.load(Relaxed) - allocations,
        bytes: LIVE_BYTES.load(Relaxed) - bytes,
    };
    (heap, result)
}

pub(crate) fn count(allocations: u64, grown_by: isize) {
    if COUNTS.load(Relaxed) {
        ALLOCATIONS.fetch_add(allocations, Relaxed);
        LIVE_BYTES.fetch_add(grown_by, Relaxed);
    }
}

// SAFETY: every method passes its arguments on to the system's allocator and returns the result of
// that. Counting neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size() as isize);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, -(layout.size() as isize));
        // SAFETY: the caller keeps the contract of `dealloc`, and `pointer` came from the system.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(1, size as isize - layout.size() as isize);
        // SAFETY: the caller keeps the contract of `realloc`, and `pointer` came from the system.
        unsafe { System.realloc(pointer, layout, size) }
    }
}
