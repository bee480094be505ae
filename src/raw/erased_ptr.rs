//! One word that holds a value of any type that fits.

use core::mem::MaybeUninit;

/// Holds a value as large as a pointer. Its type is known elsewhere. Never drops the value.
#[derive(Clone, Copy)]
pub(super) struct ErasedPtr(MaybeUninit<*const ()>);

/// Whether a `V` fits into an [`ErasedPtr`].
pub(super) const fn fits<V>() -> bool {
    size_of::<V>() == size_of::<ErasedPtr>() && align_of::<V>() <= align_of::<ErasedPtr>()
}

impl ErasedPtr {
    #[inline(always)]
    pub(super) fn new<V>(value: V) -> Self {
        if const { !fits::<V>() } {
            unreachable!("the value does not fit into one word");
        }
        let mut ptr = MaybeUninit::<*const ()>::uninit();
        // SAFETY: `fits` says that the value has the size of the word and needs no larger
        // alignment.
        unsafe { ptr.as_mut_ptr().cast::<V>().write(value) };
        ErasedPtr(ptr)
    }

    /// # Safety
    /// A `V` was put in, and was not taken out of this word or a copy of it.
    #[inline(always)]
    pub(super) unsafe fn get<V>(&self) -> &V {
        // SAFETY: the caller promises that a `V` is here.
        unsafe { &*self.0.as_ptr().cast() }
    }

    /// # Safety
    /// As for [`get`](Self::get). Afterwards neither this word nor a copy of it is used.
    #[inline(always)]
    pub(super) unsafe fn take<V>(self) -> V {
        // SAFETY: the caller promises that a `V` is here, and that it is not used again.
        unsafe { self.0.as_ptr().cast::<V>().read() }
    }
}
