//! The state under the queue's lock: the connections, the waiting events, and whose turn it is.
//!
//! | field | meaning |
//! |---|---|
//! | `mailboxes` | the connections: their waiting events and their handlers |
//! | `singles` | the connections whose events a run takes one at a time, with the state needed for that |
//! | `turns` | whose event is next: a connection has one turn for each of its waiting events |
//! | `in_run` | how many of the first turns the current run still has to take |
//! | `paced` | the connections that are debounced or throttled |
//! | `is_woken` | the loop was woken, and has not begun a run since. It is set whenever events wait and no run is under way, unless waking panicked |
//!
//! When a connection ends, or its events are flushed or canceled, their turns stay in `turns`. They
//! are removed when they come up, or when they are more than half of all turns. This way no code
//! searches for turns, and the cost of sweeping is amortized: each turn is looked at as often as it
//! is moved.
//!
//! No user code runs under the lock: no event is cloned or dropped, and no handler or waker is
//! called. Therefore nothing can panic under the lock, and after a panic elsewhere the state is as
//! this table says.

use core::task::Waker;
use slotmap::{SecondaryMap, SlotMap};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use super::batch::{RunBatch, RunLimit, TakenHandler};
use super::flavor::QueueFlavor;
use super::handler::AnyHandler;
use super::inbox::{AnyInbox, Discarded};
use super::mailbox::{HandlerPlace, Mailbox, MailboxKey, PacedSlot, TakenSingly};
use super::pace::RunClock;
use super::timers::Timers;
use crate::base::SlotKey;
use crate::overflow::Overflow;
use crate::raw::Shared;
use crate::slots::Connection;

/// The most events that a run takes at once.
const LARGEST_BATCH: usize = 128;

pub(super) type WakeLoop = Arc<dyn Fn() + Send + Sync>;

pub(super) struct QueueState<H: QueueFlavor> {
    pub(super) mailboxes: SlotMap<MailboxKey, Mailbox<H>>,
    singles: SecondaryMap<MailboxKey, Box<TakenSingly>>,
    /// How many debounced or throttled slots were ever connected.
    paced_count: u64,
    pub(super) turns: VecDeque<MailboxKey>,
    in_run: usize,
    /// How many events wait, in all mailboxes.
    pub(super) waiting: usize,
    /// The windows that are open.
    pub(super) timers: Timers,
    paced: HashMap<(usize, SlotKey), MailboxKey>,
    limit: Option<(usize, Overflow)>,
    pub(super) lost: u64,
    /// How many of those a run has reported.
    pub(super) lost_reported: u64,
    pub(super) is_woken: bool,
    pub(super) waker: Option<Waker>,
    /// `None` if there is no loop to wake.
    pub(super) wake: Option<WakeLoop>,
    pub(super) is_closed: bool,
    /// The thread that runs the queue, or 0.
    pub(super) running: usize,
    /// Handlers of ended connections. The loop's thread must drop them.
    pub(super) ended: Vec<Box<dyn AnyHandler<H>>>,
    /// Memory for the next run.
    pub(super) batch: Option<Box<RunBatch<H>>>,
    /// How many turns were looked at in order to find those without an event.
    #[cfg(test)]
    pub(super) swept: usize,
}

/// What to wake after the lock is released.
pub(super) struct WakeUp {
    pub(super) waker: Option<Waker>,
    pub(super) wake: Option<WakeLoop>,
}

/// What happened to an emitted event. The value must be dropped after the lock is released.
pub(super) enum Enqueued<E> {
    /// It waits. Another event may have been removed to make room.
    Waits(#[expect(dead_code, reason = "it is dropped")] Option<Discarded>),
    /// There was no room for this event.
    Lost(E),
    /// The connection has ended.
    Ended(E),
}

/// Connecting and disconnecting.
impl<H: QueueFlavor> QueueState<H> {
    pub(super) fn new(wake: Option<WakeLoop>) -> Self {
        QueueState {
            mailboxes: SlotMap::with_key(),
            singles: SecondaryMap::new(),
            paced_count: 0,
            turns: VecDeque::new(),
            in_run: 0,
            waiting: 0,
            timers: Timers::default(),
            paced: HashMap::new(),
            limit: None,
            lost: 0,
            lost_reported: 0,
            is_woken: false,
            waker: None,
            wake,
            is_closed: false,
            running: 0,
            ended: Vec::new(),
            batch: None,
            #[cfg(test)]
            swept: 0,
        }
    }

