//! What tells the slots of a signal from one another.

use slotmap::KeyData;

slotmap::new_key_type! {
    /// Identifies one slot of one signal; never used twice.
    pub(crate) struct SlotKey;
}

impl SlotKey {
    pub(crate) fn to_bits(self) -> u64 {
        self.0.as_ffi()
    }

    pub(crate) fn from_bits(bits: u64) -> Self {
        SlotKey(KeyData::from_ffi(bits))
    }

    /// Counts the uses of the key's place in the map, in steps of 2 from 1.
    pub(crate) fn version(self) -> u32 {
        (self.to_bits() >> 32) as u32
    }

    pub(crate) fn tag(self) -> usize {
        tag(self.to_bits())
    }
}

/// A key as one word, never 0. Where a word has 32 bits, two keys may share a tag: then
/// `disconnect_and_wait` takes one for the other, and may wait too long or refuse to, never too short.
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
