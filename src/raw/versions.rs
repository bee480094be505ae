//! A value that many threads read while one edits it: in place if nobody reads it, otherwise as a
//! copy that becomes the new version.
//!
//! `head` points to the current version. It is null only while that version is edited in place. A
//! reader takes a *reader cell*, writes into it the version that it is about to read, and then
//! checks `head` again. An editor, under the lock, first sets `head` to null and then checks the
//! reader cells. These four steps have a single total order, so whichever thread comes second sees
//! what the first has written. Hence no reader reads a version that is edited in place, or freed.
//! This is the protocol of hazard pointers (Michael, "Hazard Pointers: Safe Memory Reclamation for
//! Lock-Free Objects", 2004), with the list of retired versions under the editors' lock.
//!
//! | who | `head` | its reader cell | the version |
//! |---|---|---|---|
//! | reader, before the check | current | the version | may be freed meanwhile |
//! | reader, pinned | any | the version | alive and unchanged until the cell is cleared |
//! | editor, in place | null | none contains the version | the editor's only: nobody shares it |
//! | editor, replacing | old, then new | any | the old one is retired until no cell contains it |
//!
//! A reader clears its cell by a plain store, and then checks whether there is tidying to do:
//! freeing retired versions, and edits that had to wait for it. An editor on another thread that
//! still sees the cell taken at that moment may leave tidying to this reader, which then misses it.
//! Then the next reader or the next edit tidies. That costs memory at most, and saves each reader
//! an atomic exchange.
//!
//! A reader can also share the version, under the lock or while its cell contains the version. Then
//! it owns one more strong pointer.

use alloc::boxed::Box;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::Deref;
use core::ptr;
use core::sync::atomic::{Ordering, compiler_fence};

use super::LazyStrong;
use crate::raw::{Atom, Flavor, Lock, SlotState, StateCell};

/// What readers access comes first, in adjacent memory.
#[repr(C)]
pub(crate) struct Versions<T, S, F: Flavor> {
    /// The current version. `Versions` owns it also while this is null, during an edit in place.
    head: F::Ptr<T>,
    owned: PhantomData<F::Strong<T>>,
    /// [`IDLE`], and who has to tidy at its end because it prevented that before: [`READER`],
    /// [`SHARER`]. Written under the lock.
    marks: F::State,
    cells: ReaderCells<T, F>,
    editor: F::Lock<EditorState<T, S, F>>,
}

struct EditorState<T, S, F: Flavor> {
    retired: Option<Box<Retired<T, F>>>,
    state: S,
}

/// A former version that readers may still read. There are at most as many as readers, so they are
/// in a linked list.
struct Retired<T, F: Flavor> {
    version: F::Strong<T>,
    next: Option<Box<Retired<T, F>>>,
}

/// Belongs to one reader at a time: a running emission, or one call out of a suspended one.
pub(crate) struct ReaderCell<T, F: Flavor> {
    /// The version that is read, or null if the cell is free. The reader that replaces null by a
    /// version has the cell. Nobody else writes to the cell until it is null again.
    version: F::Ptr<T>,
    /// The tag of the entry that is being called, or 0.
    running: F::Count,
    /// The thread of the reader.
    thread: F::Thread,
}

/// Each reader that leaves its cell has to tidy.
const READER: u8 = 1;
/// Each reader that stops sharing a version has to tidy.
const SHARER: u8 = 2;
/// There is nothing to read: readers may skip the version.
const IDLE: u8 = 4;

/// One reader cell, and more once two readers have met.
///
/// The first cell is next to what all readers read. So it is closed for good when readers on two
/// threads meet: when a reader could not take it, but now finds it free. (A nested emission is on
/// the same thread, and finds it still taken.)
struct ReaderCells<T, F: Flavor> {
    first: ReaderCell<T, F>,
    more: LazyStrong<MoreReaderCells<T, F>, F>,
}

const MORE_CELLS: usize = 4;

struct MoreReaderCells<T, F: Flavor> {
    cells: [PaddedReaderCell<T, F>; MORE_CELLS],
    more: LazyStrong<MoreReaderCells<T, F>, F>,
}

/// A reader cell that shares no cache line with another one.
struct PaddedReaderCell<T, F: Flavor> {
    cell: ReaderCell<T, F>,
    _spacing: [F::Spacing; 0],
}

