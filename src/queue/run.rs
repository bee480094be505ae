//! One run: takes events out of the post, a batch at a time, and calls the handlers.

use core::ops::DerefMut;
use std::time::Instant;

use super::Queue;
use super::first_panic::FirstPanic;
use super::flavor::{Place, QueueFlavor};
use super::line::{Finished, Line};
use super::post::{Lies, Post, State};
use crate::raw::Shared;
use crate::raw::{CellOwner, SplitOwner, SplitToken};
use crate::slots::Connection;

/// What a run of a queue did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RunReport {
    /// How many handlers were called.
    pub called: usize,
    /// How many events were lost since the run before, because the queue had no room for them. Always 0
    /// unless the queue is [bounded](crate::generic::Queue::bounded) or a slot is
    /// [`latest`](crate::generic::QueuedSlot::latest).
    pub lost: u64,
    /// How many events wait now: left by this run, or emitted since it began. A window that is due, and
    /// that this run did not come to, counts as one.
    pub left: usize,
}

/// The most events that a run takes at once.
const LARGEST_BATCH: usize = 128;

/// How far a run goes.
#[derive(Clone, Copy)]
pub(super) struct Until {
    pub(super) events: usize,
    pub(super) deadline: Option<Instant>,
}

impl Until {
    pub(super) const ALL: Until = Until { events: usize::MAX, deadline: None };

    fn is_reached(&self, events: usize) -> bool {
        events >= self.events || self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }
}

/// The time of a run, looked up when it is first asked for.
pub(super) struct Clock(Option<Instant>);

impl Clock {
    pub(super) fn now(&mut self) -> Instant {
        *self.0.get_or_insert_with(Instant::now)
    }
}

/// Events that a run has taken at once.
pub(super) struct Batch<H: QueueFlavor> {
    lines: Vec<Taken<H>>,
    /// Whose event is next, as indices into `lines`.
    order: Vec<u32>,
    /// How many of those were delivered.
    delivered: usize,
    /// An event was taken that its debounce or throttle holds back or passes over.
    is_held_back: bool,
    /// The windows that were due when the run began are closed, and events have their turn.
    has_closed: bool,
    /// Only this connection's are taken.
    flushes: Option<Place>,
    /// Nothing is left for a batch after this one.
    is_last: bool,
}

struct Taken<H: QueueFlavor> {
    place: Place,
    line: SplitOwner<dyn Line<H>>,
    /// How many of its events are in the batch: 0 if it was taken alone.
    count: usize,
}

impl<H: QueueFlavor> Default for Batch<H> {
    fn default() -> Self {
        Batch {
            lines: Vec::new(),
            order: Vec::new(),
            delivered: 0,
            is_held_back: false,
            has_closed: false,
            flushes: None,
            is_last: false,
        }
    }
}

pub(super) struct Run<'a, H: QueueFlavor> {
    post: &'a Post<H>,
    methods: &'a H::Methods,
    clock: Clock,
    batch: Box<Batch<H>>,
    events: usize,
    called: usize,
}

impl<'a, H: QueueFlavor> Run<'a, H> {
    /// Takes what the run begins with.
    #[inline(always)]
    pub(super) fn enter(
        queue: &'a Queue<H>,
        mut state: impl DerefMut<Target = State<H>>,
        now: Option<Instant>,
        take: impl FnOnce(&mut State<H>, &mut Batch<H>, &mut Clock),
    ) -> Self {
        let (mut batch, mut clock) = (state.batch.take().unwrap_or_default(), Clock(now));
        take(&mut state, &mut batch, &mut clock);
        drop(state);
        let (post, methods) = (&*queue.post, &queue.methods);
        Run { post, methods, clock, batch, events: 0, called: 0 }
    }

    /// Does `work`, which calls handlers, and ends the run. When a handler panics, so does this, after
    /// that.
    ///
    /// What was lost is told once, by a run that `tells`.
    #[inline(always)]
    pub(super) fn finish(mut self, tells: bool, work: impl FnOnce(&mut Self)) -> RunReport {
        let first = FirstPanic::default();
        first.catch(|| work(&mut self));
        let ran = self.leave(tells, &first);
        first.resume();
        ran
    }

    /// Calls handlers until `until`, or until those are called whose turn it was.
    pub(super) fn go(&mut self, until: Until) {
        loop {
            self.deliver(until);
            if self.batch.is_last || until.is_reached(self.events) {
                return;
            }
            let mut dropped = Vec::new();
            let mut state = self.post.lock();
            state.give_back(&mut self.batch, &mut dropped);
            if !dropped.is_empty() {
                // Nothing is taken yet that a panic would have to give back, or that would not be the
                // latest any more.
                drop(state);
                drop(dropped);
                // That may have taken long.
                if until.is_reached(self.events) {
                    return;
                }
                state = self.post.lock();
            }
            state.take(&mut self.batch, until.events - self.events, &mut self.clock);
            drop(state);
        }
    }

