//! The options of a slot whose handler waits in a queue.

use core::fmt;
use core::sync::atomic::AtomicU32;
use std::sync::Arc;
use std::time::Duration;

use super::bounds::{CallsLater, Keeps, ThreadSafe};
use super::flavor::{MethodName, QueueFlavor, method_name};
use super::handler::QueuedHandler;
use super::inbox::{AnyInbox, Inbox};
use super::pace::{Edges, Pace, PaceKind, PaceRule};
use super::queue::Queue;
use super::sender::{EndsWithSlot, Enqueue, QueueSender};
use crate::raw::Flavor;
use crate::raw::MaybeSendSync;
use crate::raw::Shared;
use crate::raw::{Checked, Handle, Invoke, KeepAlive, Liveness};
use crate::raw::{SlotState, StateCell};
use crate::signal::SlotOptions;
use crate::signal::{ByMut, ByRef, WeakMethod};
use crate::signal::{Closure, InteriorMut, Method, MutMethod, Owner};
use crate::slots::{Connection, ScopedConnection};

impl<'a, E: 'static, R: 'static, F: Flavor> SlotOptions<'a, E, R, F> {
    /// Puts the handler in `queue`: `emit` queues a clone of the event and returns. The handler is
    /// called when the queue's loop [runs](crate::generic::Queue::run) the queue. See
    /// [`QueuedSlot`].
    ///
    /// The signal must be a thread-safe one, even for a [`LocalQueue`](crate::LocalQueue). Its
    /// events must be `Clone` and `Send`. Its slots must return `()`, since `emit` returns before
    /// they are called.
    pub fn on<H: QueueFlavor>(self, queue: &'a Queue<H>) -> QueuedSlot<'a, E, H>
    where
        Queue<H>: Keeps<E> + CallsLater<R>,
        F: ThreadSafe,
    {
        let options = F::of_shared(Queue::<H>::of_unit(self));
        QueuedSlot { options, queue, is_latest: false, pace: None, edges: None }
    }
}

/// The options of a slot that is about to be connected, and whose handler will be called by a
/// [`Queue`]. Made by [`SlotOptions::on`].
///
/// It is a slot like any other. It has an ordinary [`Connection`](crate::Connection), and takes the
/// options of [`SlotOptions`]. For a queued slot they mean:
///
/// | option | for a slot in a queue |
/// |---|---|
/// | `priority` | the order in which one emission queues its events |
/// | `once`, `times` | at most how many times the handler is called. The slot stays connected until the last of these calls; events that still wait then are dropped. Events that are lost, or whose turn comes while the slot is blocked, do not count |
/// | `unique` | connects only if the same method of the same owner is not connected yet, whether in this queue, in another, or directly |
/// | `name` | the same as for other slots |
///
/// `emit` counts the slot as called once it has handed the event to the queue, even if the queue
/// has no room for the event.
///
/// ```
/// use sigwire::{Queue, Signal};
/// use std::sync::{Arc, Mutex};
/// use std::time::{Duration, Instant};
///
/// let typed: Signal<String> = Signal::new();
/// let searches = Arc::new(Mutex::new(vec![]));
/// let queue = Queue::default();
/// let quiet = Duration::from_millis(200);
/// typed.slot().on(&queue).debounce(quiet).connect_mut(&searches, |all, text| all.push(text.clone()));
///
/// let start = Instant::now();
/// for text in ["s", "si", "sig"] {
///     typed.emit(&text.to_string());
/// }
/// assert_eq!(queue.run_at(start).called, 0);
/// assert_eq!(queue.next_deadline(), Some(start + quiet)); // how long the loop may sleep
/// assert_eq!(queue.run_at(start + quiet).called, 1);
/// assert_eq!(*searches.lock().unwrap(), ["sig"]);
/// ```
#[must_use = "options alone connect nothing: call one of the `connect` methods"]
pub struct QueuedSlot<'a, E: 'static, H: QueueFlavor> {
    options: SlotOptions<'a, E, (), Shared>,
    queue: &'a Queue<H>,
    is_latest: bool,
    pace: Option<(PaceKind, Duration)>,
    edges: Option<Edges>,
}

impl<E: Clone + Send + 'static, H: QueueFlavor> QueuedSlot<'_, E, H> {
    /// Keeps only the latest event for this slot. While an event waits, a new event replaces it and
    /// takes over its turn. Use it for mouse moves, progress, and other events of which only the
    /// latest matters. Each replaced event counts as [lost](crate::generic::Queue::lost).
    ///
    /// During a run, a slot whose turn has not come yet is called with the newest event, even if a
    /// handler of this run or another thread has just emitted it.
    ///
    /// # Cost
    /// A run takes each such event from the queue right before the call, and takes the queue's lock
    /// for that: two extra times per event if other events wait between them, once per event if the
    /// whole queue holds `latest` slots.
    pub fn latest(self) -> Self {
        QueuedSlot { is_latest: true, ..self }
    }

