//! A value that many read while one edits it: in place when nobody reads, a new version otherwise.
//!
//! `head` points at the current version, or is null for the moments of an edit in place. A reader
//! takes a *reader*, writes there which version it reads, and looks at `head` once more; an editor,
//! under the lock, makes `head` null and then looks at the readers. Whichever comes second in the
//! one order of these four steps sees the other: so a reader never holds a version that is being
//! edited in place, nor one that is being freed. This is the protocol of hazard pointers (Michael,
//! "Hazard Pointers: Safe Memory Reclamation for Lock-Free Objects", 2004), with the list of
//! retired versions under the editors' lock.
//!
//! | who | `head` | its reader | the version in hand |
//! |---|---|---|---|
//! | reader, asking | current | version | may be abandoned: looks again |
//! | reader, pinned | anything | version | alive and unchanged until the reader is left |
//! | editor, in place | null | no reader holds the current version, and nobody shares it | exclusively the editor's |
//! | editor, replacing | old, then new | any | old one is retired until no reader holds it |
//!
//! A reader leaves its reader by a plain store, and looks afterwards whether something is to be
//! tidied. An editor on another thread, which finds the reader in the way in these moments, may go
//! unnoticed: then what it left untidy waits for the next reader, or the next edit. That is memory
//! at most, and saves each reader an atomic exchange.
//!
//! A reader can also share the version, under the lock or out of its reader, which counts as one more strong
//! pointer.

use alloc::boxed::Box;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::Deref;
use core::ptr;
use core::sync::atomic::{Ordering, compiler_fence};

use super::LazyStrong;
use crate::raw::{Atom, Flavor, Lock, SlotState, StateCell};

/// What a reader touches comes first, and lies together.
#[repr(C)]
pub(crate) struct Versions<T, S, F: Flavor> {
    /// The current version, which it owns: also while it is null, for the moments of an edit in place.
    head: F::Ptr<T>,
    owned: PhantomData<F::Strong<T>>,
    /// [`IDLE`]; and who was in the way of tidying, and so is to do it at the end: [`READER`],
    /// [`SHARER`]. Written under the lock.
    marks: F::State,
    readers: ReaderCells<T, F>,
    editor: F::Lock<EditorState<T, S, F>>,
}

struct EditorState<T, S, F: Flavor> {
    retired: Option<Box<Retired<T, F>>>,
    state: S,
}

/// Former versions that readers may still hold. They are as few as readers: so they are a chain.
struct Retired<T, F: Flavor> {
    version: F::Strong<T>,
    next: Option<Box<Retired<T, F>>>,
}

/// One reader at a time: a running emission, or one call of a suspended one.
pub(crate) struct ReaderCell<T, F: Flavor> {
    /// The version that is read; null when the reader is free. Whoever turns null into a version has
    /// the reader, and alone writes to it until it is null again.
    version: F::Ptr<T>,
    /// The tag of the entry that is being called; 0 when none is.
    running: F::Count,
    /// Whose reader it is.
    thread: F::Thread,
}

/// Whoever leaves a reader.
const READER: u8 = 1;
/// Whoever stops sharing a version.
const SHARER: u8 = 2;
/// There is nothing to read: readers need not come.
const IDLE: u8 = 4;

/// A reader for one reader at a time, and more of them once two have met.
///
/// The first lies beside what all readers read. So it is closed for good when a second reader finds it
/// free: one whose thread is not the first one's, since a nested emission finds it taken.
struct ReaderCells<T, F: Flavor> {
    first: ReaderCell<T, F>,
    more: LazyStrong<MoreReaderCells<T, F>, F>,
}

const MORE_CELLS: usize = 4;

struct MoreReaderCells<T, F: Flavor> {
    readers: [PaddedReaderCell<T, F>; MORE_CELLS],
    more: LazyStrong<MoreReaderCells<T, F>, F>,
}

/// A reader that no other shares cache lines with.
struct PaddedReaderCell<T, F: Flavor> {
    reader: ReaderCell<T, F>,
    _spacing: [F::Spacing; 0],
}

impl<T, F: Flavor> ReaderCell<T, F> {
    /// No version is there.
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

    /// From now on it is taken by nobody, and says so, unless it is taken now.
    fn close(&self) {
        if self.version.load(Ordering::Relaxed).is_null() {
            self.version.replace(ptr::null_mut(), Self::CLOSED, Ordering::Relaxed);
        }
    }