impl<T, F: Flavor> ReaderCell<T, F> {
    /// No version has this address.
    const CLOSED: *mut T = ptr::dangling_mut();

    fn new() -> Self {
        ReaderCell {
            version: F::Ptr::new(ptr::null_mut()),
            running: F::Count::new(0),
            thread: F::Thread::new(F::this_thread()),
        }
    }

    #[inline(always)]
    fn take(&self, version: *mut T) -> bool {
        let taken = self.version.load(Ordering::Relaxed).is_null()
            && self.version.replace(ptr::null_mut(), version, Ordering::SeqCst);
        if taken {
            self.thread.store(F::this_thread(), Ordering::Relaxed);
        }
        taken
    }

    /// Closes the cell if it is free: then nobody takes it any more.
    fn close(&self) {
        if self.version.load(Ordering::Relaxed).is_null() {
            self.version.replace(ptr::null_mut(), Self::CLOSED, Ordering::Relaxed);
        }
    }

    /// Whether a reader has the cell.
    fn is_taken(&self) -> bool {
        let version = self.version.load(Ordering::Relaxed);
        !(version.is_null() || ptr::eq(version, Self::CLOSED))
    }

    #[inline(always)]
    fn leave(&self) {
        self.end();
        // Under Miri, a SeqCst load may read this plain store after a SeqCst exchange has replaced
        // its value: an editor would see a cell as free that another reader has taken. C++20 rules
        // that out (P0668).
        let order = if cfg!(miri) { Ordering::SeqCst } else { Ordering::Release };
        self.version.store(ptr::null_mut(), order);
    }

    /// Records which entry is called next. The entry may be called if its target was then entered
    /// and [`is_begun_to_call`] has found it connected: a thread that disconnects it, and checks
    /// the reader cells afterwards, finds it here.
    ///
    /// That rests on a single total order of four steps: this store before the reader's load of the
    /// entry's state, and the store of that state by the disconnecting thread before its load of
    /// this cell. The reader's two are SeqCst; between the other two, [`Versions::threads_in`] has
    /// a SeqCst fence. Where an exchange is a barrier, a SeqCst store would cost as much as
    /// entering the target does. There, the exchange that enters the target stands between this
    /// store and that load, and orders them.
    #[inline(always)]
    pub(crate) fn begin(&self, tag: usize) {
        if F::EXCHANGE_IS_BARRIER {
            self.running.store(tag, Ordering::Release);
            compiler_fence(Ordering::SeqCst);
        } else {
            self.running.store(tag, Ordering::SeqCst);
            F::sequential();
        }
    }

    /// Ends the call that [`begin`](Self::begin) has recorded.
    #[inline(always)]
    pub(crate) fn end(&self) {
        // Release: pairs with the Acquire load in `threads_in`. A thread that finds no call running
        // also sees what the call did.
        self.running.store(0, Ordering::Release);
    }
}

/// Whether the entry that was [begun](ReaderCell::begin) may be called without asking the ledger.
/// To be called after its target was entered, by an atomic exchange or in another way.
#[inline(always)]
pub(super) fn is_begun_to_call<F: Flavor>(
    state: &StateCell<F>,
    is_entered_by_exchange: bool,
) -> bool {
    if F::THREADED && F::EXCHANGE_IS_BARRIER && !is_entered_by_exchange {
        // No exchange stands between `begin` and this load.
        F::full_fence();
    }
    state.is(SlotState::Call, Ordering::SeqCst)
}

impl<T, F: Flavor> ReaderCells<T, F> {
    fn new() -> Self {
        ReaderCells { first: ReaderCell::new(), more: LazyStrong::empty() }
    }

    /// All cells that exist so far.
    fn iter(&self) -> impl Iterator<Item = &ReaderCell<T, F>> {
        let more = core::iter::successors(self.more.get(), |more| more.more.get());
        let more = more.flat_map(|more| more.cells.iter().map(|padded| &padded.cell));
        core::iter::once(&self.first).chain(more)
    }

    #[inline(always)]
    fn take(&self, version: *mut T) -> &ReaderCell<T, F> {
        if self.first.take(version) { &self.first } else { self.take_another(version) }
    }

    #[inline(never)]
    fn take_another(&self, version: *mut T) -> &ReaderCell<T, F> {
        self.first.close();
        self.more.get_or_init(MoreReaderCells::new).take(version)
    }

