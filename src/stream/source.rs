//! The methods of a source that return streams and futures of events.

use super::{EventStream, NextEvent, StreamEvent};
use crate::overflow::Overflow;
use crate::raw::Flavor;
use crate::signal::{SlotOptions, Source};

impl<E: ?Sized + StreamEvent<F>, F: Flavor> Source<E, (), F> {
    /// Connects a slot, and returns its events as a [`Stream`](futures_core::Stream) for any async
    /// runtime.
    ///
    /// The stream has room for `capacity` events, or for one with [`Overflow::Latest`]. `overflow`
    /// determines what happens to further events. Lost events are always reported: see
    /// [`EventStream`].
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
    ///             Err(Lagged(events)) => println!("{events} lost"), // once, for the 10
    ///         }
    ///     }
    ///     sum
    /// };
    /// assert_eq!(futures::executor::block_on(consumer), 50);
    /// ```
    ///
    /// The stream borrows nothing, so a spawned task can own it. Its events are in the order in
    /// which emissions reach its slot.
    ///
    /// # Panics
    /// If `capacity` is 0, or for the reasons given at [`connect`](Self::connect).
    ///
    /// # Cost
    /// One allocation, and a buffer as soon as two events wait. The buffer grows up to `capacity`
    /// events (at most 2^32 - 1) and is kept.
    ///
    /// For each stream, an emission
    /// - clones the event, even if there is no room for it;
    /// - takes the stream's own lock twice for a moment, or once if the event is a number, a
    ///   `bool`, a `char`, a string, a `Duration` or an `Instant`, whose clone runs none of your
    ///   code;
    /// - wakes the consumer if it waits. The consumer is woken once, even if it then finds several
    ///   events.
    #[track_caller]
    pub fn stream(&self, capacity: usize, overflow: Overflow) -> EventStream<E::Owned, F> {
        self.slot().stream(capacity, overflow)
    }

    /// Connects a slot, and returns its first event as a future.
    ///
    /// That is the event of the first emission after this call, even if the future is awaited much
    /// later. The output is `None` if the signal is dropped before an event comes.
    ///
    /// ```
    /// use sigwire::Signal;
    ///
    /// let loaded: Signal<str> = Signal::new();
    /// let next = loaded.next_event();
    /// loaded.emit("level 1"); // before the future is awaited
    /// loaded.emit("level 2");
    /// assert_eq!(futures::executor::block_on(next).as_deref(), Some("level 1"));
    ///
    /// let next = loaded.next_event();
    /// drop(loaded);
    /// assert_eq!(futures::executor::block_on(next), None);
    /// ```
    ///
    /// Do not use this in a loop: it misses the events that are emitted before the next call. Use
    /// [`stream`](Self::stream) instead.
    ///
    /// # Panics
    /// See [`connect`](Self::connect).
    ///
    /// # Cost
    /// One allocation. The emission takes the signal's lock for a moment.
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
    /// If `capacity` is 0.
    #[track_caller]
    pub fn stream(self, capacity: usize, overflow: Overflow) -> EventStream<E::Owned, F> {
        EventStream::new(capacity, overflow.into(), |feed| E::connect(self, feed))
    }

    /// See [`Source::next_event`]. The option [`times`](Self::times) has no effect.
    ///
    /// [`Source::next_event`]: crate::Source::next_event
    pub fn next_event(self) -> NextEvent<E::Owned, F> {
        NextEvent::new(self.once().stream(1, Overflow::DropNewest))
    }
}