    /// `paced` is the inbox of a debounced or throttled slot.
    pub(super) fn connect(
        &mut self,
        handler: Box<dyn AnyHandler<H>>,
        paced: Option<Box<dyn AnyInbox>>,
        is_latest: bool,
    ) -> MailboxKey {
        let identity = paced.is_some().then(|| handler.connection().identity());
        let mailbox = Mailbox { inbox: paced, handler: HandlerPlace::Here(handler) };
        let key = self.mailboxes.insert(mailbox);
        if identity.is_some() || is_latest || matches!(self.limit, Some((_, Overflow::Latest))) {
            let number = self.paced_count;
            self.paced_count += u64::from(identity.is_some());
            let paced = identity.map(|identity| PacedSlot { number, identity });
            self.singles.insert(key, Box::new(TakenSingly { paced, ..TakenSingly::default() }));
        }
        if let Some(identity) = identity {
            self.paced.insert(identity, key);
        }
        key
    }

    pub(super) fn remove(&mut self, key: MailboxKey) -> Option<Mailbox<H>> {
        let mailbox = self.mailboxes.remove(key)?;
        self.waiting -= mailbox.waiting();
        self.set_timer(key, None);
        let single = self.singles.remove(key);
        if let Some(paced) = single.and_then(|single| single.paced) {
            self.paced.remove(&paced.identity);
        }
        self.sweep();
        Some(mailbox)
    }

    /// What to wake, if the loop was not woken since the last run began.
    #[inline]
    pub(super) fn wake_up(&mut self) -> Option<WakeUp> {
        if std::mem::replace(&mut self.is_woken, true) {
            return None;
        }
        if self.wake.is_none() && self.waker.is_none() {
            return None;
        }
        Some(WakeUp { waker: self.waker.take(), wake: self.wake.clone() })
    }

    /// Removes the turns without an event, if they are more than half of all.
    fn sweep(&mut self) {
        if self.turns.len() > 2 * self.waiting + 64 {
            self.keep_turns(|_| true);
        }
    }

    /// Removes the turns without an event, and those of the others for which `keeps` returns false.
    #[cold]
    #[inline(never)]
    fn keep_turns(&mut self, mut keeps: impl FnMut(MailboxKey) -> bool) {
        #[cfg(test)]
        {
            self.swept += self.turns.len();
        }
        let QueueState { turns, mailboxes, singles, in_run, .. } = self;
        let (mut at, first) = (0, *in_run);
        turns.retain(|key| {
            let mut has_event =
                || singles.get_mut(*key).is_none_or(|single| single.ends_turn()) && keeps(*key);
            let is_kept = mailboxes.contains_key(*key) && has_event();
            *in_run -= usize::from(!is_kept && at < first);
            at += 1;
            is_kept
        });
        turns.shrink_to(2 * turns.len() + 64);
    }

    /// Updates the time at which this connection's window closes.
    fn set_timer(&mut self, key: MailboxKey, due: Option<Instant>) {
        let Some(single) = self.singles.get_mut(key) else { return };
        let Some(PacedSlot { number, .. }) = single.paced else { return };
        let former = std::mem::replace(&mut single.timer, due);
        if former != due {
            let timer = |due| (due, number, key);
            former.map(timer).into_iter().for_each(|former| self.timers.remove(former));
            due.map(timer).into_iter().for_each(|timer| self.timers.insert(timer));
        }
    }
}

/// Emitting.
impl<H: QueueFlavor> QueueState<H> {
    #[inline]
    pub(super) fn enqueue<E: Send + 'static>(
        &mut self,
        key: MailboxKey,
        mut event: E,
        is_latest: bool,
    ) -> Enqueued<E> {
        let mut dropped = None;
        if is_latest || self.limit.is_some() {
            match self.make_room(key, event, is_latest) {
                Ok(it) => (event, dropped) = it,
                Err(lost) => return Enqueued::Lost(lost),
            }
        }
        let Some(mailbox) = self.mailboxes.get_mut(key) else { return Enqueued::Ended(event) };
        mailbox.events().push_back(event);
        self.turns.push_back(key);
        self.waiting += 1;
        Enqueued::Waits(dropped)
    }

