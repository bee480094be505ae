//! The public type of a queue.

use core::fmt;
use core::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::time::Instant;

use super::batch::RunLimit;
use super::flavor::QueueFlavor;
use super::queue_core::QueueCore;
use super::run::{QueueRun, RunReport};
use crate::overflow::Overflow;
use crate::raw::Shared;
use crate::slots::Connection;

/// Holds events until a loop runs their handlers. A handler connected
/// [`on`](crate::SlotOptions::on) a queue does not run inside `emit`, on the thread that emits. It
/// runs inside [`run`](Self::run), on the thread that calls `run`. `emit` clones the event into the
/// queue and returns.
///
/// ```
/// use sigwire::{Queue, Signal};
/// use std::sync::{Arc, Mutex};
///
/// let loaded: Signal<String> = Signal::new();
/// let names = Arc::new(Mutex::new(vec![]));
/// // In a GUI, pass its "request repaint" or its event loop's proxy. A game needs none.
/// let queue = Queue::new(|| println!("something to run"));
/// loaded.slot().on(&queue).connect_mut(&names, |names, name| names.push(name.clone()));
///
/// std::thread::scope(|scope| {
///     scope.spawn(|| loaded.emit(&"a.txt".to_string()));
/// });
/// assert!(names.lock().unwrap().is_empty());
/// assert_eq!(queue.run().called, 1); // call it in each frame, or when woken
/// assert_eq!(*names.lock().unwrap(), ["a.txt"]);
/// ```
///
/// A [`Queue`](crate::Queue) calls methods of `Arc` owners, and may be shared between threads. A
/// [`LocalQueue`](crate::LocalQueue) calls methods of `Rc` owners, and stays with them on the
/// thread of its loop. Any thread can emit to them:
///
/// ```
/// use sigwire::{LocalQueue, Signal};
/// use std::cell::RefCell;
/// use std::rc::Rc;
///
/// struct Bar(Vec<u8>);
/// impl Bar {
///     fn show(&mut self, percent: &u8) {
///         self.0.push(*percent);
///     }
/// }
///
/// let progress: Signal<u8> = Signal::new();
/// let bar = Rc::new(RefCell::new(Bar(vec![]))); // a widget
/// let queue = LocalQueue::new(|| println!("request a repaint"));
/// progress.slot().on(&queue).connect_mut(&bar, Bar::show);
///
/// std::thread::scope(|scope| {
///     scope.spawn(|| [10, 50, 100].map(|percent| progress.emit(&percent)));
/// });
/// assert_eq!(queue.run().called, 3);
/// assert_eq!(bar.borrow().0, [10, 50, 100]);
/// ```
///
/// # What is guaranteed
///
/// | in this case | what happens |
/// |---|---|
/// | order | first in, first out, over all signals of the queue |
/// | a handler emits into its own queue | the next run handles the event, and the loop is woken for it. If a [`latest`](crate::generic::QueuedSlot::latest) slot has not had its turn in this run yet, this run calls it with the event |
/// | the owner is gone, or the slot is disconnected or blocked, when the event's turn comes | the handler is not called, and the event is dropped |
/// | `disconnect` returned | no call starts on this thread. A run on another thread that is just about to call the handler may still call it; `disconnect_and_wait` does not wait for that call |
/// | a handler panics | the panic goes to the caller of `run`. The later events stay queued, and the loop is woken for them. For other panics, see [below](#when-your-code-panics) |
/// | the queue has no room | [`Overflow`] decides which event is lost. Lost events are counted, and each run reports how many |
/// | the queue is dropped | its slots are disconnected, and the events that wait are dropped |
/// | a slot is disconnected while a run is under way | its handler is not called again. If the run has taken events of the slot (it takes up to 128 events at once), the run drops what the method captured after those 128 events. Otherwise `disconnect` drops it at once |
/// | an `Rc` owner, or what a method of a `LocalQueue` captured | is used and dropped only on the loop's thread. If a run is under way when the connection ends, on any thread, that run drops it at its end. Otherwise the loop is woken, and the next run, the next connect, or the drop of the queue drops it |
/// | an `Rc` owner is gone | emitting threads cannot see that. The slot ends when its next event has its turn, or when more slots are connected |
///
/// # When your code panics
///
/// None of your code runs under a lock. After a panic the queue works as before. No event is lost
/// except the one being handled, and the events that wait are still in order.
///
/// | what panics | who gets the panic, and what happens |
/// |---|---|
/// | a handler, or its owner when a run drops it | the caller of `run` or `flush`, or the task that polls [`drive`](Self::drive). The event is used up, and so is one call of `once` or `times`. The other events keep their places, and the loop is woken for them |
/// | an event, when it is cloned | the caller of `emit`. Nothing is queued for this slot |
/// | an event, or what a method captured, when it is dropped | the call that drops it: an emission that replaces an event, a run, `cancel`, `disconnect`, or a connect before it connects. That call still does the rest of its work. [`bounded`](Self::bounded), which owns the queue, then drops the queue |
/// | `wake`, or the waker of a task in `drive`, when it is called | the call that wakes the loop: an emission, whose event is queued, a run that ends, or a `disconnect`. If one of `wake` and the waker panics, the other is still called. The one that panicked counts as not woken, so the next event that is emitted wakes it again, even if a bound drops that event |
/// | a waker, when it is cloned or dropped | the task that polls `drive`, or the caller of `emit`. Nothing is lost. A task that polls again continues |
/// | a comparison | cannot happen: a queue compares none of your values |
///
/// If several of these panic in one call, the first panic continues. (The exception is a value that
/// panics when it is dropped during the unwinding of the first panic: then Rust aborts the
/// program.)
///
/// # Cost
/// Queueing an event takes the queue's lock briefly. A run takes the lock twice, once more for
/// every 128 events, and up to twice more for each event of a
/// [`latest`](crate::generic::QueuedSlot::latest) slot. Once the queue has grown to the most it had
/// to hold at once, handling an event allocates nothing, unless a bound makes room by dropping
/// another event, or more than eleven windows are open.
///
/// Calls that remove many events at once, such as `flush`, `cancel` and `disconnect`, take time in
/// proportion to the events they remove, however many others wait. `flush` and `cancel` also free
/// the memory of these events, so the next events of the same connection allocate again.
pub struct Queue<H: QueueFlavor> {
    pub(in crate::queue) core: Arc<QueueCore<H>>,
    pub(in crate::queue) loop_side: H::LoopSide,
}

