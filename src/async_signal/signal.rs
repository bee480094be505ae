//! Asynchronous signals, and their subscribe-only face.

use core::fmt;
use core::ops::Deref;

use super::emission::AsyncSlots;
use super::{AsyncEmission, AsyncSlotOptions, ConcurrentEmission, Emit, EmitConcurrent, TryEmit};
use crate::raw::{
    Answer, AsyncClosure, AsyncMethod, Flavor, Local, MaybeSend, MaybeSendSync, Request, Shared,
};
use crate::signal::{Method, Owner, Signal, Source};
use crate::slots::{Block, Connection, ScopedConnection};

/// A [`Signal`](crate::Signal) whose slots are `async` methods: it announces an event, and the handlers of all
/// that have connected are run, one after another or all at once, on the task that awaits the emission.
///
/// Generic over the flavor. Its everyday names are [`AsyncSignal`](crate::AsyncSignal) and
/// [`local::AsyncSignal`](crate::local::AsyncSignal).
///
/// It belongs to no runtime. Slots hold their owners weakly. A handler's owner is held strongly from the moment
/// its future is made until that ends, and never longer.
///
/// Emissions are futures and streams: as others, they do nothing before they are polled. The slots of one are
/// those that are connected at its first poll.
///
/// ```
/// use sigwire::AsyncSignal;
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
///
/// #[derive(Default)]
/// struct Warehouse {
///     sent: AtomicU32,
/// }
/// impl Warehouse {
///     async fn send(&self, order: &str) {
///         // .. something to await ..
///         self.sent.fetch_add(1, Relaxed);
///     }
/// }
///
/// # futures::executor::block_on(async {
/// let ordered: AsyncSignal<str> = AsyncSignal::new();
/// let warehouse = Arc::new(Warehouse::default());
/// ordered.connect(&warehouse, Warehouse::send); // weak
/// ordered.connect(&warehouse, async |warehouse, order| warehouse.send(order).await);
///
/// assert_eq!(ordered.emit("tea").await, 2);
/// assert_eq!(warehouse.sent.load(Relaxed), 2);
/// drop(warehouse); // freed here, at once
/// assert_eq!(ordered.emit("milk").await, 0);
/// # });
/// ```
///
/// # In the hard cases
///
/// | case | what happens |
/// |---|---|
/// | connect during an emission | called from the next emission on |
/// | disconnect, block, or the owner's end before a handler is started | it is not started |
/// | the same while a handler's future is under way | the future runs to its end; what the slot captured, and the owner, are dropped with it at the latest |
/// | `once`, `times(n)` | claimed before the future is made: nested and concurrent emissions cannot run it again |
/// | a handler emits and awaits that | at once, inside its own future; runaway recursion ends in a panic that names the depth |
/// | a handler panics, in making its future or in polling it | the panic goes to who polls the emission; later handlers are not started; the signal stays usable. `try_emit` runs all handlers, and reports |
/// | two tasks emit | their handlers run side by side; nothing is locked or borrowed across an `.await` |
/// | the emission is dropped | futures under way are dropped, no further slot is called, nothing is kept |
/// | the emission turns out to hold the owner's last strong pointer | the owner is dropped right after its handler's future |
/// | signal dropped | connections answer that they are not connected; emissions borrow it, so there is none |
/// | order | priority, then connection order: in which handlers run, or, concurrently, are started |
/// | an owner locked by `connect_mut` | the handler waits for the lock, without blocking the thread |
///
/// [`Connection::disconnect_and_wait`](crate::Connection::disconnect_and_wait) waits for the first poll of a
/// handler at most, not for its end.
///
/// # When something panics
/// The panic goes to who polls the emission, and the signal stays as it was. Polled again, the emission goes on
/// with the handlers that are left: each is started once, and those that wait are kept.
///
/// | what panics | what becomes of it |
/// |---|---|
/// | a handler, as its future is made or polled | it is over, its future is dropped, and it is not counted |
/// | the destructor of its future, when that is ready | the same; its result is dropped |
/// | the destructor of its result, where emissions drop results | it was called, and is counted |
/// | the task's waker, as a handler clones or drops it | as the handler does with it: usually its poll panics |
/// | the waker, as [many](Self::emit_concurrent) concurrent handlers are polled | none of them is lost; poll again |
/// | the waker, as it is woken by one of many concurrent handlers | it is woken a second time at once; the panic goes to who woke |
///
/// [`try_emit`](Self::try_emit) catches the first three, and reports those handlers. A destructor that panics while
/// another panic is on its way ends the program, as everywhere.
///
/// # Cost
/// A signal is one pointer wide, and allocates nothing until something is connected.
///
/// An emission that waits for a handler shares the list of slots it began with, and keeps it until it ends or is
/// dropped. So meanwhile a connect cannot change that list: the next one copies it. (A disconnect does so only when
/// more than half of the list is gone; otherwise it marks the slot.) Later connects change the copy, until an
/// emission shares that as well: there are as many lists as connects came between emissions that still wait.
/// A list is a few words for each slot. It holds weak pointers, so nothing that was disconnected lives
/// longer for it, but for the memory blocks of owners that are gone. The slots of an old list that are still to
/// be called take the signal's lock for a moment each.
#[repr(transparent)]
pub struct AsyncSignal<E: ?Sized + 'static, R: 'static, F: Flavor> {
    source: AsyncSource<E, R, F>,
}

