use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::{Context, Poll};
use futures_core::Stream;
use futures_core::stream::FusedStream;

use super::channel::{Channel, Feed};
use crate::overflow::{Lagged, WhenFull};
use crate::raw::Flavor;
use crate::slots::{Connection, ScopedConnection};

/// A [`Stream`] of the events of a signal.
///
/// Generic over the flavor. Its everyday names are [`EventStream`](crate::EventStream) and
/// [`local::EventStream`](crate::local::EventStream).
///
/// Returned by [`Source::stream`](crate::Source::stream). An item is either an event, or
/// `Err(`[`Lagged`]`(n))` where `n` events are missing. The stream continues after an `Err`. With
/// [`Overflow::Latest`](crate::Overflow::Latest) it has no `Err` items, because newer events are
/// meant to replace older ones. [`missed`](Self::missed) counts all missing events in both cases.
///
/// The stream ends when its signal is dropped or its slot is disconnected, after the events that
/// were emitted before. Dropping the stream disconnects its slot.
///
/// # When something panics
/// The stream stays usable, every lost event is reported, and all other tasks are still woken.
///
/// | what panics | where the panic goes | what happens |
/// |---|---|---|
/// | the clone of an event | to the emission | The stream does not get the event. |
/// | the drop of an event for which there was no room | to the emission | The event is already counted as lost. |
/// | the consumer's waker, when it is woken | to the emission, or to the code that disconnected the slot | The stream gets the event. The waker is woken once more at once, and again by the next event. |
/// | the consumer's waker, when it is cloned or dropped | to the poll of the stream | No event is taken. |
/// | the waker of an emission that waits for room, when it is woken | to the poll or drop of the stream | The waker is woken once more at once. The event that was just taken is reported as lost. |
/// | the waker of such an emission, when it is cloned or dropped | to the poll of the emission | If its event still waits for room, the event is taken back and reported as lost. Otherwise the stream gets it. |
/// | the drop of an event that the stream still holds when it is dropped | to the code that drops the stream | The slot is disconnected, and emissions that wait for room are woken. |
///
/// # Cost
/// Taking an item takes a lock for a moment. The lock belongs to this stream, and is shared only
/// with the threads that emit to it. If emissions wait for room, the time under the lock grows with
/// the logarithm of their number. An emission that was dropped while it waited costs nothing.
#[must_use = "dropping it disconnects at once; take the events out of it"]
pub struct EventStream<T, F: Flavor> {
    // Declared first, so that the slot is disconnected before the channel is dropped.
    connection: ScopedConnection<F>,
    pub(super) channel: F::Strong<Channel<T, F>>,
}

impl<T, F: Flavor> EventStream<T, F> {
    /// `connect` connects a slot that sends events into the feed, and drops the feed when the slot
    /// is dropped.
    #[track_caller]
    pub(crate) fn new(
        capacity: usize,
        when_full: WhenFull,
        connect: impl FnOnce(Feed<T, F>) -> ScopedConnection<F>,
    ) -> Self {
        assert!(
            capacity > 0,
            "a stream with room for 0 events would lose all of them: its capacity must be 1 or more"
        );
        let channel = F::strong(Channel::new(capacity, when_full));
        let connection = connect(Feed::first(channel.clone()));
        EventStream { connection, channel }
    }

    /// Waits for the next item. The output is `None` if the stream has ended.
    ///
    /// It is the same as `next` of `futures::StreamExt`, but needs no other crate. Dropping the
    /// future loses no event.
    #[allow(clippy::should_implement_trait, reason = "it is the asynchronous `next` of a stream")]
    pub fn next(&mut self) -> impl Future<Output = Option<Result<T, Lagged>>> + Unpin {
        poll_fn(|context| self.channel.poll(context))
    }

    /// How many events were dropped or replaced so far because there was no room.
    pub fn missed(&self) -> u64 {
        self.channel.missed()
    }

    /// The connection of its slot, for instance to block or disconnect it.
    ///
    /// After a disconnect, the stream still yields the events that were emitted before.
    pub fn connection(&self) -> &Connection<F> {
        &self.connection
    }
}

impl<T, F: Flavor> Stream for EventStream<T, F> {
    type Item = Result<T, Lagged>;

    #[inline]
    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<T, Lagged>>> {
        self.channel.poll(context)
    }
}

impl<T, F: Flavor> FusedStream for EventStream<T, F> {
    fn is_terminated(&self) -> bool {
        self.channel.is_terminated()
    }
}

/// Closes the channel before the slot is disconnected, because a disconnect would wake the
/// consumer, which no longer waits.
impl<T, F: Flavor> Drop for EventStream<T, F> {
    fn drop(&mut self) {
        self.channel.close();
    }
}

impl<T, F: Flavor> fmt::Debug for EventStream<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut f = f.debug_struct("EventStream");
        f.field("connection", self.connection());
        if let Some(status) = self.channel.try_status() {
            status.add_fields(&mut f);
        }
        f.finish()
    }
}
