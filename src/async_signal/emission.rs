//! Emissions of asynchronous signals.

use core::convert::Infallible;
use core::fmt;
use core::future::Future;
use core::mem::take;
use core::ops::{ControlFlow, Deref};
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};

use futures_core::Stream;
use futures_util::stream::FuturesUnordered;
use smallvec::SmallVec;

use super::AsyncSource;
use super::waking::TaskWaker;
use crate::base::{Depth, Outcome, SlotKey, message};
use crate::raw::Flavor;
use crate::raw::{Answer, ErasedFuture, Request, Requests};
use crate::signal::{Cursor, EmitError, Failure, SlotFailure};
use crate::slots::Slots;

pub(super) type AsyncSlots<E, R, F> = Slots<Request<E, R, F>, Answer<R>, F>;
type AsyncCursor<E, R, F, S> = Cursor<Request<E, R, F>, Answer<R>, F, S>;
type Borrowed<'a, E, R, F> = AsyncCursor<E, R, F, &'a AsyncSlots<E, R, F>>;

/// The slots that were connected at the start, and their handlers one after another.
///
/// In this order: what is written at once lies apart from what is not there yet. Else the compiler
/// moves both as a whole, right after they were written in parts.
#[repr(C)]
pub(super) struct Sequence<
    'a,
    E: ?Sized + 'static,
    R: 'static,
    F: Flavor,
    S = &'a AsyncSlots<E, R, F>,
> where
    S: Deref<Target = AsyncSlots<E, R, F>>,
{
    /// Of the event, with the handler that is under way. Dropped first: that may use the signal.
    requests: Requests<'a, E, R, F>,
    /// Until the first poll, if the slots are those that are connected then.
    source: Option<&'a AsyncSource<E, R, F>>,
    /// None as long as no handler has kept the emission waiting or panicked, and when there is no slot to call.
    cursor: Option<AsyncCursor<E, R, F, S>>,
}

impl<'a, E: ?Sized + 'static, R: 'static, F: Flavor, S> Sequence<'a, E, R, F, S>
where
    S: Deref<Target = AsyncSlots<E, R, F>>,
{
    #[cfg(feature = "tokio")]
    pub(super) fn over(cursor: Option<AsyncCursor<E, R, F, S>>, event: &'a E) -> Self {
        Sequence { requests: Requests::new(event), source: None, cursor }
    }

    /// Runs handlers until `each` has enough of what came of them. Ready with `None` at the end.
    /// `OBSERVED` is that of [`Cursor::call_each`].
    pub(super) fn poll_each<B, const OBSERVED: bool>(
        &mut self,
        context: &mut Context<'_>,
        mut each: impl FnMut(Outcome<R>) -> ControlFlow<B>,
    ) -> Poll<Option<B>> {
        let mut depth = None;
        if !self.requests.are_over() {
            // Nested too deep: the handler waits on.
            depth = Some(Depth::enter(|| 0));
            if let ControlFlow::Break(end) = each(ready!(self.requests.poll_in_emission(context))) {
                return Poll::Ready(Some(end));
            }
        }
        let Sequence { requests, cursor, .. } = self;
        let end = requests.with(context, |request, _| {
            let (cursor, each) = (cursor.as_mut()?, until_pending(each));
            cursor.call_each_within::<_, OBSERVED, false>(depth, request, each)
        });
        end.map_or(Poll::Ready(None), |end| end.map(Some))
    }

    /// Runs all handlers, and counts them.
    pub(super) fn poll_count(
        &mut self,
        context: &mut Context<'_>,
        called: &mut usize,
    ) -> Poll<usize> {
        self.poll_each::<_, false>(context, count(called)).map(|_| *called)
    }
}

/// Counts handlers. The number can be in a register until this is dropped.
struct Count<'c> {
    called: &'c mut usize,
    more: usize,
}

impl Count<'_> {
    #[inline(always)]
    fn one(&mut self) {
        self.more += 1;
    }
}

impl Drop for Count<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        *self.called += self.more;
    }
}

fn count<R>(called: &mut usize) -> impl FnMut(Outcome<R>) -> ControlFlow<Infallible> {
    let mut count = Count { called, more: 0 };
    move |_| {
        count.one();
        ControlFlow::Continue(())
    }
}

/// Goes on until there is one.
fn result<R>(outcome: Outcome<R>) -> ControlFlow<R> {
    match outcome {
        Outcome::Returned(result) => ControlFlow::Break(result),
        Outcome::TimedOut => ControlFlow::Continue(()),
    }
}

