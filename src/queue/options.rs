//! The options of a slot whose handler waits in a queue.

use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicU32};
use std::sync::Arc;
use std::time::Duration;

use super::Queue;
use super::bounds::{CallsLater, Keeps, ThreadSafe};
use super::flavor::{Naming, QueueFlavor, naming};
use super::line::{Course, Front, Line, Mail, Work};
use super::pace::{Edges, Kind, Pace, Rule};
use super::post::{Alone, Enqueue, Lasts, Lies, Sender};
use crate::overflow::Overflow;
use crate::raw::Flavor;
use crate::raw::MaybeSendSync;
use crate::raw::Shared;
use crate::raw::{Checked, Handle, Invoke, KeepAlive, Liveness, Split};
use crate::raw::{SlotState, StateCell};
use crate::signal::SlotOptions;
use crate::signal::{ByMut, ByRef, WeakMethod};
use crate::signal::{Closure, InteriorMut, Method, MutMethod, Owner};
use crate::slots::{Connection, ScopedConnection};

impl<'a, E: 'static, R: 'static, F: Flavor> SlotOptions<'a, E, R, F> {
    /// The handler waits in `queue` for its loop: `emit` queues a clone of the event and returns, and
    /// the handler is called when the queue is [run](crate::generic::Queue::run). See
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
/// It is a slot like any other: it has an ordinary [`Connection`](crate::Connection), and the options of
/// [`SlotOptions`]. They mean:
///
/// | option | for a slot in a queue |
/// |---|---|
/// | `priority` | the order in which one emission queues its events |
/// | `once`, `times` | how many times the handler is called. The slot stays connected until then, and what still waits then is dropped. Events that are lost, or come up while the slot is blocked, do not count |
/// | `unique` | the same method of the same owner, in this queue, another or none |
/// | `name` | as ever |
///
/// `emit` counts the slot when it has handed the event to the queue, also where that has no room for it.
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
    pace: Option<(Kind, Duration)>,
    edges: Option<Edges>,
}

impl<E: Clone + Send + 'static, H: QueueFlavor> QueuedSlot<'_, E, H> {
    /// At most one event waits for this slot: a new one takes the place of the one that waits, and its
    /// turn. For mouse moves, progress, and whatever else only the latest counts of. The events that are
    /// replaced are counted as [lost](crate::generic::Queue::lost).
    ///
    /// So a slot whose turn in a run is still to come is called with the newest event, even if a handler
    /// of this run emitted it, or another thread did meanwhile.
    ///
    /// # Cost
    /// A run takes the queue's lock for it right before the call. Beside other events that is twice more, in
    /// a queue of latest events once for each.
    pub fn latest(self) -> Self {
        QueuedSlot { is_latest: true, ..self }
    }

