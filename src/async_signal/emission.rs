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
type AsyncRefCursor<'a, E, R, F> = AsyncCursor<E, R, F, &'a AsyncSlots<E, R, F>>;

/// Calls the slots that were connected at the start, and runs their handlers one after another.
///
/// `repr(C)` keeps the fields that are always initialized apart from `cursor`, which is not.
/// Otherwise the compiler writes both in parts, and then copies them as a whole.
#[repr(C)]
pub(super) struct SequentialHandlers<
    'a,
    E: ?Sized + 'static,
    R: 'static,
    F: Flavor,
    S = &'a AsyncSlots<E, R, F>,
> where
    S: Deref<Target = AsyncSlots<E, R, F>>,
{
    /// The event, and the handler that is running. Dropped first, because the handler may use the
    /// signal.
    requests: Requests<'a, E, R, F>,
    /// `Some` until the first poll, if the emission covers the slots that are connected then.
    source: Option<&'a AsyncSource<E, R, F>>,
    /// `None` until a handler has to wait or panics, and if there is no slot to call.
    cursor: Option<AsyncCursor<E, R, F, S>>,
}

impl<'a, E: ?Sized + 'static, R: 'static, F: Flavor, S> SequentialHandlers<'a, E, R, F, S>
where
    S: Deref<Target = AsyncSlots<E, R, F>>,
{
    #[cfg(feature = "tokio")]
    pub(super) fn over(cursor: Option<AsyncCursor<E, R, F, S>>, event: &'a E) -> Self {
        SequentialHandlers { requests: Requests::new(event), source: None, cursor }
    }

    /// Runs handlers until `each` breaks. Ready with `None` when all are done. `OBSERVED` is as in
    /// [`Cursor::call_each`].
    pub(super) fn poll_each<B, const OBSERVED: bool>(
        &mut self,
        context: &mut Context<'_>,
        mut each: impl FnMut(Outcome<R>) -> ControlFlow<B>,
    ) -> Poll<Option<B>> {
        let mut depth = None;
        if !self.requests.are_over() {
            // Before the poll: if this panics because of nesting, the handler stays pending.
            depth = Some(Depth::enter(|| 0));
            if let ControlFlow::Break(end) = each(ready!(self.requests.poll_in_emission(context))) {
                return Poll::Ready(Some(end));
            }
        }
        let SequentialHandlers { requests, cursor, .. } = self;
        let end = requests.with(context, |request, _| {
            let (cursor, each) = (cursor.as_mut()?, until_pending(each));
            cursor.call_each_within::<_, OBSERVED, false>(depth, request, each)
        });
        end.map_or(Poll::Ready(None), |end| end.map(Some))
    }

    /// Runs all handlers and counts them.
    pub(super) fn poll_count(
        &mut self,
        context: &mut Context<'_>,
        called: &mut usize,
    ) -> Poll<usize> {
        self.poll_each::<_, false>(context, count_into(called)).map(|_| *called)
    }
}

/// Counts handlers. The count can stay in a register until this is dropped.
struct HandlerCount<'c> {
    called: &'c mut usize,
    more: usize,
}

impl HandlerCount<'_> {
    #[inline(always)]
    fn one(&mut self) {
        self.more += 1;
    }
}

impl Drop for HandlerCount<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        *self.called += self.more;
    }
}

fn count_into<R>(called: &mut usize) -> impl FnMut(Outcome<R>) -> ControlFlow<Infallible> {
    let mut count = HandlerCount { called, more: 0 };
    move |_| {
        count.one();
        ControlFlow::Continue(())
    }
}

/// Breaks with the first result.
fn break_with_result<R>(outcome: Outcome<R>) -> ControlFlow<R> {
    match outcome {
        Outcome::Returned(result) => ControlFlow::Break(result),
        Outcome::TimedOut => ControlFlow::Continue(()),
    }
}

