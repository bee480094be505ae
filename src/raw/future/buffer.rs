//! Memory for the future of a handler.

use alloc::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use core::cell::Cell;
use core::ptr::NonNull;

/// Memory for one future of any type, which does not move while it is there.
pub(super) struct FutureBuffer {
    place: NonNull<u8>,
    layout: Layout,
}

/// The layout of a small buffer: large enough for most futures. The thread keeps one for its next
/// emission.
#[repr(align(16))]
struct Small {
    _bytes: [u8; 64],
}

const SMALL: Layout = Layout::new::<Small>();

std::thread_local! {
    /// One word, so that it is written and read as a whole. A read that needs the result of several
    /// smaller writes right after them would stall the processor.
    static SPARE: Spare = const { Spare(Cell::new(None)) };
}

/// The small buffer that was freed last, if any.
struct Spare(Cell<Option<NonNull<u8>>>);

impl FutureBuffer {
    /// No memory, but aligned like a small buffer: so alignments up to that need no check.
    pub(super) const NONE: FutureBuffer = FutureBuffer {
        place: NonNull::<[Small; 0]>::dangling().cast(),
        layout: Layout::new::<[Small; 0]>(),
    };

    #[inline(always)]
    pub(super) fn is_none(&self) -> bool {
        self.layout.size() == 0
    }

    #[inline(always)]
    pub(super) fn place(&self) -> *mut u8 {
        self.place.as_ptr()
    }

    #[inline(always)]
    pub(super) fn size(&self) -> usize {
        self.layout.size()
    }

    #[inline(always)]
    pub(super) fn is_aligned(&self, align: usize) -> bool {
        align <= SMALL.align() || align <= self.layout.align()
    }

    /// Makes the buffer large and aligned enough for `layout`, and for what it was large enough for
    /// before: so futures of different sizes in turn do not allocate each time.
    pub(super) fn grow(&mut self, layout: Layout) {
        let is_small = layout.size() <= SMALL.size() && layout.align() <= SMALL.align();
        if is_small && self.is_none() {
            let small = FutureBuffer::spare().unwrap_or_else(|| FutureBuffer::allocate(SMALL));
            // `self` has no memory, so its destructor would have nothing to do.
            core::mem::forget(core::mem::replace(self, small));
            return;
        }
        // Rounded up, so that a slightly larger future fits too; and larger than a small buffer, so
        // that it is never taken for one.
        let size = layout.size().max(self.layout.size()).max(SMALL.size() + 1).next_power_of_two();
        let align = layout.align().max(self.layout.align());
        let layout = Layout::from_size_align(size, align).unwrap_or(layout);
        // Free the old memory first, so that the allocator can reuse it.
        *self = FutureBuffer::NONE;
        *self = FutureBuffer::allocate(layout);
    }

    /// Takes the small buffer that the thread has kept, if any.
    #[inline(always)]
    pub(super) fn spare() -> Option<Self> {
        let place = SPARE.try_with(|spare| spare.0.take()).ok().flatten()?;
        Some(FutureBuffer { place, layout: SMALL })
    }

    fn allocate(layout: Layout) -> Self {
        // SAFETY: `SMALL` has a size, and `grow` makes other layouts larger.
        let place = unsafe { alloc(layout) };
        let place = NonNull::new(place).unwrap_or_else(|| handle_alloc_error(layout));
        FutureBuffer { place, layout }
    }
}

impl Drop for FutureBuffer {
    #[inline]
    fn drop(&mut self) {
        if !self.is_none() {
            // SAFETY: the place was allocated with this layout, and `self` is not used again.
            unsafe { give_up(self.place, self.layout) };
        }
    }
}

/// Frees a buffer, or keeps it as the thread's spare one. Not inlined, so that dropping a
/// `FutureBuffer` takes few instructions.
///
/// # Safety
/// The place was allocated with this layout, and is not used again.
#[inline(never)]
unsafe fn give_up(place: NonNull<u8>, layout: Layout) {
    let keep = |spare: &Spare| {
        let is_vacant = spare.0.get().is_none();
        if is_vacant {
            spare.0.set(Some(place));
        }
        is_vacant
    };
    if layout.size() == SMALL.size() && SPARE.try_with(keep) == Ok(true) {
        return;
    }
    // SAFETY: this function has the same contract, and the thread has not kept the place.
    unsafe { dealloc(place.as_ptr(), layout) };
}

impl Drop for Spare {
    fn drop(&mut self) {
        if let Some(place) = self.0.take() {
            // SAFETY: `give_up` puts only places with the layout `SMALL` here, and gives them up.
            unsafe { dealloc(place.as_ptr(), SMALL) };
        }
    }
}