    /// Calls the handlers with what was taken, in order.
    fn deliver(&mut self, until: Until) {
        self.events += usize::from(std::mem::take(&mut self.batch.is_held_back));
        let Batch { lines, order, delivered, .. } = &mut *self.batch;
        if let [Taken { line, count: 0, .. }] = &mut lines[..] {
            let (line, right) = line.parts();
            line.look_after(right, self.methods);
        }
        // The first in any case: the time was looked at before it was taken, and nobody's code ran since.
        while let Some(at) = order.get(*delivered) {
            if *delivered > 0 && until.deadline.is_some() && until.is_reached(self.events) {
                return;
            }
            *delivered += 1;
            self.events += 1;
            let (line, right) = lines[*at as usize].line.parts();
            if line.deliver(right, self.methods) {
                self.called += 1;
            }
        }
    }

    #[inline(always)]
    fn leave(self, tells: bool, first: &FirstPanic) -> RunReport {
        let Run { post, methods, clock, mut batch, called, .. } = self;
        let give_back = |state: &mut State<H>, dropped: &mut Vec<Box<dyn Send>>| {
            state.give_back(&mut batch, dropped);
            state.batch = Some(batch);
        };
        leave(post, methods, clock, called, tells, first, give_back)
    }
}

/// Wakes the loop if something is left, and lets go of what has ended.
#[inline(always)]
fn leave<H: QueueFlavor>(
    post: &Post<H>,
    methods: &H::Methods,
    mut clock: Clock,
    called: usize,
    tells: bool,
    first: &FirstPanic,
    give_back: impl FnOnce(&mut State<H>, &mut Vec<Box<dyn Send>>),
) -> RunReport {
    let mut dropped = Vec::new();
    let mut state = post.lock();
    give_back(&mut state, &mut dropped);
    state.in_run = 0;
    state.running = 0;
    let lost = state.lost - state.lost_told;
    if tells && first.is_none() {
        state.lost_told = state.lost;
    }
    let mut left = state.waiting;
    if !state.timers.is_empty() {
        left += state.due(&mut clock);
    }
    let ran = RunReport { called, lost, left };
    let alarm = if left > 0 { state.alarm() } else { None };
    let lets_go = H::LETS_GO && !state.ended.is_empty();
    drop(state);
    if alarm.is_none() && dropped.is_empty() && !lets_go {
        return ran;
    }
    let is_told = tells && first.is_none();
    if let Some(alarm) = alarm {
        first.catch(|| post.ring(alarm));
    }
    if !dropped.is_empty() {
        first.catch(|| drop(dropped));
    }
    if lets_go {
        first.catch(|| post.let_go(methods));
    }
    if is_told && !first.is_none() {
        // Nobody will see what this run returns.
        post.lock().lost_told -= lost;
    }
    ran
}

/// Takes the queue for a run on this thread.
///
/// # Panics
/// When the queue is being run.
#[inline(always)]
#[track_caller]
pub(super) fn take_queue<H: QueueFlavor>(queue: &Queue<H>) -> impl DerefMut<Target = State<H>> {
    let here = crate::base::this_thread();
    let mut state = queue.post.lock();
    if state.running != 0 {
        let is_here = state.running == here;
        drop(state);
        already_running(is_here);
    }
    state.running = here;
    state
}

/// A run of the one event that waits, whose line was taken: what there is for several would be more work than
/// the event itself.
#[inline(always)]
pub(super) fn run_one<H: QueueFlavor>(
    queue: &Queue<H>,
    now: Option<Instant>,
    (place, mut line): (Place, SplitOwner<dyn Line<H>>),
) -> RunReport {
    let (post, methods) = (&*queue.post, &queue.methods);
    let (first, mut called) = (FirstPanic::default(), false);
    first.catch(|| {
        let (line, right) = line.parts();
        called = line.deliver(right, methods);
    });
    // It has nothing to give back but itself.
    let give_back = |state: &mut State<H>, dropped: &mut Vec<Box<dyn Send>>| {
        state.put_back(place, line, dropped);
    };
    let ran = leave(post, methods, Clock(now), usize::from(called), true, &first, give_back);
    first.resume();
    ran
}