    /// Makes room for an event that may be one too many. Returns the event, and the event that was
    /// removed for it, if any. If no room can be made, returns the lost event as an error: the new
    /// event, or the waiting event that it replaced.
    #[cold]
    fn make_room<E: Send + 'static>(
        &mut self,
        key: MailboxKey,
        event: E,
        is_latest: bool,
    ) -> Result<(E, Option<Discarded>), E> {
        let Some(mailbox) = self.mailboxes.get_mut(key) else { return Ok((event, None)) };
        if is_latest || matches!(self.limit, Some((_, Overflow::Latest))) {
            if let Some(standing) = mailbox.events().back_mut() {
                self.lost += 1;
                return Err(std::mem::replace(standing, event));
            }
        }
        let mut dropped = None;
        if let Some((capacity, overflow)) = self.limit {
            match overflow {
                Overflow::DropNewest if self.waiting >= capacity => {
                    self.lost += 1;
                    return Err(event);
                }
                Overflow::DropNewest => (),
                Overflow::DropOldest | Overflow::Latest => {
                    // Removing one event makes room for one. (Turns of ended connections free
                    // nothing.)
                    while self.waiting >= capacity && dropped.is_none() {
                        dropped = self.drop_oldest();
                    }
                }
            }
        }
        Ok((event, dropped))
    }

    /// Sets the limit, and removes the events that no longer fit.
    pub(super) fn bound(&mut self, capacity: usize, overflow: Overflow) -> Vec<Discarded> {
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

    /// Keeps only the newest event of each connection, which gets the turn of the oldest.
    fn keep_latest(&mut self, dropped: &mut Vec<Discarded>) {
        for (key, mailbox) in &mut self.mailboxes {
            if !self.singles.contains_key(key) {
                self.singles.insert(key, Box::default());
            }
            if let Some(inbox) = &mut mailbox.inbox {
                let (count, older) = inbox.take_older();
                dropped.push(older);
                self.waiting -= count;
                self.lost += count as u64;
            }
        }
        let mut kept = SecondaryMap::new();
        self.keep_turns(|key| kept.insert(key, ()).is_none());
    }

    fn drop_oldest(&mut self) -> Option<Discarded> {
        let oldest = self.turns.pop_front().expect("every event that waits has a turn");
        self.in_run = self.in_run.saturating_sub(1);
        let inbox = self.mailboxes.get_mut(oldest)?.inbox.as_mut()?;
        if let Some(single) = self.singles.get_mut(oldest) {
            if !single.ends_turn() {
                return None;
            }
            single.in_flush = single.in_flush.saturating_sub(1);
        }
        let dropped = inbox.take_oldest()?;
        self.waiting -= 1;
        self.lost += 1;
        Some(dropped)
    }

    /// Must be called outside of a run.
    fn drop_newest(&mut self) -> Option<Discarded> {
        let newest = self.turns.pop_back().expect("every event that waits has a turn");
        let inbox = self.mailboxes.get_mut(newest)?.inbox.as_mut()?;
        let Some(dropped) = inbox.take_newest() else {
            // The first turns are those without an event.
            self.singles[newest].void_turns -= 1;
            return None;
        };
        self.waiting -= 1;
        self.lost += 1;
        Some(dropped)
    }
}

/// Running.
impl<H: QueueFlavor> QueueState<H> {
    /// Begins a run. It answers all calls of `wake` so far, and takes the turns that exist now.
    pub(super) fn begin(&mut self, batch: &mut RunBatch<H>, limit: RunLimit, clock: &mut RunClock) {
        self.is_woken = false;
        self.in_run = self.turns.len();
        batch.has_closed = self.timers.is_empty();
        batch.flushes = None;
        if limit.is_reached(0) {
            batch.is_last = true;
        } else {
            self.take(batch, limit.events, clock);
        }
    }

