use crate::overflow::Overflow;

/// Makes the emissions of an [`AsyncSignal`](crate::AsyncSignal) wait while a stream is full, so
/// that no event is lost.
///
/// Pass it to [`AsyncSource::stream`](crate::AsyncSource::stream) instead of an [`Overflow`].
/// Emissions that wait get room in the order in which they reached the stream.
///
/// ```
/// use sigwire::{AsyncSignal, Backpressure};
///
/// # futures::executor::block_on(async {
/// let uploaded: AsyncSignal<u32> = AsyncSignal::new();
/// let mut files = uploaded.stream(1, Backpressure);
/// let producer = async move {
///     for file in 1..=3 {
///         uploaded.emit(&file).await; // waits until the stream has room
///     }
/// };
/// let consumer = async {
///     let mut taken = vec![];
///     while let Some(Ok(file)) = files.next().await {
///         taken.push(file);
///     }
///     taken
/// };
/// let ((), taken) = futures::join!(producer, consumer);
/// assert_eq!(taken, [1, 2, 3]);
/// # });
/// ```
///
/// If an emission is dropped while it waits, or the slot's deadline passes, its event is dropped,
/// and the stream has a [`Lagged`](crate::Lagged) in its place.
///
/// # Deadlocks
/// A task that awaits an emission into a full stream waits forever if the same task must take the
/// events out of that stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Backpressure;

/// What happens when a stream of an [`AsyncSignal`](crate::AsyncSignal) is full.
///
/// Converted from an [`Overflow`] or from [`Backpressure`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WhenFull {
    /// An event is lost.
    Lose(Overflow),
    /// The emission waits for room.
    Backpressure,
}

impl From<Overflow> for WhenFull {
    fn from(overflow: Overflow) -> Self {
        WhenFull::Lose(overflow)
    }
}

impl From<Backpressure> for WhenFull {
    fn from(_: Backpressure) -> Self {
        WhenFull::Backpressure
    }
}