impl<H: QueueFlavor> State<H> {
    /// A run is the answer to the wakes until now, and has the turns that there are.
    pub(super) fn begin(&mut self, batch: &mut Batch<H>, until: Until, clock: &mut Clock) {
        self.is_woken = false;
        self.in_run = self.turns.len();
        batch.has_closed = self.timers.is_empty();
        batch.flushes = None;
        if until.is_reached(0) {
            batch.is_last = true;
        } else {
            self.take(batch, until.events, clock);
        }
    }

    /// The same where one event waits, and nothing bounds, holds back or replaces it: takes its line, with it.
    #[inline(always)]
    pub(super) fn begin_with_one(
        &mut self,
        until: Until,
    ) -> Option<(Place, SplitOwner<dyn Line<H>>)> {
        let is_plain = self.alone.is_empty() && self.limit.is_none();
        let is_meant = until.events > 0 && until.deadline.is_none();
        if self.turns.len() != 1 || !is_plain || !is_meant {
            return None;
        }
        let place = *self.turns.front()?;
        // Otherwise its connection has ended.
        let lies = self.lines.get_mut(place)?;
        let Lies::Here(mut line) = std::mem::replace(lies, Lies::InRun(0)) else {
            panic!("no run is under way");
        };
        self.turns.clear();
        self.is_woken = false;
        self.waiting -= 1;
        let (shared, right) = line.parts();
        shared.take(right, &mut self.cell_owner, 1);
        Some((place, line))
    }

    /// Takes what is next: the windows that are due, then the events. Last, the windows that these have
    /// opened for no time at all.
    fn take(&mut self, batch: &mut Batch<H>, most: usize, clock: &mut Clock) {
        if let Some(place) = batch.flushes {
            return self.take_flushed(place, batch, clock);
        }
        if !batch.has_closed {
            self.take_due(batch, clock);
            batch.has_closed = batch.lines.is_empty();
        }
        if batch.has_closed {
            self.take_events(batch, most.min(LARGEST_BATCH), clock);
        }
        if batch.lines.is_empty() {
            self.take_due(batch, clock);
        }
        batch.is_last = batch.lines.is_empty() || (self.in_run == 0 && self.timers.is_empty());
    }

    fn take_events(&mut self, batch: &mut Batch<H>, most: usize, clock: &mut Clock) {
        let mut last = None;
        while self.in_run > 0 && batch.order.len() < most {
            let place = *self.turns.front().expect("a run's turns are among all turns");
            if let Some((former, at)) = last {
                if former == place {
                    self.turns.pop_front();
                    self.in_run -= 1;
                    self.waiting -= 1;
                    batch.lines[at as usize].count += 1;
                    batch.order.push(at);
                    continue;
                }
            }
            let is_alone = !self.alone.is_empty() && self.alone.contains_key(place);
            if is_alone && !batch.lines.is_empty() {
                break;
            }
            self.turns.pop_front();
            self.in_run -= 1;
            if is_alone {
                // Otherwise the event was flushed or cancelled.
                if self.alone[place].ends_turn() {
                    self.waiting -= 1;
                    self.take_from(place, batch, |line, right, cell_owner| {
                        line.take_one(right, cell_owner, clock)
                    });
                    batch.is_held_back = batch.order.is_empty();
                    return;
                }
                continue;
            }
            // Otherwise its connection has ended.
            let Some(lies) = self.lines.get_mut(place) else { continue };
            self.waiting -= 1;
            let at = match lies {
                Lies::InRun(at) => *at,
                Lies::Here(_) => batch.take(place, lies),
            };
            batch.lines[at as usize].count += 1;
            batch.order.push(at);
            last = Some((place, at));
        }
        for Taken { line, count, .. } in &mut batch.lines {
            if *count > 0 {
                let (line, right) = line.parts();
                line.take(right, &mut self.cell_owner, *count);
            }
        }
        if self.limit.is_some() {
            self.in_run_too.extend(batch.lines.iter().map(|taken| taken.line.share()));
        }
    }

    /// Of the windows that are to close, the first.
    fn take_due(&mut self, batch: &mut Batch<H>, clock: &mut Clock) {
        let Some((due, place)) = self.timers.next() else { return };
        let now = clock.now();
        if due <= now {
            self.take_from(place, batch, |line, right, cell_owner| {
                line.close_window(right, cell_owner, now)
            });
        }
    }

    /// How many windows are to close.
    #[cold]
    #[inline(never)]
    fn due(&mut self, clock: &mut Clock) -> usize {
        self.timers.due(clock.now())
    }