/// Goes on until `each` has enough, or a handler has to wait.
fn until_pending<T: ?Sized, R, B>(
    mut each: impl FnMut(Outcome<R>) -> ControlFlow<B>,
) -> impl FnMut(&T, Answer<R>) -> ControlFlow<Poll<B>> {
    move |_, answer| match answer {
        Poll::Ready(outcome) => each(outcome).map_break(Poll::Ready),
        Poll::Pending => ControlFlow::Break(Poll::Pending),
    }
}

impl<'a, E: ?Sized + 'static, R: 'static, F: Flavor> Sequence<'a, E, R, F> {
    /// Of the slots that are connected when it is polled first.
    pub(super) fn unstarted(source: &'a AsyncSource<E, R, F>, event: &'a E) -> Self {
        Sequence { requests: Requests::new(event), source: Some(source), cursor: None }
    }

    /// Runs all handlers, and counts them. In the first poll, those of the slots that are connected now.
    fn poll_count_from_start(
        &mut self,
        context: &mut Context<'_>,
        called: &mut usize,
    ) -> Poll<usize> {
        let Some(source) = self.source else { return self.poll_count(context, called) };
        let Some(slots) = source.slots() else {
            self.source = None;
            return Poll::Ready(0);
        };
        let Sequence { requests, source, cursor } = self;
        requests.take_spare_buffer();
        let end = requests.with(context, |request, _| {
            let each = until_pending(count(called));
            Cursor::begin(slots, request, cursor, || *source = None, each)
        });
        end.map_or(Poll::Ready(*called), |end| end.map(|never| match never {}))
    }

    /// Puts the slots that are connected in the first poll into the cursor, for who has to know them before
    /// they are called.
    fn start(&mut self) -> Option<&Borrowed<'a, E, R, F>> {
        let slots = self.source.take()?.slots().filter(|slots| !slots.calls_none())?;
        Some(self.cursor.insert(Cursor::new(slots)))
    }
}

/// An emission under way, one handler after another. Made by [`AsyncSignal::emit`](super::AsyncSignal::emit);
/// gives how many handlers were called.
#[must_use = "futures do nothing unless they are awaited"]
pub struct Emit<'a, E: ?Sized + 'static, R: 'static, F: Flavor> {
    sequence: Sequence<'a, E, R, F>,
    called: usize,
}

impl<'a, E: ?Sized + 'static, R: 'static, F: Flavor> Emit<'a, E, R, F> {
    pub(super) fn new(source: &'a AsyncSource<E, R, F>, event: &'a E) -> Self {
        Emit { sequence: Sequence::unstarted(source, event), called: 0 }
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Flavor> Future for Emit<'_, E, R, F> {
    type Output = usize;
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<usize> {
        let Emit { sequence, called } = &mut *self;
        sequence.poll_count_from_start(context, called)
    }
}

/// An emission in the hands of the caller: a stream of what the handlers return, in order. Each handler is
/// started when its result is asked for. Made by [`AsyncSignal::call`](super::AsyncSignal::call).
///
/// A handler that is dropped at its deadline gives no item.
#[must_use = "streams do nothing unless they are polled"]
pub struct AsyncEmission<'a, E: ?Sized + 'static, R: 'static, F: Flavor>(
    pub(super) Sequence<'a, E, R, F>,
);

impl<E: ?Sized + 'static, R: 'static, F: Flavor> Stream for AsyncEmission<'_, E, R, F> {
    type Item = R;
    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<R>> {
        self.0.start();
        self.0.poll_each::<_, false>(context, result)
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        let Sequence { requests, source, cursor } = &self.0;
        let left = cursor.as_ref().map_or(0, Cursor::left) + usize::from(!requests.are_over());
        (0, source.is_none().then_some(left))
    }
}

/// An emission that calls every handler, whatever becomes of the others. Made by
/// [`AsyncSignal::try_emit`](super::AsyncSignal::try_emit).
#[must_use = "futures do nothing unless they are awaited"]
pub struct TryEmit<'a, E: ?Sized + 'static, R: 'static, F: Flavor> {
    sequence: Sequence<'a, E, R, F>,
    source: &'a AsyncSource<E, R, F>,
    names: BTreeMap<SlotKey, &'static str>,
    called: usize,
    /// Each with its slot, and whether that was called.
    failures: Vec<(SlotKey, Failure, bool)>,
}