    fn contain(&self, version: *const T) -> bool {
        self.iter().any(|cell| ptr::eq(cell.version.load(Ordering::SeqCst), version))
    }
}

impl<T, F: Flavor> MoreReaderCells<T, F> {
    fn new() -> Self {
        let padded = |_| PaddedReaderCell { cell: ReaderCell::new(), _spacing: [] };
        MoreReaderCells { cells: core::array::from_fn(padded), more: LazyStrong::empty() }
    }

    /// Threads begin to search at different cells, so that they seldom meet.
    #[inline(never)]
    fn take(&self, version: *mut T) -> &ReaderCell<T, F> {
        let first = F::this_thread().wrapping_mul(0x9e37_79b9) >> 16;
        for at in first..first + MORE_CELLS {
            let cell = &self.cells[at % MORE_CELLS].cell;
            if cell.take(version) {
                return cell;
            }
        }
        self.more.get_or_init(MoreReaderCells::new).take(version)
    }
}

/// Keeps a version alive and unchanged until this is dropped.
pub(crate) struct PinnedVersion<'a, T, F: Flavor> {
    cell: &'a ReaderCell<T, F>,
    version: &'a T,
}

impl<T, F: Flavor> PinnedVersion<'_, T, F> {
    #[inline(always)]
    pub(crate) fn reader(&self) -> &ReaderCell<T, F> {
        self.cell
    }

    /// A strong pointer to the version, which keeps it unchanged also after the cell is left: as if
    /// it were [shared under the lock](EditGuard::share).
    #[cfg(any(feature = "async", all(test, sigwire_loom)))]
    pub(crate) fn share(&self) -> F::Strong<T> {
        // SAFETY: the pointer in the cell came from a strong pointer, which exists until the cell
        // is left. `ManuallyDrop` leaves the strong count with that pointer.
        let version = unsafe { F::from_raw(self.cell.version.load(Ordering::Relaxed)) };
        F::Strong::clone(&ManuallyDrop::new(version))
    }
}

impl<T, F: Flavor> Deref for PinnedVersion<'_, T, F> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        self.version
    }
}

impl<T, F: Flavor> Drop for PinnedVersion<'_, T, F> {
    #[inline(always)]
    fn drop(&mut self) {
        self.cell.leave();
    }
}

impl<T, S, F: Flavor> Versions<T, S, F> {
    pub(crate) fn new(value: T, state: S) -> Self {
        Versions {
            head: F::Ptr::new(F::into_raw(F::strong(value)).cast_mut()),
            owned: PhantomData,
            marks: F::State::new(IDLE),
            cells: ReaderCells::new(),
            editor: F::Lock::new(EditorState { retired: None, state }),
        }
    }

    /// Whether there is nothing to read, as an editor has [set](EditGuard::set_idle) it.
    #[inline(always)]
    pub(crate) fn is_idle(&self) -> bool {
        self.marks.load(Ordering::Acquire) & IDLE != 0
    }

