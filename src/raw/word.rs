use core::mem::MaybeUninit;

/// Room for a value as large as a pointer, whose type is known elsewhere. Does not drop it.
#[derive(Clone, Copy)]
pub(super) struct Word(MaybeUninit<*const ()>);

/// Whether a `V` has its place in a [`Word`].
pub(super) const fn fits<V>() -> bool {
    size_of::<V>() == size_of::<Word>() && align_of::<V>() <= align_of::<Word>()
}

impl Word {
    #[inline(always)]
    pub(super) fn new<V>(value: V) -> Self {
        if const { !fits::<V>() } {
            unreachable!("it is too large");
        }
        let mut word = MaybeUninit::<*const ()>::uninit();
        // SAFETY: it fits.
        unsafe { word.as_mut_ptr().cast::<V>().write(value) };
        Word(word)
    }

    /// # Safety
    /// A `V` was put in, and has not been taken out of this word or a copy of it.
    #[inline(always)]
    pub(super) unsafe fn get<V>(&self) -> &V {
        // SAFETY: the caller's promise.
        unsafe { &*self.0.as_ptr().cast() }
    }

    /// # Safety
    /// As for [`get`](Self::get); and no word with this value is used any more.
    #[inline(always)]
    pub(super) unsafe fn take<V>(self) -> V {
        // SAFETY: the caller's promise.
        unsafe { self.0.as_ptr().cast::<V>().read() }
    }
}
