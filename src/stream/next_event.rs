use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use futures_core::future::FusedFuture;

use super::EventStream;
use crate::raw::Flavor;
use crate::slots::Connection;

/// The next event of a signal, as a future: `None` when there is none to come, because the signal or
/// the connection ended. Made by [`Source::next_event`](crate::Source::next_event).
///
/// Generic over the flavor. Its everyday names are [`NextEvent`](crate::NextEvent) and
/// [`local::NextEvent`](crate::local::NextEvent).
///
/// It is connected from the moment it is made, awaited or not, until an event came or it is dropped.
/// It borrows nothing, so it can be given to a task. Polled again once it is done, it gives `None`.
///
/// When something panics, it is as with an [`EventStream`]. An event that panics as it is cloned was its one event: it
/// gives `None` then.
#[must_use = "dropping it disconnects at once; await it"]
pub struct NextEvent<T, F: Flavor> {
    /// Of one event at most.
    events: EventStream<T, F>,
    is_done: bool,
}

impl<T, F: Flavor> Unpin for NextEvent<T, F> {}

impl<T, F: Flavor> NextEvent<T, F> {
    pub(crate) fn new(events: EventStream<T, F>) -> Self {
        NextEvent { events, is_done: false }
    }

    /// The connection of its slot, to block it or to end it.
    pub fn connection(&self) -> &Connection<F> {
        self.events.connection()
    }
}

impl<T, F: Flavor> Future for NextEvent<T, F> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let event = ready!(self.events.channel.poll(context));
        self.is_done = true;
        Poll::Ready(event.and_then(Result::ok))
    }
}

impl<T, F: Flavor> FusedFuture for NextEvent<T, F> {
    fn is_terminated(&self) -> bool {
        self.is_done
    }
}

impl<T, F: Flavor> fmt::Debug for NextEvent<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NextEvent").field(self.connection()).finish()
    }
}