impl<'a, E: ?Sized + 'static, R: 'static, F: Flavor> TryEmit<'a, E, R, F> {
    pub(super) fn new(source: &'a AsyncSource<E, R, F>, event: &'a E) -> Self {
        let sequence = Sequence::unstarted(source, event);
        TryEmit { sequence, source, names: BTreeMap::new(), called: 0, failures: Vec::new() }
    }

    /// The handler that was come to last has failed.
    fn failed(&mut self, failure: Failure) {
        let cursor = self.sequence.cursor.as_mut().expect("a handler failed, so there are some");
        let last = cursor.last().expect("a handler failed, so one was come to");
        let in_slot = cursor.has_panicked_in_slot();
        self.called += usize::from(in_slot);
        self.failures.push((last, failure, in_slot));
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Flavor> Future for TryEmit<'_, E, R, F> {
    type Output = Result<usize, EmitError<F>>;
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        // Nested too deep: that is no handler's failure.
        drop(Depth::enter(|| 0));
        if let Some(cursor) = this.sequence.start() {
            this.names = cursor.names();
        }
        loop {
            let called = &mut this.called;
            let step = AssertUnwindSafe(|| {
                this.sequence.poll_each::<_, true>(context, |outcome| match outcome {
                    Outcome::Returned(result) => {
                        // Before it counts: a result whose destructor panics has failed.
                        drop(result);
                        *called += 1;
                        ControlFlow::Continue(())
                    }
                    Outcome::TimedOut => ControlFlow::Break(()),
                })
            });
            match catch_unwind(step) {
                Ok(Poll::Pending) => return Poll::Pending,
                Ok(Poll::Ready(None)) => break,
                Ok(Poll::Ready(Some(()))) => this.failed(Failure::TimedOut),
                Err(payload) => this.failed(Failure::Panicked(message(payload))),
            }
        }
        if this.failures.is_empty() {
            return Poll::Ready(Ok(this.called));
        }
        let failures = this.failures.drain(..).map(|(key, failure, in_slot)| SlotFailure {
            connection: this.source.source().connection(key),
            name: this.names.get(&key).copied(),
            failure,
            in_slot,
        });
        Poll::Ready(Err(EmitError { called: this.called, failures: failures.collect() }))
    }
}

/// Handlers that wait.
enum Pending<'a, E: ?Sized + 'static, R: 'static, F: Flavor> {
    /// In the order of their start, each until it is over. They have the task's own waker, so they are polled
    /// together: for a few that is cheaper than to know which of them was woken.
    Few {
        handlers: SmallVec<[ErasedFuture<'a, E, R, F>; 1]>,
        /// Which of them is polled first. Another one each time: a runtime may give a task so much to do at
        /// once and no more, and one busy handler would leave nothing of it to the others.
        first: usize,
    },
    /// Each has a waker of its own, and is polled when that was woken.
    Many {
        handlers: FuturesUnordered<ErasedFuture<'a, E, R, F>>,
        /// What wakes their task, from the first time they are polled together. If its own waker panicked as
        /// they keep that, they would never wake anyone again.
        bell: Option<TaskWaker>,
    },
}

/// As `join_all` has it.
const FEW: usize = 30;

impl<'a, E: ?Sized + 'static, R: 'static, F: Flavor> Pending<'a, E, R, F> {
    fn new() -> Self {
        Pending::Few { handlers: SmallVec::new(), first: 0 }
    }

    /// One more. More than `few` are many.
    fn push(&mut self, handler: ErasedFuture<'a, E, R, F>, few: usize) {
        match self {
            Pending::Few { handlers, .. } if handlers.len() < few => {
                match handlers.len() {
                    1 => handlers.reserve_exact(3.min(few - 1)),
                    4 => handlers.reserve_exact(few - 4),
                    _ => (),
                }
                handlers.push(handler);
            }
            Pending::Few { handlers, .. } => {
                let handlers = take(handlers).into_iter().chain([handler]).collect();
                *self = Pending::Many { handlers, bell: None };
            }
            Pending::Many { handlers, .. } => handlers.push(handler),
        }
    }

    fn len(&self) -> usize {
        match self {
            Pending::Few { handlers, .. } => {
                handlers.iter().filter(|handler| !handler.is_over()).count()
            }
            Pending::Many { handlers, .. } => handlers.len(),
        }
    }