    /// Calls the handler when no event has come for `wait`, with the last event. Use it for a
    /// search field, or to save after changes.
    ///
    /// The queue measures time when it is run; it has no thread of its own. For the window, an
    /// event comes when a run takes it. The first run at or after
    /// [`next_deadline`](crate::generic::Queue::next_deadline) calls the handler, before that run
    /// takes new events; a window that has run out therefore never holds new events back. With a
    /// `wait` of zero, the handler is called once for all events of one run. Events that are passed
    /// over do not count as lost. See also [`edges`](Self::edges).
    ///
    /// | in this case | what happens |
    /// |---|---|
    /// | the connection or its signal ends | the event that is held back is dropped, like the events that wait, and does not count as lost. To deliver it, call [`flush`](crate::generic::Queue::flush) first |
    /// | the slot is blocked when the window closes | the event that is held back is dropped. Otherwise the queue acts as if it had called the handler: a throttle's next window opens |
    /// | the slot is blocked when an event's turn comes | the event opens the window, or is held back, as usual. (Events emitted while the slot is blocked are not queued) |
    /// | several windows are due | the window with the earliest deadline closes first. If deadlines are equal, as they often are for windows opened in the same run, the slot that was connected first comes first |
    ///
    /// # Cost
    /// A run takes the queue's lock once more for each event.
    pub fn debounce(self, wait: Duration) -> Self {
        QueuedSlot { pace: Some((PaceKind::Debounce, wait)), ..self }
    }

    /// Calls the handler at most once in each `wait`: at once with the first event, and at the end
    /// of each `wait` with the last event that came in it. Use it for progress and mouse moves.
    /// Everything else is as with [`debounce`](Self::debounce). If both are called, the later call
    /// counts.
    pub fn throttle(self, wait: Duration) -> Self {
        QueuedSlot { pace: Some((PaceKind::Throttle, wait)), ..self }
    }

    /// Chooses where in the window the handler is called. Default: [`Edges::Trailing`] for a
    /// debounce, [`Edges::Both`] for a throttle.
    ///
    /// ```
    /// # use sigwire::{Edges, Queue, Signal};
    /// # use std::{sync::Arc, time::Duration};
    /// # let clicked: Signal<u32> = Signal::new();
    /// # let (queue, till) = (Queue::default(), Arc::new(()));
    /// // Pays at the first click. The next click pays only after one second without a click.
    /// let slot = clicked.slot().on(&queue).debounce(Duration::from_secs(1)).edges(Edges::Leading);
    /// slot.connect(&till, |_, _| println!("paid"));
    /// # clicked.emit(&1);
    /// # clicked.emit(&2);
    /// # assert_eq!(queue.run().called, 1);
    /// ```
    ///
    /// # Panics
    /// The `connect` methods panic if neither `debounce` nor `throttle` was called.
    pub fn edges(self, edges: Edges) -> Self {
        QueuedSlot { edges: Some(edges), ..self }
    }

    /// Connects a method of `owner`, as [`Source::connect`](crate::Source::connect) does. For a
    /// [`Queue`](crate::Queue), the owner is in an `Arc`. For a [`LocalQueue`](crate::LocalQueue),
    /// the owner is in an `Rc`, and the method may capture values that are not `Send`.
    ///
    /// # Panics
    /// See [`Source::connect`](crate::Source::connect), and [`edges`](Self::edges).
    ///
    /// # Cost
    /// Four allocations that last as long as the slot, plus one with `latest`, one if the method
    /// captures anything, and three for a debounce or throttle. The first event makes three or
    /// more.
    #[track_caller]
    pub fn connect<O, M>(self, owner: &O, method: M) -> Connection<Shared>
    where
        O: Owner<H>,
        M: Method<O::Target, E, ()> + MaybeSendSync<H>,
    {
        self.put_method::<ByRef, _, _>(owner, method)
    }

    /// Connects a method that takes `&mut self`, as
    /// [`Source::connect_mut`](crate::Source::connect_mut) does. For a [`Queue`](crate::Queue), the
    /// owner is an `&Arc<Mutex<T>>` or `&Arc<RwLock<T>>`. For a [`LocalQueue`](crate::LocalQueue),
    /// it is an `&Rc<RefCell<T>>`.
    ///
    /// # Panics
    /// See [`connect`](Self::connect). Where `Source::connect_mut` says that the emission panics in
    /// the slot, here the run panics in the handler.
    #[track_caller]
    pub fn connect_mut<O, M>(self, owner: &O, method: M) -> Connection<Shared>
    where
        O: Owner<H>,
        O::Target: InteriorMut,
        M: MutMethod<<O::Target as InteriorMut>::Inner, E, ()> + MaybeSendSync<H>,
    {
        self.put_method::<ByMut, _, _>(owner, method)
    }

