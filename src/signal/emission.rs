//! Emissions: they call the slots that were connected at the start, in order.

use core::cell::Cell;
use core::convert::Infallible;
use core::fmt;
use core::iter::FusedIterator;
use core::mem::needs_drop;
use core::ops::{ControlFlow, Deref};
use core::sync::atomic::Ordering;

use crate::base::{Depth, SlotKey};
use crate::raw::Flavor;
use crate::raw::{
    Admission, AnyEntry, Atom, Caller, Entry, Handle, Liveness, NotCalled, ReaderCell, SlotState,
};
use crate::slots::{AnySlots, List, PinnedList, SharedList, Slots};
#[cfg(feature = "std")]
use {
    super::error::{EmitError, Failure, SlotFailure},
    crate::base::message,
    crate::slots::Connection,
    std::panic::{AssertUnwindSafe, catch_unwind},
};

/// An emission that is running on this thread. Dropping it, also while unwinding, does the cleanup
/// that had to wait for it.
struct RunningEmission<'a, E: ?Sized + 'static, R: 'static, F: Flavor> {
    _depth: Depth,
    list: PinnedList<'a, E, R, F>,
    /// Declared after the list, so that it is dropped after it.
    _tidy: TidyAtEnd<'a, F>,
}

struct TidyAtEnd<'a, F: Flavor>(&'a AnySlots<F>);

impl<F: Flavor> Drop for TidyAtEnd<'_, F> {
    #[inline(always)]
    fn drop(&mut self) {
        if self.0.versions.is_untidy() {
            self.0.tidy();
        }
    }
}

impl<'a, E: ?Sized + 'static, R: 'static, F: Flavor> RunningEmission<'a, E, R, F> {
    #[inline(always)]
    #[track_caller]
    fn new(slots: &'a Slots<E, R, F>) -> Self {
        let depth = Depth::enter(|| slots.versions.readers());
        RunningEmission { _depth: depth, list: slots.pin(), _tidy: TidyAtEnd(slots) }
    }
}

impl<F: Flavor> AnySlots<F> {
    /// Handles a slot whose owner is gone or not constructed yet.
    #[cold]
    fn not_called(
        &self,
        reader: &ReaderCell<List<F>, F>,
        admission: &dyn Admission,
        entry: &AnyEntry<F>,
    ) {
        reader.end();
        admission.passing_over(true);
        // An owner that was never seen alive may still be constructed, so there is nothing to prune
        // and no need to take the lock.
        let may_come = entry.is(SlotState::Incomplete);
        if !(may_come && entry.handle().liveness() == Liveness::Absent) {
            self.prune_one(entry.key());
        }
        admission.passing_over(false);
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Flavor> Slots<E, R, F> {
    /// Calls the slot if it may be called. The reader marks it as running until the next slot
    /// begins, or until [`ReaderCell::end`].
    #[inline(always)]
    fn visit<'l>(
        &self,
        reader: &ReaderCell<List<F>, F>,
        caller: &mut Caller<'l>,
        entry: &'l Entry<E, R, F>,
        event: &E,
    ) -> Option<R> {
        if F::THREADED {
            self.visit_threaded(reader, caller, entry, event)
        } else {
            self.visit_alone(reader, caller, entry, event)
        }
    }

    #[inline(always)]
    fn visit_threaded<'l>(
        &self,
        reader: &ReaderCell<List<F>, F>,
        caller: &mut Caller<'l>,
        entry: &'l Entry<E, R, F>,
        event: &E,
    ) -> Option<R> {
        let handle = entry.unless_gone()?;
        reader.begin(entry.tag());
        match handle.call_through(entry.state(), caller, event) {
            Ok(result) => Some(result),
            Err(why) => self.visit_again(reader, caller, (entry, handle), event, why),
        }
    }

    #[inline(always)]
    fn visit_alone(
        &self,
        reader: &ReaderCell<List<F>, F>,
        caller: &mut Caller<'_>,
        entry: &Entry<E, R, F>,
        event: &E,
    ) -> Option<R> {
        let Some(handle) = entry.to_call() else {
            return self.visit_checked(reader, caller.admission(), entry, event);
        };
        // With one thread, nothing can change the state before the slot runs.
        reader.begin(entry.tag());
        if let Some(result) = handle.call(event) {
            return Some(result);
        }
        self.not_called(reader, caller.admission(), entry);
        None
    }