    /// All events of a debounced or throttled connection are taken now, and no others.
    pub(super) fn flush(
        &mut self,
        connection: &Connection<Shared>,
        batch: &mut Batch<H>,
        clock: &mut Clock,
    ) {
        let Some(place) = self.paced(connection) else {
            batch.is_last = true;
            return;
        };
        if let Lies::Here(line) = &self.lines[place] {
            self.alone[place].in_flush = line.waiting(&mut self.cell_owner);
        }
        batch.has_closed = false;
        batch.flushes = Some(place);
        self.take(batch, usize::MAX, clock);
    }

    /// Closes the window if it has run out, then takes one event at a time, which the handler may cancel,
    /// and last closes the window. Those that it does not come to keep their turns.
    #[cold]
    #[inline(never)]
    fn take_flushed(&mut self, place: Place, batch: &mut Batch<H>, clock: &mut Clock) {
        let Some(alone) = self.alone.get_mut(place) else {
            batch.is_last = true;
            return;
        };
        let now = clock.now();
        let has_run_out = alone.timer.is_some_and(|due| due <= now);
        let closes_first = !std::mem::replace(&mut batch.has_closed, true) && has_run_out;
        batch.is_last = !closes_first && alone.in_flush == 0;
        if closes_first || batch.is_last {
            return self.take_from(place, batch, |line, right, cell_owner| {
                line.close_window(right, cell_owner, now)
            });
        }
        alone.in_flush -= 1;
        alone.void += 1;
        self.waiting -= 1;
        self.sweep();
        self.take_from(place, batch, |line, right, cell_owner| {
            line.take_one(right, cell_owner, clock)
        });
    }

    /// Takes what one connection has to call its handler with: a batch by itself, which nobody's code runs
    /// before it is delivered. So it is never given back.
    fn take_from(
        &mut self,
        place: Place,
        batch: &mut Batch<H>,
        take: impl FnOnce(&dyn Line<H>, SplitToken<'_>, &mut CellOwner),
    ) {
        let at = batch.take(place, &mut self.lines[place]) as usize;
        let taken = &mut batch.lines[at].line;
        self.in_run_too.push(taken.share());
        let (line, right) = taken.parts();
        take(line, right, &mut self.cell_owner);
        let (line, right) = taken.parts();
        batch.order.extend((0..line.taken_over(right)).map(|_| 0));
        let due = line.due(&mut self.cell_owner);
        self.set_timer(place, due);
    }

    /// What goes to `dropped` is to be dropped under no lock: its connection has ended.
    fn give_back(&mut self, batch: &mut Batch<H>, dropped: &mut Vec<Box<dyn Send>>) {
        let is_done = batch.delivered == batch.order.len();
        if !is_done {
            self.give_turns_back(batch);
        }
        batch.order.clear();
        batch.delivered = 0;
        self.in_run_too.clear();
        batch.lines.reverse();
        while let Some(Taken { place, mut line, .. }) = batch.lines.pop() {
            if !is_done && self.lines.contains_key(place) {
                let (shared, right) = line.parts();
                self.waiting += shared.give_back(right, &mut self.cell_owner);
            }
            self.put_back(place, line, dropped);
        }
    }

    #[inline(always)]
    fn put_back(
        &mut self,
        place: Place,
        mut line: SplitOwner<dyn Line<H>>,
        dropped: &mut Vec<Box<dyn Send>>,
    ) {
        match self.lines.get_mut(place) {
            Some(lies) => *lies = Lies::Here(line),
            None if H::LETS_GO => {
                let (shared, right) = line.parts();
                dropped.extend(shared.spend(right));
                self.ended.push(line);
            }
            None => dropped.push(Box::new(Finished(line))),
        }
    }
}

impl<H: QueueFlavor> State<H> {
    #[cold]
    #[inline(never)]
    fn give_turns_back(&mut self, batch: &Batch<H>) {
        for at in batch.order[batch.delivered..].iter().rev() {
            self.turns.push_front(batch.lines[*at as usize].place);
            self.in_run += 1;
        }
    }
}

impl<H: QueueFlavor> Batch<H> {
    /// Takes what lies in this place, and says where it is now.
    ///
    /// # Panics
    /// When it was taken already.
    fn take(&mut self, place: Place, lies: &mut Lies<H>) -> u32 {
        let at = self.lines.len() as u32;
        let Lies::Here(line) = std::mem::replace(lies, Lies::InRun(at)) else {
            panic!("only one batch is under way");
        };
        self.lines.push(Taken { place, line, count: 0 });
        at
    }
}

#[cold]
#[inline(never)]
#[track_caller]
fn already_running(here: bool) -> ! {
    if here {
        panic!(
            "a queue was run from inside one of its own handlers: let the handler return, \
             and its loop will run what it emitted"
        )
    }
    panic!(
        "a queue was run while another thread runs it: a queue has one loop, let only that run it"
    )
}
