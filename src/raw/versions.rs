//! A value that many read while one edits it: in place when nobody reads, a new version otherwise.
//!
//! `head` points at the current version, or is null for the moments of an edit in place. A reader
//! takes a *lane*, writes there which version it reads, and looks at `head` once more; an editor,
//! under the lock, makes `head` null and then looks at the lanes. Whichever comes second in the
//! one order of these four steps sees the other: so a reader never holds a version that is being
//! edited in place, nor one that is being freed. This is the protocol of hazard pointers (Michael,
//! "Hazard Pointers: Safe Memory Reclamation for Lock-Free Objects", 2004), with the list of
//! retired versions under the editors' lock.
//!
//! | who | `head` | its lane | the version in hand |
//! |---|---|---|---|
//! | reader, asking | current | version | may be abandoned: looks again |
//! | reader, pinned | anything | version | alive and unchanged until the lane is left |
//! | editor, in place | null | no lane holds the current version | exclusively the editor's |
//! | editor, replacing | old, then new | any | old one is retired until no lane holds it |
//!
//! A reader can also share the version, under the lock or out of its lane, which counts as one more strong
//! pointer.

#[cfg(any(feature = "async", all(test, sigwire_loom)))]
use core::mem::ManuallyDrop;
use core::ops::Deref;
use core::ptr;
use core::sync::atomic::{Ordering, compiler_fence};
use smallvec::SmallVec;

use super::OnceStrong;
use crate::family::{Atom, Family, Lock};
use crate::state::{SlotState, StateCell};

pub(crate) struct Versions<T, S, F: Family> {
    head: F::Ptr<T>,
    /// Who was in the way of tidying, and so is to do it at the end: [`READER`], [`SHARER`], or both.
    untidy: F::State,
    lanes: Lanes<T, F, FIRST_LANES>,
    kept: F::Lock<Kept<T, S, F>>,
}

struct Kept<T, S, F: Family> {
    current: F::Strong<T>,
    /// Former versions that lanes may still hold.
    retired: SmallVec<[F::Strong<T>; 1]>,
    state: S,
}

/// One reader at a time: a running emission, or one call of a suspended one.
pub(crate) struct Lane<T, F: Family> {
    /// The version that is read; null when the lane is free. Whoever turns null into a version has
    /// the lane, and alone writes to it until it is null again.
    version: F::Ptr<T>,
    /// The tag of the entry that is being called; 0 when none is.
    running: F::Count,
    /// Whose lane it is.
    thread: F::Count,
    _apart: [F::Spacing; 0],
}

/// Whoever leaves a lane.
const READER: u8 = 1;
/// Whoever stops sharing a version.
const SHARER: u8 = 2;

const FIRST_LANES: usize = 2;
const MORE_LANES: usize = 4;

/// As many lanes as there were ever readers at once.
struct Lanes<T, F: Family, const N: usize> {
    lanes: [Lane<T, F>; N],
    more: OnceStrong<Lanes<T, F, MORE_LANES>, F>,
}

impl<T, F: Family> Lane<T, F> {
    fn new() -> Self {
        Lane {
            version: F::Ptr::new(ptr::null_mut()),
            running: F::Count::new(0),
            thread: F::Count::new(F::this_thread()),
            _apart: [],
        }
    }

    #[inline(always)]
    fn take(&self, version: *mut T) -> bool {
        let taken = self.version.load(Ordering::Relaxed).is_null()
            && self.version.replace(ptr::null_mut(), version, Ordering::SeqCst);
        if taken && F::THREADED {
            self.thread.store(F::this_thread(), Ordering::Relaxed);
        }
        taken
    }

    #[inline(always)]
    fn leave(&self) {
        self.end();
        self.version.swap(ptr::null_mut(), Ordering::SeqCst);
    }

    /// Says which entry is called next. If it is then entered, and found connected by
    /// [`is_begun_to_call`], it may be called: whoever disconnects it and looks at the lanes afterwards
    /// finds it here.
    ///
    /// That takes one order of four steps: this store before the reader's load of the entry's state,
    /// and the disconnecting store before the load of the lane. The reader's two are SeqCst; between
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

/// Whether the entry that was [begun](Lane::begin) is to be called without asking, now that its target is
/// entered: by an atomic exchange, or in some other way.
#[inline(always)]
pub(super) fn is_begun_to_call<F: Family>(
    state: &StateCell<F>,
    is_entered_by_exchange: bool,
) -> bool {
    if F::THREADED && F::EXCHANGE_IS_BARRIER && !is_entered_by_exchange {
        F::full_fence();
    }
    state.is(SlotState::Call, Ordering::SeqCst)
}

impl<T, F: Family, const N: usize> Lanes<T, F, N> {
    fn new() -> Self {
        Lanes { lanes: core::array::from_fn(|_| Lane::new()), more: OnceStrong::empty() }
    }

