//! One run: takes events out of the post, a batch at a time, and calls the handlers.

use std::time::Instant;

use super::Queue;
use super::first_panic::FirstPanic;
use super::home::{Home, Place};
use super::line::Course;
use super::post::{Post, State};
use crate::connection::Connection;
use crate::family::Shared;
use crate::raw::Ward;

/// What a run of a queue did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Ran {
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
pub(super) struct Batch<H: Home> {
    courses: Vec<Taken<H>>,
    /// Whose event is next, as indices into `courses`.
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

struct Taken<H: Home> {
    place: Place,
    course: Box<dyn Course<H>>,
    count: usize,
}

impl<H: Home> Default for Batch<H> {
    fn default() -> Self {
        Batch {
            courses: Vec::new(),
            order: Vec::new(),
            delivered: 0,
            is_held_back: false,
            has_closed: false,
            flushes: None,
            is_last: false,
        }
    }
}

pub(super) struct Run<'a, H: Home> {
    post: &'a Post<H>,
    methods: &'a H::Methods,
    clock: Clock,
    batch: Box<Batch<H>>,
    events: usize,
    called: usize,
}

impl<'a, H: Home> Run<'a, H> {
    /// Takes the queue for this thread, and what the run begins with.
    ///
    /// # Panics
    /// When the queue is being run.
    #[inline(always)]
    #[track_caller]
    pub(super) fn enter(
        queue: &'a Queue<H>,
        now: Option<Instant>,
        take: impl FnOnce(&mut State<H>, &mut Batch<H>, &mut Clock),
    ) -> Self {
        let here = crate::depth::this_thread();
        let mut state = queue.post.lock();
        if state.running != 0 {
            let is_here = state.running == here;
            drop(state);
            already_running(is_here);
        }
        state.running = here;
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
    pub(super) fn finish(mut self, tells: bool, work: impl FnOnce(&mut Self)) -> Ran {
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
        let Batch { courses, order, delivered, .. } = &mut *self.batch;
        if let [Taken { course, .. }] = &mut courses[..] {
            course.look_after(self.methods);
        }
        // The first in any case: the time was looked at before it was taken, and nobody's code ran since.
        while let Some(at) = order.get(*delivered) {
            if *delivered > 0 && until.deadline.is_some() && until.is_reached(self.events) {
                return;
            }
            *delivered += 1;
            self.events += 1;
            if courses[*at as usize].course.deliver(self.methods) {
                self.called += 1;
            }
        }
    }

    /// Wakes the loop if something is left, and lets go of what has ended.
    #[inline(always)]
    fn leave(mut self, tells: bool, first: &FirstPanic) -> Ran {
        let mut dropped = Vec::new();
        let mut state = self.post.lock();
        state.give_back(&mut self.batch, &mut dropped);
        state.batch = Some(self.batch);
        state.in_run = 0;
        state.running = 0;
        let lost = state.lost - state.lost_told;
        if tells && first.is_none() {
            state.lost_told = state.lost;
        }
        let mut left = state.waiting;
        if !state.timers.is_empty() {
            left += state.due(&mut self.clock);
        }
        let ran = Ran { called: self.called, lost, left };
        let alarm = if left > 0 { state.alarm() } else { None };
        let lets_go = H::LETS_GO && !state.ended.is_empty();
        drop(state);
        let is_told = tells && first.is_none();
        if let Some(alarm) = alarm {
            first.catch(|| self.post.ring(alarm));
        }
        if !dropped.is_empty() {
            first.catch(|| drop(dropped));
        }
        if lets_go {
            first.catch(|| self.post.let_go(self.methods));
        }
        if is_told && !first.is_none() {
            // Nobody will see what this run returns.
            self.post.lock().lost_told -= lost;
        }
        ran
    }
}

impl<H: Home> State<H> {
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

