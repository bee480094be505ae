//! The waiting events of one connection. They are protected by the queue's lock.

use core::any::Any;
use std::collections::VecDeque;
use std::time::Instant;

use super::pace::Pace;

/// Events of any type, to be dropped when no lock is held.
pub(super) type Discarded = Box<dyn Send>;

pub(super) struct Inbox<E> {
    /// The oldest first.
    pub(super) events: VecDeque<E>,
    pub(super) pace: Option<Box<Pace<E>>>,
}

impl<E> Inbox<E> {
    pub(super) fn new(pace: Option<Pace<E>>) -> Self {
        Inbox { events: VecDeque::new(), pace: pace.map(Box::new) }
    }
}

/// An [`Inbox`] with its event type erased.
pub(super) trait AnyInbox: Send {
    fn as_any(&mut self) -> &mut dyn Any;
    /// How many events wait.
    fn len(&self) -> usize;
    /// When the window of a debounce or throttle closes.
    fn due(&self) -> Option<Instant>;
    /// Takes out the event that has waited longest.
    fn take_oldest(&mut self) -> Option<Discarded>;
    /// Takes out the event that came last.
    fn take_newest(&mut self) -> Option<Discarded>;
    /// Takes out all events except the last, and returns how many they were.
    fn take_older(&mut self) -> (usize, Discarded);
    /// Takes out all events and shuts the window. Returns whether a debounce or throttle held an
    /// event back.
    fn take_all(&mut self) -> (Discarded, bool);
}

impl<E: Send + 'static> AnyInbox for Inbox<E> {
    #[inline]
    fn as_any(&mut self) -> &mut dyn Any {
        self
    }

    fn len(&self) -> usize {
        self.events.len()
    }

    fn due(&self) -> Option<Instant> {
        self.pace.as_ref()?.due()
    }

    fn take_oldest(&mut self) -> Option<Discarded> {
        Some(Box::new(self.events.pop_front()?))
    }

    fn take_newest(&mut self) -> Option<Discarded> {
        Some(Box::new(self.events.pop_back()?))
    }

    fn take_older(&mut self) -> (usize, Discarded) {
        let newest = self.events.split_off(self.events.len().saturating_sub(1));
        let older = std::mem::replace(&mut self.events, newest);
        (older.len(), Box::new(older))
    }

    fn take_all(&mut self) -> (Discarded, bool) {
        let held = self.pace.as_mut().and_then(|pace| pace.cancel());
        let was_held = held.is_some();
        (Box::new((std::mem::take(&mut self.events), held)), was_held)
    }
}

impl dyn AnyInbox + '_ {
    /// # Panics
    /// If its events have another type.
    #[inline]
    pub(super) fn of<E: 'static>(&mut self) -> &mut Inbox<E> {
        self.as_any().downcast_mut().expect("a connection has one type of event")
    }
}
