//! The slots of a signal in the order in which they are called.

use alloc::vec::Vec;
use core::{mem, slice};

use crate::raw::AnyEntry;
use crate::raw::Flavor;

/// Entries by priority, highest first, then by connection order. A disconnected entry stays as a
/// gap until a sweep removes it, so the cost of disconnecting does not grow with the list.
pub(crate) enum List<F: Flavor> {
    /// The most common list. (An empty list is an empty `Many`.) This is not a `SmallVec`, because
    /// reading one takes 250 instructions in a debug build.
    One(AnyEntry<F>),
    Many(Vec<AnyEntry<F>>),
}

impl<F: Flavor> List<F> {
    pub(crate) fn new() -> Self {
        List::Many(Vec::new())
    }

    #[inline(always)]
    pub(crate) fn entries(&self) -> &[AnyEntry<F>] {
        match self {
            List::One(entry) => slice::from_ref(entry),
            List::Many(entries) => entries,
        }
    }

    /// Inserts `entry` after all entries of the same or a higher priority. Returns its position.
    pub(crate) fn insert(&mut self, entry: AnyEntry<F>) -> usize {
        match self {
            List::Many(entries) if entries.capacity() > 0 => insert(entries, entry),
            List::Many(_) => {
                *self = List::One(entry);
                0
            }
            List::One(_) => {
                let entries = Vec::with_capacity(2);
                let first = mem::replace(self, List::Many(entries));
                let List::Many(entries) = self else { unreachable!("`Many` was just stored") };
                if let List::One(first) = first {
                    entries.push(first);
                }
                insert(entries, entry)
            }
        }
    }

    /// Drops what the gap at `position` still holds, and removes the gaps at the end.
    pub(crate) fn vacate(&mut self, position: usize) {
        match self {
            List::One(entry) => {
                entry.vacate();
                self.sweep();
            }
            List::Many(entries) => {
                entries[position].vacate();
                let last = entries.iter().rposition(|entry| !entry.is_gone());
                entries.truncate(last.map_or(0, |last| last + 1));
            }
        }
    }

    /// Removes all gaps, without allocating.
    pub(crate) fn sweep(&mut self) {
        match self {
            List::One(entry) if entry.is_gone() => *self = List::new(),
            List::One(_) => (),
            List::Many(entries) => entries.retain(|entry| !entry.is_gone()),
        }
    }

    /// Frees memory if most of it is unused.
    pub(crate) fn shrink(&mut self) {
        if let List::Many(entries) = self {
            if entries.capacity() > 4 * entries.len().max(4) {
                entries.shrink_to_fit();
            }
        }
    }
}

fn insert<F: Flavor>(entries: &mut Vec<AnyEntry<F>>, entry: AnyEntry<F>) -> usize {
    let last = entries.last();
    let at = if last.is_none_or(|last| last.priority() >= entry.priority()) {
        entries.len()
    } else {
        entries.partition_point(|other| other.priority() >= entry.priority())
    };
    if entries.len() == entries.capacity() {
        // Grows by half instead of doubling, since most lists are small and a copy is rare.
        let more = match entries.len() {
            0..2 => 1,
            2..8 => 2,
            len => len / 2,
        };
        entries.reserve_exact(more);
    }
    entries.insert(at, entry);
    at
}

impl<F: Flavor> Clone for List<F> {
    fn clone(&self) -> Self {
        match self {
            List::One(entry) => List::One(entry.clone()),
            List::Many(entries) => List::Many(entries.clone()),
        }
    }
}