    /// The lanes there are so far.
    fn iter(&self) -> impl Iterator<Item = &Lane<T, F>> {
        let more = core::iter::successors(self.more.get(), |more| more.more.get());
        self.lanes.iter().chain(more.flat_map(|more| &more.lanes))
    }

    #[inline(always)]
    fn take(&self, version: *mut T) -> &Lane<T, F> {
        let first = &self.lanes[0];
        if first.take(version) { first } else { self.take_another(version) }
    }

    #[cold]
    fn take_another(&self, version: *mut T) -> &Lane<T, F> {
        loop {
            if let Some(lane) = self.iter().find(|lane| lane.take(version)) {
                return lane;
            }
            let mut last = &self.more;
            while let Some(more) = last.get() {
                last = &more.more;
            }
            last.get_or_init(Lanes::new);
        }
    }

    fn hold(&self, version: *const T) -> bool {
        self.iter().any(|lane| ptr::eq(lane.version.load(Ordering::SeqCst), version))
    }
}

/// A version that stays as it is until this is dropped.
pub(crate) struct Pinned<'a, T, F: Family> {
    lane: &'a Lane<T, F>,
    version: &'a T,
}

impl<T, F: Family> Pinned<'_, T, F> {
    #[inline(always)]
    pub(crate) fn lane(&self) -> &Lane<T, F> {
        self.lane
    }

    /// The version, kept by its user also when the lane is left. As from then on for one that was
    /// [shared under the lock](Guard::share).
    #[cfg(any(feature = "async", all(test, sigwire_loom)))]
    pub(crate) fn share(&self) -> F::Strong<T> {
        // SAFETY: it was taken from a strong pointer, which is there until the lane is left, and forgetting
        // this one leaves that its own.
        let version = unsafe { F::from_raw(self.lane.version.load(Ordering::Relaxed)) };
        F::Strong::clone(&ManuallyDrop::new(version))
    }
}

impl<T, F: Family> Deref for Pinned<'_, T, F> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        self.version
    }
}

impl<T, F: Family> Drop for Pinned<'_, T, F> {
    #[inline(always)]
    fn drop(&mut self) {
        self.lane.leave();
    }
}

impl<T, S, F: Family> Versions<T, S, F> {
    pub(crate) fn new(value: T, state: S) -> Self {
        let current = F::strong(value);
        Versions {
            head: F::Ptr::new(F::as_ptr(&current).cast_mut()),
            untidy: F::State::new(0),
            lanes: Lanes::new(),
            kept: F::Lock::new(Kept { current, retired: SmallVec::new(), state }),
        }
    }

    /// The current version, held in a lane of its own. Waits for an edit in place to end, which
    /// never runs user code.
    #[inline(always)]
    pub(crate) fn pin(&self) -> Pinned<'_, T, F> {
        loop {
            let head = self.head.load(Ordering::Acquire);
            if !head.is_null() {
                let lane = self.lanes.take(head);
                F::sequential();
                let again = self.head.load(Ordering::SeqCst);
                if ptr::eq(again, head) {
                    // SAFETY: the lane held the version when it was still current. By the protocol
                    // above no editor changes or frees it before the lane is left, which `Pinned`
                    // does at its end. (`again`, not `head`: between the two a version may have been
                    // freed and another one made in its place.)
                    return Pinned { lane, version: unsafe { &*again } };
                }
                lane.leave();
            }
            self.wait_for_edit();
        }
    }

    #[cold]
    fn wait_for_edit(&self) {
        drop(self.kept.lock());
    }

    /// A lane for one call out of a version that the caller shares.
    pub(crate) fn lane_for<'a>(&'a self, version: &'a F::Strong<T>) -> Pinned<'a, T, F> {
        let lane = self.lanes.take(F::as_ptr(version).cast_mut());
        Pinned { lane, version }
    }

    /// How many readers there are.
    pub(crate) fn readers(&self) -> usize {
        self.lanes.iter().filter(|lane| !lane.version.load(Ordering::Relaxed).is_null()).count()
    }

    /// Whether something is left to tidy for one who has left a lane.
    #[inline(always)]
    pub(crate) fn is_untidy(&self) -> bool {
        F::sequential();
        self.untidy.load(Ordering::SeqCst) & READER != 0
    }

    /// Stops sharing `version`; says whether something is left to tidy, also from lanes that were
    /// left meanwhile for calls out of it.
    pub(crate) fn unshare(&self, version: F::Strong<T>) -> bool {
        drop(version);
        F::full_fence();
        self.untidy.load(Ordering::SeqCst) != 0
    }

    pub(crate) fn lock(&self) -> Guard<'_, T, S, F> {
        Guard { versions: self, kept: self.kept.lock() }
    }

    pub(crate) fn try_lock(&self) -> Option<Guard<'_, T, S, F>> {
        self.kept.try_lock().map(|kept| Guard { versions: self, kept })
    }

    /// The threads that are calling the entry with this tag right now. Once it is disconnected, no
    /// other thread starts to: see [`Lane::begin`].
    pub(crate) fn threads_in(&self, tag: usize) -> impl Iterator<Item = usize> {
        F::full_fence();
        self.lanes.iter().filter_map(move |lane| {
            // Acquire: what a call that ended has done is visible.
            let inside = lane.running.load(Ordering::Acquire) == tag;
            inside.then(|| lane.thread.load(Ordering::Relaxed))
        })
    }
}