    /// Calls a slot that could not be called at once, if it may be called. This also runs for a slot
    /// that is gone by now, because what the caller has entered so far must be left.
    #[cold]
    #[inline(never)]
    fn visit_again<'l>(
        &self,
        reader: &ReaderCell<List<F>, F>,
        caller: &mut Caller<'l>,
        (entry, handle): (&'l Entry<E, R, F>, &'l Handle<E, R, F>),
        event: &E,
        mut why: NotCalled,
    ) -> Option<R> {
        while handle.can_go_on(caller, why) {
            match handle.call_through(entry.state(), caller, event) {
                Ok(result) => return Some(result),
                Err(again) => why = again,
            }
        }
        if why == NotCalled::Asks {
            return self.ask_and_call(reader, caller, (entry, handle), event);
        }
        self.not_called(reader, caller.admission(), entry);
        None
    }

    /// Calls a slot whose state is not `Call`, if it may be called. Not inlined into the loop, and
    /// makes its own caller, because most emissions of one thread need none.
    #[inline(never)]
    fn visit_checked(
        &self,
        reader: &ReaderCell<List<F>, F>,
        admission: &dyn Admission,
        entry: &Entry<E, R, F>,
        event: &E,
    ) -> Option<R> {
        let handle = entry.unless_gone()?;
        reader.begin(entry.tag());
        self.ask_and_call(reader, &mut Caller::new(admission), (entry, handle), event)
    }

    /// Asks the ledger, and calls the slot if it is admitted.
    fn ask_and_call<'l>(
        &self,
        reader: &ReaderCell<List<F>, F>,
        caller: &mut Caller<'l>,
        (entry, handle): (&'l AnyEntry<F>, &'l Handle<E, R, F>),
        event: &E,
    ) -> Option<R> {
        let admission = caller.admission();
        admission.passing_over(true);
        let was_asked = Cell::new(false);
        let result = handle.ask_and_call(caller, event, &|| {
            was_asked.set(true);
            let is_admitted = admission.admits(entry.key());
            admission.passing_over(!is_admitted);
            is_admitted
        });
        if result.is_none() && !was_asked.get() {
            self.not_called(reader, caller.admission(), entry);
            return None;
        }
        admission.passing_over(false);
        result
    }

    /// Calls the slots that are left, until `each` breaks. `next` counts them.
    ///
    /// If `ENDS`, the reader marks a call as ended before it passes the result to `each`.
    /// Otherwise the slot still counts as running in `each`, which must then run no user code.
    #[inline(always)]
    fn visit_each<'l, B, const ENDS: bool>(
        &self,
        reader: &ReaderCell<List<F>, F>,
        left: &'l [Entry<E, R, F>],
        next: &mut usize,
        mut caller: Caller<'l>,
        event: &E,
        mut each: impl FnMut(&Entry<E, R, F>, R) -> ControlFlow<B>,
    ) -> Option<B> {
        let mut at = 0;
        // Not an iterator, whose methods are calls in a debug build.
        while at < left.len() {
            let entry = &left[at];
            at += 1;
            // Before the call, so that the emission continues after a slot that panics.
            *next += 1;
            if let Some(result) = self.visit(reader, &mut caller, entry, event) {
                if ENDS || needs_drop::<R>() {
                    reader.end();
                }
                if let ControlFlow::Break(end) = each(entry, result) {
                    return Some(end);
                }
            }
        }
        None
    }

    #[inline(always)]
    #[track_caller]
    pub(crate) fn emit(&self, event: &E) -> usize {
        if self.calls_none() {
            0
        } else if F::THREADED {
            self.emit_out_of_line(event)
        } else {
            self.emit_to_some(event)
        }
    }

    /// Not inlined, so that an `emit` without slots does not save the registers that an emission
    /// needs. In the single-threaded flavor saving them is cheaper than this call.
    #[inline(never)]
    #[track_caller]
    fn emit_out_of_line(&self, event: &E) -> usize {
        self.emit_to_some(event)
    }

    #[inline(always)]
    #[track_caller]
    fn emit_to_some(&self, event: &E) -> usize {
        let run = RunningEmission::new(self);
        let reader = run.list.reader();
        let mut caller = Caller::new(&**self);
        let mut called = 0;
        let (entries, mut next) = (run.list.entries(), 0);
        // Not an iterator, whose methods are calls in a debug build.
        while next < entries.len() {
            let entry = &entries[next];
            next += 1;
            if let Some(result) = self.visit(reader, &mut caller, entry, event) {
                called += 1;
                if needs_drop::<R>() {
                    reader.end();
                    drop(result);
                }
            }
        }
        called
    }
}