    /// Calls the handler once no event has come for `wait`, with the last one: for a search field, or
    /// saving after changes.
    ///
    /// Time is measured where the queue is run: an event comes when a run takes it. The handler is
    /// called by the first run at or after the time that
    /// [`next_deadline`](crate::generic::Queue::next_deadline) tells, before that run takes new events:
    /// a window that has run out holds none of them back. There is no thread behind it. With
    /// a `wait` of zero it is called once for all the events of one run. Events that are passed over are
    /// not counted as lost. See also [`edges`](Self::edges).
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
        QueuedSlot { pace: Some((Kind::Debounce, wait)), ..self }
    }

    /// Calls the handler at most once in each `wait`: with the first event at once, and at the end of
    /// each `wait` with the last one that came meanwhile. For progress and mouse moves. Everything else is
    /// as with [`debounce`](Self::debounce); the later of the two holds.
    pub fn throttle(self, wait: Duration) -> Self {
        QueuedSlot { pace: Some((Kind::Throttle, wait)), ..self }
    }

    /// Where the handler is called, instead of [`Edges::Trailing`] for a debounce and [`Edges::Both`] for
    /// a throttle.
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
    /// [`Queue`](crate::Queue) the owner is an `Arc`; to a [`LocalQueue`](crate::LocalQueue) an `Rc`, and
    /// the method may capture anything.
    ///
    /// # Panics
    /// See [`Source::connect`](crate::Source::connect), and [`edges`](Self::edges).
    ///
    /// # Cost
    /// Three allocations that stay: one more with `times` or `latest`, two for what the method captures, three for
    /// a window. The first event makes two or more.
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
    /// [`Source::connect_fn`](crate::Source::connect_fn). A [`LocalQueue`](crate::LocalQueue) keeps the
    /// closure of a guard that was dropped until a run ends or more is connected, and wakes its loop for
    /// that.
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
        self.put(method, naming_of::<C, H>()).scoped()
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
        self.put(WeakMethod { handle, keep_alive }, naming_of::<I::Method, H>())
    }

    /// From here on nothing depends on the method.
    #[inline(never)]
    #[track_caller]
    fn put(mut self, method: WeakMethod<E, (), H>, naming: Option<Naming>) -> Connection<Shared> {
        let mut pace = self.pace();
        let queue = self.queue;
        queue.prune();
        // An owner on another thread is never known to be incomplete.
        let liveness = if H::LETS_GO { Liveness::Alive } else { method.handle.liveness() };
        let is_unique = self.options.is_unique();
        let identity = is_unique.then(|| (method.handle.owner(), method.handle.method()));
        let mut method = Some(method);
        let state = Arc::new(StateCell::new(SlotState::Call));
        let calls_left = self.options.take_times();
        let is_latest = self.is_latest;
        let source = self.options.source();
        let gate = state.clone();
        let make = &mut |key| {
            let method = method.take().expect("a slot is made once");
            let pace = pace.take();
            let is_paced = pace.is_some();
            let connection = source.connection(key);
            let identity = connection.identity();
            let (face, body, captured) = H::settle(&queue.methods, method, naming);
            let is_plain = calls_left.is_none() && captured.is_none();
            let work = (!is_plain).then(|| Box::new(Work::new(calls_left, captured)));
            let mail =
                pace.map(|pace| Box::new(Mail { pace: Some(Box::new(pace)), ..Mail::default() }));
            let mut locked = queue.post.lock();
            let state = &mut *locked;
            let mail = state.cell_owner.cell_owner(mail);
            let mut parts = Some((face, connection, mail, body, work));
            let mut line = None;
            let place = state.lines.insert_with_key(|place| {
                let parts = parts.take().expect("it is inserted once");
                let (face, connection, mail, body, work) = parts;
                let (post, gate) = (queue.post.clone(), gate.clone());
                let (is_over, lasts) = (AtomicBool::new(false), AtomicU32::new(0));
                let front =
                    Front { post, place, connection, gate, mail, face, is_latest, is_over, lasts };
                let (sole, twin) = Split::pair(front, Course { body: Some(body), work });
                line = Some(twin);
                Lies::Here(sole.forget_type(|line| line as Arc<dyn Line<H>>))
            });
            let are_latest = matches!(state.limit, Some((_, Overflow::Latest)));
            if is_paced || is_latest || are_latest {
                let paced = is_paced.then_some(state.connected);
                state.connected += u64::from(is_paced);
                state.alone.insert(place, Box::new(Alone { paced, ..Alone::default() }));
            }
            if is_paced {
                state.paced.insert(identity, place);
            }
            drop(locked);
            let line = line.expect("it was made just now");
            let sender = Checked::new(Sender(line.clone()));
            let handle = Handle::held::<Enqueue, _>(sender);
            let keep_alive = KeepAlive::until_the_end(Checked::new(Lasts::new(line)));
            (handle, Some(keep_alive))
        };
        source.slots.put_made(self.options.choice(), identity, liveness, Some(state), make)
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
            Kind::Debounce => Edges::Trailing,
            Kind::Throttle => Edges::Both,
        });
        Some(Pace::new(Rule { kind, wait, edges }))
    }
}

/// How to name the method where its handle is out of reach. Elsewhere nothing is compiled for that.
fn naming_of<M: 'static, H: QueueFlavor>() -> Option<Naming> {
    if const { H::LETS_GO } { Some(naming::<M>) } else { None }
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