    /// As `begin`, for a queue with one waiting event and no bound, window or `latest` slot. Takes
    /// the handler with the event. A batch would be more work than the event itself.
    #[inline(always)]
    pub(super) fn begin_with_one(
        &mut self,
        limit: RunLimit,
    ) -> Option<(MailboxKey, Box<dyn AnyHandler<H>>)> {
        let is_plain = self.singles.is_empty() && self.limit.is_none();
        let is_meant = limit.events > 0 && limit.deadline.is_none();
        if self.turns.len() != 1 || !is_plain || !is_meant {
            return None;
        }
        let key = *self.turns.front()?;
        // Otherwise its connection has ended.
        let mailbox = self.mailboxes.get_mut(key)?;
        let mut handler = mailbox.take_handler(0);
        handler.take(&mut **mailbox.inbox.as_mut()?, 1);
        self.turns.clear();
        self.is_woken = false;
        self.waiting -= 1;
        Some((key, handler))
    }

    /// Takes the next batch: first the windows that are due, then the events, and last the windows
    /// that these events have opened with a wait of zero.
    pub(super) fn take(&mut self, batch: &mut RunBatch<H>, most: usize, clock: &mut RunClock) {
        if let Some(key) = batch.flushes {
            return self.take_flushed(key, batch, clock);
        }
        if !batch.has_closed {
            self.take_due(batch, clock);
            batch.has_closed = batch.handlers.is_empty();
        }
        if batch.has_closed {
            self.take_events(batch, most.min(LARGEST_BATCH), clock);
        }
        if batch.handlers.is_empty() {
            self.take_due(batch, clock);
        }
        batch.is_last = batch.handlers.is_empty() || (self.in_run == 0 && self.timers.is_empty());
    }

    fn take_events(&mut self, batch: &mut RunBatch<H>, most: usize, clock: &mut RunClock) {
        let mut last = None;
        while self.in_run > 0 && batch.order.len() < most {
            let key = *self.turns.front().expect("a run's turns are among all turns");
            let single = match last {
                Some((former, _)) if former == key => None,
                _ => self.singles.get_mut(key),
            };
            if let Some(single) = single {
                if !batch.handlers.is_empty() {
                    break;
                }
                self.turns.pop_front();
                self.in_run -= 1;
                // Otherwise the event was flushed or canceled.
                if single.ends_turn() {
                    self.waiting -= 1;
                    self.take_single(key, batch, |handler, inbox| handler.take_one(inbox, clock));
                    batch.is_held_back = batch.order.is_empty();
                    return;
                }
                continue;
            }
            self.turns.pop_front();
            self.in_run -= 1;
            let at = match last {
                Some((former, at)) if former == key => at,
                _ => {
                    // Otherwise its connection has ended.
                    let Some(mailbox) = self.mailboxes.get_mut(key) else { continue };
                    match mailbox.handler {
                        HandlerPlace::InRun(at) => at,
                        HandlerPlace::Here(_) => batch.add(key, mailbox),
                    }
                }
            };
            self.waiting -= 1;
            batch.handlers[at as usize].count += 1;
            batch.order.push(at);
            last = Some((key, at));
        }
        for TakenHandler { key, handler, count } in &mut batch.handlers {
            if let Some(inbox) = &mut self.mailboxes[*key].inbox {
                handler.take(&mut **inbox, *count);
            }
        }
    }

    /// Takes the first window that is due.
    fn take_due(&mut self, batch: &mut RunBatch<H>, clock: &mut RunClock) {
        let Some((due, key)) = self.timers.next() else { return };
        let now = clock.now();
        if due <= now {
            self.take_single(key, batch, |handler, inbox| handler.close_window(inbox, now));
        }
    }

    /// Takes one connection's handler and event, as a batch of its own. No user code runs between
    /// this and the call, so such a batch is never given back.
    fn take_single(
        &mut self,
        key: MailboxKey,
        batch: &mut RunBatch<H>,
        take: impl FnOnce(&mut dyn AnyHandler<H>, &mut dyn AnyInbox),
    ) {
        let mailbox = &mut self.mailboxes[key];
        let at = batch.add(key, mailbox);
        batch.is_single = true;
        let handler = &mut *batch.handlers[at as usize].handler;
        let due = mailbox.inbox.as_mut().and_then(|inbox| {
            take(handler, &mut **inbox);
            inbox.due()
        });
        batch.order.extend((0..handler.count()).map(|_| at));
        self.set_timer(key, due);
    }