/// The admission of an emission that reports panics. It records the phase of the emission, which
/// tells whether a panic came from a slot.
struct ObservedAdmission<'a, F: Flavor> {
    admission: &'a dyn Admission,
    phase: &'a F::State,
}

/// The slot is running, or code that it caused to run.
const IN_SLOT: u8 = 0;
/// The emission has reached the slot, but has not called it.
const BEFORE_SLOT: u8 = 1;
/// The emission is ending.
#[cfg(feature = "std")]
const AT_END: u8 = 2;

impl<F: Flavor> Admission for ObservedAdmission<'_, F> {
    fn admits(&self, key: SlotKey) -> bool {
        self.admission.admits(key)
    }
    fn passing_over(&self, begins: bool) {
        self.phase.store(if begins { BEFORE_SLOT } else { IN_SLOT }, Ordering::Relaxed);
    }
    #[cfg(feature = "std")]
    fn ending(&self) {
        self.phase.store(AT_END, Ordering::Relaxed);
    }
}

#[cfg(feature = "std")]
impl<E: ?Sized + 'static, R: 'static, F: Flavor> Slots<E, R, F> {
    pub(crate) fn try_emit(
        &self,
        event: &E,
        connection: impl Fn(SlotKey) -> Connection<F>,
    ) -> Result<usize, EmitError<F>> {
        if self.calls_none() {
            return Ok(0);
        }
        let phase = F::State::new(IN_SLOT);
        let observed = ObservedAdmission::<F> { admission: &**self, phase: &phase };
        let run = RunningEmission::new(self);
        let reader = run.list.reader();
        let mut caller = Caller::new(&observed);
        let mut called = 0;
        let mut failures = Vec::new();
        for entry in run.list.entries() {
            // Read before the call, since the slot may disconnect itself and then panic.
            let name = self.name_of(entry);
            loop {
                let visit = AssertUnwindSafe(|| {
                    self.visit(reader, &mut caller, entry, event)
                        .map(|result| {
                            reader.end();
                            drop(result)
                        })
                        .is_some()
                });
                match catch_unwind(visit) {
                    Ok(was_called) => {
                        called += usize::from(was_called);
                        break;
                    }
                    Err(payload) => {
                        reader.end();
                        let in_slot = phase.swap(IN_SLOT, Ordering::Relaxed) == IN_SLOT;
                        let connection = connection(entry.key());
                        let failure = Failure::Panicked(message(payload));
                        failures.push(SlotFailure { connection, name, failure, in_slot });
                        if in_slot {
                            called += 1;
                            break;
                        }
                        // The slot has not been called yet.
                    }
                }
            }
        }
        if let (Err(payload), Some(last)) =
            (catch_unwind(AssertUnwindSafe(move || drop(caller))), run.list.entries().last())
        {
            let (connection, failure) =
                (connection(last.key()), Failure::Panicked(message(payload)));
            let name = self.name_of(last);
            failures.push(SlotFailure { connection, name, failure, in_slot: false });
        }
        if failures.is_empty() { Ok(called) } else { Err(EmitError { called, failures }) }
    }
}

/// The position of an emission that is advanced step by step. It covers the slots that were
/// connected at its start.
pub(crate) struct Cursor<
    E: ?Sized + 'static,
    R: 'static,
    F: Flavor,
    S: Deref<Target = Slots<E, R, F>>,
> {
    slots: S,
    /// `None` only inside `drop`.
    list: Option<SharedList<E, R, F>>,
    next: usize,
    /// See [`ObservedAdmission`].
    phase: F::State,
}

impl<E: ?Sized + 'static, R: 'static, F: Flavor, S: Deref<Target = Slots<E, R, F>>> Unpin
    for Cursor<E, R, F, S>
{
}

