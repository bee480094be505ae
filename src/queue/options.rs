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
    /// The handler waits in `queue` for its loop: `emit` queues a clone of the event and returns,
    /// and the handler is called when the queue is [run](crate::generic::Queue::run). See
    /// [`QueuedSlot`].
    ///
    /// The signal is a thread-safe one, also for a [`LocalQueue`](crate::LocalQueue); its events are `Clone` and
    /// `Send`; and its slots return nothing, since `emit` has returned before they are called.
    pub fn on<H: QueueFlavor>(self, queue: &'a Queue<H>) -> QueuedSlot<'a, E, H>
    where
        Queue<H>: Keeps<E> + CallsLater<R>,
        F: ThreadSafe,
    {
        let options = F::of_shared(Queue::<H>::of_unit(self));
        QueuedSlot { options, queue, is_latest: false, pace: None, edges: None }
    }
}

/// A slot that is about to be connected, and whose handler will wait in a [`Queue`]. Made by
/// [`SlotOptions::on`].
///
/// It is a slot like any other: it has an ordinary [`Connection`](crate::Connection), and the
/// options of [`SlotOptions`]. They mean:
///
/// | option | for a slot in a queue |
/// |---|---|
/// | `priority` | the order in which one emission queues its events |
/// | `once`, `times` | how many times the handler is called. The slot stays connected until then, and what still waits then is dropped. Events that are lost, or come up while the slot is blocked, do not count |
/// | `unique` | the same method of the same owner, in this queue, another or none |
/// | `name` | as ever |
///
/// `emit` counts the slot when it has handed the event to the queue, also where that has no room
/// for it.
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
    /// At most one event waits for this slot: a new one takes the place of the one that waits, and
    /// its turn. For mouse moves, progress, and whatever else only the latest counts of. The events
    /// that are replaced are counted as [lost](crate::generic::Queue::lost).
    ///
    /// So a slot whose turn in a run is still to come is called with the newest event, even if a
    /// handler of this run emitted it, or another thread did meanwhile.
    ///
    /// # Cost
    /// A run takes the queue's lock for it right before the call. Beside other events that is twice
    /// more, in a queue of latest events once for each.
    pub fn latest(self) -> Self {
        QueuedSlot { is_latest: true, ..self }
    }

    /// Calls the handler once no event has come for `wait`, with the last one: for a search field,
    /// or saving after changes.
    ///
    /// Time is measured where the queue is run: an event comes when a run takes it. The handler is
    /// called by the first run at or after the time that
    /// [`next_deadline`](crate::generic::Queue::next_deadline) tells, before that run takes new
    /// events: a window that has run out holds none of them back. There is no thread behind it.
    /// With a `wait` of zero it is called once for all the events of one run. Events that are
    /// passed over are not counted as lost. See also [`edges`](Self::edges).
    ///
    /// | in this case | what happens |
    /// |---|---|
    /// | the connection or its signal ends | what is held back is dropped, like the events that wait, and not counted as lost. To deliver it, [`flush`](crate::generic::Queue::flush) before |
    /// | the slot is blocked as the window closes | what is held back is dropped. All else is as if the handler had been called: a throttle's next window opens |
    /// | the slot is blocked as an event comes up | the event opens the window, or is held back, all the same. (What is emitted meanwhile is not queued) |
    /// | several windows are due | the one that was to close first comes first. Of those of one time, which have often opened in one run, the slot that was connected first |
    ///
    /// # Cost
    /// Each event takes the queue's lock once more as it is run.
    pub fn debounce(self, wait: Duration) -> Self {
        QueuedSlot { pace: Some((PaceKind::Debounce, wait)), ..self }
    }

    /// Calls the handler at most once in each `wait`: with the first event at once, and at the end
    /// of each `wait` with the last one that came meanwhile. For progress and mouse moves.
    /// Everything else is as with [`debounce`](Self::debounce); the later of the two holds.
    pub fn throttle(self, wait: Duration) -> Self {
        QueuedSlot { pace: Some((PaceKind::Throttle, wait)), ..self }
    }

    /// Where the handler is called, instead of [`Edges::Trailing`] for a debounce and
    /// [`Edges::Both`] for a throttle.
    ///
    /// ```
    /// # use sigwire::{Edges, Queue, Signal};
    /// # use std::{sync::Arc, time::Duration};
    /// # let clicked: Signal<u32> = Signal::new();
    /// # let (queue, till) = (Queue::default(), Arc::new(()));
    /// // Pays at the first click, and not again before there was none for a second.
    /// let slot = clicked.slot().on(&queue).debounce(Duration::from_secs(1)).edges(Edges::Leading);
    /// slot.connect(&till, |_, _| println!("paid"));
    /// # clicked.emit(&1);
    /// # clicked.emit(&2);
    /// # assert_eq!(queue.run().called, 1);
    /// ```
    ///
    /// # Panics
    /// Connecting panics if the slot is neither debounced nor throttled.
    pub fn edges(self, edges: Edges) -> Self {
        QueuedSlot { edges: Some(edges), ..self }
    }

    /// Connects a method of `owner`, as [`Source::connect`](crate::Source::connect) does. To a
    /// [`Queue`](crate::Queue) the owner is an `Arc`; to a [`LocalQueue`](crate::LocalQueue) an
    /// `Rc`, and the method may capture anything.
    ///
    /// # Panics
    /// See [`Source::connect`](crate::Source::connect), and [`edges`](Self::edges).
    ///
    /// # Cost
    /// Four allocations that stay: one more with `latest`, one for what the method captures, three
    /// for a window. The first event makes three or more.
    #[track_caller]
    pub fn connect<O, M>(self, owner: &O, method: M) -> Connection<Shared>
    where
        O: Owner<H>,
        M: Method<O::Target, E, ()> + MaybeSendSync<H>,
    {
        self.put_method::<ByRef, _, _>(owner, method)
    }

    /// Connects a method that takes `&mut self`, as
    /// [`Source::connect_mut`](crate::Source::connect_mut) does: of an `&Arc<Mutex<T>>` or
    /// `&Arc<RwLock<T>>` to a [`Queue`](crate::Queue), and of an `&Rc<RefCell<T>>` to a
    /// [`LocalQueue`](crate::LocalQueue).
    ///
    /// # Panics
    /// See [`connect`](Self::connect). The run panics, in this handler, where the emission would.
    #[track_caller]
    pub fn connect_mut<O, M>(self, owner: &O, method: M) -> Connection<Shared>
    where
        O: Owner<H>,
        O::Target: InteriorMut,
        M: MutMethod<<O::Target as InteriorMut>::Inner, E, ()> + MaybeSendSync<H>,
    {
        self.put_method::<ByMut, _, _>(owner, method)
    }

    /// Connects a closure, whose guard is its owner: see
    /// [`Source::connect_fn`](crate::Source::connect_fn). A [`LocalQueue`](crate::LocalQueue) keeps
    /// the closure of a guard that was dropped until a run ends or more is connected, and wakes its
    /// loop for that.
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

    /// From here on nothing depends on the method.
    #[inline(never)]
    #[track_caller]
    fn put(mut self, method: WeakMethod<E, (), H>, name: Option<MethodName>) -> Connection<Shared> {
        let pace = self.pace();
        self.queue.core.prune(&self.queue.loop_side);
        // What emitting threads cannot look at is never known to be incomplete.
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
                "the edges of what? call `debounce` or `throttle` as well as `edges`"
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

/// What a connection's mailbox is made of.
struct NewMailbox<E: 'static, H: QueueFlavor> {
    method: WeakMethod<E, (), H>,
    name: Option<MethodName>,
    pace: Option<Pace<E>>,
    gate: Arc<StateCell<Shared>>,
    calls_left: usize,
    is_latest: bool,
}

impl<E: Clone + Send + 'static, H: QueueFlavor> NewMailbox<E, H> {
    /// Makes the mailbox, and what the signal calls to put events into it.
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
