//! What happens to an event when a stream or queue is full.

#[cfg(feature = "async")]
mod backpressure;
#[cfg(feature = "async")]
mod lagged;

#[cfg(feature = "async")]
pub use backpressure::{Backpressure, WhenFull};
#[cfg(feature = "async")]
pub use lagged::Lagged;

/// What happens to an event when a stream or a [`Queue`](crate::Queue) is full.
///
/// The receiver learns how many events were lost: from the items of the stream, or from the queue's
/// [`RunReport`](crate::RunReport).
///
/// ```
/// # #[cfg(feature = "async")] {
/// use sigwire::{Lagged, Overflow, Signal};
///
/// let signal: Signal<u32> = Signal::new();
/// let mut oldest = signal.stream(2, Overflow::DropOldest);
/// let mut newest = signal.stream(2, Overflow::DropNewest);
/// let mut latest = signal.stream(2, Overflow::Latest);
/// (1..=5).for_each(|n| _ = signal.emit(&n));
///
/// # futures::executor::block_on(async {
/// assert_eq!(oldest.next().await, Some(Err(Lagged(3)))); // 1, 2, 3
/// assert_eq!(oldest.next().await, Some(Ok(4)));
/// assert_eq!(oldest.next().await, Some(Ok(5)));
///
/// assert_eq!(newest.next().await, Some(Ok(1)));
/// assert_eq!(newest.next().await, Some(Ok(2)));
/// assert_eq!(newest.next().await, Some(Err(Lagged(3)))); // 3, 4, 5
///
/// assert_eq!(latest.next().await, Some(Ok(5)));
/// # });
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Overflow {
    /// Drops the oldest event. Use it if recent events matter most.
    DropOldest,
    /// Drops the new event. Use it if the consumer needs the waiting events without a gap.
    DropNewest,
    /// Replaces the one event that waits by the newer one.
    ///
    /// Use it for events that describe a state, such as the position of a pointer or the progress
    /// of a task. Replaced events are counted, but a stream reports no gap for them.
    Latest,
}
