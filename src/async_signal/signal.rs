//! Asynchronous signals and their sources.

use core::fmt;
use core::ops::Deref;

use super::emission::AsyncSlots;
use super::{AsyncEmission, AsyncSlotOptions, ConcurrentEmission, Emit, EmitConcurrent, TryEmit};
use crate::raw::{
    Answer, AsyncClosure, AsyncMethod, Flavor, Local, MaybeSend, MaybeSendSync, Request, Shared,
};
use crate::signal::{Method, Owner, Signal, Source};
use crate::slots::{Block, Connection, ScopedConnection};

/// A [`Signal`](crate::Signal) whose slots are `async` methods.
///
/// Generic over the flavor. Its everyday names are [`AsyncSignal`](crate::AsyncSignal) and
/// [`local::AsyncSignal`](crate::local::AsyncSignal).
///
/// The task that awaits an emission runs the handlers, one after another or concurrently. It works
/// with any async runtime.
///
/// An emission is a future or a stream, and does nothing until it is polled. It covers the slots
/// that are connected at its first poll.
///
/// Slots hold their owners weakly. While a handler's future exists, it holds the owner strongly.
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
/// # Special cases
///
/// | case | what happens |
/// |---|---|
/// | a slot is connected during an emission | It is first called by the next emission. |
/// | a slot is disconnected or blocked, or its owner is dropped, before its handler is started | The handler is not started. |
/// | the same happens after its handler was started | The future still runs until it is ready. The owner and the slot's captured values are dropped with the future at the latest. |
/// | `once`, `times(n)` | A call is counted before the future is created, so nested and concurrent emissions cannot exceed the limit. |
/// | a handler emits and awaits the emission | The inner emission runs at once, inside the handler's future. Endless recursion panics; the message names the depth. |
/// | a handler panics while its future is created or polled | The poll of the emission panics. Later handlers are not started. The signal stays usable. `try_emit` instead runs all handlers and reports the panic. |
/// | two tasks emit at the same time | Their handlers run concurrently. No lock or borrow of the signal is held across an `.await`. |
/// | an emission is dropped | Its futures are dropped, and no further slot is called. |
/// | the emission holds the last strong pointer to an owner | The owner is dropped right after its handler's future. |
/// | the signal is dropped | Its connections report that they are not connected. An emission borrows the signal, so none is running. |
/// | order | Handlers run, or are started if they run concurrently, by priority, then in connection order. |
/// | a `connect_mut` owner is locked | The handler waits for the lock without blocking the thread. |
///
/// [`Connection::disconnect_and_wait`](crate::Connection::disconnect_and_wait) may wait for the
/// first poll of a handler. It does not wait until the handler is ready.
///
/// # When something panics
/// The poll of the emission panics, and the signal stays usable. If the emission is polled again,
/// it continues with the remaining handlers. No handler is started twice, and pending handlers are
/// kept.
///
/// | what panics | what happens |
/// |---|---|
/// | a handler, while its future is created or polled | The future is dropped. The handler is not counted. |
/// | the destructor of a future that is ready | The result is dropped. The handler is not counted. |
/// | the destructor of a result that the emission drops | The handler is counted. |
/// | the task's waker, while a handler clones or drops it | The handler decides; usually its poll panics. |
/// | the task's waker, while [many](Self::emit_concurrent) concurrent handlers are polled | No handler is lost. Poll the emission again. |
/// | the task's waker, when one of many concurrent handlers wakes it | It is woken once more at once. The code that woke it gets the panic. |
///
/// [`try_emit`](Self::try_emit) catches the panics of the first three rows and reports the
/// handlers. As always in Rust, a destructor that panics during another panic aborts the program.
///
/// # Cost
/// A signal is one pointer wide. It allocates nothing until a slot is connected.
///
/// An emission that waits for a handler shares the signal's list of slots until the emission is
/// done or dropped. A connect cannot change a shared list, so it copies the list first. A
/// disconnect marks its slot in the shared list, and copies the list only if more than half of its
/// slots are disconnected. Later connects change the copy, until another emission shares that one
/// too. So each waiting emission keeps at most one old list.
///
/// A list takes a few words for each slot. It contains weak pointers, so an old list keeps no
/// owners and no captured values alive, only the memory blocks of owners that were dropped. A call
/// from an old list takes the signal's lock for a moment.
#[repr(transparent)]
pub struct AsyncSignal<E: ?Sized + 'static, R: 'static, F: Flavor> {
    source: AsyncSource<E, R, F>,
}