    /// Takes what is next: the windows that are due, then the events. Last, the windows that these have
    /// opened for no time at all.
    fn take(&mut self, batch: &mut Batch<H>, most: usize, clock: &mut Clock) {
        if let Some(place) = batch.flushes {
            return self.take_flushed(place, batch, clock);
        }
        if !batch.has_closed {
            self.take_due(batch, clock);
            batch.has_closed = batch.courses.is_empty();
        }
        if batch.has_closed {
            self.take_events(batch, most.min(LARGEST_BATCH), clock);
        }
        if batch.courses.is_empty() {
            self.take_due(batch, clock);
        }
        batch.is_last = batch.courses.is_empty() || (self.in_run == 0 && self.timers.is_empty());
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
                    batch.courses[at as usize].count += 1;
                    batch.order.push(at);
                    continue;
                }
            }
            let line = self.lines.get_mut(place);
            let comes_alone = line.as_ref().is_some_and(|line| line.comes_alone);
            if comes_alone && !batch.courses.is_empty() {
                break;
            }
            self.turns.pop_front();
            self.in_run -= 1;
            // Otherwise its connection has ended, or the event was flushed or cancelled.
            let Some(line) = line else { continue };
            if comes_alone && !line.ends_turn() {
                continue;
            }
            self.waiting -= 1;
            if comes_alone {
                self.take_from(place, batch, |course, ward| course.take_one(ward, clock));
                batch.is_held_back = batch.order.is_empty();
                return;
            }
            if let Some(course) = line.course.take() {
                line.at = batch.courses.len() as u32;
                batch.courses.push(Taken { place, course, count: 0 });
            }
            batch.courses[line.at as usize].count += 1;
            batch.order.push(line.at);
            last = Some((place, line.at));
        }
        for Taken { course, count, .. } in &mut batch.courses {
            if *count > 0 {
                course.take(&mut self.ward, *count);
            }
        }
    }

    /// Of the windows that are to close, the first.
    fn take_due(&mut self, batch: &mut Batch<H>, clock: &mut Clock) {
        let Some((due, place)) = self.timers.next() else { return };
        let now = clock.now();
        if due <= now {
            self.take_from(place, batch, |course, ward| course.close_window(ward, now));
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
        let line = &mut self.lines[place];
        line.in_flush = line.mail.len(&mut self.ward);
        batch.has_closed = false;
        batch.flushes = Some(place);
        self.take(batch, usize::MAX, clock);
    }

    /// Closes the window if it has run out, then takes one event at a time, which the handler may cancel,
    /// and last closes the window. Those that it does not come to keep their turns.
    #[cold]
    #[inline(never)]
    fn take_flushed(&mut self, place: Place, batch: &mut Batch<H>, clock: &mut Clock) {
        let Some(line) = self.lines.get_mut(place) else {
            batch.is_last = true;
            return;
        };
        let now = clock.now();
        let has_run_out = line.timer.is_some_and(|due| due <= now);
        let closes_first = !std::mem::replace(&mut batch.has_closed, true) && has_run_out;
        batch.is_last = !closes_first && line.in_flush == 0;
        if closes_first || batch.is_last {
            return self.take_from(place, batch, |course, ward| course.close_window(ward, now));
        }
        line.in_flush -= 1;
        line.void += 1;
        self.waiting -= 1;
        self.sweep();
        self.take_from(place, batch, |course, ward| course.take_one(ward, clock));
    }

    /// Takes what one connection has to call its handler with: a batch by itself, which nobody's code runs
    /// before it is delivered. So it is never given back.
    fn take_from(
        &mut self,
        place: Place,
        batch: &mut Batch<H>,
        take: impl FnOnce(&mut dyn Course<H>, &mut Ward),
    ) {
        let line = &mut self.lines[place];
        let mut course = line.course.take().expect("only one batch is under way");
        take(&mut *course, &mut self.ward);
        batch.order.extend((0..course.len()).map(|_| 0));
        batch.courses.push(Taken { place, course, count: 0 });
        if line.is_paced {
            self.set_timer(place);
        }
    }

    /// What goes to `dropped` is to be dropped under no lock: its connection has ended.
    fn give_back(&mut self, batch: &mut Batch<H>, dropped: &mut Vec<Box<dyn Send>>) {
        for at in batch.order.drain(..).skip(batch.delivered).rev() {
            self.turns.push_front(batch.courses[at as usize].place);
            self.in_run += 1;
        }
        batch.delivered = 0;
        for Taken { place, mut course, .. } in batch.courses.drain(..) {
            match self.lines.get_mut(place) {
                None => dropped.push(Box::new(course)),
                Some(line) => {
                    self.waiting += course.give_back(&mut self.ward);
                    line.course = Some(course);
                }
            }
        }
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
