//! The key of a slot.

use slotmap::KeyData;

slotmap::new_key_type! {
    /// Identifies one slot of one signal. Never reused.
    pub(crate) struct SlotKey;
}

impl SlotKey {
    pub(crate) fn to_bits(self) -> u64 {
        self.0.as_ffi()
    }

    pub(crate) fn from_bits(bits: u64) -> Self {
        SlotKey(KeyData::from_ffi(bits))
    }

    /// Counts how often the key's index in the map was used: 1 at first, 2 more with each reuse.
    pub(crate) fn version(self) -> u32 {
        (self.to_bits() >> 32) as u32
    }

    pub(crate) fn tag(self) -> usize {
        tag(self.to_bits())
    }
}

/// A key in one word, never 0. On a 32-bit target two keys may share a tag. Then
/// `disconnect_and_wait` takes one slot for the other: it may wait too long or refuse to wait, but
/// never returns too early.
#[inline(always)]
pub(crate) fn tag(key_bits: u64) -> usize {
    #[cfg(target_pointer_width = "64")]
    return key_bits as usize;
    #[cfg(not(target_pointer_width = "64"))]
    return (key_bits ^ (key_bits >> 32).rotate_left(12)) as usize | (1 << (usize::BITS - 1));
}

/// Where calls of a slot are under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Running {
    Nowhere,
    Elsewhere,
    /// On the thread that asks: it is inside the slot.
    Here,
}