    /// Events of ended connections go to `dropped`, which must be dropped after the lock is
    /// released.
    pub(super) fn give_back(&mut self, batch: &mut RunBatch<H>, dropped: &mut Vec<Discarded>) {
        let is_done = batch.delivered == batch.order.len();
        for at in batch.order[batch.delivered..].iter().rev() {
            self.turns.push_front(batch.handlers[*at as usize].key);
            self.in_run += 1;
        }
        batch.order.clear();
        batch.delivered = 0;
        batch.is_single = false;
        for TakenHandler { key, mut handler, .. } in batch.handlers.drain(..) {
            if !is_done {
                let inbox = self.mailboxes.get_mut(key).and_then(|it| it.inbox.as_mut());
                self.waiting += inbox.map_or(0, |inbox| handler.give_back(&mut **inbox));
            }
            self.put_back(key, handler, dropped);
        }
    }

    #[inline(always)]
    pub(super) fn put_back(
        &mut self,
        key: MailboxKey,
        mut handler: Box<dyn AnyHandler<H>>,
        dropped: &mut Vec<Discarded>,
    ) {
        match self.mailboxes.get_mut(key) {
            Some(mailbox) => mailbox.handler = HandlerPlace::Here(handler),
            None if H::IS_THREAD_BOUND => {
                dropped.push(handler.take_all());
                self.ended.push(handler);
            }
            None => dropped.push(Box::new(handler)),
        }
    }

    /// Ends the run. Returns how many lost events no run has reported.
    #[inline]
    pub(super) fn end_run(&mut self) -> u64 {
        self.in_run = 0;
        self.running = 0;
        self.lost - self.lost_reported
    }

    /// How many events and due windows a run has left.
    #[inline]
    pub(super) fn left(&mut self, clock: &mut RunClock) -> usize {
        let due = if self.timers.is_empty() { 0 } else { self.timers.due(clock.now()) };
        self.waiting + due
    }
}

/// Flushing and canceling.
impl<H: QueueFlavor> QueueState<H> {
    /// The mailbox key of this connection, if it is debounced or throttled in this queue.
    fn paced(&self, connection: &Connection<Shared>) -> Option<MailboxKey> {
        self.paced.get(&connection.identity()).copied()
    }

    /// Takes out all events of a debounced or throttled connection, and returns how many they are.
    pub(super) fn cancel(&mut self, connection: &Connection<Shared>) -> Option<(usize, Discarded)> {
        let key = self.paced(connection)?;
        let inbox = self.mailboxes.get_mut(key)?.inbox.as_mut()?;
        let waited = inbox.len();
        let (events, was_held) = inbox.take_all();
        // Their turns stay.
        if let Some(single) = self.singles.get_mut(key) {
            single.void_turns += waited;
            single.in_flush = 0;
        }
        self.waiting -= waited;
        self.sweep();
        self.set_timer(key, None);
        Some((waited + usize::from(was_held), events))
    }

    /// Begins to take all events of one debounced or throttled connection, one after the other.
    pub(super) fn begin_flush(
        &mut self,
        connection: &Connection<Shared>,
        batch: &mut RunBatch<H>,
        clock: &mut RunClock,
    ) {
        let Some(key) = self.paced(connection) else {
            batch.is_last = true;
            return;
        };
        self.singles[key].in_flush = self.mailboxes[key].waiting();
        batch.has_closed = false;
        batch.flushes = Some(key);
        self.take(batch, usize::MAX, clock);
    }

    /// Closes the window if it has run out. Then takes one event at a time, which the handler may
    /// cancel, and closes the window last. Events that it does not reach keep their turns.
    #[cold]
    #[inline(never)]
    fn take_flushed(&mut self, key: MailboxKey, batch: &mut RunBatch<H>, clock: &mut RunClock) {
        let Some(single) = self.singles.get_mut(key) else {
            batch.is_last = true;
            return;
        };
        let now = clock.now();
        let has_run_out = single.timer.is_some_and(|due| due <= now);
        let closes_first = !std::mem::replace(&mut batch.has_closed, true) && has_run_out;
        batch.is_last = !closes_first && single.in_flush == 0;
        if closes_first || batch.is_last {
            return self.take_single(key, batch, |handler, inbox| handler.close_window(inbox, now));
        }
        single.in_flush -= 1;
        single.void_turns += 1;
        self.waiting -= 1;
        self.sweep();
        self.take_single(key, batch, |handler, inbox| handler.take_one(inbox, clock));
    }
}