    /// Until `each` has enough of what comes of them. Ready with `None` when there are no more.
    fn poll_each<B>(
        &mut self,
        context: &mut Context<'_>,
        mut each: impl FnMut(Outcome<R>) -> ControlFlow<B>,
    ) -> Poll<Option<B>> {
        // Nested too deep: the handlers wait on.
        let depth = Depth::enter(|| 0);
        match self {
            Pending::Few { handlers, first } => {
                let mut are_over = true;
                *first = if *first + 1 < handlers.len() { *first + 1 } else { 0 };
                let (later, sooner) = handlers.split_at_mut(*first);
                for handler in sooner.iter_mut().chain(later) {
                    match (!handler.is_over()).then(|| handler.poll_in_emission(context)) {
                        Some(Poll::Ready(outcome)) => {
                            *handler = ErasedFuture::new();
                            if let ControlFlow::Break(end) = each(outcome) {
                                return Poll::Ready(Some(end));
                            }
                        }
                        Some(Poll::Pending) => are_over = false,
                        None => (),
                    }
                }
                if are_over { Poll::Ready(None) } else { Poll::Pending }
            }
            Pending::Many { handlers, bell } => {
                drop(depth);
                let bell = match bell {
                    Some(bell) => {
                        bell.stand_for(context.waker());
                        bell
                    }
                    none => none.insert(TaskWaker::new(context.waker().clone())),
                };
                let context = &mut Context::from_waker(bell.waker());
                while let Some(outcome) = ready!(Pin::new(&mut *handlers).poll_next(context)) {
                    if let ControlFlow::Break(end) = each(outcome) {
                        return Poll::Ready(Some(end));
                    }
                }
                Poll::Ready(None)
            }
        }
    }
}

/// All handlers at once, on the task that polls. Up to `MOST` that wait are a few.
struct Together<'a, E: ?Sized + 'static, R: 'static, F: Flavor, const MOST: usize> {
    /// Those that were not ready when they were first polled. None when all were.
    pending: Option<Pending<'a, E, R, F>>,
    /// The slots that are not called yet, since one before them has panicked.
    rest: Option<Borrowed<'a, E, R, F>>,
    /// Until the first poll.
    unstarted: Option<&'a AsyncSource<E, R, F>>,
    event: &'a E,
}

impl<'a, E: ?Sized + 'static, R: 'static, F: Flavor, const MOST: usize>
    Together<'a, E, R, F, MOST>
{
    fn new(source: &'a AsyncSource<E, R, F>, event: &'a E) -> Self {
        Together { pending: None, rest: None, unstarted: Some(source), event }
    }

    /// Starts the handlers of all slots that are connected now, if that is not done yet. Says whether all were
    /// started, and so polled, just now.
    fn start(&mut self, context: &mut Context<'_>, ready: impl FnMut(Outcome<R>)) -> bool {
        let Some(source) = self.unstarted else {
            self.start_rest(context, ready);
            return false;
        };
        let Together { pending, rest, unstarted, event, .. } = self;
        let Some(slots) = source.slots() else {
            *unstarted = None;
            return true;
        };
        let mut requests = Requests::new(*event);
        requests.take_spare_buffer();
        requests.with(context, |request, left| {
            let each = until_all_started(pending, MOST, || left.take(), ready);
            Cursor::begin(slots, request, rest, || *unstarted = None, each)
        });
        true
    }

    /// Starts the handlers of the slots after one that has panicked.
    #[inline(never)]
    fn start_rest(&mut self, context: &mut Context<'_>, ready: impl FnMut(Outcome<R>)) {
        let Together { pending, rest: Some(cursor), event, .. } = self else { return };
        Requests::new(*event).with(context, |request, left| {
            let each = until_all_started(pending, MOST, || left.take(), ready);
            cursor.call_each_within::<_, false, false>(None, request, each)
        });
        self.rest = None;
    }

    /// Goes on with those that wait, until `each` has enough of what comes of them.
    fn poll_each<B>(
        &mut self,
        context: &mut Context<'_>,
        were_just_started: bool,
        each: impl FnMut(Outcome<R>) -> ControlFlow<B>,
    ) -> Poll<Option<B>> {
        match &mut self.pending {
            // They have the task's waker already.
            Some(Pending::Few { .. }) if were_just_started => Poll::Pending,
            Some(pending) => pending.poll_each(context, each),
            None => Poll::Ready(None),
        }
    }
}

