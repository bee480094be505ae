//! Which slots can wait in a queue, and the compiler's messages for the others.

use super::{Queue, QueueFlavor};
use crate::raw::Flavor;
use crate::raw::Shared;
use crate::signal::SlotOptions;

/// A queue that can keep events of type `E`. Every queue can, if `E` is `Clone` and `Send`. Sealed.
///
/// The bound is on the queue: if it were on the event, the compiler would advise to borrow the
/// event.
#[diagnostic::on_unimplemented(
    message = "a queue cannot keep events of `{E}`",
    label = "`{E}` is not `Clone + Send`",
    note = "`emit` leaves a clone of the event for the thread that runs the queue: its type must be `Clone` and \
            `Send`, or in an `Arc`"
)]
pub trait Keeps<E>: sealed::Sealed {}

#[diagnostic::do_not_recommend]
impl<E: Clone + Send + 'static, H: QueueFlavor> Keeps<E> for Queue<H> {}

mod sealed {
    pub trait Sealed {}
    impl<H: super::QueueFlavor> Sealed for super::Queue<H> {}
}

/// A queue that can call slots that return `R`. Every queue can, if `R` is `()`. Sealed.
#[diagnostic::on_unimplemented(
    message = "a slot that returns `{R}` cannot wait in a queue",
    label = "`emit` and `call` return before a queue calls the slot",
    note = "queued slots belong to a `Signal<E>`, whose slots return nothing; \
            to get an answer later, put a channel's sender into the event"
)]
pub trait CallsLater<R>: sealed::Sealed {
    #[doc(hidden)]
    fn of_unit<E: ?Sized, F: Flavor>(
        options: SlotOptions<'_, E, R, F>,
    ) -> SlotOptions<'_, E, (), F>;
}

impl<H: QueueFlavor> CallsLater<()> for Queue<H> {
    fn of_unit<E: ?Sized, F: Flavor>(
        options: SlotOptions<'_, E, (), F>,
    ) -> SlotOptions<'_, E, (), F> {
        options
    }
}

/// The flavor whose slots can wait in a queue, which is [`Shared`]. Sealed.
#[diagnostic::on_unimplemented(
    message = "a slot of a `local` signal cannot wait in a queue",
    label = "the signal is not a thread-safe one",
    note = "use a `sigwire::Signal`: with a `LocalQueue` it takes owners in an `Rc`, and closures that capture \
            anything"
)]
pub trait ThreadSafe: Flavor {
    #[doc(hidden)]
    fn of_shared<E: ?Sized, R>(
        options: SlotOptions<'_, E, R, Self>,
    ) -> SlotOptions<'_, E, R, Shared>;
}

impl ThreadSafe for Shared {
    fn of_shared<E: ?Sized, R>(
        options: SlotOptions<'_, E, R, Shared>,
    ) -> SlotOptions<'_, E, R, Shared> {
        options
    }
}
