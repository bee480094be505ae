use alloc::borrow::ToOwned;

use super::channel::{Feed, SendFuture};
use crate::async_signal::AsyncSlotOptions;
use crate::raw::Flavor;
use crate::raw::{
    Answer, Hold, Invoke, Limit, Local, MaybeSend, MaybeSendSync, NoLimit, Request, Target,
};
use crate::signal::SlotOptions;
use crate::slots::ScopedConnection;

/// An event that a stream can store: one that is `Clone` and, in a thread-safe signal, `Send`.
///
/// The event is stored as its [`ToOwned::Owned`] type. That is the type itself for types that are
/// `Clone`, `String` for `str`, and `Vec<T>` for `[T]`. The trait is sealed: it is implemented for
/// all types that qualify.
pub trait StreamEvent<F: Flavor>: ToOwned<Owned: 'static> + 'static {
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

macro_rules! stream_event {
    ($flavor:ty, $($send:tt)*) => {
        impl<E: ?Sized + ToOwned<Owned: $($send)* 'static> + 'static> StreamEvent<$flavor> for E {
            fn connect(
                slot: SlotOptions<'_, Self, (), $flavor>,
                feed: Feed<Self::Owned, $flavor>,
            ) -> ScopedConnection<$flavor> {
                slot.connect_intake(feed.0)
            }
            fn connect_async(
                slot: AsyncSlotOptions<'_, Self, (), $flavor>,
                feed: Feed<Self::Owned, $flavor>,
            ) -> ScopedConnection<$flavor> {
                slot.connect_feed(feed)
            }
        }
    };
}
stream_event!(Local,);
stream_event!(crate::raw::Shared, Send+);
#[cfg(all(test, sigwire_loom))]
pub(crate) use stream_event;

/// Sends events into a stream. The future that waits for room does not contain the feed, so that
/// the stream ends with the slot.
pub(super) struct PushEvent;

impl<E, L, F> Invoke<(), (Feed<E::Owned, F>, L), Request<E, (), F>, Answer<()>, F> for PushEvent
where
    E: ?Sized + StreamEvent<F>,
    SendFuture<E::Owned, F>: MaybeSend<F>,
    L: Limit,
    F: Flavor,
{
    type Method = Feed<E::Owned, F>;
    fn invoke(
        (): &(),
        target: Target<impl Hold<Target = (Feed<E::Owned, F>, L)>, F>,
        request: &Request<E, (), F>,
    ) -> Option<Answer<()>> {
        let (feed, limit) = &*target;
        request.start_owned(feed, |feed, event| feed.send(event.to_owned()), limit)
    }
}

impl<E: ?Sized + StreamEvent<F>, F: Flavor> AsyncSlotOptions<'_, E, (), F> {
    pub(crate) fn connect_feed(self, feed: Feed<E::Owned, F>) -> ScopedConnection<F>
    where
        Feed<E::Owned, F>: MaybeSendSync<F>,
        SendFuture<E::Owned, F>: MaybeSend<F>,
    {
        #[cfg(feature = "tokio")]
        if let Some(timeout) = self.timeout {
            return self.put_owned::<PushEvent, _, _>(feed, timeout);
        }
        self.put_owned::<PushEvent, _, _>(feed, NoLimit)
    }
}