/// Lets no handler keep the later ones waiting.
fn until_all_started<'a, T: ?Sized, E: ?Sized + 'static, R: 'static, F: Flavor>(
    pending: &mut Option<Pending<'a, E, R, F>>,
    few: usize,
    left: impl Fn() -> ErasedFuture<'a, E, R, F>,
    mut ready: impl FnMut(Outcome<R>),
) -> impl FnMut(&T, Answer<R>) -> ControlFlow<Infallible> {
    move |_, answer| {
        match answer {
            Poll::Ready(outcome) => ready(outcome),
            Poll::Pending => {
                pending.get_or_insert_with(Pending::new).push(left(), few);
            }
        }
        ControlFlow::Continue(())
    }
}

/// Also when the destructor of one panics, the others are dropped.
impl<E: ?Sized + 'static, R: 'static, F: Flavor, const MOST: usize> Drop
    for Together<'_, E, R, F, MOST>
{
    fn drop(&mut self) {
        if let Some(Pending::Many { handlers, bell }) = self.pending.take() {
            handlers.into_iter().for_each(drop);
            drop(bell);
        }
    }
}

/// An emission under way, all handlers at once. Made by
/// [`AsyncSignal::emit_concurrent`](super::AsyncSignal::emit_concurrent); gives how many handlers were called.
#[must_use = "futures do nothing unless they are awaited"]
pub struct EmitConcurrent<'a, E: ?Sized + 'static, R: 'static, F: Flavor> {
    together: Together<'a, E, R, F, FEW>,
    called: usize,
}

impl<'a, E: ?Sized + 'static, R: 'static, F: Flavor> EmitConcurrent<'a, E, R, F> {
    pub(super) fn new(source: &'a AsyncSource<E, R, F>, event: &'a E) -> Self {
        EmitConcurrent { together: Together::new(source, event), called: 0 }
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Flavor> Future for EmitConcurrent<'_, E, R, F> {
    type Output = usize;
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<usize> {
        let EmitConcurrent { together, called } = &mut *self;
        let mut count_one = count(called);
        let just_started = together.start(context, move |outcome| _ = count_one(outcome));
        together.poll_each(context, just_started, count(called)).map(|_| *called)
    }
}

/// An emission of which all handlers run at once: a stream of what they return, as they finish. They are
/// started when the first result is asked for. Made by
/// [`AsyncSignal::call_concurrent`](super::AsyncSignal::call_concurrent).
///
/// A handler that is dropped at its deadline gives no item.
#[must_use = "streams do nothing unless they are polled"]
pub struct ConcurrentEmission<'a, E: ?Sized + 'static, R: 'static, F: Flavor> {
    /// Two that were woken are polled in that order: so only one alone is polled without knowing that it was.
    together: Together<'a, E, R, F, 1>,
    /// What is there already.
    ready: VecDeque<R>,
}

impl<'a, E: ?Sized + 'static, R: 'static, F: Flavor> ConcurrentEmission<'a, E, R, F> {
    pub(super) fn new(source: &'a AsyncSource<E, R, F>, event: &'a E) -> Self {
        ConcurrentEmission { together: Together::new(source, event), ready: VecDeque::new() }
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Flavor> Unpin for ConcurrentEmission<'_, E, R, F> {}

impl<E: ?Sized + 'static, R: 'static, F: Flavor> Stream for ConcurrentEmission<'_, E, R, F> {
    type Item = R;
    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<R>> {
        let ConcurrentEmission { together, ready } = &mut *self;
        let just_started = together.start(context, |outcome| {
            if let Outcome::Returned(result) = outcome {
                ready.push_back(result);
            }
        });
        if let Some(result) = ready.pop_front() {
            return Poll::Ready(Some(result));
        }
        together.poll_each(context, just_started, result)
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        let Together { pending, rest, unstarted, .. } = &self.together;
        let open = pending.as_ref().map_or(0, Pending::len);
        let left = self.ready.len() + open + rest.as_ref().map_or(0, Cursor::left);
        (self.ready.len(), unstarted.is_none().then_some(left))
    }
}

macro_rules! debug {
    ($($name:ident),*) => {$(
        impl<E: ?Sized + 'static, R: 'static, F: Flavor> fmt::Debug for $name<'_, E, R, F> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}
debug!(Emit, AsyncEmission, TryEmit, EmitConcurrent, ConcurrentEmission);
