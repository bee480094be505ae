//! A connection in its queue, in one piece of memory: its *front*, which any thread may look at, its *mail*,
//! events that wait, which is under the queue's lock, and its *course*, events whose turn has come and what
//! is behind the method. The course has one user: a run takes the right to it along while it calls the
//! handler, without the lock.
//!
//! What few connections need, or none before their first event, is made when it is needed.

use core::any::Any;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use super::first_panic::FirstPanic;
use super::flavor::{Place, QueueFlavor};
use super::pace::{Pace, Taken};
use super::post::Post;
use super::run::Clock;
use crate::raw::Shared;
use crate::raw::{CellOwner, OwnedCell, Split, SplitOwner, SplitToken};
use crate::raw::{SlotState, StateCell};
use crate::slots::Connection;

/// What a connection has in its queue.
pub(super) type Whole<E, H> = Split<Front<E, H>, Course<E, H>>;

pub(super) struct Front<E: 'static, H: QueueFlavor> {
    pub(super) post: Arc<Post<H>>,
    pub(super) place: Place,
    pub(super) connection: Connection<Shared>,
    /// What the signal's own entry of the slot says: whether it may be called now, however long ago its
    /// event was emitted.
    pub(super) gate: Arc<StateCell<Shared>>,
    pub(super) mail: OwnedCell<Option<Box<Mail<E>>>>,
    pub(super) face: H::Face<E>,
    /// At most one event waits.
    pub(super) is_latest: bool,
    /// The connection has ended, and nothing comes in. Under the lock.
    pub(super) is_over: AtomicBool,
    /// How many keep the connection.
    pub(super) lasts: AtomicU32,
}

pub(super) struct Mail<E> {
    pub(super) waiting: VecDeque<E>,
    pub(super) pace: Option<Box<Pace<E>>>,
}

impl<E> Default for Mail<E> {
    fn default() -> Self {
        Mail { waiting: VecDeque::new(), pace: None }
    }
}

pub(super) struct Course<E: 'static, H: QueueFlavor> {
    /// None when it was let go.
    pub(super) body: Option<H::Body<E>>,
    pub(super) work: Option<Box<Work<E, H>>>,
}

pub(super) struct Work<E, H: QueueFlavor> {
    ready: VecDeque<E>,
    /// Events that are not to be delivered.
    spent: Vec<E>,
    calls_left: Option<usize>,
    captured: Option<H::Captured>,
}

impl<E, H: QueueFlavor> Default for Work<E, H> {
    fn default() -> Self {
        Work::new(None, None)
    }
}

impl<E, H: QueueFlavor> Work<E, H> {
    pub(super) fn new(calls_left: Option<usize>, captured: Option<H::Captured>) -> Self {
        Work { ready: VecDeque::new(), spent: Vec::new(), calls_left, captured }
    }
}

impl<E, H: QueueFlavor> Front<E, H> {
    #[inline]
    fn is_open(&self) -> bool {
        match self.gate.load(Ordering::Acquire) {
            SlotState::Call => true,
            SlotState::Gone => false,
            SlotState::Ask | SlotState::Incomplete => !self.connection.is_silenced(),
        }
    }

    fn pace<'a>(&'a self, cell_owner: &'a mut CellOwner) -> Option<&'a mut Pace<E>> {
        cell_owner.open(&self.mail).as_mut()?.pace.as_deref_mut()
    }
}

/// A connection in its queue, whatever the type of its events.
///
/// Its mail is there for who has the cell_owner, its course for who has the right to it.
pub(super) trait Line<H: QueueFlavor>: Send + Sync {
    fn connection(&self) -> &Connection<Shared>;
    /// How many events wait.
    fn waiting(&self, cell_owner: &mut CellOwner) -> usize;
    /// When the window closes, of a debounce or throttle.
    fn due(&self, cell_owner: &mut CellOwner) -> Option<Instant>;
    /// Takes out the event that has waited longest.
    fn take_oldest(&self, cell_owner: &mut CellOwner) -> Option<Box<dyn Send>>;
    /// And the one that came last.
    fn take_newest(&self, cell_owner: &mut CellOwner) -> Option<Box<dyn Send>>;
    /// Takes out everything but the event that came last, and says how many they were.
    fn take_older(&self, cell_owner: &mut CellOwner) -> (usize, Box<dyn Send>);
    /// Takes out everything, what a debounce or throttle holds back included, and says whether one was.
    fn take_all(&self, cell_owner: &mut CellOwner) -> (Option<Box<dyn Send>>, bool);
    /// From now on nothing comes in. The result is what waited.
    fn end(&self, cell_owner: &mut CellOwner) -> Option<Box<dyn Send>>;

