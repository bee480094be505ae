//! Events of an asynchronous signal as a stream.

use super::{EventStream, NextEvent, StreamEvent};
use crate::async_signal::{AsyncSlotOptions, AsyncSource};
use crate::overflow::{Overflow, WhenFull};
use crate::raw::Flavor;

impl<E: ?Sized + StreamEvent<F>, F: Flavor> AsyncSource<E, (), F> {
    /// The events from now on, as a [`Stream`](futures_core::Stream): see
    /// [`Source::stream`](crate::Source::stream). In place of an [`Overflow`] it also takes
    /// [`Backpressure`](crate::Backpressure): then an emission waits for room, and nothing is lost.
    ///
    /// ```
    /// use sigwire::{AsyncSignal, Backpressure};
    ///
    /// # futures::executor::block_on(async {
    /// let scored: AsyncSignal<u32> = AsyncSignal::new();
    /// let mut scores = scored.stream(2, Backpressure);
    /// assert_eq!(scored.emit(&10).await, 1);
    /// assert_eq!(scored.emit(&20).await, 1);
    /// let third = scored.emit(&30); // is not done before there is room
    /// # let mut third = std::pin::pin!(third);
    /// # assert!(futures::poll!(&mut third).is_pending());
    /// assert_eq!(scores.next().await, Some(Ok(10)));
    /// assert_eq!(third.await, 1);
    /// # });
    /// ```
    ///
    /// # Panics
    /// When `capacity` is 0. And see [`connect`](Self::connect).
    ///
    /// # Cost
    /// As [`Source::stream`](crate::Source::stream). Events of emissions that wait are kept
    /// apart, in blocks of up to 11.
    #[track_caller]
    pub fn stream(
        &self,
        capacity: usize,
        when_full: impl Into<WhenFull>,
    ) -> EventStream<E::Owned, F> {
        self.slot().stream(capacity, when_full)
    }

    /// The next event, as a future: see [`Source::next_event`](crate::Source::next_event).
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let loaded: sigwire::AsyncSignal<str> = sigwire::AsyncSignal::new();
    /// let next = loaded.next_event();
    /// loaded.emit("level 1").await;
    /// assert_eq!(next.await.as_deref(), Some("level 1"));
    /// # });
    /// ```
    ///
    /// # Panics
    /// See [`connect`](Self::connect).
    pub fn next_event(&self) -> NextEvent<E::Owned, F> {
        self.slot().next_event()
    }
}

impl<E: ?Sized + StreamEvent<F>, F: Flavor> AsyncSlotOptions<'_, E, (), F> {
    /// See [`AsyncSource::stream`]. With [`times`](Self::times), the stream ends after that many events.
    ///
    /// # Panics
    /// When `capacity` is 0.
    #[track_caller]
    pub fn stream(
        self,
        capacity: usize,
        when_full: impl Into<WhenFull>,
    ) -> EventStream<E::Owned, F> {
        EventStream::new(capacity, when_full.into(), |feed| E::connect_async(self, feed))
    }

    /// See [`AsyncSource::next_event`]. It is one event, whatever [`times`](Self::times) said.
    pub fn next_event(self) -> NextEvent<E::Owned, F> {
        NextEvent::new(self.once().stream(1, Overflow::DropNewest))
    }
}
