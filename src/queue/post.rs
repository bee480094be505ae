//! The side of a queue that any thread may touch: events that wait, and whose turn it is.
//!
//! | under the lock | what it says |
//! |---|---|
//! | `lines`, `ward` | the events that wait, by connection, so that each connection's have their own type |
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

use core::any::TypeId;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::Waker;
use slotmap::{SecondaryMap, SlotMap};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use super::Mutex;
use super::first_panic::FirstPanic;
use super::home::{Home, Place};
use super::line::{Events, Line};
use super::run::Batch;
use super::timers::Timers;
use crate::connection::Connection;
use crate::family::{Lock, Shared};
use crate::overflow::Overflow;
use crate::raw::{Deputy, Hold, Invoke, Liveness, Target, Ward, Warded};
use crate::table::SlotKey;

pub(super) struct Post<H: Home> {
    state: Mutex<State<H>>,
    is_closed: AtomicBool,
    /// The last driven run left events, so that an executor is to see other tasks before the next.
    feeds_itself: AtomicBool,
}

pub(super) struct State<H: Home> {
    /// Of the events of all lines.
    pub(super) ward: Ward,
    pub(super) lines: SlotMap<Place, Line<H>>,
    /// How many were ever connected.
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
    /// None when the queue is gone.
    wake: Option<Arc<dyn Fn() + Send + Sync>>,
    /// The thread that runs the queue, or 0.
    pub(super) running: usize,
    /// Whose methods the loop's thread has to let go.
    pub(super) ended: Vec<H::Key>,
    /// Memory for the next run.
    pub(super) batch: Option<Box<Batch<H>>>,
    /// How many turns were looked at to find those that have no event.
    #[cfg(test)]
    swept: usize,
}

/// Whom to tell, under no lock, that there is something to run.
pub(super) struct Alarm {
    waker: Option<Waker>,
    wake: Option<Arc<dyn Fn() + Send + Sync>>,
}

/// An alarm that is being rung. What a panic leaves of that is done as this is dropped.
struct Ringing<'a, H: Home> {
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

impl<H: Home> Drop for Ringing<'_, H> {
    #[inline]
    fn drop(&mut self) {
        if self.told != Told::All {
            self.after_panic();
        }
    }
}

impl<H: Home> Ringing<'_, H> {
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
        if !is_awake && state.wake.is_some() && state.waker.is_none() {
            state.waker = waker.take();
        }
        drop(state);
        other.catch(|| drop((waker.take(), wake.take())));
    }
}

type Guard<'a, H> = <Mutex<State<H>> as Lock<State<H>>>::Guard<'a>;

/// An event, of whatever type, that is to be dropped under no lock.
type Dropped = Option<Box<dyn Send>>;

impl<H: Home> Post<H> {
    pub(super) fn new(wake: Arc<dyn Fn() + Send + Sync>) -> Self {
        let state = State {
            ward: Ward::new(),
            lines: SlotMap::with_key(),
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
            wake: Some(wake),
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
    pub(super) fn lock(&self) -> Guard<'_, H> {
        Lock::lock(&self.state)
    }

    pub(super) fn try_lock(&self) -> Option<Guard<'_, H>> {
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
    pub(super) fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        let (lines, events, alarm) = {
            let mut guard = self.lock();
            let state = &mut *guard;
            state.turns.clear();
            state.timers = Timers::default();
            state.paced.clear();
            state.waiting = 0;
            let alarm = Alarm { waker: state.waker.take(), wake: state.wake.take() };
            let lines = std::mem::take(&mut state.lines);
            let ward = &mut state.ward;
            let events: Vec<_> = lines.values().map(|line| line.end(ward)).collect();
            (lines, events, alarm)
        };
        for line in lines.values() {
            line.connection.disconnect();
        }
        drop((lines, events, alarm));
    }

    /// On the loop's thread.
    #[cold]
    #[inline(never)]
    pub(super) fn let_go(&self, methods: &H::Methods) {
        let ended = std::mem::take(&mut self.lock().ended);
        H::let_go(methods, ended);
    }

    /// The connection in this place ended, and what it had is dropped.
    fn remove(&self, place: Place) {
        let mut guard = self.lock();
        let state = &mut *guard;
        let Some(line) = state.lines.remove(place) else { return };
        state.waiting -= line.mail.len(&mut state.ward);
        let events = line.end(&mut state.ward);
        if let Some(due) = line.timer {
            state.timers.remove((due, line.number, place));
        }
        if line.is_paced {
            state.paced.remove(&line.connection.identity());
        }
        let mut alarm = None;
        if H::LETS_GO {
            state.ended.push(line.key);
            // A run that is under way lets go of it as it ends.
            if state.running == 0 {
                alarm = state.alarm();
            }
        }
        state.sweep();
        drop(guard);
        self.ring_and_drop(alarm, (line, events));
    }
}