    /// Whether it is anybody's.
    fn is_taken(&self) -> bool {
        let version = self.version.load(Ordering::Relaxed);
        !(version.is_null() || ptr::eq(version, Self::CLOSED))
    }

    #[inline(always)]
    fn leave(&self) {
        self.end();
        // Miri lets a SeqCst load see an older store than the last SeqCst one, if that was plain: it would
        // find the reader free that someone has taken again. C++20 rules that out (P0668).
        let order = if cfg!(miri) { Ordering::SeqCst } else { Ordering::Release };
        self.version.store(ptr::null_mut(), order);
    }

    /// Says which entry is called next. If it is then entered, and found connected by
    /// [`is_begun_to_call`], it may be called: whoever disconnects it and looks at the readers afterwards
    /// finds it here.
    ///
    /// That takes one order of four steps: this store before the reader's load of the entry's state,
    /// and the disconnecting store before the load of the reader. The reader's two are SeqCst; between
    /// the other two there is a SeqCst fence. Where an exchange is a barrier, a SeqCst store would cost
    /// as much as entering the target does: there, what comes between that store and that load is one.
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

    /// The call that was begun is over.
    #[inline(always)]
    pub(crate) fn end(&self) {
        // Release: who finds that nothing is running any more also finds what the call did.
        self.running.store(0, Ordering::Release);
    }
}

/// Whether the entry that was [begun](ReaderCell::begin) is to be called without asking, now that its target is
/// entered: by an atomic exchange, or in some other way.
#[inline(always)]
pub(super) fn is_begun_to_call<F: Flavor>(
    state: &StateCell<F>,
    is_entered_by_exchange: bool,
) -> bool {
    if F::THREADED && F::EXCHANGE_IS_BARRIER && !is_entered_by_exchange {
        F::full_fence();
    }
    state.is(SlotState::Call, Ordering::SeqCst)
}

impl<T, F: Flavor> ReaderCells<T, F> {
    fn new() -> Self {
        ReaderCells { first: ReaderCell::new(), more: LazyStrong::empty() }
    }

    /// The readers there are so far.
    fn iter(&self) -> impl Iterator<Item = &ReaderCell<T, F>> {
        let more = core::iter::successors(self.more.get(), |more| more.more.get());
        let more = more.flat_map(|more| more.readers.iter().map(|apart| &apart.reader));
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

    fn hold(&self, version: *const T) -> bool {
        self.iter().any(|reader| ptr::eq(reader.version.load(Ordering::SeqCst), version))
    }
}

impl<T, F: Flavor> MoreReaderCells<T, F> {
    fn new() -> Self {
        let apart = |_| PaddedReaderCell { reader: ReaderCell::new(), _spacing: [] };
        MoreReaderCells { readers: core::array::from_fn(apart), more: LazyStrong::empty() }
    }

    /// Each thread begins to look elsewhere, so that they seldom meet.
    #[inline(never)]
    fn take(&self, version: *mut T) -> &ReaderCell<T, F> {
        let first = F::this_thread().wrapping_mul(0x9e37_79b9) >> 16;
        for at in first..first + MORE_CELLS {
            let reader = &self.readers[at % MORE_CELLS].reader;
            if reader.take(version) {
                return reader;
            }
        }
        self.more.get_or_init(MoreReaderCells::new).take(version)
    }
}

/// A version that stays as it is until this is dropped.
pub(crate) struct PinnedVersion<'a, T, F: Flavor> {
    reader: &'a ReaderCell<T, F>,
    version: &'a T,
}

impl<T, F: Flavor> PinnedVersion<'_, T, F> {
    #[inline(always)]
    pub(crate) fn reader(&self) -> &ReaderCell<T, F> {
        self.reader
    }

    /// The version, editor by its user also when the reader is left. As from then on for one that was
    /// [shared under the lock](EditGuard::share).
    #[cfg(any(feature = "async", all(test, sigwire_loom)))]
    pub(crate) fn share(&self) -> F::Strong<T> {
        // SAFETY: it was taken from a strong pointer, which is there until the reader is left, and forgetting
        // this one leaves that its own.
        let version = unsafe { F::from_raw(self.reader.version.load(Ordering::Relaxed)) };
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
        self.reader.leave();
    }
}

