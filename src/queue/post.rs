//! The side of a queue that any thread may touch: events that wait, and whose turn it is.
//!
//! | under the lock | what it says |
//! |---|---|
//! | `lines`, `cell_owner` | the connections, each with its events that wait, which so have their own type |
//! | `alone` | of those whose next event is taken right before its call: what there is to say of that |
//! | `turns` | whose event is next: as many turns of a connection as it has events that wait |
//! | `in_run` | how many of the first turns the run that is under way still has to take |
//! | `paced` | where the connections are that are debounced or throttled |
//! | `is_woken` | the loop was told, and has not begun to run since; so always when events wait and no run is under way, unless telling panicked |
//!
//! The turns of a connection that ended, and of events that were flushed or cancelled, stay until they come
//! up, or are most of all turns. So nothing looks for turns, and each is looked at as often as it is moved.
//!
//! No event is cloned or dropped, and no handler, wake or waker called, under the lock. So none of them can
//! panic there, and after each the state is as this table says.

use core::any::{Any, TypeId};
use core::ops::DerefMut;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::Waker;
use slotmap::{SecondaryMap, SlotMap};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use super::Mutex;
use super::first_panic::FirstPanic;
use super::flavor::{Place, QueueFlavor};
use super::line::{Finished, Line, Mail, Whole};
use super::run::Batch;
use super::timers::Timers;
use crate::base::SlotKey;
use crate::overflow::Overflow;
use crate::raw::{CellOwner, Hold, Invoke, Liveness, OwnedCell, SplitOwner, StandIn, Target};
use crate::raw::{Lock, Shared};
use crate::slots::Connection;

pub(super) struct Post<H: QueueFlavor> {
    state: Mutex<State<H>>,
    is_closed: AtomicBool,
    /// The last driven run left events, so that an executor is to see other tasks before the next.
    feeds_itself: AtomicBool,
}

pub(super) struct State<H: QueueFlavor> {
    /// Of the events of all lines.
    pub(super) cell_owner: CellOwner,
    pub(super) lines: SlotMap<Place, Lies<H>>,
    /// Of those that a run has taken, as [`Lies::InRun`] numbers them, the ones that others may have to look
    /// at meanwhile: all, where a bound may take events out; otherwise one, whose event comes alone.
    pub(super) in_run_too: Vec<Arc<dyn Line<H>>>,
    pub(super) alone: SecondaryMap<Place, Box<Alone>>,
    /// How many were ever connected that are debounced or throttled.
    pub(super) connected: u64,
    pub(super) turns: VecDeque<Place>,
    pub(super) in_run: usize,
    /// How many events wait, in all lines.
    pub(super) waiting: usize,
    /// The windows that are open.
    pub(super) timers: Timers,
    pub(super) paced: HashMap<(usize, SlotKey), Place>,
    pub(super) limit: Option<(usize, Overflow)>,
    pub(super) lost: u64,
    /// Of those, what the last run told.
    pub(super) lost_told: u64,
    pub(super) is_woken: bool,
    waker: Option<Waker>,
    /// None when there is nobody to be told, or the queue is gone.
    wake: Option<Arc<dyn Fn() + Send + Sync>>,
    is_closed: bool,
    /// The thread that runs the queue, or 0.
    pub(super) running: usize,
    /// What the loop's thread has to let go.
    pub(super) ended: Vec<SplitOwner<dyn Line<H>>>,
    /// Memory for the next run.
    pub(super) batch: Option<Box<Batch<H>>>,
    /// How many turns were looked at to find those that have no event.
    #[cfg(test)]
    swept: usize,
}

/// Where a connection is.
pub(super) enum Lies<H: QueueFlavor> {
    Here(SplitOwner<dyn Line<H>>),
    /// A run has taken it: it has this place in its batch.
    InRun(u32),
}

/// Of a connection whose next event is taken right before its call: it is paced, or at most one event of it
/// waits.
#[derive(Default)]
pub(super) struct Alone {
    /// It is debounced or throttled, and so many of these were connected before it.
    pub(super) paced: Option<u64>,
    /// When its window closes, as the queue's timers know it.
    pub(super) timer: Option<Instant>,
    /// How many of its first turns are of events that were flushed or cancelled, and call nothing.
    pub(super) void: usize,
    /// How many of its first events the flush that is under way still has to take.
    pub(super) in_flush: usize,
}

