//! The slots in the order they are called.

use smallvec::SmallVec;

use crate::family::Family;
use crate::raw::Entry;

/// Entries by priority, highest first, then by connection order. Disconnected ones stay as gaps
/// until they are swept out, so that disconnecting costs the same however long the list is.
pub(crate) struct List<E: ?Sized + 'static, R: 'static, F: Family> {
    entries: SmallVec<[Entry<E, R, F>; 1]>,
}

impl<E: ?Sized + 'static, R: 'static, F: Family> List<E, R, F> {
    pub(crate) fn new() -> Self {
        List { entries: SmallVec::new() }
    }

    #[inline(always)]
    pub(crate) fn entries(&self) -> &[Entry<E, R, F>] {
        &self.entries
    }

    /// Puts `entry` behind all of its priority or a higher one, and says where that is.
    pub(crate) fn insert(&mut self, entry: Entry<E, R, F>) -> usize {
        let last = self.entries.last();
        let at = if last.is_none_or(|last| last.priority() >= entry.priority()) {
            self.entries.len()
        } else {
            self.entries.partition_point(|other| other.priority() >= entry.priority())
        };
        if self.entries.len() == self.entries.capacity() {
            // By half and not by doubling: a list may be large, and is copied seldom. Most are small.
            let more = match self.entries.len() {
                0..2 => 1,
                2..8 => 2,
                len => len / 2,
            };
            self.entries.reserve_exact(more);
        }
        self.entries.insert(at, entry);
        at
    }

    /// Gives up what the gap at `position` still holds, and gaps at the end altogether.
    pub(crate) fn vacate(&mut self, position: usize) {
        self.entries[position].vacate();
        let last = self.entries.iter().rposition(|entry| !entry.is_gone());
        self.entries.truncate(last.map_or(0, |last| last + 1));
    }

    /// Removes all gaps, without allocating.
    pub(crate) fn sweep(&mut self) {
        self.entries.retain(|entry| !entry.is_gone());
    }

    /// Gives memory back when most of it is unused.
    pub(crate) fn fit(&mut self) {
        if self.entries.capacity() > 4 * self.entries.len().max(4) {
            self.entries.shrink_to_fit();
        }
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Family> Clone for List<E, R, F> {
    fn clone(&self) -> Self {
        List { entries: self.entries.clone() }
    }
}
