//! A queue: the public face of its loop.

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

/// Where handlers wait for their loop: connected [`on`](crate::SlotOptions::on) a queue, a handler
/// does not run inside `emit`, on whichever thread emits, but in [`run`](Self::run), on the thread
/// that calls that. `emit` clones the event into the queue and returns.
///
/// ```
/// use sigwire::{Queue, Signal};
/// use std::sync::{Arc, Mutex};
///
/// let loaded: Signal<String> = Signal::new();
/// let names = Arc::new(Mutex::new(vec![]));
/// // A GUI gives its "request repaint" or its event loop's proxy; a game needs none.
/// let queue = Queue::new(|| println!("something to run"));
/// loaded.slot().on(&queue).connect_mut(&names, |names, name| names.push(name.clone()));
///
/// std::thread::scope(|scope| {
///     scope.spawn(|| loaded.emit(&"a.txt".to_string()));
/// });
/// assert!(names.lock().unwrap().is_empty());
/// assert_eq!(queue.run().called, 1); // in each frame, or when woken
/// assert_eq!(*names.lock().unwrap(), ["a.txt"]);
/// ```
///
/// As [`Queue`](crate::Queue) it has handlers of `Arc` owners and may be shared between threads. As
/// [`LocalQueue`](crate::LocalQueue) it stays on its loop's thread with the `Rc` owners that live
/// there, and any thread emits to them:
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
/// | a handler emits into its own queue | the next run runs it, and the loop is woken for it. A [`latest`](crate::generic::QueuedSlot::latest) slot whose turn in this run is still to come is called with it in this run |
/// | the owner is gone, the connection ended or blocked when the event comes up | the handler is not called, and the event is dropped |
/// | `disconnect` returned | no call starts on this thread. A run on another thread that is just about to call may do so; `disconnect_and_wait` does not wait for it |
/// | a handler panics | the panic goes to the caller of `run`; the later events stay queued, and the loop is woken for them. For other panics see [below](#when-your-code-panics) |
/// | the queue has no room | see [`Overflow`]; what was lost is counted, and each run tells it |
/// | the queue is dropped | its connections end, and the events that wait are dropped |
/// | an `Rc` owner, or what a method of a `LocalQueue` captured | is touched and dropped on the loop's thread only. The run that is under way when the connection ends, on whichever thread, lets go of it as it ends. If there is none the loop is woken, and the next run or connect does, or the queue's end |
/// | an `Rc` owner is gone | emitting threads cannot tell; the slot ends when its next event comes up, or when more slots are connected |
///
/// # When your code panics
///
/// None of it runs under a lock. Afterwards the queue works as before, no event but the one in
/// question is gone, and those that wait are in order.
///
/// | what panics | who gets the panic, and what holds |
/// |---|---|
/// | a handler, or its owner as a run drops it | the caller of `run` or `flush`, or who polls [`drive`](Self::drive). The event is used up, and so is a call of `once` or `times`. The other events wait where they were, and the loop is told of them |
/// | an event as it is cloned | who emits. For this slot nothing is queued |
/// | an event or what a method captured, as it is dropped | who drops it: an emission that replaces an event, a run, a `cancel`, a `disconnect`, a connect before it connects. What else is to be done is done all the same. [`bounded`](Self::bounded) drops the queue then, which it owns |
/// | `wake`, or the waker of a task in `drive`, as it is called | who tells the loop: an emission, whose event is queued, a run that ends, or a `disconnect`. The other one is told all the same. Whoever panicked counts as not told, so the next event that is emitted tells again, also if a bound drops that one |
/// | a waker as it is cloned or dropped | who polls `drive`, or emits. Nothing is lost. A task that polls again goes on |
/// | a comparison | a queue compares nothing of yours |
///
/// If several of them panic in one call, the first panic goes on. (Except where Rust ends the
/// program: when a second value panics as it is dropped because of the first.)
///
/// # Cost
/// An event takes the queue's lock for a moment as it is queued; a run takes it twice, once more
/// for every 128 events, and twice more at most for an event of a
/// [`latest`](crate::generic::QueuedSlot::latest) slot. Nothing is allocated for an event that is
/// run once the queue has grown to what it had to hold at once, unless a bound makes room by
/// dropping another, or more than eleven windows are open.
///
/// What takes many events out at once, such as `flush`, `cancel` or a `disconnect`, takes a time in
/// proportion to these events, however many others there are. `flush` and `cancel` give the memory
/// of these events back, so that the events after them allocate again.
pub struct Queue<H: QueueFlavor> {
    pub(in crate::queue) core: Arc<QueueCore<H>>,
    pub(in crate::queue) loop_side: H::LoopSide,
}