impl Alone {
    /// A turn of it comes up, or is dropped; whether there is an event that has this turn.
    pub(super) fn ends_turn(&mut self) -> bool {
        let is_void = self.void > 0;
        self.void -= usize::from(is_void);
        !is_void
    }
}

/// Whom to tell, under no lock, that there is something to run.
pub(super) struct Alarm {
    waker: Option<Waker>,
    wake: Option<Arc<dyn Fn() + Send + Sync>>,
}

/// An alarm that is being rung. What a panic leaves of that is done as this is dropped.
struct Ringing<'a, H: QueueFlavor> {
    post: &'a Post<H>,
    alarm: Alarm,
    told: Told,
}

#[derive(PartialEq, Eq)]
enum Told {
    Nobody,
    Wake,
    All,
}

impl<H: QueueFlavor> Drop for Ringing<'_, H> {
    #[inline]
    fn drop(&mut self) {
        if self.told != Told::All {
            self.after_panic();
        }
    }
}

impl<H: QueueFlavor> Ringing<'_, H> {
    #[cold]
    #[inline(never)]
    fn after_panic(&mut self) {
        // That of now goes on.
        let other = FirstPanic::default();
        let Alarm { waker, wake } = &mut self.alarm;
        let is_next = self.told == Told::Nobody;
        let tell = |waker: &Waker| is_next && other.catch(|| waker.wake_by_ref());
        let is_awake = waker.as_ref().is_none_or(tell);
        let mut state = self.post.lock();
        state.is_woken = false;
        // Unless the queue is gone, or its task has come meanwhile.
        if !is_awake && !state.is_closed && state.waker.is_none() {
            state.waker = waker.take();
        }
        drop(state);
        other.catch(|| drop((waker.take(), wake.take())));
    }
}

/// An event, of whatever type, that is to be dropped under no lock.
type Dropped = Option<Box<dyn Send>>;

impl<H: QueueFlavor> Post<H> {
    pub(super) fn new(wake: Option<Arc<dyn Fn() + Send + Sync>>) -> Self {
        let state = State {
            cell_owner: CellOwner::new(),
            lines: SlotMap::with_key(),
            in_run_too: Vec::new(),
            alone: SecondaryMap::new(),
            connected: 0,
            turns: VecDeque::new(),
            in_run: 0,
            waiting: 0,
            timers: Timers::default(),
            paced: HashMap::new(),
            limit: None,
            lost: 0,
            lost_told: 0,
            is_woken: false,
            waker: None,
            wake,
            is_closed: false,
            running: 0,
            ended: Vec::new(),
            batch: None,
            #[cfg(test)]
            swept: 0,
        };
        let (is_closed, feeds_itself) = (AtomicBool::new(false), AtomicBool::new(false));
        Post { state: Lock::new(state), is_closed, feeds_itself }
    }

    // Not the mutex's own `lock`, which minds poison: no user code runs under it.
    #[inline]
    pub(super) fn lock(&self) -> impl DerefMut<Target = State<H>> {
        Lock::lock(&self.state)
    }

    pub(super) fn try_lock(&self) -> Option<impl DerefMut<Target = State<H>>> {
        Lock::try_lock(&self.state)
    }

    /// Whether there is something to run. If not, the next event wakes this waker.
    pub(super) fn has_work_or_keeps(&self, waker: &Waker) -> bool {
        let waker = waker.clone();
        let mut state = self.lock();
        if state.waiting > 0 || state.timers.next().is_some_and(|(due, _)| due <= Instant::now()) {
            return true;
        }
        // Whoever was woken has come, and found nothing.
        state.is_woken = false;
        let former = state.waker.replace(waker);
        drop(state);
        drop(former);
        false
    }