/// The subscribe-only face of an [`AsyncSignal`].
///
/// Generic over the flavor. Its everyday names are [`AsyncSource`](crate::AsyncSource) and
/// [`local::AsyncSource`](crate::local::AsyncSource).
#[repr(transparent)]
pub struct AsyncSource<E: ?Sized + 'static, R: 'static, F: Flavor> {
    signal: Signal<Request<E, R, F>, Answer<R>, F>,
}

macro_rules! new {
    ($flavor:ty) => {
        impl<E: ?Sized + 'static, R: 'static> AsyncSignal<E, R, $flavor> {
            /// A signal without slots. Allocates nothing.
            pub const fn new() -> Self {
                AsyncSignal { source: AsyncSource { signal: Signal::<_, _, $flavor>::new() } }
            }
        }
    };
}
new!(Local);
new!(Shared);

impl<E: ?Sized + 'static, R: 'static, F: Flavor> Default for AsyncSignal<E, R, F> {
    fn default() -> Self {
        AsyncSignal { source: AsyncSource { signal: Default::default() } }
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Flavor> AsyncSignal<E, R, F> {
    /// Runs the handlers of all slots, one after another, in order: by priority, then as they were
    /// connected. Gives how many were called; slots that are blocked, disconnected or without
    /// owner when their turn comes are not.
    ///
    /// # Panics
    /// When a handler does: the later ones are not called then, unless the emission is polled again, as no
    /// future should be that panicked. When emissions are nested 256 deep: polled again from less deep, it goes on
    /// as if nothing had been.
    ///
    /// # Cost
    /// For each handler that is ready at once about what a slot of a [`Signal`](crate::Signal) costs; going on
    /// after one that is not, about as much again. All handlers' futures share one room. A room of 64 bytes is
    /// left for the next emission on the thread, so where that is enough for each of the futures and a pointer
    /// to its owner, nothing is allocated.
    pub fn emit<'a>(&'a self, event: &'a E) -> Emit<'a, E, R, F> {
        Emit::new(&self.source, event)
    }

    /// The same, but all handlers are under way at once, on the task that awaits this. They are started in
    /// order.
    ///
    /// # Panics
    /// See [`emit`](Self::emit). Polled again, it starts the handlers that were not started yet, and goes on with
    /// those that wait.
    ///
    /// # Cost
    /// Handlers that are ready at once cost what they do in `emit`. Up to 30 that wait are all polled whenever the
    /// task is woken, each time beginning with another one: that takes an allocation for each, and one or two
    /// for all; for one alone none if its future is small. Of more than that each has a waker of its own, so that it is polled when it was woken itself: two
    /// allocations for each and four for all, and its first poll is followed by a second one at once.
    pub fn emit_concurrent<'a>(&'a self, event: &'a E) -> EmitConcurrent<'a, E, R, F> {
        EmitConcurrent::new(&self.source, event)
    }

    /// A stream of what the handlers return, one after another: each is started when its result is asked
    /// for.
    ///
    /// ```
    /// use futures::StreamExt;
    /// use sigwire::AsyncSignal;
    /// use std::sync::Arc;
    ///
    /// # futures::executor::block_on(async {
    /// let asked: AsyncSignal<str, u32> = AsyncSignal::new();
    /// let prices = Arc::new([30, 20]);
    /// asked.connect(&prices, async |prices, _| prices[0]);
    /// asked.connect(&prices, async |prices, _| prices[1]);
    /// assert_eq!(asked.call("tea").collect::<Vec<_>>().await, [30, 20]);
    /// # });
    /// ```
    ///
    /// # Panics
    /// See [`emit`](Self::emit).
    pub fn call<'a>(&'a self, event: &'a E) -> AsyncEmission<'a, E, R, F> {
        AsyncEmission(super::emission::Sequence::unstarted(&self.source, event))
    }

    /// A stream of what the handlers return, as they finish: all are under way at once.
    ///
    /// # Panics
    /// See [`emit`](Self::emit).
    ///
    /// # Cost
    /// As [`emit_concurrent`](Self::emit_concurrent), but two that wait are many: those that were woken are polled
    /// in that order.
    pub fn call_concurrent<'a>(&'a self, event: &'a E) -> ConcurrentEmission<'a, E, R, F> {
        ConcurrentEmission::new(&self.source, event)
    }

    /// Runs all handlers, one after another, also when some of them fail. Gives how many were called.
    ///
    /// # Errors
    /// When handlers panicked, or were dropped at their deadline: which, and why.
    pub fn try_emit<'a>(&'a self, event: &'a E) -> TryEmit<'a, E, R, F> {
        TryEmit::new(&self.source, event)
    }

    /// The subscribe-only face.
    pub const fn source(&self) -> &AsyncSource<E, R, F> {
        &self.source
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Flavor> Deref for AsyncSignal<E, R, F> {
    type Target = AsyncSource<E, R, F>;
    fn deref(&self) -> &AsyncSource<E, R, F> {
        &self.source
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Flavor> AsyncSource<E, R, F> {
    /// Connects an `async` method of `owner`: `async fn(&self, &E) -> R` by its path, or an async closure with
    /// the owner first, `async |owner, event| ..`. The owner is held weakly.
    ///
    /// An async closure cannot lend what it captures to its future. Use a closure that returns an `async move`
    /// block, and clone what it captures into that. Such a closure needs the types of its parameters, and the
    /// block gets what it needs of the owner and the event as values:
    ///
    /// ```
    /// # use sigwire::AsyncSignal;
    /// # use std::sync::{Arc, Mutex};
    /// # let priced: AsyncSignal<u32> = AsyncSignal::new();
    /// # let shop = Arc::new(2);
    /// let totals = Arc::new(Mutex::new(vec![]));
    /// let kept = totals.clone();
    /// priced.connect(&shop, move |discount: &u32, price: &u32| {
    ///     let (totals, total) = (kept.clone(), price - discount);
    ///     async move { totals.lock().unwrap().push(total) }
    /// });
    /// # futures::executor::block_on(priced.emit(&10));
    /// # assert_eq!(*totals.lock().unwrap(), [8]);
    /// ```
    ///
    /// # Panics
    /// When the signal holds 2^32 - 2 slots.
    ///
    /// # Cost
    /// As [`Source::connect`](crate::Source::connect).
    pub fn connect<O, M>(&self, owner: &O, method: M) -> Connection<F>
    where
        O: Owner<F>,
        M: MaybeSendSync<F>,
        M: for<'x> AsyncMethod<'x, O::Target, E, R, Future: MaybeSend<F>>, // clone captures: see docs
    {
        self.slot().connect(owner, method)
    }

    /// Connects a method that is not `async`.
    ///
    /// # Panics
    /// See [`connect`](Self::connect).
    pub fn connect_sync<O, M>(&self, owner: &O, method: M) -> Connection<F>
    where
        O: Owner<F>,
        M: Method<O::Target, E, R> + MaybeSendSync<F>,
    {
        self.slot().connect_sync(owner, method)
    }

    /// Connects an async closure, or one that returns a future. It has no owner, so the guard is its owner:
    /// dropping it disconnects. The closure is dropped then, or with the last of its futures. What it captures
    /// is cloned into its futures, as with [`connect`](Self::connect).
    ///
    /// # Panics
    /// See [`connect`](Self::connect).
    pub fn connect_fn<C>(&self, closure: C) -> ScopedConnection<F>
    where
        C: MaybeSendSync<F>,
        C: for<'x> AsyncClosure<'x, E, R, Future: MaybeSend<F>>, // clone captures: see docs
    {
        self.slot().connect_fn(closure)
    }

    /// Options first, then one of the same verbs: see [`AsyncSlotOptions`].
    pub fn slot(&self) -> AsyncSlotOptions<'_, E, R, F> {
        AsyncSlotOptions::new(self)
    }

    /// See [`Source::slot_count`](crate::Source::slot_count).
    pub fn slot_count(&self) -> usize {
        self.signal.slot_count()
    }

    /// See [`Source::is_empty`](crate::Source::is_empty).
    pub fn is_empty(&self) -> bool {
        self.signal.is_empty()
    }

    /// See [`Source::disconnect_all`](crate::Source::disconnect_all).
    pub fn disconnect_all(&self) -> usize {
        self.signal.disconnect_all()
    }

    /// See [`Source::disconnect_owner`](crate::Source::disconnect_owner).
    pub fn disconnect_owner<O: Owner<F>>(&self, owner: &O) -> usize {
        self.signal.disconnect_owner(owner)
    }

    /// See [`Source::disconnect_method`](crate::Source::disconnect_method).
    pub fn disconnect_method<O: Owner<F>, M: 'static>(&self, owner: &O, method: M) -> usize {
        self.signal.disconnect_method(owner, method)
    }

    /// See [`Source::prune`](crate::Source::prune).
    pub fn prune(&self) -> usize {
        self.signal.prune()
    }

    /// See [`Source::block`](crate::Source::block). Handlers that are under way go on.
    pub fn block(&self) -> Block<F> {
        self.signal.block()
    }

    /// Whether the signal is blocked.
    pub fn is_blocked(&self) -> bool {
        self.signal.is_blocked()
    }

    pub(super) fn source(&self) -> &Source<Request<E, R, F>, Answer<R>, F> {
        self.signal.source()
    }

    pub(super) fn slots(&self) -> Option<&AsyncSlots<E, R, F>> {
        self.signal.source().slots_if_any()
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Flavor> fmt::Debug for AsyncSignal<E, R, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AsyncSignal").field(self.source.source()).finish()
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Flavor> fmt::Debug for AsyncSource<E, R, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AsyncSource").field(self.source()).finish()
    }
}