/// The subscribe-only side of an [`AsyncSignal`]: it connects and disconnects slots, but cannot
/// emit.
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
            /// Creates a signal without slots. Allocates nothing.
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
    /// Runs the handlers of all slots, one after another. The output is how many were called.
    ///
    /// Handlers run by priority, then in connection order. Slots that are blocked, disconnected or
    /// without owner when their turn comes are skipped and not counted.
    ///
    /// # Panics
    /// - If a handler panics. The handlers after it are not called, unless the emission is polled
    ///   again, which is unusual after a panic.
    /// - If emissions are nested 256 deep. If the emission is polled again at a lower depth, it
    ///   continues normally.
    ///
    /// # Cost
    /// A handler that is ready at once costs about as much as a slot of a
    /// [`Signal`](crate::Signal). One that is not costs about twice as much. The futures of all
    /// handlers use the same buffer, one after another. A thread keeps a buffer of 64 bytes for its
    /// next emission. Nothing is allocated if each future and a pointer to its owner fit into it.
    pub fn emit<'a>(&'a self, event: &'a E) -> Emit<'a, E, R, F> {
        Emit::new(&self.source, event)
    }

    /// Runs the handlers of all slots concurrently, on the task that awaits the emission. The
    /// output is how many were called.
    ///
    /// Handlers are started by priority, then in connection order.
    ///
    /// # Panics
    /// See [`emit`](Self::emit). If the emission is polled again, it starts the handlers that were
    /// not started yet, and continues with the pending ones.
    ///
    /// # Cost
    /// A handler that is ready at once costs the same as in `emit`. The cost of the others depends
    /// on how many have to wait:
    /// - One: no allocation if its future is small.
    /// - Up to 30: one allocation for each handler, and one or two in all. All of them are polled
    ///   whenever the task is woken, each time starting with a different one.
    /// - More than 30: two allocations for each handler, and four in all. Each handler has its own
    ///   waker and is polled only when that waker was woken. Its first poll is immediately followed
    ///   by a second.
    pub fn emit_concurrent<'a>(&'a self, event: &'a E) -> EmitConcurrent<'a, E, R, F> {
        EmitConcurrent::new(&self.source, event)
    }

    /// Runs the handlers of all slots one after another, as a stream of their results.
    ///
    /// A handler is started only when the stream is polled for its result.
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
        AsyncEmission(super::emission::SequentialHandlers::unstarted(&self.source, event))
    }

    /// Runs the handlers of all slots concurrently, as a stream of their results in the order in
    /// which they finish.
    ///
    /// # Panics
    /// See [`emit`](Self::emit).
    ///
    /// # Cost
    /// The same as [`emit_concurrent`](Self::emit_concurrent), except that the cost given there for
    /// more than 30 handlers applies to two or more.
    pub fn call_concurrent<'a>(&'a self, event: &'a E) -> ConcurrentEmission<'a, E, R, F> {
        ConcurrentEmission::new(&self.source, event)
    }

    /// Runs the handlers of all slots one after another, even if some fail. The output is how many
    /// were called.
    ///
    /// # Errors
    /// If handlers panicked or were dropped at their deadline. The error lists which ones, and why.
    ///
    /// # Panics
    /// If emissions are nested 256 deep.
    pub fn try_emit<'a>(&'a self, event: &'a E) -> TryEmit<'a, E, R, F> {
        TryEmit::new(&self.source, event)
    }

    /// The subscribe-only side of this signal. Publish it to let others connect but not emit.
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
    /// Connects an `async` method of `owner`. The owner is held weakly.
    ///
    /// `method` is the path of an `async fn(&self, &E) -> R`, or an async closure. The closure
    /// takes the owner first and then the event: `async |owner, event| ..`.
    ///
    /// The future of an async closure cannot borrow the closure's captured values. Use a closure
    /// that returns an `async move` block instead, and clone them into the block, together with the
    /// data it needs from the owner and the event. Such a closure must state the types of its
    /// parameters:
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
    /// If the signal already has 2^32 - 2 slots.
    ///
    /// # Cost
    /// The same as [`Source::connect`](crate::Source::connect).
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

    /// Connects a closure that is async or returns a future. The returned guard owns the slot:
    /// dropping the guard disconnects it.
    ///
    /// The closure is dropped with the slot, or with its last future if that is later. As with
    /// [`connect`](Self::connect), its futures cannot borrow its captured values.
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

    /// Starts to connect a slot with options: set the options, then call one of the methods that
    /// connect. See [`AsyncSlotOptions`].
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

    /// See [`Source::block`](crate::Source::block). Handlers that are already running continue.
    pub fn block(&self) -> Block<F> {
        self.signal.block()
    }

    /// See [`Source::is_blocked`](crate::Source::is_blocked).
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