    /// Tells whoever is to be told, all of them also when one panics. Then the next event tells again.
    #[cold]
    #[inline(never)]
    pub(super) fn ring(&self, alarm: Alarm) {
        let mut ringing = Ringing { post: self, alarm, told: Told::Nobody };
        if let Some(wake) = &ringing.alarm.wake {
            wake();
        }
        ringing.told = Told::Wake;
        if let Some(waker) = &ringing.alarm.waker {
            waker.wake_by_ref();
        }
        ringing.told = Told::All;
    }

    /// Both also when both panic, which would end the program if one were dropped because of the other.
    fn ring_and_drop<T>(&self, alarm: Option<Alarm>, dropped: T) {
        let first = FirstPanic::default();
        if let Some(alarm) = alarm {
            first.catch(|| self.ring(alarm));
        }
        first.catch(|| drop(dropped));
        first.resume();
    }

    pub(super) fn takes_feedback(&self) -> bool {
        self.feeds_itself.swap(false, Ordering::Relaxed)
    }

    pub(super) fn notes_feedback(&self, feeds_itself: bool) {
        self.feeds_itself.store(feeds_itself, Ordering::Relaxed);
    }

    /// The queue is gone: so are all its connections.
    pub(super) fn close(&self, methods: &H::Methods) {
        self.is_closed.store(true, Ordering::Release);
        let (lines, ended, events, alarm) = {
            let mut guard = self.lock();
            let state = &mut *guard;
            state.is_closed = true;
            state.turns.clear();
            state.timers = Timers::default();
            state.paced.clear();
            state.alone.clear();
            state.waiting = 0;
            let alarm = Alarm { waker: state.waker.take(), wake: state.wake.take() };
            let (lines, ended) =
                (std::mem::take(&mut state.lines), std::mem::take(&mut state.ended));
            // Nobody runs the queue, which is gone.
            let here = |lies| match lies {
                Lies::Here(line) => Some(line),
                Lies::InRun(_) => None,
            };
            let lines: Vec<_> = lines.into_iter().filter_map(|(_, lies)| here(lies)).collect();
            let cell_owner = &mut state.cell_owner;
            let events: Vec<_> = lines.iter().map(|line| line.end(cell_owner)).collect();
            (lines, ended, events, alarm)
        };
        for line in &lines {
            line.connection().disconnect();
        }
        let left = if H::LETS_GO {
            Left::ToLetGo(let_go(lines.into_iter().chain(ended), methods))
        } else {
            Left::Finished(lines.into_iter().map(Finished).collect())
        };
        drop((left, events, alarm));
    }

    /// On the loop's thread.
    #[cold]
    #[inline(never)]
    pub(super) fn let_go(&self, methods: &H::Methods) {
        let ended = std::mem::take(&mut self.lock().ended);
        // All of them, also if one panics.
        drop(let_go(ended.into_iter(), methods));
    }

    /// The connection in this place ended, and what it had is dropped.
    fn remove(&self, place: Place, line: &dyn Line<H>) {
        let mut guard = self.lock();
        let state = &mut *guard;
        let Some(lies) = state.lines.remove(place) else { return };
        state.waiting -= line.waiting(&mut state.cell_owner);
        let events = line.end(&mut state.cell_owner);
        if let Some(Alone { paced: Some(number), timer, .. }) = state.alone.remove(place).as_deref()
        {
            if let Some(due) = timer {
                state.timers.remove((*due, *number, place));
            }
            state.paced.remove(&line.connection().identity());
        }
        let (mut alarm, mut finished) = (None, None);
        match lies {
            Lies::Here(line) if H::LETS_GO => {
                state.ended.push(line);
                // A run that is under way lets go of it as it ends.
                if state.running == 0 {
                    alarm = state.alarm();
                }
            }
            Lies::Here(line) => finished = Some(Finished(line)),
            // It does the same as it gives back.
            Lies::InRun(_) => (),
        }
        state.sweep();
        drop(guard);
        self.ring_and_drop(alarm, (finished, events));
    }
}