type Locked<'a, V, F> = <<F as Family>::Lock<V> as Lock<V>>::Guard<'a>;

/// The right to edit.
pub(crate) struct Guard<'a, T, S, F: Family> {
    versions: &'a Versions<T, S, F>,
    kept: Locked<'a, Kept<T, S, F>, F>,
}

/// Why an edit could not be made in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InTheWay {
    /// A lane holds the version.
    Reader,
    /// Someone shares it.
    Sharer,
}

/// Ends an edit in place, however it ends.
struct Restore<'a, T, S, F: Family>(&'a Versions<T, S, F>, *mut T);

impl<T, S, F: Family> Drop for Restore<'_, T, S, F> {
    fn drop(&mut self) {
        self.0.head.store(self.1, Ordering::Release);
    }
}

impl<T, S, F: Family> Guard<'_, T, S, F> {
    pub(crate) fn parts(&mut self) -> (&T, &mut S) {
        let kept = &mut *self.kept;
        (&kept.current, &mut kept.state)
    }

    /// The current version, kept by its user.
    pub(crate) fn share(&self) -> F::Strong<T> {
        self.kept.current.clone()
    }

    /// Edits the current version where it is, if nobody reads it.
    pub(crate) fn edit_in_place<U>(
        &mut self,
        edit: impl FnOnce(&mut T, &mut S) -> U,
    ) -> Result<U, InTheWay> {
        let kept = &mut *self.kept;
        let current = F::as_ptr(&kept.current).cast_mut();
        self.versions.head.store(ptr::null_mut(), Ordering::SeqCst);
        F::sequential();
        let _restore = Restore(self.versions, current);
        if self.versions.lanes.hold(current) {
            return Err(InTheWay::Reader);
        }
        // No lane holds it, and none will before `head` is restored.
        let version = F::get_mut(&mut kept.current).ok_or(InTheWay::Sharer)?;
        Ok(edit(version, &mut kept.state))
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
        let mut edit = Some(edit);
        let in_place =
            self.edit_in_place(|version, state| edit.take().map(|edit| edit(version, state)));
        if let Ok(Some(done)) = in_place {
            return done;
        }
        let edit = edit.expect("an edit that was not made in place is still to be made");
        let kept = &mut *self.kept;
        let mut copy = T::clone(&kept.current);
        let done = edit(&mut copy, &mut kept.state);
        let copy = F::strong(copy);
        self.versions.head.store(F::as_ptr(&copy).cast_mut(), Ordering::SeqCst);
        let former = core::mem::replace(&mut kept.current, copy);
        retire(&former);
        kept.retired.push(former);
        let before = self.versions.untidy.load(Ordering::Relaxed);
        let left = self.free_retired();
        self.versions.untidy.store(before | left, Ordering::SeqCst);
        done
    }

    /// Leaves tidying to the emission that asks for it: it comes by at its end.
    pub(crate) fn tidy_later(&mut self) {
        self.versions.untidy.store(READER | SHARER, Ordering::SeqCst);
    }

    /// Frees retired versions that no lane holds. Says who is in the way of the others, and has told
    /// them before it looked: they leave first and look second.
    fn free_retired(&mut self) -> u8 {
        self.versions.untidy.store(READER | SHARER, Ordering::SeqCst);
        F::full_fence();
        let lanes = &self.versions.lanes;
        self.kept.retired.retain(|version| lanes.hold(F::as_ptr(version)));
        if self.kept.retired.is_empty() { 0 } else { READER }
    }

    /// Frees retired versions that no lane holds, and edits in place if that can be. What could not be
    /// done is left to who was in the way.
    pub(crate) fn tidy(&mut self, edit: impl FnOnce(&mut T, &mut S)) {
        let readers = self.free_retired();
        let left = match self.edit_in_place(edit) {
            Ok(()) => readers,
            Err(InTheWay::Sharer) => readers | SHARER,
            Err(InTheWay::Reader) => return,
        };
        self.versions.untidy.store(left, Ordering::SeqCst);
    }
}
