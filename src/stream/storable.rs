use alloc::borrow::ToOwned;

use super::Feed;
use crate::async_signal::AsyncSlotOptions;
use crate::connection::ScopedConnection;
use crate::family::{Family, Local};
use crate::options::SlotOptions;

/// An event that can be kept for later: one that is `Clone`, and, in a thread-safe signal, `Send`,
/// since it may be taken on another thread. A `str` is kept as a `String`, a slice as a `Vec`: it is
/// [`ToOwned`] that does it, which for what is `Clone` is a clone. Sealed: it holds for a type or does
/// not.
pub trait Storable<F: Family>: ToOwned<Owned: 'static> + 'static {
    #[doc(hidden)]
    fn connect(
        slot: SlotOptions<'_, Self, (), F>,
        feed: Feed<Self::Owned, F>,
    ) -> ScopedConnection<F>;
    #[doc(hidden)]
    fn connect_async(
        slot: AsyncSlotOptions<'_, Self, (), F>,
        feed: Feed<Self::Owned, F>,
    ) -> ScopedConnection<F>;
}

macro_rules! storable {
    ($family:ty, $($send:tt)*) => {
        impl<E: ?Sized + ToOwned<Owned: $($send)* 'static> + 'static> Storable<$family> for E {
            fn connect(
                slot: SlotOptions<'_, Self, (), $family>,
                feed: Feed<Self::Owned, $family>,
            ) -> ScopedConnection<$family> {
                slot.connect_intake(feed.0)
            }
            fn connect_async(
                slot: AsyncSlotOptions<'_, Self, (), $family>,
                feed: Feed<Self::Owned, $family>,
            ) -> ScopedConnection<$family> {
                slot.connect_feed(feed)
            }
        }
    };
}
storable!(Local,);
storable!(crate::family::Shared, Send+);
#[cfg(all(test, sigwire_loom))]
storable!(crate::models::Modelled,);