/// What is left of the connections of a queue that is gone.
enum Left<H: QueueFlavor> {
    ToLetGo(#[expect(dead_code, reason = "it is dropped")] Vec<Box<dyn Any>>),
    Finished(#[expect(dead_code, reason = "it is dropped")] Vec<Finished<H>>),
}

/// What is to be dropped of these on the loop's thread.
fn let_go<H: QueueFlavor>(
    ended: impl Iterator<Item = SplitOwner<dyn Line<H>>>,
    methods: &H::Methods,
) -> Vec<Box<dyn Any>> {
    let let_go = |mut line: SplitOwner<dyn Line<H>>| {
        let (line, right) = line.parts();
        line.let_go(right, methods)
    };
    ended.filter_map(let_go).collect()
}

impl<H: QueueFlavor> State<H> {
    /// Whom to tell, if nobody was told since the last run began.
    #[inline]
    pub(super) fn alarm(&mut self) -> Option<Alarm> {
        if std::mem::replace(&mut self.is_woken, true) {
            return None;
        }
        if self.wake.is_none() && self.waker.is_none() {
            return None;
        }
        Some(Alarm { waker: self.waker.take(), wake: self.wake.clone() })
    }

    /// Removes the turns that have no event, if they are most of all.
    pub(super) fn sweep(&mut self) {
        if self.turns.len() > 2 * self.waiting + 64 {
            self.keep_turns(|_| true);
        }
    }

    /// Removes the turns that have no event, and of the others those that are not to be kept.
    #[cold]
    #[inline(never)]
    fn keep_turns(&mut self, mut keeps: impl FnMut(Place) -> bool) {
        #[cfg(test)]
        {
            self.swept += self.turns.len();
        }
        let State { turns, lines, alone, in_run, .. } = self;
        let (mut at, first) = (0, *in_run);
        turns.retain(|place| {
            let mut has_event =
                || alone.get_mut(*place).is_none_or(|alone| alone.ends_turn()) && keeps(*place);
            let is_kept = lines.contains_key(*place) && has_event();
            *in_run -= usize::from(!is_kept && at < first);
            at += 1;
            is_kept
        });
        turns.shrink_to(2 * turns.len() + 64);
    }

    /// Where this connection is, if it is debounced or throttled here.
    pub(super) fn paced(&self, connection: &Connection<Shared>) -> Option<Place> {
        self.paced.get(&connection.identity()).copied()
    }

    /// Takes out all events of a debounced or throttled connection, and says how many they are.
    pub(super) fn cancel(
        &mut self,
        connection: &Connection<Shared>,
    ) -> Option<(usize, Option<Box<dyn Send>>)> {
        let place = self.paced(connection)?;
        let State { lines, in_run_too, alone, cell_owner, .. } = self;
        let line = line(lines, in_run_too, place)?;
        let waited = line.waiting(cell_owner);
        // Their turns stay.
        if let Some(alone) = alone.get_mut(place) {
            alone.void += waited;
            alone.in_flush = 0;
        }
        let (events, was_held) = line.take_all(cell_owner);
        let due = line.due(cell_owner);
        self.waiting -= waited;
        self.sweep();
        self.set_timer(place, due);
        Some((waited + usize::from(was_held), events))
    }

    /// Takes note of when this line's window closes now.
    pub(super) fn set_timer(&mut self, place: Place, due: Option<Instant>) {
        let Some(alone) = self.alone.get_mut(place) else { return };
        let Some(number) = alone.paced else { return };
        let former = std::mem::replace(&mut alone.timer, due);
        if former != due {
            let timer = |due| (due, number, place);
            former.map(timer).into_iter().for_each(|former| self.timers.remove(former));
            due.map(timer).into_iter().for_each(|timer| self.timers.insert(timer));
        }
    }

    /// Makes room for an event that may be one too many.
    #[cold]
    fn make_room<E>(&mut self, mail: &Letters<E>, event: E, is_latest: bool) -> Room<E> {
        if is_latest || matches!(self.limit, Some((_, Overflow::Latest))) {
            let mail = self.cell_owner.open(mail).as_mut();
            if let Some(standing) = mail.and_then(|mail| mail.waiting.back_mut()) {
                self.lost += 1;
                return Room::Replaced(std::mem::replace(standing, event));
            }
        }
        let mut dropped = None;
        if let Some((capacity, overflow)) = self.limit {
            match overflow {
                Overflow::DropNewest if self.waiting >= capacity => {
                    self.lost += 1;
                    return Room::Refused(event);
                }
                Overflow::DropNewest => (),
                Overflow::DropOldest | Overflow::Latest => {
                    // One makes room for one. (Turns of connections that ended give nothing.)
                    while self.waiting >= capacity && dropped.is_none() {
                        dropped = self.drop_oldest();
                    }
                }
            }
        }
        Room::Made(event, dropped)
    }

    /// Sets the limit, and takes out what has no room any more.
    pub(super) fn bound(&mut self, capacity: usize, overflow: Overflow) -> Vec<Box<dyn Send>> {
        self.limit = Some((capacity, overflow));
        let mut dropped = Vec::new();
        if overflow == Overflow::Latest {
            self.keep_latest(&mut dropped);
        }
        while self.waiting > capacity {
            dropped.extend(match overflow {
                Overflow::DropNewest => self.drop_newest(),
                Overflow::DropOldest | Overflow::Latest => self.drop_oldest(),
            });
        }
        dropped
    }

    /// Of the events of each line that wait, only the newest stays. It has the turn of the oldest.
    fn keep_latest(&mut self, dropped: &mut Vec<Box<dyn Send>>) {
        let State { lines, alone, cell_owner, .. } = self;
        for (place, lies) in &*lines {
            // Nobody runs the queue.
            let Lies::Here(line) = lies else { continue };
            if !alone.contains_key(place) {
                alone.insert(place, Box::default());
            }
            let (count, older) = line.take_older(cell_owner);
            dropped.push(older);
            self.waiting -= count;
            self.lost += count as u64;
        }
        let mut kept = SecondaryMap::new();
        self.keep_turns(|place| kept.insert(place, ()).is_none());
    }

    fn drop_oldest(&mut self) -> Dropped {
        let oldest = self.turns.pop_front().expect("every event that waits has a turn");
        self.in_run = self.in_run.saturating_sub(1);
        let line = line(&self.lines, &self.in_run_too, oldest)?;
        if let Some(alone) = self.alone.get_mut(oldest) {
            if !alone.ends_turn() {
                return None;
            }
            alone.in_flush = alone.in_flush.saturating_sub(1);
        }
        let dropped = line.take_oldest(&mut self.cell_owner)?;
        self.waiting -= 1;
        self.lost += 1;
        Some(dropped)
    }

    /// Outside of a run.
    fn drop_newest(&mut self) -> Dropped {
        let newest = self.turns.pop_back().expect("every event that waits has a turn");
        let line = line(&self.lines, &self.in_run_too, newest)?;
        let Some(dropped) = line.take_newest(&mut self.cell_owner) else {
            // The turns without an event are the first.
            self.alone[newest].void -= 1;
            return None;
        };
        self.waiting -= 1;
        self.lost += 1;
        Some(dropped)
    }
}

/// The line in this place, unless it ended.
fn line<'a, H: QueueFlavor>(
    lines: &'a SlotMap<Place, Lies<H>>,
    in_run_too: &'a [Arc<dyn Line<H>>],
    place: Place,
) -> Option<&'a dyn Line<H>> {
    match lines.get(place)? {
        Lies::Here(line) => Some(&**line),
        Lies::InRun(at) => in_run_too.get(*at as usize).map(|line| &**line),
    }
}