    /// Connects a closure. The returned guard owns the slot: see
    /// [`Source::connect_fn`](crate::Source::connect_fn). After the guard is dropped, a
    /// [`LocalQueue`](crate::LocalQueue) keeps the closure until a run ends or another slot is
    /// connected, and wakes its loop, so that a run drops the closure.
    ///
    /// # Panics
    /// See [`connect`](Self::connect).
    #[track_caller]
    pub fn connect_fn<C>(self, closure: C) -> ScopedConnection<Shared>
    where
        C: Closure<E, ()> + MaybeSendSync<H>,
    {
        let (handle, keep_alive) = Handle::closure(Checked::new(closure));
        let method = WeakMethod { handle, keep_alive: Some(keep_alive) };
        self.put(method, method_name::<C, H>()).scoped()
    }

    #[track_caller]
    fn put_method<I, O, M>(self, owner: &O, method: M) -> Connection<Shared>
    where
        O: Owner<H>,
        I: Invoke<M, O::Target, E, (), H>,
        M: MaybeSendSync<H>,
    {
        let (handle, keep_alive) =
            Handle::new::<I, _, _>(Checked::new(owner.weak()), Checked::new(method));
        self.put(WeakMethod { handle, keep_alive }, method_name::<I::Method, H>())
    }

    /// Not generic over the method, so it is compiled once for all methods.
    #[inline(never)]
    #[track_caller]
    fn put(mut self, method: WeakMethod<E, (), H>, name: Option<MethodName>) -> Connection<Shared> {
        let pace = self.pace();
        self.queue.core.prune(&self.queue.loop_side);
        // Emitting threads cannot look at thread-bound owners, so these always count as alive.
        let liveness = if H::IS_THREAD_BOUND { Liveness::Alive } else { method.handle.liveness() };
        let is_unique = self.options.is_unique();
        let identity = is_unique.then(|| (method.handle.owner(), method.handle.method()));
        let gate = Arc::new(StateCell::new(SlotState::Call));
        let (queue, is_latest, source) = (self.queue, self.is_latest, self.options.source());
        let calls_left = self.options.take_times().unwrap_or(usize::MAX);
        let mut new =
            Some(NewMailbox { method, name, pace, gate: gate.clone(), calls_left, is_latest });
        let make = &mut |key| {
            let new = new.take().expect("a slot is made once");
            new.connect(queue, source.connection(key))
        };
        source.slots.put_made(self.options.choice(), identity, liveness, Some(gate), make)
    }

    #[track_caller]
    fn pace(&self) -> Option<Pace<E>> {
        let Some((kind, wait)) = self.pace else {
            assert!(
                self.edges.is_none(),
                "`edges` has no effect alone: call `debounce` or `throttle` as well"
            );
            return None;
        };
        let edges = self.edges.unwrap_or(match kind {
            PaceKind::Debounce => Edges::Trailing,
            PaceKind::Throttle => Edges::Both,
        });
        Some(Pace::new(PaceRule { kind, wait, edges }))
    }
}

/// The parts of a connection's mailbox.
struct NewMailbox<E: 'static, H: QueueFlavor> {
    method: WeakMethod<E, (), H>,
    name: Option<MethodName>,
    pace: Option<Pace<E>>,
    gate: Arc<StateCell<Shared>>,
    calls_left: usize,
    is_latest: bool,
}

impl<E: Clone + Send + 'static, H: QueueFlavor> NewMailbox<E, H> {
    /// Makes the mailbox, and the handle with which the signal puts events into it.
    fn connect(
        self,
        queue: &Queue<H>,
        connection: Connection<Shared>,
    ) -> (Handle<E, (), Shared>, Option<KeepAlive<Shared>>) {
        let NewMailbox { method, name, pace, gate, calls_left, is_latest } = self;
        let (view, method) = H::bind(&queue.loop_side, method, name);
        let handler = QueuedHandler { method, connection, gate, calls_left, in_flight: None };
        let inbox = pace.map(|pace| Box::new(Inbox::new(Some(pace))) as Box<dyn AnyInbox>);
        let key = queue.core.lock().connect(Box::new(handler), inbox, is_latest);
        let (queue, ends) = (queue.core.clone(), AtomicU32::new(0));
        let sender = Arc::new(QueueSender { queue, key, view, is_latest, ends });
        let keep_alive = KeepAlive::until_the_end(Checked::new(EndsWithSlot::new(sender.clone())));
        (Handle::held::<Enqueue, _>(Checked::new(sender)), Some(keep_alive))
    }
}

impl<E: 'static, H: QueueFlavor> fmt::Debug for QueuedSlot<'_, E, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueuedSlot")
            .field("options", &self.options)
            .field("latest", &self.is_latest)
            .field("pace", &self.pace)
            .field("edges", &self.edges)
            .finish()
    }
}