impl<E: ?Sized + 'static, R: 'static, F: Flavor, S: Deref<Target = Slots<E, R, F>>>
    Cursor<E, R, F, S>
{
    pub(crate) fn new(slots: S) -> Self {
        let list = slots.share();
        Cursor { slots, list: Some(list), next: 0, phase: F::State::new(IN_SLOT) }
    }

    /// How many slots may still be called.
    pub(crate) fn left(&self) -> usize {
        self.entries().len() - self.next
    }

    /// The slot that the emission reached last.
    #[cfg(feature = "async")]
    pub(crate) fn last(&self) -> Option<SlotKey> {
        self.entries()[..self.next].last().map(|entry| entry.key())
    }

    /// Whether the last panic came from the last slot. Meaningful only for observed calls. If the
    /// slot was not called yet, the emission will reach it again.
    #[cfg(feature = "async")]
    pub(crate) fn has_panicked_in_slot(&mut self) -> bool {
        let phase = self.phase.swap(IN_SLOT, Ordering::Relaxed);
        if phase == BEFORE_SLOT {
            self.next -= 1;
        }
        phase == IN_SLOT
    }

    /// The names of the slots that have one. Later the slots may be disconnected, and their names
    /// forgotten.
    #[cfg(feature = "async")]
    pub(crate) fn names(&self) -> std::collections::BTreeMap<SlotKey, &'static str> {
        let name = |entry: &Entry<E, R, F>| Some((entry.key(), self.slots.name_of(entry)?));
        self.entries().iter().filter_map(name).collect()
    }

    fn entries(&self) -> &[Entry<E, R, F>] {
        self.list.as_ref().map_or(&[], |list| list.entries())
    }

    /// Calls slots until `each` breaks. Cleanup waits until the cursor is dropped, since the cursor
    /// keeps its list until then. If `OBSERVED`, [`ObservedAdmission`] records what panics.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn call_each<B, const OBSERVED: bool>(
        &mut self,
        event: &E,
        each: impl FnMut(&Entry<E, R, F>, R) -> ControlFlow<B>,
    ) -> Option<B> {
        self.call_each_within::<B, OBSERVED, true>(None, event, each)
    }

    /// The same, for a caller that may have entered its nesting level already. `ENDS` is as in
    /// [`visit_each`](Slots::visit_each).
    #[inline(always)]
    #[track_caller]
    pub(crate) fn call_each_within<B, const OBSERVED: bool, const ENDS: bool>(
        &mut self,
        depth: Option<Depth>,
        event: &E,
        each: impl FnMut(&Entry<E, R, F>, R) -> ControlFlow<B>,
    ) -> Option<B> {
        let Cursor { slots, list: Some(list), next, phase } = self else { return None };
        let left = &list.entries()[*next..];
        if left.is_empty() {
            return None;
        }
        let _depth = depth.unwrap_or_else(|| Depth::enter(|| slots.versions.readers()));
        let pinned = slots.reader_for(list);
        let observed;
        let admission: &dyn Admission = if OBSERVED {
            observed = ObservedAdmission::<F> { admission: &***slots, phase };
            &observed
        } else {
            &***slots
        };
        slots.visit_each::<B, ENDS>(
            pinned.reader(),
            left,
            next,
            Caller::new(admission),
            event,
            each,
        )
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Flavor, S: Deref<Target = Slots<E, R, F>>> Drop
    for Cursor<E, R, F, S>
{
    #[inline(never)]
    fn drop(&mut self) {
        if let Some(list) = self.list.take() {
            if self.slots.unshare(list) {
                self.slots.tidy();
            }
        }
    }
}

#[cfg(feature = "async")]
impl<'a, E: ?Sized + 'static, R: 'static, F: Flavor> Cursor<E, R, F, &'a Slots<E, R, F>> {
    /// Calls the slots that are connected now, until `each` breaks.
    ///
    /// Calls `begun` once, before the first slot. If `each` breaks or a slot panics, the slots that
    /// are left are stored in `rest`; otherwise this costs as much as [`Slots::emit`]. `each` must
    /// run no user code, except by dropping its argument.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn begin<B>(
        slots: &'a Slots<E, R, F>,
        event: &E,
        rest: &mut Option<Self>,
        begun: impl FnOnce(),
        each: impl FnMut(&Entry<E, R, F>, R) -> ControlFlow<B>,
    ) -> Option<B> {
        if slots.calls_none() {
            begun();
            return None;
        }
        let run = RunningEmission::new(slots);
        begun();
        let mut saver = SaveRestOnDrop { slots, list: &run.list, next: 0, rest };
        let (reader, all, caller) =
            (saver.list.reader(), saver.list.entries(), Caller::new(&**slots));
        let end = slots.visit_each::<B, false>(reader, all, &mut saver.next, caller, event, each);
        if end.is_none() {
            core::mem::forget(saver);
        }
        end
    }
}