/// Breaks when `each` does, or when a handler has to wait.
fn until_pending<T: ?Sized, R, B>(
    mut each: impl FnMut(Outcome<R>) -> ControlFlow<B>,
) -> impl FnMut(&T, Answer<R>) -> ControlFlow<Poll<B>> {
    move |_, answer| match answer {
        Poll::Ready(outcome) => each(outcome).map_break(Poll::Ready),
        Poll::Pending => ControlFlow::Break(Poll::Pending),
    }
}

impl<'a, E: ?Sized + 'static, R: 'static, F: Flavor> SequentialHandlers<'a, E, R, F> {
    /// Covers the slots that are connected at the first poll.
    pub(super) fn unstarted(source: &'a AsyncSource<E, R, F>, event: &'a E) -> Self {
        SequentialHandlers { requests: Requests::new(event), source: Some(source), cursor: None }
    }

    /// Runs all handlers and counts them. The first poll determines the slots.
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
        let SequentialHandlers { requests, source, cursor } = self;
        requests.take_spare_buffer();
        let end = requests.with(context, |request, _| {
            let each = until_pending(count_into(called));
            Cursor::begin(slots, request, cursor, || *source = None, each)
        });
        end.map_or(Poll::Ready(*called), |end| end.map(|never| match never {}))
    }

    /// In the first poll, stores the connected slots in the cursor, for emissions that need them
    /// before they are called.
    fn start(&mut self) -> Option<&AsyncRefCursor<'a, E, R, F>> {
        let slots = self.source.take()?.slots().filter(|slots| !slots.calls_none())?;
        Some(self.cursor.insert(Cursor::new(slots)))
    }
}

/// An emission that runs one handler after another. Its output is how many handlers were called.
///
/// Returned by [`AsyncSignal::emit`](super::AsyncSignal::emit).
#[must_use = "futures do nothing unless they are awaited"]
pub struct Emit<'a, E: ?Sized + 'static, R: 'static, F: Flavor> {
    handlers: SequentialHandlers<'a, E, R, F>,
    called: usize,
}

impl<'a, E: ?Sized + 'static, R: 'static, F: Flavor> Emit<'a, E, R, F> {
    pub(super) fn new(source: &'a AsyncSource<E, R, F>, event: &'a E) -> Self {
        Emit { handlers: SequentialHandlers::unstarted(source, event), called: 0 }
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Flavor> Future for Emit<'_, E, R, F> {
    type Output = usize;
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<usize> {
        let Emit { handlers, called } = &mut *self;
        handlers.poll_count_from_start(context, called)
    }
}

/// An emission as a stream of the handlers' results, in order.
///
/// Returned by [`AsyncSignal::call`](super::AsyncSignal::call). A handler is started only when the
/// stream is polled for its result. A handler that is dropped at its deadline yields no item.
#[must_use = "streams do nothing unless they are polled"]
pub struct AsyncEmission<'a, E: ?Sized + 'static, R: 'static, F: Flavor>(
    pub(super) SequentialHandlers<'a, E, R, F>,
);

impl<E: ?Sized + 'static, R: 'static, F: Flavor> Stream for AsyncEmission<'_, E, R, F> {
    type Item = R;
    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<R>> {
        self.0.start();
        self.0.poll_each::<_, false>(context, break_with_result)
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        let SequentialHandlers { requests, source, cursor } = &self.0;
        let left = cursor.as_ref().map_or(0, Cursor::left) + usize::from(!requests.are_over());
        (0, source.is_none().then_some(left))
    }
}

/// An emission that calls every handler, even if others fail.
///
/// Returned by [`AsyncSignal::try_emit`](super::AsyncSignal::try_emit).
#[must_use = "futures do nothing unless they are awaited"]
pub struct TryEmit<'a, E: ?Sized + 'static, R: 'static, F: Flavor> {
    handlers: SequentialHandlers<'a, E, R, F>,
    source: &'a AsyncSource<E, R, F>,
    names: BTreeMap<SlotKey, &'static str>,
    called: usize,
    /// Each with its slot, and whether the slot itself failed.
    failures: Vec<(SlotKey, Failure, bool)>,
}

