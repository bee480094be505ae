//! The options of a new handler.

use core::fmt;

use super::AsyncSource;
use crate::raw::{
    Answer, AsyncClosure, AsyncMethod, CallAsync, CallAsyncClosure, CallSync, Checked, Flavor,
    Handle, Invoke, Limit, MaybeSend, MaybeSendSync, NoLimit, Request,
};
use crate::signal::{Method, Owner, SlotOptions};
use crate::slots::{Connection, ScopedConnection};

/// Connects a handler with options.
///
/// Generic over the flavor. Its everyday names are
/// [`AsyncSlotOptions`](crate::AsyncSlotOptions) and
/// [`local::AsyncSlotOptions`](crate::local::AsyncSlotOptions).
///
/// Returned by [`AsyncSource::slot`]. Set options first, then call one of the methods that connect,
/// which are those of [`AsyncSource`].
#[must_use = "options alone connect nothing: call one of the `connect` methods"]
pub struct AsyncSlotOptions<'a, E: ?Sized + 'static, R: 'static, F: Flavor> {
    pub(crate) slot: SlotOptions<'a, Request<E, R, F>, Answer<R>, F>,
    #[cfg(feature = "tokio")]
    pub(crate) timeout: Option<core::time::Duration>,
}

impl<'a, E: ?Sized + 'static, R: 'static, F: Flavor> AsyncSlotOptions<'a, E, R, F> {
    pub(crate) fn new(source: &'a AsyncSource<E, R, F>) -> Self {
        AsyncSlotOptions {
            slot: source.source().slot(),
            #[cfg(feature = "tokio")]
            timeout: None,
        }
    }

    fn change(
        mut self,
        change: impl FnOnce(
            SlotOptions<'a, Request<E, R, F>, Answer<R>, F>,
        ) -> SlotOptions<'a, Request<E, R, F>, Answer<R>, F>,
    ) -> Self {
        self.slot = change(self.slot);
        self
    }

    /// See [`SlotOptions::priority`]. Handlers that run concurrently are started in this order.
    pub fn priority(self, priority: i32) -> Self {
        self.change(|slot| slot.priority(priority))
    }

    /// See [`SlotOptions::once`].
    pub fn once(self) -> Self {
        self.change(SlotOptions::once)
    }

    /// See [`SlotOptions::times`]. A call is counted before the handler's future is created, even
    /// if the future is then dropped before it is ready.
    ///
    /// # Panics
    /// If `times` is 0, because the handler would never be called.
    #[track_caller]
    pub fn times(mut self, times: usize) -> Self {
        self.slot = self.slot.times(times);
        self
    }

    /// See [`SlotOptions::unique`].
    pub fn unique(self) -> Self {
        self.change(SlotOptions::unique)
    }

    /// See [`SlotOptions::name`].
    pub fn name(self, name: &'static str) -> Self {
        self.change(|slot| slot.name(name))
    }

    /// See [`AsyncSource::connect`].
    pub fn connect<O, M>(self, owner: &O, method: M) -> Connection<F>
    where
        O: Owner<F>,
        M: MaybeSendSync<F>,
        M: for<'x> AsyncMethod<'x, O::Target, E, R, Future: MaybeSend<F>>, // clone captures: see docs
    {
        #[cfg(feature = "tokio")]
        if let Some(timeout) = self.timeout {
            return self.put_method::<CallAsync, _, _, _>(owner, method, timeout);
        }
        self.put_method::<CallAsync, _, _, _>(owner, method, NoLimit)
    }

    /// See [`AsyncSource::connect_sync`].
    pub fn connect_sync<O, M>(self, owner: &O, method: M) -> Connection<F>
    where
        O: Owner<F>,
        M: Method<O::Target, E, R> + MaybeSendSync<F>,
    {
        self.slot.put_method::<CallSync, _, _>(owner, Checked::new(method))
    }

    /// See [`AsyncSource::connect_fn`]. The option `unique` has no effect on closures.
    pub fn connect_fn<C>(self, closure: C) -> ScopedConnection<F>
    where
        C: MaybeSendSync<F>,
        C: for<'x> AsyncClosure<'x, E, R, Future: MaybeSend<F>>, // clone captures: see docs
    {
        #[cfg(feature = "tokio")]
        if let Some(timeout) = self.timeout {
            return self.put_owned::<CallAsyncClosure, _, _>(closure, timeout);
        }
        self.put_owned::<CallAsyncClosure, _, _>(closure, NoLimit)
    }

    /// Connects a method that `I` calls.
    pub(crate) fn put_method<I, O, M, L>(self, owner: &O, method: M, limit: L) -> Connection<F>
    where
        I: Invoke<(M, L), O::Target, Request<E, R, F>, Answer<R>, F>,
        O: Owner<F>,
        M: MaybeSendSync<F>,
        L: Limit,
    {
        let method = Checked::new(method).and(Checked::any(limit));
        self.slot.put_method::<I, _, _>(owner, method)
    }

    /// Connects a closure or feed, which the slot owns.
    pub(crate) fn put_owned<I, M, L>(self, method: M, limit: L) -> ScopedConnection<F>
    where
        I: Invoke<(), (M, L), Request<E, R, F>, Answer<R>, F>,
        M: MaybeSendSync<F>,
        L: Limit,
    {
        let target = Checked::new(method).and(Checked::any(limit));
        let (handle, keep_alive) = Handle::owned::<I, _>(target);
        self.slot.put((handle, Some(keep_alive))).scoped()
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Flavor> fmt::Debug for AsyncSlotOptions<'_, E, R, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("AsyncSlotOptions");
        debug.field("slot", &self.slot);
        #[cfg(feature = "tokio")]
        debug.field("timeout", &self.timeout);
        debug.finish()
    }
}