impl<H: QueueFlavor> Queue<H> {
    /// Makes a queue that calls `wake` when it has something to run. `wake` is called on the thread
    /// that emitted: once, and not again until the next run has begun. A run that leaves events
    /// behind calls it too. Therefore, whenever events wait, the loop has been woken. (For a `wake`
    /// that panics, see [above](Self#when-your-code-panics).)
    ///
    /// `wake` must not wait for the loop, and must not run the queue. If your loop runs the queue
    /// in each turn anyway, use [`Queue::default()`](Self::default), which wakes nobody.
    ///
    /// A [`LocalQueue`](crate::LocalQueue) also calls `wake` when a slot is disconnected outside of
    /// a run, so that the loop drops the slot's method.
    ///
    /// `wake` is not called when the window of a debounce or throttle closes. Before it sleeps, the
    /// loop asks for the [`next_deadline`](Self::next_deadline).
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Queue {
            core: Arc::new(QueueCore::new(Some(Arc::new(wake)))),
            loop_side: H::LoopSide::default(),
        }
    }

    /// Bounds the queue: at most `capacity` events wait, all signals together. `overflow` says
    /// which events are dropped when there are more, including those that wait already. Default: no
    /// bound.
    ///
    /// Events that a run has taken, at most 128, do not count. If a panic or a deadline makes the
    /// run give them back, they wait in addition to the others. For slots that keep only the latest
    /// event, a run takes each event right before it calls the handler; until then the event
    /// counts.
    ///
    /// [`Overflow::Latest`] keeps at most one event for each connection, as if all slots were
    /// [`latest`](crate::generic::QueuedSlot::latest). If there are more connections than
    /// `capacity`, the oldest event is dropped.
    ///
    /// All lost events are counted: see [`RunReport::lost`] and [`lost`](Self::lost).
    ///
    /// # Panics
    /// If `capacity` is 0, because every event would be lost.
    #[track_caller]
    pub fn bounded(self, capacity: usize, overflow: Overflow) -> Self {
        assert!(
            capacity > 0,
            "a queue with a capacity of 0 would lose every event; pass 1 or more to `bounded`"
        );
        let dropped = self.core.lock().bound(capacity, overflow);
        drop(dropped);
        self
    }

    /// Calls the handlers of all events that are queued now, in order, on this thread. Events that
    /// are emitted meanwhile wait for the next run.
    ///
    /// Before it takes new events, it closes the windows of
    /// [debounces](crate::generic::QueuedSlot::debounce) and
    /// [throttles](crate::generic::QueuedSlot::throttle) that have run out.
    ///
    /// # Panics
    /// If a handler panics: see [above](Self#when-your-code-panics). If it is called from inside a
    /// handler of this queue, or while another thread runs the queue.
    #[track_caller]
    pub fn run(&self) -> RunReport {
        self.start(None).run(RunLimit::NONE)
    }

    /// Takes at most `events` of the events that are queued now, so that a loop that is late can do
    /// the rest later. [`RunReport::left`] says how many are left, and the loop is woken for them.
    /// An event also counts if no handler is called for it, because its slot is blocked, or because
    /// a debounce or throttle holds it back or passes it over.
    ///
    /// Windows that are due come first here, too, and the event that a window holds counts once
    /// more. Windows cannot keep new events from having their turn, because a window holds only an
    /// event that was taken before.
    ///
    /// # Panics
    /// See [`run`](Self::run).
    #[track_caller]
    pub fn run_max(&self, events: usize) -> RunReport {
        self.start(None).run(RunLimit { events, ..RunLimit::NONE })
    }

    /// Runs what is queued now, and stops calling handlers at `deadline`. With a deadline in the
    /// past, it runs nothing. [`RunReport::left`] says how many events are left, and the loop is
    /// woken for them. (A loop that is always late should use [`run_max`](Self::run_max), which
    /// always makes progress.)
    ///
    /// # Panics
    /// See [`run`](Self::run).
    ///
    /// # Cost
    /// Reads the clock for each event.
    #[track_caller]
    pub fn run_until(&self, deadline: Instant) -> RunReport {
        self.start(None).run(RunLimit { deadline: Some(deadline), ..RunLimit::NONE })
    }

    /// As [`run`](Self::run), but with `now` as the current time: for tests, and for loops with a
    /// clock of their own. Only debounces and throttles use the time. It should not go backwards.
    ///
    /// # Panics
    /// See [`run`](Self::run).
    #[track_caller]
    pub fn run_at(&self, now: Instant) -> RunReport {
        self.start(Some(now)).run(RunLimit::NONE)
    }

    #[inline(always)]
    fn start(&self, now: Option<Instant>) -> QueueRun<'_, H> {
        QueueRun::new(&self.core, &self.loop_side, now)
    }

    /// When the next window of a debounce or throttle closes. The loop should run the queue at that
    /// time, even if nothing wakes it. A run opens a window when it takes the window's first event,
    /// so ask after each run.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.core.lock().timers.next().map(|(due, _)| due)
    }

    /// Closes the window of a debounced or throttled connection: calls its handler now, on this
    /// thread, with the event that is held back and the events that wait for it. Use it to save
    /// before the program ends. Returns whether the handler was called. If it must not be called,
    /// because the slot is blocked or the owner is gone, these events are dropped. If you have a
    /// clock of your own, use [`flush_at`](Self::flush_at).
    ///
    /// A flush is not a run. The events of other connections stay queued, even if the handler
    /// panics, and so do the connection's own events that it did not reach. The next run still
    /// reports what was [lost](RunReport::lost). If the loop was woken and has not run yet, it is
    /// not woken again; it may then find nothing to run.
    ///
    /// # Panics
    /// See [`run`](Self::run).
    ///
    /// # Cost
    /// Takes the queue's lock for each event.
    #[track_caller]
    pub fn flush(&self, connection: &Connection<Shared>) -> bool {
        self.flush_at(connection, Instant::now())
    }

    /// As [`flush`](Self::flush), but with `now` as the current time, as in
    /// [`run_at`](Self::run_at). A throttle's next window opens at `now`.
    ///
    /// # Panics
    /// See [`run`](Self::run).
    #[track_caller]
    pub fn flush_at(&self, connection: &Connection<Shared>, now: Instant) -> bool {
        self.start(Some(now)).flush(connection).called > 0
    }

    /// Drops the event that a debounced or throttled connection holds back and the events that wait
    /// for it, and shuts its window. The next event then opens a new window. Returns whether there
    /// was an event to drop. `cancel` may be called from inside handlers, and from any thread that
    /// has access to the queue.
    pub fn cancel(&self, connection: &Connection<Shared>) -> bool {
        let cancelled = self.core.lock().cancel(connection);
        cancelled.is_some_and(|(count, _events)| count > 0)
    }

    /// How many events wait. Events that a debounce or throttle holds back do not count, nor do
    /// events that a run has taken already.
    pub fn len(&self) -> usize {
        self.core.lock().waiting
    }

    /// Whether no event waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many events have been lost so far because there was no room for them.
    pub fn lost(&self) -> u64 {
        self.core.lock().lost
    }
}

