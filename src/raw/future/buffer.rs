use alloc::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use core::cell::Cell;
use core::ptr::NonNull;

/// Memory for a future, which is of some type and does not move.
pub(super) struct FutureBuffer {
    place: NonNull<u8>,
    layout: Layout,
}

/// A small room: good for most futures, and used again by the next emission on its thread.
#[repr(align(16))]
struct Small {
    _room: [u8; 64],
}

const SMALL: Layout = Layout::new::<Small>();

std::thread_local! {
    /// One word, which moves at once: what is written in parts and read as a whole right afterwards keeps the
    /// processor waiting.
    static SPARE: Spare = const { Spare(Cell::new(None)) };
}

/// The small room that was given up last.
struct Spare(Cell<Option<NonNull<u8>>>);

impl FutureBuffer {
    /// None yet, but aligned as others are: so an alignment like that need not be asked for.
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

    /// Makes it good for this layout too, so that futures that take turns do not take turns in allocating.
    pub(super) fn grow(&mut self, layout: Layout) {
        let is_small = layout.size() <= SMALL.size() && layout.align() <= SMALL.align();
        if is_small && self.is_none() {
            let small = FutureBuffer::spare().unwrap_or_else(|| FutureBuffer::allocate(SMALL));
            // Nothing is dropped, and so nothing need be looked at for that.
            core::mem::forget(core::mem::replace(self, small));
            return;
        }
        // More than is asked for, for those that are a little larger, and never what counts as small.
        let size = layout.size().max(self.layout.size()).max(SMALL.size() + 1).next_power_of_two();
        let align = layout.align().max(self.layout.align());
        let layout = Layout::from_size_align(size, align).unwrap_or(layout);
        // First the one, so that it can become the other.
        *self = FutureBuffer::NONE;
        *self = FutureBuffer::allocate(layout);
    }

    /// The small room that was given up last, if it was not taken yet.
    #[inline(always)]
    pub(super) fn spare() -> Option<Self> {
        let place = SPARE.try_with(|spare| spare.0.take()).ok().flatten()?;
        Some(FutureBuffer { place, layout: SMALL })
    }

    fn allocate(layout: Layout) -> Self {
        // SAFETY: nobody asks for a layout without size.
        let place = unsafe { alloc(layout) };
        let place = NonNull::new(place).unwrap_or_else(|| handle_alloc_error(layout));
        FutureBuffer { place, layout }
    }
}

impl Drop for FutureBuffer {
    #[inline]
    fn drop(&mut self) {
        if !self.is_none() {
            // SAFETY: it was allocated with this layout, and is not used any more.
            unsafe { give_up(self.place, self.layout) };
        }
    }
}

/// A call of its own, so that what is dropped without a room, and with one, is few instructions.
///
/// # Safety
/// The place was allocated with this layout, and this is its last use.
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
    // SAFETY: the caller's promise.
    unsafe { dealloc(place.as_ptr(), layout) };
}

impl Drop for Spare {
    fn drop(&mut self) {
        if let Some(place) = self.0.take() {
            // SAFETY: only small rooms come here, and nobody else has it.
            unsafe { dealloc(place.as_ptr(), SMALL) };
        }
    }
}