    /// Pins the current version in a reader cell. Waits for an edit in place to end, which never
    /// runs user code.
    #[inline(always)]
    pub(crate) fn pin(&self) -> PinnedVersion<'_, T, F> {
        loop {
            let head = self.head.load(Ordering::Acquire);
            if !head.is_null() {
                let cell = self.cells.take(head);
                F::sequential();
                let again = self.head.load(Ordering::SeqCst);
                if ptr::eq(again, head) {
                    // SAFETY: the version was still current when the cell contained it. By the
                    // protocol above, no editor changes or frees it until the cell is left, which
                    // the drop of `PinnedVersion` does. (`again`, not `head`: in between, a version
                    // may have been freed and another one made at the same address.)
                    return PinnedVersion { cell, version: unsafe { &*again } };
                }
                cell.leave();
            }
            self.wait_for_edit();
        }
    }

    #[cold]
    fn wait_for_edit(&self) {
        drop(self.editor.lock());
    }

    /// A reader cell for one call out of a version that the caller shares.
    pub(crate) fn reader_for<'a>(&'a self, version: &'a F::Strong<T>) -> PinnedVersion<'a, T, F> {
        let cell = self.cells.take(F::as_ptr(version).cast_mut());
        PinnedVersion { cell, version }
    }

    /// The number of readers.
    pub(crate) fn readers(&self) -> usize {
        self.cells.iter().filter(|cell| cell.is_taken()).count()
    }

    /// Whether a reader that has just left its cell has to tidy.
    #[inline(always)]
    pub(crate) fn is_untidy(&self) -> bool {
        self.marks.load(Ordering::Acquire) & READER != 0
    }

    /// Stops sharing `version`. Returns whether the caller has to tidy, also in place of readers
    /// that have meanwhile left the cells for their calls out of this version.
    pub(crate) fn unshare(&self, version: F::Strong<T>) -> bool {
        drop(version);
        if F::EXCHANGE_IS_BARRIER {
            // Dropping the pointer was an exchange: it has decremented the count.
            compiler_fence(Ordering::SeqCst);
            F::sequential();
        } else {
            F::full_fence();
        }
        self.marks.load(Ordering::SeqCst) & (READER | SHARER) != 0
    }

    pub(crate) fn lock(&self) -> EditGuard<'_, T, S, F> {
        EditGuard { versions: self, editor: self.editor.lock() }
    }

    pub(crate) fn try_lock(&self) -> Option<EditGuard<'_, T, S, F>> {
        self.editor.try_lock().map(|editor| EditGuard { versions: self, editor })
    }

    /// The threads that are calling the entry with this tag right now. Once the entry is
    /// disconnected, no further thread starts to call it: see [`ReaderCell::begin`].
    pub(crate) fn threads_in(&self, tag: usize) -> impl Iterator<Item = usize> {
        F::full_fence();
        self.cells.iter().filter_map(move |cell| {
            // Acquire: pairs with the Release store in `ReaderCell::end`.
            let is_inside = cell.running.load(Ordering::Acquire) == tag;
            is_inside.then(|| cell.thread.load(Ordering::Relaxed))
        })
    }
}

impl<T, S, F: Flavor> Drop for Versions<T, S, F> {
    fn drop(&mut self) {
        let head = self.head.load(Ordering::Acquire);
        // SAFETY: `head` came from `into_raw`. `self` owned it, and is not used again.
        drop(unsafe { F::from_raw(head) });
    }
}

type LockGuard<'a, V, F> = <<F as Flavor>::Lock<V> as Lock<V>>::Guard<'a>;

/// The right to edit: holds the editors' lock.
pub(crate) struct EditGuard<'a, T, S, F: Flavor> {
    versions: &'a Versions<T, S, F>,
    editor: LockGuard<'a, EditorState<T, S, F>, F>,
}

/// Who prevents an edit in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UsedBy {
    /// A reader cell contains the version.
    Reader,
    /// Somebody shares the version.
    Sharer,
}

/// Exclusive access to the current version: `head` is null until this is dropped.
struct ExclusiveVersion<'a, T, S, F: Flavor> {
    versions: &'a Versions<T, S, F>,
    head: *mut T,
    state: &'a mut S,
}

impl<T, S, F: Flavor> ExclusiveVersion<'_, T, S, F> {
    fn edit<U>(self, edit: impl FnOnce(&mut T, &mut S) -> U) -> U {
        // SAFETY: `EditGuard::exclusive` returns this only if no reader cell contains the version
        // and nobody shares it. Until `head` is restored, nobody begins to.
        edit(unsafe { &mut *self.head }, self.state)
    }
}

impl<T, S, F: Flavor> Drop for ExclusiveVersion<'_, T, S, F> {
    fn drop(&mut self) {
        self.versions.head.store(self.head, Ordering::Release);
    }
}

