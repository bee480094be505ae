//! The methods of an asynchronous source that return streams and futures of events.

use super::{EventStream, NextEvent, StreamEvent};
use crate::async_signal::{AsyncSlotOptions, AsyncSource};
use crate::overflow::{Overflow, WhenFull};
use crate::raw::Flavor;

impl<E: ?Sized + StreamEvent<F>, F: Flavor> AsyncSource<E, (), F> {
    /// Connects a slot, and returns its events as a [`Stream`](futures_core::Stream).
    ///
    /// See [`Source::stream`](crate::Source::stream). `when_full` is an [`Overflow`] or
    /// [`Backpressure`](crate::Backpressure). With `Backpressure` an emission waits for room, and
    /// no event is lost.
    ///
    /// ```
    /// use sigwire::{AsyncSignal, Backpressure};
    ///
    /// # futures::executor::block_on(async {
    /// let scored: AsyncSignal<u32> = AsyncSignal::new();
    /// let mut scores = scored.stream(2, Backpressure);
    /// assert_eq!(scored.emit(&10).await, 1);
    /// assert_eq!(scored.emit(&20).await, 1);
    /// let third = scored.emit(&30); // not ready until there is room
    /// # let mut third = std::pin::pin!(third);
    /// # assert!(futures::poll!(&mut third).is_pending());
    /// assert_eq!(scores.next().await, Some(Ok(10)));
    /// assert_eq!(third.await, 1);
    /// # });
    /// ```
    ///
    /// # Panics
    /// If `capacity` is 0, or for the reasons given at [`connect`](Self::connect).
    ///
    /// # Cost
    /// The same as [`Source::stream`](crate::Source::stream). Events that wait for room are stored
    /// separately, in blocks of up to 11.
    #[track_caller]
    pub fn stream(
        &self,
        capacity: usize,
        when_full: impl Into<WhenFull>,
    ) -> EventStream<E::Owned, F> {
        self.slot().stream(capacity, when_full)
    }

    /// Connects a slot, and returns its first event as a future.
    ///
    /// See [`Source::next_event`](crate::Source::next_event).
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
    /// See [`AsyncSource::stream`]. With [`times`](Self::times), the stream ends after that many
    /// events.
    ///
    /// # Panics
    /// If `capacity` is 0.
    #[track_caller]
    pub fn stream(
        self,
        capacity: usize,
        when_full: impl Into<WhenFull>,
    ) -> EventStream<E::Owned, F> {
        EventStream::new(capacity, when_full.into(), |feed| E::connect_async(self, feed))
    }

    /// See [`AsyncSource::next_event`]. The option [`times`](Self::times) has no effect.
    pub fn next_event(self) -> NextEvent<E::Owned, F> {
        NextEvent::new(self.once().stream(1, Overflow::DropNewest))
    }
}