impl<'a, E: ?Sized + 'static, R: 'static, F: Flavor> TryEmit<'a, E, R, F> {
    pub(super) fn new(source: &'a AsyncSource<E, R, F>, event: &'a E) -> Self {
        let handlers = SequentialHandlers::unstarted(source, event);
        TryEmit { handlers, source, names: BTreeMap::new(), called: 0, failures: Vec::new() }
    }

    /// Records a failure of the slot that was reached last.
    fn record_failure(&mut self, failure: Failure) {
        let cursor = self.handlers.cursor.as_mut().expect("a slot failed, so there is a cursor");
        let last = cursor.last().expect("a slot failed, so the cursor has reached one");
        let in_slot = cursor.has_panicked_in_slot();
        self.called += usize::from(in_slot);
        self.failures.push((last, failure, in_slot));
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Flavor> Future for TryEmit<'_, E, R, F> {
    type Output = Result<usize, EmitError<F>>;
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        // If this panics because of nesting, it is not the failure of a handler.
        drop(Depth::enter(|| 0));
        if let Some(cursor) = this.handlers.start() {
            this.names = cursor.names();
        }
        loop {
            let called = &mut this.called;
            let step = AssertUnwindSafe(|| {
                this.handlers.poll_each::<_, true>(context, |outcome| match outcome {
                    Outcome::Returned(result) => {
                        // Dropped before it is counted: if its destructor panics, the handler has
                        // failed.
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
                Ok(Poll::Ready(Some(()))) => this.record_failure(Failure::TimedOut),
                Err(payload) => this.record_failure(Failure::Panicked(message(payload))),
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

/// The handlers of a concurrent emission that were not ready at once.
enum PendingHandlers<'a, E: ?Sized + 'static, R: 'static, F: Flavor> {
    /// All handlers share the task's waker and are polled whenever the task is. For a few handlers
    /// that is cheaper than tracking which of them was woken. Sorted by their start; finished ones
    /// stay in place, empty.
    PolledTogether {
        handlers: SmallVec<[ErasedFuture<'a, E, R, F>; 1]>,
        /// The index of the handler that was polled first the last time. It advances with each
        /// poll, because a runtime may limit how much a task does in one poll, and one busy handler
        /// must not use up the budget of the others each time.
        first: usize,
    },
    /// Each handler has its own waker, and is polled only when that was woken.
    PolledWhenWoken {
        handlers: FuturesUnordered<ErasedFuture<'a, E, R, F>>,
        /// Wakes their task; made when they are first polled. `FuturesUnordered` stores this
        /// waker instead of the task's own, because it would never wake anyone again if the
        /// waker it stores panicked.
        task_waker: Option<TaskWaker>,
    },
}

/// The same limit as that of `futures::future::join_all`.
const MAX_POLLED_TOGETHER: usize = 30;

impl<'a, E: ?Sized + 'static, R: 'static, F: Flavor> PendingHandlers<'a, E, R, F> {
    fn new() -> Self {
        PendingHandlers::PolledTogether { handlers: SmallVec::new(), first: 0 }
    }

    /// Adds a handler. More than `max_together` are polled when woken.
    fn push(&mut self, handler: ErasedFuture<'a, E, R, F>, max_together: usize) {
        match self {
            PendingHandlers::PolledTogether { handlers, .. } if handlers.len() < max_together => {
                match handlers.len() {
                    1 => handlers.reserve_exact(3.min(max_together - 1)),
                    4 => handlers.reserve_exact(max_together - 4),
                    _ => (),
                }
                handlers.push(handler);
            }
            PendingHandlers::PolledTogether { handlers, .. } => {
                let handlers = take(handlers).into_iter().chain([handler]).collect();
                *self = PendingHandlers::PolledWhenWoken { handlers, task_waker: None };
            }
            PendingHandlers::PolledWhenWoken { handlers, .. } => handlers.push(handler),
        }
    }

    fn len(&self) -> usize {
        match self {
            PendingHandlers::PolledTogether { handlers, .. } => {
                handlers.iter().filter(|handler| !handler.is_over()).count()
            }
            PendingHandlers::PolledWhenWoken { handlers, .. } => handlers.len(),
        }
    }

    /// Polls the handlers until `each` breaks. Ready with `None` when all are done.
    fn poll_each<B>(
        &mut self,
        context: &mut Context<'_>,
        mut each: impl FnMut(Outcome<R>) -> ControlFlow<B>,
    ) -> Poll<Option<B>> {
        // Before any poll: if this panics because of nesting, the handlers stay pending.
        let depth = Depth::enter(|| 0);
        match self {
            PendingHandlers::PolledTogether { handlers, first } => {
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
            PendingHandlers::PolledWhenWoken { handlers, task_waker } => {
                drop(depth);
                let task_waker = match task_waker {
                    Some(task_waker) => {
                        task_waker.set_task(context.waker());
                        task_waker
                    }
                    none => none.insert(TaskWaker::new(context.waker().clone())),
                };
                let context = &mut Context::from_waker(task_waker.waker());
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

/// Runs all handlers concurrently on the task that polls. Up to `MAX_TOGETHER` pending ones are
/// polled together.
struct ConcurrentHandlers<'a, E: ?Sized + 'static, R: 'static, F: Flavor, const MAX_TOGETHER: usize>
{
    /// The handlers that were not ready at their first poll. `None` if there was none.
    pending: Option<PendingHandlers<'a, E, R, F>>,
    /// The slots that are not called yet because an earlier one panicked.
    rest: Option<AsyncRefCursor<'a, E, R, F>>,
    /// `Some` until the first poll.
    unstarted: Option<&'a AsyncSource<E, R, F>>,
    event: &'a E,
}

impl<'a, E: ?Sized + 'static, R: 'static, F: Flavor, const MAX_TOGETHER: usize>
    ConcurrentHandlers<'a, E, R, F, MAX_TOGETHER>
{
    fn new(source: &'a AsyncSource<E, R, F>, event: &'a E) -> Self {
        ConcurrentHandlers { pending: None, rest: None, unstarted: Some(source), event }
    }

    /// Starts the handlers of all slots that are connected now, unless they were started before.
    /// Returns whether it has just started, and therefore polled, all of them.
    fn start(&mut self, context: &mut Context<'_>, ready: impl FnMut(Outcome<R>)) -> bool {
        let Some(source) = self.unstarted else {
            self.start_rest(context, ready);
            return false;
        };
        let ConcurrentHandlers { pending, rest, unstarted, event, .. } = self;
        let Some(slots) = source.slots() else {
            *unstarted = None;
            return true;
        };
        let mut requests = Requests::new(*event);
        requests.take_spare_buffer();
        requests.with(context, |request, left| {
            let each = until_all_started(pending, MAX_TOGETHER, || left.take(), ready);
            Cursor::begin(slots, request, rest, || *unstarted = None, each)
        });
        true
    }

    /// Starts the handlers of the slots after the one that panicked.
    #[inline(never)]
    fn start_rest(&mut self, context: &mut Context<'_>, ready: impl FnMut(Outcome<R>)) {
        let ConcurrentHandlers { pending, rest: Some(cursor), event, .. } = self else { return };
        Requests::new(*event).with(context, |request, left| {
            let each = until_all_started(pending, MAX_TOGETHER, || left.take(), ready);
            cursor.call_each_within::<_, false, false>(None, request, each)
        });
        self.rest = None;
    }

    /// Polls the pending handlers until `each` breaks.
    fn poll_each<B>(
        &mut self,
        context: &mut Context<'_>,
        were_just_started: bool,
        each: impl FnMut(Outcome<R>) -> ControlFlow<B>,
    ) -> Poll<Option<B>> {
        match &mut self.pending {
            // They were just polled with the task's waker.
            Some(PendingHandlers::PolledTogether { .. }) if were_just_started => Poll::Pending,
            Some(pending) => pending.poll_each(context, each),
            None => Poll::Ready(None),
        }
    }
}

/// Never breaks: a handler that has to wait is stored in `pending`, and the next one is started.
fn until_all_started<'a, T: ?Sized, E: ?Sized + 'static, R: 'static, F: Flavor>(
    pending: &mut Option<PendingHandlers<'a, E, R, F>>,
    max_together: usize,
    left: impl Fn() -> ErasedFuture<'a, E, R, F>,
    mut ready: impl FnMut(Outcome<R>),
) -> impl FnMut(&T, Answer<R>) -> ControlFlow<Infallible> {
    move |_, answer| {
        match answer {
            Poll::Ready(outcome) => ready(outcome),
            Poll::Pending => {
                pending.get_or_insert_with(PendingHandlers::new).push(left(), max_together);
            }
        }
        ControlFlow::Continue(())
    }
}

/// If the destructor of one handler panics, the others are still dropped.
impl<E: ?Sized + 'static, R: 'static, F: Flavor, const MAX_TOGETHER: usize> Drop
    for ConcurrentHandlers<'_, E, R, F, MAX_TOGETHER>
{
    fn drop(&mut self) {
        if let Some(PendingHandlers::PolledWhenWoken { handlers, task_waker }) = self.pending.take()
        {
            handlers.into_iter().for_each(drop);
            drop(task_waker);
        }
    }
}

/// An emission that runs all handlers concurrently. Its output is how many handlers were called.
///
/// Returned by [`AsyncSignal::emit_concurrent`](super::AsyncSignal::emit_concurrent).
#[must_use = "futures do nothing unless they are awaited"]
pub struct EmitConcurrent<'a, E: ?Sized + 'static, R: 'static, F: Flavor> {
    handlers: ConcurrentHandlers<'a, E, R, F, MAX_POLLED_TOGETHER>,
    called: usize,
}

impl<'a, E: ?Sized + 'static, R: 'static, F: Flavor> EmitConcurrent<'a, E, R, F> {
    pub(super) fn new(source: &'a AsyncSource<E, R, F>, event: &'a E) -> Self {
        EmitConcurrent { handlers: ConcurrentHandlers::new(source, event), called: 0 }
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Flavor> Future for EmitConcurrent<'_, E, R, F> {
    type Output = usize;
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<usize> {
        let EmitConcurrent { handlers, called } = &mut *self;
        let mut count_one = count_into(called);
        let just_started = handlers.start(context, move |outcome| _ = count_one(outcome));
        handlers.poll_each(context, just_started, count_into(called)).map(|_| *called)
    }
}

/// An emission that runs all handlers concurrently, as a stream of their results in the order in
/// which they finish.
///
/// Returned by [`AsyncSignal::call_concurrent`](super::AsyncSignal::call_concurrent). The first
/// poll of the stream starts all handlers. A handler that is dropped at its deadline yields no
/// item.
#[must_use = "streams do nothing unless they are polled"]
pub struct ConcurrentEmission<'a, E: ?Sized + 'static, R: 'static, F: Flavor> {
    /// Results come in the order in which handlers were woken, so only a single pending handler may
    /// be polled without tracking that.
    handlers: ConcurrentHandlers<'a, E, R, F, 1>,
    /// Results that the stream has not returned yet.
    ready: VecDeque<R>,
}

impl<'a, E: ?Sized + 'static, R: 'static, F: Flavor> ConcurrentEmission<'a, E, R, F> {
    pub(super) fn new(source: &'a AsyncSource<E, R, F>, event: &'a E) -> Self {
        ConcurrentEmission {
            handlers: ConcurrentHandlers::new(source, event),
            ready: VecDeque::new(),
        }
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Flavor> Unpin for ConcurrentEmission<'_, E, R, F> {}

impl<E: ?Sized + 'static, R: 'static, F: Flavor> Stream for ConcurrentEmission<'_, E, R, F> {
    type Item = R;
    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<R>> {
        let ConcurrentEmission { handlers, ready } = &mut *self;
        let just_started = handlers.start(context, |outcome| {
            if let Outcome::Returned(result) = outcome {
                ready.push_back(result);
            }
        });
        if let Some(result) = ready.pop_front() {
            return Poll::Ready(Some(result));
        }
        handlers.poll_each(context, just_started, break_with_result)
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        let ConcurrentHandlers { pending, rest, unstarted, .. } = &self.handlers;
        let open = pending.as_ref().map_or(0, PendingHandlers::len);
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