type Letters<E> = OwnedCell<Option<Box<Mail<E>>>>;

enum Room<E> {
    /// Something may have been dropped for it.
    Made(E, Dropped),
    /// The event has the place of this one, and its turn.
    Replaced(E),
    Refused(E),
}

/// What a signal has of a connection whose handler waits for its loop.
pub(super) struct Sender<E: 'static, H: QueueFlavor>(pub(super) Arc<Whole<E, H>>);

impl<E, H: QueueFlavor> Clone for Sender<E, H> {
    fn clone(&self) -> Self {
        Sender(self.0.clone())
    }
}

impl<E: Clone + Send + 'static, H: QueueFlavor> Sender<E, H> {
    /// None when the connection has ended.
    #[inline]
    fn send(&self, event: &E) -> Option<()> {
        let line = &*self.0;
        let post = &*line.post;
        // Before the guard, so that it is dropped after it.
        let mut event = event.clone();
        let mut dropped = None;
        let mut guard = post.lock();
        let state = &mut *guard;
        if line.is_over.load(Ordering::Relaxed) {
            return None;
        }
        if state.limit.is_some() || line.is_latest {
            match state.make_room(&line.mail, event, line.is_latest) {
                Room::Made(it, made_room) => (event, dropped) = (it, made_room),
                Room::Replaced(not_sent) | Room::Refused(not_sent) => {
                    // Others wait, so the loop was told, unless that panicked.
                    let alarm = if state.running == 0 { state.alarm() } else { None };
                    drop(guard);
                    post.ring_and_drop(alarm, not_sent);
                    return Some(());
                }
            }
        }
        state.cell_owner.open(&line.mail).get_or_insert_default().waiting.push_back(event);
        state.turns.push_back(line.place);
        state.waiting += 1;
        let alarm = state.alarm();
        drop(guard);
        if dropped.is_some() {
            post.ring_and_drop(alarm, dropped);
        } else if let Some(alarm) = alarm {
            post.ring(alarm);
        }
        Some(())
    }
}

