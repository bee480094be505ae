use core::mem::MaybeUninit;

/// Room for a value as large as a pointer, whose type is known elsewhere. Does not drop it.
#[derive(Clone, Copy)]
pub(super) struct ErasedPtr(MaybeUninit<*const ()>);

/// Whether a `V` has its place in a [`ErasedPtr`].
pub(super) const fn fits<V>() -> bool {
    size_of::<V>() == size_of::<ErasedPtr>() && align_of::<V>() <= align_of::<ErasedPtr>()
}

impl ErasedPtr {
    #[inline(always)]
    pub(super) fn new<V>(value: V) -> Self {
        if const { !fits::<V>() } {
            unreachable!("it is too large");
        }
        let mut ptr = MaybeUninit::<*const ()>::uninit();
        // SAFETY: it fits.
        unsafe { ptr.as_mut_ptr().cast::<V>().write(value) };
        ErasedPtr(ptr)
    }

    /// # Safety
    /// A `V` was put in, and has not been taken out of this ptr or a copy of it.
    #[inline(always)]
    pub(super) unsafe fn get<V>(&self) -> &V {
        // SAFETY: the caller's promise.
        unsafe { &*self.0.as_ptr().cast() }
    }

    /// # Safety
    /// As for [`get`](Self::get); and no ptr with this value is used any more.
    #[inline(always)]
    pub(super) unsafe fn take<V>(self) -> V {
        // SAFETY: the caller's promise.
        unsafe { self.0.as_ptr().cast::<V>().read() }
    }
}