impl<T, S, F: Flavor> EditGuard<'_, T, S, F> {
    pub(crate) fn parts(&mut self) -> (&T, &mut S) {
        // SAFETY: it came from `into_raw`. Only an editor changes or replaces it, which needs this
        // guard.
        let current = unsafe { &*self.head() };
        (current, &mut self.editor.state)
    }

    /// Under the lock it is null only during an edit in place.
    fn head(&self) -> *mut T {
        self.versions.head.load(Ordering::Relaxed)
    }

    /// The current version, as a strong pointer that does not own its count.
    fn current(&self) -> ManuallyDrop<F::Strong<T>> {
        // SAFETY: it came from `into_raw`. `ManuallyDrop` leaves the strong count with `Versions`.
        ManuallyDrop::new(unsafe { F::from_raw(self.head()) })
    }

    /// A strong pointer to the current version, which keeps it unchanged.
    pub(crate) fn share(&self) -> F::Strong<T> {
        F::Strong::clone(&self.current())
    }

    /// Sets whether there is nothing to read. Ignored while a reader is needed to tidy.
    pub(crate) fn set_idle(&mut self, is_idle: bool) {
        let untidy = self.versions.marks.load(Ordering::Relaxed) & !IDLE;
        let idle = if is_idle && untidy & READER == 0 { IDLE } else { 0 };
        self.versions.marks.store(untidy | idle, Ordering::Release);
    }

    fn set_untidy(&mut self, who: u8) {
        let idle = self.versions.marks.load(Ordering::Relaxed) & IDLE;
        self.versions.marks.store(idle | who, Ordering::SeqCst);
    }

    /// Exclusive access to the current version, if nobody uses it.
    fn exclusive(&mut self) -> Result<ExclusiveVersion<'_, T, S, F>, UsedBy> {
        let mut version = self.current();
        let head = F::as_ptr(&version).cast_mut();
        self.versions.head.store(ptr::null_mut(), Ordering::SeqCst);
        F::sequential();
        let exclusive =
            ExclusiveVersion { versions: self.versions, head, state: &mut self.editor.state };
        if self.versions.cells.contain(head) {
            return Err(UsedBy::Reader);
        }
        // No reader cell contains it, and none will until `head` is restored.
        // SAFETY: there never are weak pointers to versions. A strong pointer is cloned only under
        // the lock, or while a reader cell contains the version, or from another one that counts.
        match unsafe { F::get_mut(&mut version) } {
            Some(_) => Ok(exclusive),
            None => Err(UsedBy::Sharer),
        }
    }

    /// Edits the current version in place, if nobody uses it.
    pub(crate) fn edit_in_place<U>(
        &mut self,
        edit: impl FnOnce(&mut T, &mut S) -> U,
    ) -> Result<U, UsedBy> {
        Ok(self.exclusive()?.edit(edit))
    }

    /// Edits the current version: in place, or as a copy that becomes the current version. Then
    /// `retire` is called with the version that was replaced.
    pub(crate) fn edit<U>(
        &mut self,
        edit: impl FnOnce(&mut T, &mut S) -> U,
        retire: impl FnOnce(&T),
    ) -> U
    where
        T: Clone,
    {
        if let Ok(exclusive) = self.exclusive() {
            return exclusive.edit(edit);
        }
        let former = self.current();
        let mut copy = T::clone(&former);
        let done = edit(&mut copy, &mut self.editor.state);
        let copy = F::into_raw(F::strong(copy)).cast_mut();
        self.versions.head.store(copy, Ordering::SeqCst);
        let version = ManuallyDrop::into_inner(former);
        retire(&version);
        let next = self.editor.retired.take();
        self.editor.retired = Some(Box::new(Retired { version, next }));
        let before = self.versions.marks.load(Ordering::Relaxed) & (READER | SHARER);
        let left = self.free_retired();
        self.set_untidy(before | left);
        done
    }

    /// Leaves tidying to the emission that calls this, at its end.
    pub(crate) fn tidy_later(&mut self) {
        self.set_untidy(READER | SHARER);
    }

    /// Frees the retired versions that no reader cell contains. Returns [`READER`] if some are
    /// left. Sets the marks before it checks the cells: readers clear their cell before they check
    /// the marks.
    fn free_retired(&mut self) -> u8 {
        self.set_untidy(READER | SHARER);
        F::full_fence();
        let mut chain = self.editor.retired.take();
        while let Some(mut retired) = chain {
            chain = retired.next.take();
            if self.versions.cells.contain(F::as_ptr(&retired.version)) {
                retired.next = self.editor.retired.take();
                self.editor.retired = Some(retired);
            }
        }
        if self.editor.retired.is_none() { 0 } else { READER }
    }

    /// Frees the retired versions that no reader cell contains, and edits in place if nobody uses
    /// the current version. Whoever prevents any of it has to tidy at its end.
    pub(crate) fn tidy(&mut self, edit: impl FnOnce(&mut T, &mut S)) {
        let readers = self.free_retired();
        let left = match self.edit_in_place(edit) {
            Ok(()) => readers,
            Err(UsedBy::Sharer) => readers | SHARER,
            Err(UsedBy::Reader) => return,
        };
        self.set_untidy(left);
    }
}