impl<T, S, F: Flavor> Versions<T, S, F> {
    pub(crate) fn new(value: T, state: S) -> Self {
        Versions {
            head: F::Ptr::new(F::into_raw(F::strong(value)).cast_mut()),
            owned: PhantomData,
            marks: F::State::new(IDLE),
            readers: ReaderCells::new(),
            editor: F::Lock::new(EditorState { retired: None, state }),
        }
    }

    /// Whether editors have said that there is nothing to read.
    #[inline(always)]
    pub(crate) fn is_idle(&self) -> bool {
        self.marks.load(Ordering::Acquire) & IDLE != 0
    }

    /// The current version, held in a reader of its own. Waits for an edit in place to end, which
    /// never runs user code.
    #[inline(always)]
    pub(crate) fn pin(&self) -> PinnedVersion<'_, T, F> {
        loop {
            let head = self.head.load(Ordering::Acquire);
            if !head.is_null() {
                let reader = self.readers.take(head);
                F::sequential();
                let again = self.head.load(Ordering::SeqCst);
                if ptr::eq(again, head) {
                    // SAFETY: the reader held the version when it was still current. By the protocol
                    // above no editor changes or frees it before the reader is left, which `PinnedVersion`
                    // does at its end. (`again`, not `head`: between the two a version may have been
                    // freed and another one made in its place.)
                    return PinnedVersion { reader, version: unsafe { &*again } };
                }
                reader.leave();
            }
            self.wait_for_edit();
        }
    }

    #[cold]
    fn wait_for_edit(&self) {
        drop(self.editor.lock());
    }

    /// A reader for one call out of a version that the caller shares.
    pub(crate) fn reader_for<'a>(&'a self, version: &'a F::Strong<T>) -> PinnedVersion<'a, T, F> {
        let reader = self.readers.take(F::as_ptr(version).cast_mut());
        PinnedVersion { reader, version }
    }

    /// How many readers there are.
    pub(crate) fn readers(&self) -> usize {
        self.readers.iter().filter(|reader| reader.is_taken()).count()
    }

    /// Whether something is left to tidy for one who has left a reader.
    #[inline(always)]
    pub(crate) fn is_untidy(&self) -> bool {
        self.marks.load(Ordering::Acquire) & READER != 0
    }

    /// Stops sharing `version`; says whether something is left to tidy, also from readers that were
    /// left meanwhile for calls out of it.
    pub(crate) fn unshare(&self, version: F::Strong<T>) -> bool {
        drop(version);
        if F::EXCHANGE_IS_BARRIER {
            // The count was taken down by one.
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

    /// The threads that are calling the entry with this tag right now. Once it is disconnected, no
    /// other thread starts to: see [`ReaderCell::begin`].
    pub(crate) fn threads_in(&self, tag: usize) -> impl Iterator<Item = usize> {
        F::full_fence();
        self.readers.iter().filter_map(move |reader| {
            // Acquire: what a call that ended has done is visible.
            let inside = reader.running.load(Ordering::Acquire) == tag;
            inside.then(|| reader.thread.load(Ordering::Relaxed))
        })
    }
}

impl<T, S, F: Flavor> Drop for Versions<T, S, F> {
    fn drop(&mut self) {
        let head = self.head.load(Ordering::Acquire);
        // SAFETY: it came from `into_raw`, and was owned by `self`, which ends here.
        drop(unsafe { F::from_raw(head) });
    }
}

type LockGuard<'a, V, F> = <<F as Flavor>::Lock<V> as Lock<V>>::Guard<'a>;

/// The right to edit.
pub(crate) struct EditGuard<'a, T, S, F: Flavor> {
    versions: &'a Versions<T, S, F>,
    editor: LockGuard<'a, EditorState<T, S, F>, F>,
}

/// Why an edit could not be made in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InTheWay {
    /// A reader holds the version.
    Reader,
    /// Someone shares it.
    Sharer,
}

/// Nobody else has the current version, as long as this is there.
struct ExclusiveVersion<'a, T, S, F: Flavor> {
    versions: &'a Versions<T, S, F>,
    head: *mut T,
    state: &'a mut S,
}

