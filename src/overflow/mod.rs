//! What becomes of events that find no room.

#[cfg(feature = "async")]
mod backpressure;
#[cfg(feature = "async")]
mod lagged;

#[cfg(feature = "async")]
pub use backpressure::{Backpressure, WhenFull};
#[cfg(feature = "async")]
pub use lagged::Lagged;

/// What becomes of an event that finds no room, in a stream or a [`Queue`](crate::Queue). Whatever it is, the
/// loss is told where the receiver looks.
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
    /// The event that has waited longest makes room: for consumers to whom recent events matter most.
    DropOldest,
    /// The event itself is dropped: for consumers that need an unbroken run from where they are.
    DropNewest,
    /// One event waits, and a newer one takes its place: for states rather than steps, such as the
    /// position of a pointer or the progress of a task. What is replaced is
    /// counted, but is no gap in a stream.
    Latest,
}
