//! The slots in the order they are called.

use alloc::vec::Vec;
use core::{mem, slice};

use crate::raw::AnyEntry;
use crate::raw::Flavor;

/// Entries by priority, highest first, then by connection order. Disconnected ones stay as gaps
/// until they are swept out, so that disconnecting costs the same however long the list is.
pub(crate) enum List<F: Flavor> {
    /// Most are no longer than that. (None at all is an empty `Many`.) Not a `SmallVec`: where nothing is
    /// optimised, looking into one takes 250 instructions.
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

    /// Puts `entry` behind all of its priority or a higher one, and says where that is.
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
                let List::Many(entries) = self else { unreachable!("it was made just now") };
                if let List::One(first) = first {
                    entries.push(first);
                }
                insert(entries, entry)
            }
        }
    }

    /// Gives up what the gap at `position` still holds, and gaps at the end altogether.
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

    /// Gives memory back when most of it is unused.
    pub(crate) fn fit(&mut self) {
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
        // By half and not by doubling: a list may be large, and is copied seldom. Most are small.
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
