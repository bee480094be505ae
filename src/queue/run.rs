//! One run: takes events out of the post, a stint of one connection at a time, and calls the handlers.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Instant;

use super::Queue;
use super::home::{Home, Place};
use super::line::Course;
use super::post::{Post, State};
use crate::connection::Connection;
use crate::family::Shared;

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
    /// How many events wait now: left by this run, or emitted since it began.
    pub left: usize,
}

/// The most events that a run takes at once. They go to one connection.
const LONGEST_STINT: usize = 64;

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
struct Clock(Option<Instant>);

impl Clock {
    fn now(&mut self) -> Instant {
        *self.0.get_or_insert_with(Instant::now)
    }
}

/// A connection that a run goes on with.
struct Stint<H: Home> {
    place: Place,
    course: Box<dyn Course<H>>,
}

pub(super) struct Run<'a, H: Home> {
    post: &'a Post<H>,
    methods: &'a H::Methods,
    clock: Clock,
    stint: Option<Stint<H>>,
    called: usize,
}

impl<'a, H: Home> Run<'a, H> {
    /// Takes the queue for this thread. A run that `begins` is the answer to the wakes until now, and
    /// has the turns that there are.
    ///
    /// # Panics
    /// When the queue is being run.
    #[track_caller]
    pub(super) fn enter(queue: &'a Queue<H>, now: Option<Instant>, begins: bool) -> Self {
        let here = crate::depth::this_thread();
        let mut state = queue.post.lock();
        if state.running != 0 {
            let is_here = state.running == here;
            drop(state);
            already_running(is_here);
        }
        state.running = here;
        if begins {
            state.is_woken = false;
            state.in_run = state.turns.len();
        }
        let ended = std::mem::take(&mut state.ended);
        drop(state);
        let (post, methods) = (&*queue.post, &queue.methods);
        let run = Run { post, methods, clock: Clock(now), stint: None, called: 0 };
        if ended.is_empty() { run } else { run.guarded(|_| H::let_go(methods, ended)) }
    }

    /// Does what calls user code. If that panics, the run ends and the panic goes on.
    pub(super) fn guarded(mut self, work: impl FnOnce(&mut Self)) -> Self {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| work(&mut self))) {
            self.leave(false);
            resume_unwind(panic);
        }
        self
    }

    /// Calls handlers until `until`, or until those are called whose turn it was.
    pub(super) fn go(&mut self, until: Until) {
        let mut events = 0;
        while !until.is_reached(events) && self.next_stint(until.events - events) {
            events += self.deliver(|delivered| until.is_reached(events + delivered));
        }
    }

    /// Calls the handler with what it has, and says how many events that were.
    fn deliver(&mut self, is_reached: impl Fn(usize) -> bool) -> usize {
        let Some(Stint { place, course }) = &mut self.stint else { return 0 };
        course.clear();
        let mut events = 0;
        while course.has_events() {
            // The first is delivered in any case: the caller has just looked.
            if events > 0 && is_reached(events) {
                break;
            }
            events += 1;
            if course.deliver(self.methods, *place) {
                self.called += 1;
            }
        }
        events
    }

    /// Gives back the stint, and takes the next.
    fn next_stint(&mut self, most: usize) -> bool {
        let mut state = self.post.lock();
        let ended = self.stint.take().and_then(|stint| state.give_back(stint));
        self.stint = state.next_turn(most, &mut self.clock);
        if self.stint.is_none() {
            self.stint = state.next_timer(&mut self.clock);
        }
        drop(state);
        drop(ended);
        self.stint.is_some()
    }

    /// Calls the handler of this connection with what it holds back.
    pub(super) fn flush(&mut self, connection: &Connection<Shared>) {
        let now = self.clock.now();
        self.stint = self.post.lock().flush(connection, now);
        self.deliver(|_| false);
    }

    /// Ends the run. Wakes the loop if events are left. What was lost is told once, if it `tells`.
    pub(super) fn leave(mut self, tells: bool) -> Ran {
        let mut state = self.post.lock();
        let ended = self.stint.take().and_then(|stint| state.give_back(stint));
        state.in_run = 0;
        state.running = 0;
        let lost = state.lost - state.lost_told;
        if tells {
            state.lost_told = state.lost;
        }
        let wakes = state.waiting > 0 && !std::mem::replace(&mut state.is_woken, true);
        let ran = Ran { called: self.called, lost, left: state.waiting };
        drop(state);
        if wakes {
            self.post.wake();
        }
        drop(ended);
        ran
    }
}

impl<H: Home> State<H> {
    fn next_turn(&mut self, most: usize, clock: &mut Clock) -> Option<Stint<H>> {
        while self.in_run > 0 {
            let place = self.turns.pop_front().expect("a run's turns are among all turns");
            self.in_run -= 1;
            // Otherwise its connection has ended.
            let Some(line) = self.lines.get_mut(place) else { continue };
            let mut course = line.course.take().expect("only one stint is under way");
            self.waiting -= 1;
            if line.mail.is_paced() {
                course.take_paced(&mut *line.mail, clock.now());
                self.set_timer(place);
            } else {
                let mut count = 1;
                let most = most.min(LONGEST_STINT);
                while count < most && self.in_run > 0 && self.turns.front() == Some(&place) {
                    self.turns.pop_front();
                    self.in_run -= 1;
                    self.waiting -= 1;
                    count += 1;
                }
                course.take(&mut *line.mail, count);
            }
            return Some(Stint { place, course });
        }
        None
    }

    /// Of the windows that are to close, the first.
    fn next_timer(&mut self, clock: &mut Clock) -> Option<Stint<H>> {
        let &(due, place) = self.timers.first()?;
        (due <= clock.now()).then(|| self.close_window(place, clock.now())).flatten()
    }

    /// Takes all events of a debounced or throttled connection, and closes its window.
    fn flush(&mut self, connection: &Connection<Shared>, now: Instant) -> Option<Stint<H>> {
        let place = self.paced(connection)?;
        let line = self.lines.get_mut(place)?;
        let count = line.mail.len();
        if let Some(course) = &mut line.course {
            (0..count).for_each(|_| course.take_paced(&mut *line.mail, now));
        }
        self.waiting -= count;
        self.sweep(|_, turn| turn != place);
        self.close_window(place, now)
    }

    fn close_window(&mut self, place: Place, now: Instant) -> Option<Stint<H>> {
        let line = self.lines.get_mut(place)?;
        let mut course = line.course.take().expect("only one stint is under way");
        course.close_window(&mut *line.mail, now);
        self.set_timer(place);
        Some(Stint { place, course })
    }

    /// The result is to be dropped under no lock: its connection has ended.
    fn give_back(&mut self, stint: Stint<H>) -> Option<Box<dyn Course<H>>> {
        let Stint { place, mut course } = stint;
        let Some(line) = self.lines.get_mut(place) else { return Some(course) };
        let left = course.give_back(&mut *line.mail);
        line.course = Some(course);
        self.waiting += left;
        self.in_run += left;
        for _ in 0..left {
            self.turns.push_front(place);
        }
        None
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