/// A queue that wakes nobody.
impl<H: QueueFlavor> Default for Queue<H> {
    fn default() -> Self {
        Queue { core: Arc::new(QueueCore::new(None)), loop_side: H::LoopSide::default() }
    }
}

impl<H: QueueFlavor> Drop for Queue<H> {
    fn drop(&mut self) {
        self.core.close(&self.loop_side);
    }
}

/// Does not wait for the lock. If the lock is held, the counts are left out.
impl<H: QueueFlavor> fmt::Debug for Queue<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.core.try_lock().map(|it| (it.mailboxes.len(), it.waiting, it.lost));
        let mut f = f.debug_struct("Queue");
        if let Some((connections, waiting, lost)) = counts {
            f.field("connections", &connections).field("waiting", &waiting).field("lost", &lost);
        }
        f.finish_non_exhaustive()
    }
}

// As for signals: nothing in a queue is half done while user code runs.
impl<H: QueueFlavor> UnwindSafe for Queue<H> {}
impl<H: QueueFlavor> RefUnwindSafe for Queue<H> {}

#[cfg(all(test, not(sigwire_loom)))]
mod tests {
    use crate::{Connection, Edges, Overflow, Queue, Signal};
    use std::sync::Arc;
    use std::time::Duration;

    /// An operation on a queue in which a paced connection and another take turns.
    type WholeQueue = fn(Queue, &Connection, &dyn Fn(usize)) -> Queue;

