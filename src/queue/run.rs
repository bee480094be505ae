//! One run: takes events out of the queue, a batch at a time, and calls the handlers.

use core::ops::DerefMut;
use std::time::Instant;

use super::batch::{RunBatch, RunLimit};
use super::first_panic::FirstPanic;
use super::flavor::QueueFlavor;
use super::inbox::Discarded;
use super::pace::RunClock;
use super::queue_core::QueueCore;
use super::state::QueueState;
use crate::raw::Shared;
use crate::slots::Connection;

/// What a run of a queue did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RunReport {
    /// How many handlers were called.
    pub called: usize,
    /// How many events were lost since the previous run because the queue had no room for them.
    /// Always 0 unless the queue is [bounded](crate::generic::Queue::bounded) or a slot is
    /// [`latest`](crate::generic::QueuedSlot::latest).
    pub lost: u64,
    /// How many events wait now: those that this run left, and those emitted since it began. A
    /// window that is due, but that this run did not reach, counts as one.
    pub left: usize,
}

pub(super) struct QueueRun<'a, H: QueueFlavor> {
    queue: &'a QueueCore<H>,
    loop_side: &'a H::LoopSide,
    clock: RunClock,
    /// How many events the run has taken.
    events: usize,
    called: usize,
    /// Whether this run reports lost events.
    reports: bool,
}

impl<'a, H: QueueFlavor> QueueRun<'a, H> {
    /// A run of all connections.
    #[inline(always)]
    pub(super) fn new(
        queue: &'a QueueCore<H>,
        loop_side: &'a H::LoopSide,
        now: Option<Instant>,
    ) -> Self {
        QueueRun { queue, loop_side, clock: RunClock(now), events: 0, called: 0, reports: true }
    }

    /// Runs the queue.
    ///
    /// # Panics
    /// If the queue is already being run. If a handler panics; the panic continues after the run
    /// has ended.
    #[inline(always)]
    #[track_caller]
    pub(super) fn run(mut self, limit: RunLimit) -> RunReport {
        let mut state = lock_for_run(self.queue);
        if let Some((key, mut handler)) = state.begin_with_one(limit) {
            drop(state);
            let first = FirstPanic::default();
            first.catch(|| self.called = usize::from(handler.call_next(self.loop_side)));
            return self.end(first, |state, dropped| state.put_back(key, handler, dropped));
        }
        let mut batch = state.batch.take().unwrap_or_default();
        state.begin(&mut batch, limit, &mut self.clock);
        drop(state);
        self.call_all(batch, limit)
    }

    /// Runs one debounced or throttled connection, and closes its window.
    ///
    /// # Panics
    /// See `run`.
    #[track_caller]
    pub(super) fn flush(mut self, connection: &Connection<Shared>) -> RunReport {
        let mut state = lock_for_run(self.queue);
        let mut batch = state.batch.take().unwrap_or_default();
        state.begin_flush(connection, &mut batch, &mut self.clock);
        drop(state);
        self.reports = false;
        self.call_all(batch, RunLimit::NONE)
    }

    #[inline(always)]
    fn call_all(mut self, mut batch: Box<RunBatch<H>>, limit: RunLimit) -> RunReport {
        let first = FirstPanic::default();
        first.catch(|| self.call_batches(&mut batch, limit));
        self.end(first, |state, dropped| {
            state.give_back(&mut batch, dropped);
            state.batch = Some(batch);
        })
    }

    /// Calls handlers, one batch after the other.
    fn call_batches(&mut self, batch: &mut RunBatch<H>, limit: RunLimit) {
        loop {
            self.call_batch(batch, limit);
            if batch.is_last || limit.is_reached(self.events) {
                return;
            }
            let mut dropped = Vec::new();
            let mut state = self.queue.lock();
            state.give_back(batch, &mut dropped);
            if !dropped.is_empty() {
                // Drop these now, while no events are taken: a panic would have to give taken
                // events back, and they might be the latest no longer.
                drop(state);
                drop(dropped);
                // Dropping may have taken long.
                if limit.is_reached(self.events) {
                    return;
                }
                state = self.queue.lock();
            }
            state.take(batch, limit.events - self.events, &mut self.clock);
        }
    }

    /// Calls the handlers with the events that were taken, in order.
    fn call_batch(&mut self, batch: &mut RunBatch<H>, limit: RunLimit) {
        self.events += usize::from(std::mem::take(&mut batch.is_held_back));
        if batch.is_single {
            batch.handlers[0].handler.tidy(self.loop_side);
        }
        // The first event needs no check: the time was checked before it was taken, and no user
        // code has run since.
        while let Some(at) = batch.order.get(batch.delivered) {
            if batch.delivered > 0 && limit.deadline.is_some() && limit.is_reached(self.events) {
                return;
            }
            batch.delivered += 1;
            self.events += 1;
            if batch.handlers[*at as usize].handler.call_next(self.loop_side) {
                self.called += 1;
            }
        }
    }

    /// Ends the run: wakes the loop if events are left, and drops what has ended. Then resumes the
    /// first panic, if there was one.
    #[inline(always)]
    fn end(
        mut self,
        first: FirstPanic,
        give_back: impl FnOnce(&mut QueueState<H>, &mut Vec<Discarded>),
    ) -> RunReport {
        let mut dropped = Vec::new();
        let mut state = self.queue.lock();
        give_back(&mut state, &mut dropped);
        let lost = state.end_run();
        let reports = self.reports && first.is_none();
        if reports {
            state.lost_reported = state.lost;
        }
        let left = state.left(&mut self.clock);
        let wake_up = if left > 0 { state.wake_up() } else { None };
        let has_ended = H::IS_THREAD_BOUND && !state.ended.is_empty();
        drop(state);
        if wake_up.is_some() || !dropped.is_empty() || has_ended {
            first.catch(|| self.queue.wake_and_drop(wake_up, dropped));
            if has_ended {
                first.catch(|| self.queue.drop_ended(self.loop_side));
            }
            if reports && !first.is_none() {
                // The panic replaces the report, so the next run must report these lost events.
                self.queue.lock().lost_reported -= lost;
            }
        }
        first.resume();
        RunReport { called: self.called, lost, left }
    }
}

/// Marks the queue as run by this thread.
#[inline(always)]
#[track_caller]
fn lock_for_run<H: QueueFlavor>(queue: &QueueCore<H>) -> impl DerefMut<Target = QueueState<H>> {
    let here = crate::base::this_thread();
    let mut state = queue.lock();
    if state.running != 0 {
        let is_here = state.running == here;
        drop(state);
        already_running(is_here);
    }
    state.running = here;
    state
}

#[cold]
#[inline(never)]
#[track_caller]
fn already_running(here: bool) -> ! {
    if here {
        panic!(
            "a queue was run from inside one of its own handlers: let the handler return; the \
             loop then runs the events that the handler emitted"
        )
    }
    panic!(
        "a queue was run while another thread runs it: only one thread at a time may run a queue"
    )
}