impl<H: Home> State<H> {
    /// Whom to tell, if nobody was told since the last run began.
    #[inline]
    pub(super) fn alarm(&mut self) -> Option<Alarm> {
        if std::mem::replace(&mut self.is_woken, true) {
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
        let State { turns, lines, in_run, .. } = self;
        let (mut at, first) = (0, *in_run);
        turns.retain(|place| {
            let is_kept = lines.get_mut(*place).is_some_and(Line::ends_turn) && keeps(*place);
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
    ) -> Option<(usize, Box<dyn Send>)> {
        let place = self.paced(connection)?;
        let line = &mut self.lines[place];
        self.waiting -= line.mail.len(&mut self.ward);
        let cancelled = line.cancel(&mut self.ward);
        self.sweep();
        self.set_timer(place);
        Some(cancelled)
    }

    /// Takes note of when this line's window closes now.
    pub(super) fn set_timer(&mut self, place: Place) {
        let Some(line) = self.lines.get_mut(place) else { return };
        let due = line.mail.due(&mut self.ward);
        let former = std::mem::replace(&mut line.timer, due);
        if former != due {
            let timer = |due| (due, line.number, place);
            former.map(timer).into_iter().for_each(|former| self.timers.remove(former));
            due.map(timer).into_iter().for_each(|timer| self.timers.insert(timer));
        }
    }

    /// Makes room for an event that may be one too many.
    #[cold]
    fn make_room<E>(&mut self, mail: &Warded<Events<E>>, event: E, is_latest: bool) -> Room<E> {
        if is_latest || matches!(self.limit, Some((_, Overflow::Latest))) {
            if let Some(standing) = self.ward.open(mail).waiting.back_mut() {
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
        for line in self.lines.values_mut() {
            line.comes_alone = true;
            let (count, older) = line.mail.take_older(&mut self.ward);
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
        let line = self.lines.get_mut(oldest)?;
        if !line.ends_turn() {
            return None;
        }
        let dropped = line.take_oldest(&mut self.ward)?;
        self.waiting -= 1;
        self.lost += 1;
        Some(dropped)
    }

    /// Outside of a run.
    fn drop_newest(&mut self) -> Dropped {
        let newest = self.turns.pop_back().expect("every event that waits has a turn");
        let line = self.lines.get_mut(newest)?;
        let Some(dropped) = line.mail.take_newest(&mut self.ward) else {
            // The turns without an event are the first.
            line.void -= 1;
            return None;
        };
        self.waiting -= 1;
        self.lost += 1;
        Some(dropped)
    }
}

enum Room<E> {
    /// Something may have been dropped for it.
    Made(E, Dropped),
    /// The event has the place of this one, and its turn.
    Replaced(E),
    Refused(E),
}

/// What a signal has of a connection whose handler waits for its loop.
pub(super) struct Sender<E: 'static, H: Home> {
    pub(super) post: Arc<Post<H>>,
    pub(super) place: Place,
    pub(super) mail: Arc<Warded<Events<E>>>,
    /// Where the owner is, or was.
    pub(super) owner: usize,
    /// The handler's.
    pub(super) method: (TypeId, &'static str),
    pub(super) watch: H::Kept<E>,
    pub(super) is_latest: bool,
}

impl<E: Clone + Send + 'static, H: Home> Sender<E, H> {
    /// None when the connection has ended.
    #[inline]
    fn send(&self, event: &E) -> Option<()> {
        // Before the guard, so that it is dropped after it.
        let mut event = event.clone();
        let mut dropped = None;
        let mut guard = self.post.lock();
        let state = &mut *guard;
        if state.ward.open(&self.mail).is_over {
            return None;
        }
        if state.limit.is_some() || self.is_latest {
            match state.make_room(&self.mail, event, self.is_latest) {
                Room::Made(it, made_room) => (event, dropped) = (it, made_room),
                Room::Replaced(not_sent) | Room::Refused(not_sent) => {
                    // Others wait, so the loop was told, unless that panicked.
                    let alarm = if state.running == 0 { state.alarm() } else { None };
                    drop(guard);
                    self.post.ring_and_drop(alarm, not_sent);
                    return Some(());
                }
            }
        }
        state.ward.open(&self.mail).waiting.push_back(event);
        state.turns.push_back(self.place);
        state.waiting += 1;
        let alarm = state.alarm();
        drop(guard);
        if dropped.is_some() {
            self.post.ring_and_drop(alarm, dropped);
        } else if let Some(alarm) = alarm {
            self.post.ring(alarm);
        }
        Some(())
    }
}

impl<E: Send + 'static, H: Home> Deputy for Sender<E, H> {
    #[inline]
    fn liveness(&self) -> Liveness {
        if self.post.is_closed.load(Ordering::Acquire) {
            Liveness::Gone
        } else {
            H::liveness(&self.watch)
        }
    }
    fn owner(&self) -> *const () {
        core::ptr::without_provenance(self.owner)
    }
    fn method(&self) -> (TypeId, &'static str) {
        self.method
    }
}

/// The connection in this place, as long as it lasts.
pub(super) struct Lasts<H: Home> {
    pub(super) post: Arc<Post<H>>,
    pub(super) place: Place,
}

impl<H: Home> Drop for Lasts<H> {
    fn drop(&mut self) {
        self.post.remove(self.place);
    }
}

/// What a slot does whose handler waits for its loop.
pub(super) struct Enqueue;

impl<E, H> Invoke<(), Sender<E, H>, E, (), Shared> for Enqueue
where
    E: Clone + Send + 'static,
    H: Home,
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
