use crate::overflow::Overflow;

/// In place of an [`Overflow`], for the streams of an [`AsyncSignal`](crate::AsyncSignal): nothing is
/// lost. Emissions wait until there is room for their event, in the order in which they came.
///
/// ```
/// use sigwire::{AsyncSignal, Backpressure};
///
/// # futures::executor::block_on(async {
/// let uploaded: AsyncSignal<u32> = AsyncSignal::new();
/// let mut files = uploaded.stream(1, Backpressure);
/// let producer = async move {
///     for file in 1..=3 {
///         uploaded.emit(&file).await; // as fast as they are taken
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
/// When an emission is dropped while it waits, or the slot's deadline passes, its event is taken back;
/// the stream has a [`Lagged`](crate::Lagged) in its place, and keeps nothing else of it. A task that emits and takes from the same full
/// stream waits for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Backpressure;

/// What becomes of an event that finds no room in a stream of an [`AsyncSignal`](crate::AsyncSignal): made
/// of an [`Overflow`], or of [`Backpressure`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WhenFull {
    /// It, or another, is lost.
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