    /// Takes over the next `count` events, which wait.
    fn take(&self, right: SplitToken<'_>, cell_owner: &mut CellOwner, count: usize);
    /// Takes over the next event, if it is to be delivered now at all. Asks for the time only if that
    /// decides.
    fn take_one(&self, right: SplitToken<'_>, cell_owner: &mut CellOwner, clock: &mut Clock);
    /// Takes over what the window closes with.
    fn close_window(&self, right: SplitToken<'_>, cell_owner: &mut CellOwner, now: Instant);
    /// Gives back what was not delivered, and says how many that is.
    fn give_back(&self, right: SplitToken<'_>, cell_owner: &mut CellOwner) -> usize;
    /// How many events it has taken over.
    fn taken_over(&self, right: SplitToken<'_>) -> usize;
    /// Drops what is not to be delivered, and looks after the owner if nothing is.
    fn look_after(&self, right: SplitToken<'_>, methods: &H::Methods);
    /// Calls the handler with the next event; false if it must not be called.
    fn deliver(&self, right: SplitToken<'_>, methods: &H::Methods) -> bool;
    /// Whether the owner is gone for good, where only the loop's thread can tell.
    fn is_gone(&self, right: SplitToken<'_>, methods: &H::Methods) -> bool;
    /// The connection has ended: takes out the events that were taken over.
    fn spend(&self, right: SplitToken<'_>) -> Option<Box<dyn Send>>;
    /// The same, and drops them and what the method captured, where any thread may.
    fn finish(&self, right: SplitToken<'_>);
    /// Takes out all that is left, on the loop's thread.
    fn let_go(&self, right: SplitToken<'_>, methods: &H::Methods) -> Option<Box<dyn Any>>;
}

/// A connection that has ended, where any thread may drop what is left of it.
pub(super) struct Finished<H: QueueFlavor>(pub(super) SplitOwner<dyn Line<H>>);

impl<H: QueueFlavor> Drop for Finished<H> {
    fn drop(&mut self) {
        let (line, right) = self.0.parts();
        line.finish(right);
    }
}

/// Ends the connection if its owner is gone and emitting threads cannot tell.
#[cold]
#[inline(never)]
fn end_with_owner<E: 'static, H: QueueFlavor>(
    front: &Front<E, H>,
    body: &H::Body<E>,
    methods: &H::Methods,
) {
    if H::is_gone(methods, &front.face, body) {
        front.connection.disconnect();
    }
}

impl<E: Send + 'static, H: QueueFlavor> Line<H> for Whole<E, H> {
    fn connection(&self) -> &Connection<Shared> {
        &self.connection
    }

    fn waiting(&self, cell_owner: &mut CellOwner) -> usize {
        cell_owner.open(&self.mail).as_ref().map_or(0, |mail| mail.waiting.len())
    }

    fn due(&self, cell_owner: &mut CellOwner) -> Option<Instant> {
        self.pace(cell_owner).and_then(|pace| pace.due())
    }

    fn take_oldest(&self, cell_owner: &mut CellOwner) -> Option<Box<dyn Send>> {
        Some(Box::new(cell_owner.open(&self.mail).as_mut()?.waiting.pop_front()?))
    }

    fn take_newest(&self, cell_owner: &mut CellOwner) -> Option<Box<dyn Send>> {
        Some(Box::new(cell_owner.open(&self.mail).as_mut()?.waiting.pop_back()?))
    }

    fn take_older(&self, cell_owner: &mut CellOwner) -> (usize, Box<dyn Send>) {
        let Some(mail) = cell_owner.open(&self.mail) else { return (0, Box::new(())) };
        let newest = mail.waiting.len().saturating_sub(1);
        let newest = mail.waiting.split_off(newest);
        let older = std::mem::replace(&mut mail.waiting, newest);
        (older.len(), Box::new(older))
    }

    fn take_all(&self, cell_owner: &mut CellOwner) -> (Option<Box<dyn Send>>, bool) {
        let Some(mail) = cell_owner.open(&self.mail) else { return (None, false) };
        let held = mail.pace.as_mut().and_then(|pace| pace.cancel());
        let was_held = held.is_some();
        (Some(Box::new((std::mem::take(&mut mail.waiting), held))), was_held)
    }

    fn end(&self, cell_owner: &mut CellOwner) -> Option<Box<dyn Send>> {
        self.is_over.store(true, Ordering::Relaxed);
        // No event is in it any more.
        let (events, _) = self.take_all(cell_owner);
        *cell_owner.open(&self.mail) = None;
        events
    }

    fn take(&self, mut right: SplitToken<'_>, cell_owner: &mut CellOwner, count: usize) {
        let Some(mail) = cell_owner.open(&self.mail) else { return };
        let work = self.own(&mut right).work.get_or_insert_default();
        if count == mail.waiting.len() {
            std::mem::swap(&mut mail.waiting, &mut work.ready);
        } else {
            work.ready.extend(mail.waiting.drain(..count));
        }
    }

    fn take_one(&self, mut right: SplitToken<'_>, cell_owner: &mut CellOwner, clock: &mut Clock) {
        let Some(mail) = cell_owner.open(&self.mail) else { return };
        let Some(event) = mail.waiting.pop_front() else { return };
        let taken = match &mut mail.pace {
            None => Taken::Call(event),
            Some(pace) => pace.take(event, clock.now()),
        };
        let work = self.own(&mut right).work.get_or_insert_default();
        match taken {
            Taken::Call(event) => work.ready.push_back(event),
            Taken::Nothing(dropped) => work.spent.extend(dropped),
        }
    }

    fn close_window(&self, mut right: SplitToken<'_>, cell_owner: &mut CellOwner, now: Instant) {
        let event = self.pace(cell_owner).and_then(|pace| pace.close(now));
        if event.is_some() {
            self.own(&mut right).work.get_or_insert_default().ready.extend(event);
        }
    }

    fn give_back(&self, mut right: SplitToken<'_>, cell_owner: &mut CellOwner) -> usize {
        let Some(work) = &mut self.own(&mut right).work else { return 0 };
        let count = work.ready.len();
        if count > 0 {
            let mail = cell_owner.open(&self.mail).get_or_insert_default();
            while let Some(event) = work.ready.pop_back() {
                mail.waiting.push_front(event);
            }
        }
        count
    }

    fn taken_over(&self, mut right: SplitToken<'_>) -> usize {
        self.own(&mut right).work.as_ref().map_or(0, |work| work.ready.len())
    }

    fn look_after(&self, mut right: SplitToken<'_>, methods: &H::Methods) {
        let Course { body, work } = self.own(&mut right);
        if let Some(work) = work {
            work.spent.clear();
            if !work.ready.is_empty() {
                return;
            }
        }
        if let Some(body) = body {
            end_with_owner(self, body, methods);
        }
    }

    fn deliver(&self, mut right: SplitToken<'_>, methods: &H::Methods) -> bool {
        let Course { body: Some(body), work: Some(work) } = self.own(&mut right) else {
            return false;
        };
        let Some(event) = work.ready.pop_front() else { return false };
        if !self.is_open() {
            end_with_owner(self, body, methods);
            return false;
        }
        let mut is_last = false;
        if let Some(left) = &mut work.calls_left {
            if *left == 0 || !H::is_alive(methods, &self.face, body) {
                end_with_owner(self, body, methods);
                return false;
            }
            *left -= 1;
            is_last = *left == 0;
        }
        if is_last {
            return self.deliver_last(body, methods, &event);
        }
        let was_called = H::call(methods, &self.face, body, &event).is_some();
        if !was_called {
            end_with_owner(self, body, methods);
        }
        was_called
    }

    fn is_gone(&self, mut right: SplitToken<'_>, methods: &H::Methods) -> bool {
        let body = &self.own(&mut right).body;
        body.as_ref().is_some_and(|body| H::is_gone(methods, &self.face, body))
    }

    fn spend(&self, mut right: SplitToken<'_>) -> Option<Box<dyn Send>> {
        let work = self.own(&mut right).work.as_mut()?;
        let (ready, spent) = (std::mem::take(&mut work.ready), std::mem::take(&mut work.spent));
        (!ready.is_empty() || !spent.is_empty()).then(|| Box::new((ready, spent)) as _)
    }

    fn finish(&self, mut right: SplitToken<'_>) {
        let work = self.own(&mut right).work.take();
        drop(work);
    }

    fn let_go(&self, mut right: SplitToken<'_>, methods: &H::Methods) -> Option<Box<dyn Any>> {
        let Course { body, work } = self.own(&mut right);
        let (body, mut work) = (body.take()?, work.take());
        let captured = work.as_mut().and_then(|work| work.captured.take());
        Some(Box::new((work, H::let_go(methods, body, captured))))
    }
}

impl<E: Send + 'static, H: QueueFlavor> Front<E, H> {
    /// What waits for a slot that has no calls left is dropped, and that may panic. It is called all the
    /// same.
    #[cold]
    #[inline(never)]
    fn deliver_last(&self, body: &H::Body<E>, methods: &H::Methods, event: &E) -> bool {
        let first = FirstPanic::default();
        let mut was_called = false;
        first.catch(|| {
            first.catch(|| _ = self.connection.disconnect());
            was_called = H::call(methods, &self.face, body, event).is_some();
        });
        if !was_called {
            end_with_owner(self, body, methods);
        }
        first.resume();
        was_called
    }
}
