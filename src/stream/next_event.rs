use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use futures_core::future::FusedFuture;

use super::EventStream;
use crate::raw::Flavor;
use crate::slots::Connection;

/// A future for the next event of a signal.
///
/// Generic over the flavor. Its everyday names are [`NextEvent`](crate::NextEvent) and
/// [`local::NextEvent`](crate::local::NextEvent).
///
/// Returned by [`Source::next_event`](crate::Source::next_event). Its output is `None` if the
/// signal is dropped or the slot is disconnected before an event comes.
///
/// Its slot is connected as soon as the future is created, even if it is not awaited yet. The slot
/// is disconnected when an event comes or the future is dropped. The future borrows nothing, so a
/// spawned task can own it. If it is polled again after it was ready, its output is `None`.
///
/// Panics have the same consequences as with an [`EventStream`]. If the clone of its event panics,
/// the output is `None`.
#[must_use = "dropping it disconnects at once; await it"]
pub struct NextEvent<T, F: Flavor> {
    /// Yields at most one event.
    events: EventStream<T, F>,
    is_done: bool,
}

impl<T, F: Flavor> Unpin for NextEvent<T, F> {}

impl<T, F: Flavor> NextEvent<T, F> {
    pub(crate) fn new(events: EventStream<T, F>) -> Self {
        NextEvent { events, is_done: false }
    }

    /// The connection of its slot, for instance to block or disconnect it.
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