impl<T, S, F: Flavor> ExclusiveVersion<'_, T, S, F> {
    fn edit<U>(self, edit: impl FnOnce(&mut T, &mut S) -> U) -> U {
        // SAFETY: it is the only pointer to it, or there would not be this one.
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
        // SAFETY: it came from `into_raw`, and whoever edits or replaces it has to have this guard.
        let current = unsafe { &*self.head() };
        (current, &mut self.editor.state)
    }

    /// Under the lock it is null only while a version is edited in place.
    fn head(&self) -> *mut T {
        self.versions.head.load(Ordering::Relaxed)
    }

    /// The current version, without a count of its own.
    fn current(&self) -> ManuallyDrop<F::Strong<T>> {
        // SAFETY: it came from `into_raw`; and forgetting it leaves it to `Versions`.
        ManuallyDrop::new(unsafe { F::from_raw(self.head()) })
    }

    /// The current version, editor by its user.
    pub(crate) fn share(&self) -> F::Strong<T> {
        F::Strong::clone(&self.current())
    }

    /// Says whether there is something to read. If a reader may be needed to tidy, there is.
    pub(crate) fn set_idle(&mut self, is_idle: bool) {
        let untidy = self.versions.marks.load(Ordering::Relaxed) & !IDLE;
        let idle = if is_idle && untidy & READER == 0 { IDLE } else { 0 };
        self.versions.marks.store(untidy | idle, Ordering::Release);
    }

    fn set_untidy(&mut self, who: u8) {
        let idle = self.versions.marks.load(Ordering::Relaxed) & IDLE;
        self.versions.marks.store(idle | who, Ordering::SeqCst);
    }

    /// The right to edit the current version where it is, if nobody reads it.
    fn alone(&mut self) -> Result<ExclusiveVersion<'_, T, S, F>, InTheWay> {
        let mut version = self.current();
        let head = F::as_ptr(&version).cast_mut();
        self.versions.head.store(ptr::null_mut(), Ordering::SeqCst);
        F::sequential();
        let alone =
            ExclusiveVersion { versions: self.versions, head, state: &mut self.editor.state };
        if self.versions.readers.hold(head) {
            return Err(InTheWay::Reader);
        }
        // No reader holds it, and none will before `head` is restored.
        // SAFETY: weak pointers to versions are never made; and what clones strong ones does so under the
        // lock, or out of a reader that holds it, or has one that counts.
        match unsafe { F::get_mut(&mut version) } {
            Some(_) => Ok(alone),
            None => Err(InTheWay::Sharer),
        }
    }

    /// Edits the current version where it is, if nobody reads it.
    pub(crate) fn edit_in_place<U>(
        &mut self,
        edit: impl FnOnce(&mut T, &mut S) -> U,
    ) -> Result<U, InTheWay> {
        Ok(self.alone()?.edit(edit))
    }

    /// Edits the current version: where it is, or as a copy that becomes the current one.
    /// `retire` sees the version that was replaced.
    pub(crate) fn edit<U>(
        &mut self,
        edit: impl FnOnce(&mut T, &mut S) -> U,
        retire: impl FnOnce(&T),
    ) -> U
    where
        T: Clone,
    {
        if let Ok(alone) = self.alone() {
            return alone.edit(edit);
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

    /// Leaves tidying to the emission that asks for it: it comes by at its end.
    pub(crate) fn tidy_later(&mut self) {
        self.set_untidy(READER | SHARER);
    }

    /// Frees retired versions that no reader holds. Says who is in the way of the others, and has told
    /// them before it looked: they leave first and look second.
    fn free_retired(&mut self) -> u8 {
        self.set_untidy(READER | SHARER);
        F::full_fence();
        let mut chain = self.editor.retired.take();
        while let Some(mut retired) = chain {
            chain = retired.next.take();
            if self.versions.readers.hold(F::as_ptr(&retired.version)) {
                retired.next = self.editor.retired.take();
                self.editor.retired = Some(retired);
            }
        }
        if self.editor.retired.is_none() { 0 } else { READER }
    }

    /// Frees retired versions that no reader holds, and edits in place if that can be. What could not be
    /// done is left to who was in the way.
    pub(crate) fn tidy(&mut self, edit: impl FnOnce(&mut T, &mut S)) {
        let readers = self.free_retired();
        let left = match self.edit_in_place(edit) {
            Ok(()) => readers,
            Err(InTheWay::Sharer) => readers | SHARER,
            Err(InTheWay::Reader) => return,
        };
        self.set_untidy(left);
    }
}