impl<E: Send + 'static, H: QueueFlavor> StandIn for Sender<E, H> {
    #[inline]
    fn liveness(&self) -> Liveness {
        if self.0.post.is_closed.load(Ordering::Acquire) {
            Liveness::Gone
        } else {
            H::liveness(&self.0.face)
        }
    }
    fn owner(&self) -> *const () {
        H::owner(&self.0.face)
    }
    fn method(&self) -> (TypeId, &'static str) {
        H::method(&self.0.face)
    }
}

/// The connection, as long as it or a clone of it lasts.
pub(super) struct Lasts<E: Send + 'static, H: QueueFlavor>(Arc<Whole<E, H>>);

impl<E: Send + 'static, H: QueueFlavor> Lasts<E, H> {
    /// To be called once.
    pub(super) fn new(line: Arc<Whole<E, H>>) -> Self {
        line.lasts.store(1, Ordering::Relaxed);
        Lasts(line)
    }
}

impl<E: Send + 'static, H: QueueFlavor> Clone for Lasts<E, H> {
    fn clone(&self) -> Self {
        self.0.lasts.fetch_add(1, Ordering::Relaxed);
        Lasts(self.0.clone())
    }
}

impl<E: Send + 'static, H: QueueFlavor> Drop for Lasts<E, H> {
    fn drop(&mut self) {
        let line = &*self.0;
        if line.lasts.fetch_sub(1, Ordering::AcqRel) == 1 {
            line.post.remove(line.place, line);
        }
    }
}

/// What a slot does whose handler waits for its loop.
pub(super) struct Enqueue;

impl<E, H> Invoke<(), Sender<E, H>, E, (), Shared> for Enqueue
where
    E: Clone + Send + 'static,
    H: QueueFlavor,
{
    type Method = Enqueue;
    #[inline]
    fn invoke(
        (): &(),
        sender: Target<impl Hold<Target = Sender<E, H>>, Shared>,
        event: &E,
    ) -> Option<()> {
        sender.send(event)
    }
}

#[cfg(all(test, not(sigwire_loom)))]
mod tests {
    use crate::{Connection, Edges, Overflow, Queue, Signal};
    use std::sync::Arc;
    use std::time::Duration;

    /// What is done to a queue in which a paced connection and another take turns.
    type Whole = fn(Queue, &Connection, &dyn Fn(usize)) -> Queue;

    #[test]
    fn turns_are_looked_at_in_proportion_to_the_events_whatever_takes_these_out() {
        let whole: [(&str, Whole); 7] = [
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
                let state = queue.post.lock();
                assert!(state.swept <= 4 * events, "{name}: {} of {events}", state.swept);
                assert!(state.turns.len() <= 2 * state.waiting + 64, "{name}");
            }
        }
    }
}