impl<H: QueueFlavor> Queue<H> {
    /// A queue that calls `wake` when it has something to run: on the thread that emitted, once,
    /// and not again before the next run has begun. A run that leaves something calls it too. So as
    /// long as events wait, the loop was told. (If `wake` panics, see
    /// [above](Self#when-your-code-panics).)
    ///
    /// `wake` must not wait for the loop, nor run the queue. [`Queue::default()`](Self::default)
    /// wakes nobody, for a loop that runs it in each turn anyway.
    ///
    /// A [`LocalQueue`](crate::LocalQueue) calls it also when a connection ended outside of a run,
    /// to let go of its method.
    ///
    /// Windows that close, of a debounce or a throttle, do not call it: the loop asks for the
    /// [`next_deadline`](Self::next_deadline) before it sleeps.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Queue {
            core: Arc::new(QueueCore::new(Some(Arc::new(wake)))),
            loop_side: H::LoopSide::default(),
        }
    }

    /// Bounds the queue: at most `capacity` events wait, all signals together, and `overflow` says
    /// what happens to one too many, also of those that wait already. Without this, a queue grows
    /// as it has to.
    ///
    /// Events that a run has taken, 128 at most, do not count. If a panic or a deadline makes it
    /// give them back, they wait beside the others. Where only the latest counts, a run takes each
    /// event right before the handler is called; until then it counts.
    ///
    /// [`Overflow::Latest`] keeps at most one event for each connection, as if all its slots were
    /// [`latest`](crate::generic::QueuedSlot::latest). If there are more connections than
    /// `capacity`, the oldest event makes room.
    ///
    /// Whatever is lost is counted: see [`RunReport::lost`] and [`lost`](Self::lost).
    ///
    /// # Panics
    /// When `capacity` is 0: every event would be lost.
    #[track_caller]
    pub fn bounded(self, capacity: usize, overflow: Overflow) -> Self {
        assert!(
            capacity > 0,
            "a queue with room for 0 events would lose all of them; give it room for 1 or more"
        );
        let dropped = self.core.lock().bound(capacity, overflow);
        drop(dropped);
        self
    }

    /// Runs what is queued now: calls each handler, in order, on this thread. What is emitted
    /// meanwhile is for the next run.
    ///
    /// Windows that have run out, of [debounces](crate::generic::QueuedSlot::debounce) and
    /// [throttles](crate::generic::QueuedSlot::throttle), are closed before new events are taken.
    ///
    /// # Panics
    /// When a handler does: see above. When it is called from inside a handler of this queue, or
    /// while another thread runs it.
    #[track_caller]
    pub fn run(&self) -> RunReport {
        self.start(None).run(RunLimit::NONE)
    }

    /// Takes at most `events` of what is queued now, so that a loop that is late can do the rest
    /// later. What is left is [told](RunReport::left), and the loop is woken for it. An event
    /// counts also if it calls nothing, because its slot is blocked, or a debounce or throttle
    /// holds it back or passes it over.
    ///
    /// Windows that are due come first here, too, and what they hold counts as an event once more.
    /// As they hold only what was taken before, events have their turn all the same.
    ///
    /// # Panics
    /// See [`run`](Self::run).
    #[track_caller]
    pub fn run_max(&self, events: usize) -> RunReport {
        self.start(None).run(RunLimit { events, ..RunLimit::NONE })
    }

    /// Runs what is queued now, and calls no further handler once `deadline` has come. A deadline
    /// in the past runs nothing: what is left is [told](RunReport::left), and the loop is woken for
    /// it. (A loop that is always late makes its way with [`run_max`](Self::run_max).)
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

    /// As [`run`](Self::run), at a time that you tell: for tests, and for loops with a clock of
    /// their own. Only debounces and throttles look at it. It should not go backwards.
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

    /// When the next window of a debounce or throttle closes: the loop should run the queue then,
    /// even if nobody wakes it. Windows open when a run takes the first event, so ask after each
    /// run.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.core.lock().timers.next().map(|(due, _)| due)
    }

    /// Closes the window of a debounced or throttled connection: calls its handler now, on this
    /// thread, with what it holds back and what waits for it. Returns whether it was called. If it
    /// must not be, because the slot is blocked or the owner is gone, these events are dropped. For
    /// saving before the program ends. With a clock of your own, see [`flush_at`](Self::flush_at).
    ///
    /// It is no run. The events of other connections stay where they are, also when the handler
    /// panics, and so does what it did not come to of its own. What was [lost](RunReport::lost) is
    /// still told by the next run. A loop that was woken and has not run yet is not woken again: it
    /// may then find nothing to run.
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

    /// As [`flush`](Self::flush), at a time that you tell, as [`run_at`](Self::run_at) is told. A
    /// throttle's next window opens then.
    ///
    /// # Panics
    /// See [`run`](Self::run).
    #[track_caller]
    pub fn flush_at(&self, connection: &Connection<Shared>, now: Instant) -> bool {
        self.start(Some(now)).flush(connection).called > 0
    }

    /// Forgets what a debounced or throttled connection holds back and what waits for it, and shuts
    /// its window: the next event is as the first. Returns whether there was an event to forget. It
    /// may be called from inside handlers, and from any thread that has the queue.
    pub fn cancel(&self, connection: &Connection<Shared>) -> bool {
        let cancelled = self.core.lock().cancel(connection);
        cancelled.is_some_and(|(count, _events)| count > 0)
    }

    /// How many events wait. What a debounce or throttle holds back does not, nor does what a run
    /// has taken already.
    pub fn len(&self) -> usize {
        self.core.lock().waiting
    }

    /// Whether no event waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many events were ever lost because there was no room for them.
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

/// Does not wait for the lock: then the counts are missing.
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

// As signals: nothing of a queue is left half done while user code runs.
impl<H: QueueFlavor> UnwindSafe for Queue<H> {}
impl<H: QueueFlavor> RefUnwindSafe for Queue<H> {}

#[cfg(all(test, not(sigwire_loom)))]
mod tests {
    use crate::{Connection, Edges, Overflow, Queue, Signal};
    use std::sync::Arc;
    use std::time::Duration;

    /// What is done to a queue in which a paced connection and another take turns.
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
