/// What happens to an event for which there is no room. Whatever it is, the loss is counted where the
/// receiver looks.
///
/// ```
/// use sigwire::{Overflow, Queue, Signal};
/// use std::sync::{Arc, Mutex};
///
/// let lines: Signal<u32> = Signal::new();
/// let seen = Arc::new(Mutex::new(vec![]));
/// let queue = Queue::default().bounded(2, Overflow::DropOldest);
/// lines.slot().on(&queue).connect_mut(&seen, |seen, n| seen.push(*n));
/// for n in 0..5 {
///     lines.emit(&n);
/// }
/// let ran = queue.run();
/// assert_eq!((ran.called, ran.lost), (2, 3));
/// assert_eq!(*seen.lock().unwrap(), [3, 4]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Overflow {
    /// The event that has waited longest makes room.
    DropOldest,
    /// The new event is dropped.
    DropNewest,
    /// A new event takes the place of the one that waits already: only the latest counts, as with mouse
    /// moves and progress.
    Latest,
}