/// Stores the slots that are left in `rest` when it is dropped. It is forgotten when none are left.
#[cfg(feature = "async")]
struct SaveRestOnDrop<'a, 'r, E: ?Sized + 'static, R: 'static, F: Flavor> {
    slots: &'a Slots<E, R, F>,
    list: &'r PinnedList<'a, E, R, F>,
    next: usize,
    rest: &'r mut Option<RefCursor<'a, E, R, F>>,
}

#[cfg(feature = "async")]
impl<E: ?Sized + 'static, R: 'static, F: Flavor> Drop for SaveRestOnDrop<'_, '_, E, R, F> {
    // Inlined, so that `next` can stay in a register until then.
    #[inline(always)]
    fn drop(&mut self) {
        save_rest(self.slots, self.list, self.next, self.rest);
    }
}

#[cfg(feature = "async")]
#[inline(never)]
fn save_rest<'a, E: ?Sized + 'static, R: 'static, F: Flavor>(
    slots: &'a Slots<E, R, F>,
    list: &PinnedList<'a, E, R, F>,
    next: usize,
    rest: &mut Option<RefCursor<'a, E, R, F>>,
) {
    *rest = Some(Cursor { slots, list: Some(list.share()), next, phase: F::State::new(IN_SLOT) });
}

type RefCursor<'a, E, R, F> = Cursor<E, R, F, &'a Slots<E, R, F>>;

/// An emission as an iterator: each [`next`](Iterator::next) calls one slot and returns its result.
///
/// Generic over the flavor. Its everyday names are [`Emission`](crate::Emission) and
/// [`local::Emission`](crate::local::Emission).
///
/// Returned by [`Signal::call`](crate::Signal::call). It covers the slots that were connected when
/// it was created. Slots that are disconnected, blocked or without owner when their turn comes are
/// skipped. If you drop it early, the remaining slots are not called. Anyone may connect and
/// disconnect slots while it exists, including the slots themselves.
///
/// # Cost
/// Creating it takes the signal's lock for a moment. Dropping it does too, if slots were
/// disconnected in the meantime. Each `next` costs as much as an [`emit`](crate::Signal::emit) to
/// one slot. Methods that consume all of it (`last`, `max`, `sum`, `count`, `for_each`, `fold`,
/// ...) cost as much as one `emit` to all slots, and allocate only when `emit` does.
#[must_use = "an emission is lazy: slots are called as it is advanced"]
pub struct Emission<'a, E: ?Sized + 'static, R: 'static, F: Flavor> {
    /// `None` if nothing was ever connected.
    cursor: Option<RefCursor<'a, E, R, F>>,
    event: &'a E,
}

impl<'a, E: ?Sized + 'static, R: 'static, F: Flavor> Emission<'a, E, R, F> {
    pub(crate) fn new(slots: Option<&'a Slots<E, R, F>>, event: &'a E) -> Self {
        Emission { cursor: slots.map(Cursor::new), event }
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Flavor> Iterator for Emission<'_, E, R, F> {
    type Item = R;

    fn next(&mut self) -> Option<R> {
        let cursor = self.cursor.as_mut()?;
        cursor.call_each::<_, false>(self.event, |_, result| ControlFlow::Break(result))
    }

    fn fold<B, G: FnMut(B, R) -> B>(mut self, init: B, mut fold: G) -> B {
        // `None` only while `fold` runs.
        let mut folded = Some(init);
        if let Some(cursor) = &mut self.cursor {
            cursor.call_each::<_, false>(self.event, |_, result| {
                folded = folded.take().map(|folded| fold(folded, result));
                ControlFlow::<Infallible>::Continue(())
            });
        }
        folded.expect("`fold` returned, so there is a value")
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.cursor.as_ref().map_or(0, Cursor::left)))
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Flavor> FusedIterator for Emission<'_, E, R, F> {}

impl<E: ?Sized + 'static, R: 'static, F: Flavor> fmt::Debug for Emission<'_, E, R, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emission").field("at_most_left", &self.size_hint().1.unwrap_or(0)).finish()
    }
}
