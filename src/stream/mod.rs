//! Events as a `Stream`, and waiting for the next one.
//!
//! A slot clones each event into a [`Channel`], from which the stream takes it. The channel is what the slot
//! calls. The stream has the slot's connection, so dropping the stream disconnects; and the slot keeps the
//! channel from its end, as each call does, so the stream learns of the end once no event can come any more.

mod channel;
mod lost;
mod next_event;
mod storable;
mod when_full;

use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::{Context, Poll};
use futures_core::Stream;
use futures_core::stream::FusedStream;

use crate::connection::{Connection, ScopedConnection};
use crate::family::Family;
use crate::options::SlotOptions;
use crate::overflow::Overflow;
use crate::signal::Source;
use channel::Channel;
pub(crate) use channel::{Feed, Sending};
pub use lost::Lost;
pub use next_event::NextEvent;
pub use storable::Storable;
pub use when_full::{Wait, WhenFull};

/// The events of a signal, one after the other, as a [`Stream`]. Made by
/// [`Source::stream`](crate::Source::stream).
///
/// Each item is an event, or says at the place where events are missing how many those are:
/// `Err(`[`Lost`]`)`. The stream goes on after that. With [`Overflow::Latest`] there is no such item:
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
pub struct EventStream<T, F: Family> {
    // First, so that what comes no more is not waited for.
    connection: ScopedConnection<F>,
    channel: F::Strong<Channel<T, F>>,
}

impl<T, F: Family> EventStream<T, F> {
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
    pub fn next(&mut self) -> impl Future<Output = Option<Result<T, Lost>>> + Unpin {
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

impl<T, F: Family> Stream for EventStream<T, F> {
    type Item = Result<T, Lost>;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<T, Lost>>> {
        self.channel.poll(context)
    }
}

impl<T, F: Family> FusedStream for EventStream<T, F> {
    fn is_terminated(&self) -> bool {
        self.channel.is_over()
    }
}

/// Before it is disconnected: the end of the slot would wake who waits for events, and nobody does any
/// more.
impl<T, F: Family> Drop for EventStream<T, F> {
    fn drop(&mut self) {
        self.channel.close();
    }
}

impl<T, F: Family> fmt::Debug for EventStream<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut f = f.debug_struct("EventStream");
        f.field("connection", self.connection());
        if let Some(look) = self.channel.try_look() {
            look.tell(&mut f);
        }
        f.finish()
    }
}

impl<E: ?Sized + Storable<F>, F: Family> Source<E, (), F> {
    /// The events from now on, as a [`Stream`], for tasks of any async runtime.
    ///
    /// Up to `capacity` events wait for the consumer; `overflow` says what happens when more do. Loss
    /// is never silent: see [`EventStream`]. With [`Overflow::Latest`] one event waits, whatever the
    /// capacity.
    ///
    /// ```
    /// use sigwire::{Lost, Overflow, Signal};
    ///
    /// let scored: Signal<u32> = Signal::new();
    /// let mut scores = scored.stream(2, Overflow::DropOldest);
    /// for points in [10, 20, 30] {
    ///     scored.emit(&points);
    /// }
    /// drop(scored);
    ///
    /// let consumer = async move {
    ///     let mut sum = 0;
    ///     while let Some(item) = scores.next().await {
    ///         match item {
    ///             Ok(points) => sum += points,
    ///             Err(Lost(events)) => println!("{events} missing"), // once, for the 10
    ///         }
    ///     }
    ///     sum
    /// };
    /// assert_eq!(futures::executor::block_on(consumer), 50);
    /// ```
    ///
    /// The stream borrows nothing, so it can be given to a task. It has the events in the order in
    /// which emissions come to its slot.
    ///
    /// # Panics
    /// When `capacity` is 0. And see [`connect`](Self::connect).
    ///
    /// # Cost
    /// One allocation; a buffer once a second event has to wait, which grows up to `capacity` events
    /// (no more than 2^32 - 1) and is kept. Each emission clones the event for each stream, also when
    /// there is no room for it, takes the stream's own lock for two moments, and wakes the consumer if it
    /// waits, once for however many events it finds then. It is one moment for numbers, `bool`, `char`, strings,
    /// `Duration` and `Instant`, whose clones are known to call nothing of yours.
    #[track_caller]
    pub fn stream(&self, capacity: usize, overflow: Overflow) -> EventStream<E::Owned, F> {
        self.slot().stream(capacity, overflow)
    }

    /// The next event, as a future: that of the first emission after this call, however much later
    /// the future is awaited. `None` when the signal is dropped before there was one.
    ///
    /// ```
    /// use sigwire::Signal;
    ///
    /// let loaded: Signal<str> = Signal::new();
    /// let next = loaded.next_event();
    /// loaded.emit("level 1"); // before anyone awaits it
    /// loaded.emit("level 2");
    /// assert_eq!(futures::executor::block_on(next).as_deref(), Some("level 1"));
    ///
    /// let next = loaded.next_event();
    /// drop(loaded);
    /// assert_eq!(futures::executor::block_on(next), None);
    /// ```
    ///
    /// Calling it again and again misses what is emitted between one event and the next call: use
    /// [`stream`](Self::stream) for that.
    ///
    /// # Panics
    /// See [`connect`](Self::connect).
    ///
    /// # Cost
    /// One allocation. The emission takes the signal's lock for
    /// a moment.
    pub fn next_event(&self) -> NextEvent<E::Owned, F> {
        self.slot().next_event()
    }
}

impl<E: ?Sized + Storable<F>, F: Family> SlotOptions<'_, E, (), F> {
    /// See [`Source::stream`]. With [`times`](Self::times), the stream ends after that many events.
    ///
    /// [`Source::stream`]: crate::Source::stream
    ///
    /// # Panics
    /// When `capacity` is 0.
    #[track_caller]
    pub fn stream(self, capacity: usize, overflow: Overflow) -> EventStream<E::Owned, F> {
        EventStream::new(capacity, overflow.into(), |feed| E::connect(self, feed))
    }

    /// See [`Source::next_event`]. It is one event, whatever [`times`](Self::times) said.
    ///
    /// [`Source::next_event`]: crate::Source::next_event
    pub fn next_event(self) -> NextEvent<E::Owned, F> {
        NextEvent::new(self.once().stream(1, Overflow::DropNewest))
    }
}
