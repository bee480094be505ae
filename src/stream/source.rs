//! Events of a signal as a stream.

use super::{EventStream, NextEvent, StreamEvent};
use crate::overflow::Overflow;
use crate::raw::Flavor;
use crate::signal::{SlotOptions, Source};

impl<E: ?Sized + StreamEvent<F>, F: Flavor> Source<E, (), F> {
    /// The events from now on, as a [`Stream`](futures_core::Stream), for tasks of any async runtime.
    ///
    /// Up to `capacity` events wait for the consumer; `overflow` says what happens when more do. Loss
    /// is never silent: see [`EventStream`]. With [`Overflow::Latest`] one event waits, whatever the
    /// capacity.
    ///
    /// ```
    /// use sigwire::{Lagged, Overflow, Signal};
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
    ///             Err(Lagged(events)) => println!("{events} missing"), // once, for the 10
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
    /// waits, once for however many events it finds then. It is one moment for numbers, `bool`, `char`,
    /// strings, `Duration` and `Instant`, whose clones are known to call nothing of yours.
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

impl<E: ?Sized + StreamEvent<F>, F: Flavor> SlotOptions<'_, E, (), F> {
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