    #[test]
    fn turns_are_looked_at_in_proportion_to_the_events_whatever_takes_these_out() {
        let whole: [(&str, WholeQueue); 7] = [
            ("flush", |queue, connection, _| {
                queue.flush(connection);
                queue
            }),
            ("cancel", |queue, connection, _| {
                queue.cancel(connection);
                queue
            }),
            ("emit and cancel in turn", |queue, connection, emit| {
                for _ in 0..queue.len() {
                    emit(1);
                    assert!(queue.cancel(connection));
                }
                queue
            }),
            ("emit and flush in turn", |queue, connection, emit| {
                for _ in 0..queue.len() {
                    emit(1);
                    assert!(queue.flush(connection));
                }
                queue
            }),
            ("disconnect", |queue, connection, _| {
                connection.disconnect();
                queue
            }),
            ("bounded, latest", |queue, _, _| queue.bounded(2, Overflow::Latest)),
            ("bounded and filled again", |queue, connection, emit| {
                queue.cancel(connection);
                let (queue, room) = (queue.bounded(2, Overflow::DropOldest), 1000);
                emit(room);
                queue
            }),
        ];
        for (name, whole) in whole {
            for events in [1000, 30_000] {
                let (queue, owner) = (Queue::default(), Arc::new(()));
                let (paced, other) = (Signal::<()>::new(), Signal::<()>::new());
                let slot = paced.slot().on(&queue).debounce(Duration::ZERO).edges(Edges::Leading);
                let connection = slot.connect(&owner, |_, _| ());
                other.slot().on(&queue).connect(&owner, |_, _| ());
                for _ in 0..events / 2 {
                    paced.emit(&());
                    other.emit(&());
                }
                let emit = |count| (0..count).for_each(|_| _ = paced.emit(&()));
                let queue = whole(queue, &connection, &emit);
                let state = queue.core.lock();
                assert!(state.swept <= 4 * events, "{name}: {} of {events}", state.swept);
                assert!(state.turns.len() <= 2 * state.waiting + 64, "{name}");
            }
        }
    }
}
