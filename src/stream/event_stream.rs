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

/// The events of a signal, one after the other, as a [`Stream`]. Made by
/// [`Source::stream`](crate::Source::stream).
///
/// Generic over the flavor. Its everyday names are [`EventStream`](crate::EventStream) and
/// [`local::EventStream`](crate::local::EventStream).
///
/// Each item is an event, or says at the place where events are missing how many those are:
/// `Err(`[`Lagged`]`)`. The stream goes on after that. With [`Overflow::Latest`](crate::Overflow::Latest) there is no such item:
/// that newer events replace older ones is what was asked for. [`missed`](Self::missed) counts both.
///
/// It ends when its signal is dropped or the slot disconnected, after the events that came before.
/// Dropping it disconnects.
///
/// # When something panics
/// The stream stays usable, no event is lost without a word, and nobody else is left waiting.
///
/// | what panics | who gets the panic | what becomes of it |
/// |---|---|---|
/// | the event, as it is cloned | the emission | the event does not come |
/// | the event, as it is dropped because there was no room | the emission | it counts as lost already |
/// | the consumer's waker, as it is woken | the emission, or who ended the slot | the event has come. The waker is woken a second time at once, and again by the next event |
/// | the same, as it is cloned or dropped | who polls the stream | nothing is taken |
/// | the waker of an emission that waits for room, as it is woken | who polls or drops the stream | it is woken a second time at once. The event that was taken is reported as lost |
/// | the same, as it is cloned or dropped | who polls the emission | its event is taken back and reported as lost, or has come |
/// | events, as they are dropped with the stream | who drops that | it is disconnected, and who waited for room is woken |
///
/// # Cost
/// Taking an item takes a lock for a moment, which is shared with the emitting threads and with no
/// other stream. Where emissions wait for room, that moment grows with the logarithm of their number; those that
/// were dropped cost nothing any more.
#[must_use = "dropping it disconnects at once; take the events out of it"]
pub struct EventStream<T, F: Flavor> {
    // First, so that what comes no more is not waited for.
    connection: ScopedConnection<F>,
    pub(super) channel: F::Strong<Channel<T, F>>,
}

impl<T, F: Flavor> EventStream<T, F> {
    /// `connect` makes the slot, which is to put events into the feed, and to drop it at its end.
    #[track_caller]
    pub(crate) fn new(
        capacity: usize,
        when_full: WhenFull,
        connect: impl FnOnce(Feed<T, F>) -> ScopedConnection<F>,
    ) -> Self {
        assert!(
            capacity > 0,
            "a stream with room for 0 events would lose every one; give it room for 1 or more"
        );
        let channel = F::strong(Channel::new(capacity, when_full));
        let connection = connect(Feed::first(channel.clone()));
        EventStream { connection, channel }
    }

    /// The next item; `None` at the end. The same as `next` of `futures::StreamExt`, for those who
    /// use no such crate. Dropping the future loses nothing.
    #[allow(clippy::should_implement_trait, reason = "it is that of `Stream`")]
    pub fn next(&mut self) -> impl Future<Output = Option<Result<T, Lagged>>> + Unpin {
        poll_fn(|context| self.channel.poll(context))
    }

    /// How many events were dropped or replaced so far because there was no room for them.
    pub fn missed(&self) -> u64 {
        self.channel.missed()
    }

    /// The connection of its slot, to block it or to end it. (After its end the stream still gives
    /// the events that came before.)
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
        self.channel.is_over()
    }
}

/// Before it is disconnected: the end of the slot would wake who waits for events, and nobody does any
/// more.
impl<T, F: Flavor> Drop for EventStream<T, F> {
    fn drop(&mut self) {
        self.channel.close();
    }
}

impl<T, F: Flavor> fmt::Debug for EventStream<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut f = f.debug_struct("EventStream");
        f.field("connection", self.connection());
        if let Some(look) = self.channel.try_look() {
            look.tell(&mut f);
        }
        f.finish()
    }
}
