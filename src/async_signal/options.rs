//! The options of a handler that is about to be connected.

use core::fmt;

use super::method::{AsyncClosure, AsyncMethod, AtOnce};
use super::{Answer, AsyncSource, Event};
use crate::connection::{Connection, ScopedConnection};
use crate::family::Family;
use crate::options::SlotOptions;
use crate::owner::{Captures, Owner};
use crate::raw::{Async, AsyncItself, Checked, Handle, Invoke, Limit, NoLimit};

/// A handler that is about to be connected: options first, then one of the verbs of [`AsyncSource`]. Made by
/// [`AsyncSource::slot`].
#[must_use = "options alone connect nothing: call one of the `connect` methods"]
pub struct AsyncSlotOptions<'a, E: ?Sized + 'static, R: 'static, F: Family> {
    pub(super) slot: SlotOptions<'a, Event<E, R, F>, Answer<R>, F>,
    #[cfg(feature = "tokio")]
    pub(super) timeout: Option<core::time::Duration>,
}

impl<'a, E: ?Sized + 'static, R: 'static, F: Family> AsyncSlotOptions<'a, E, R, F> {
    pub(super) fn new(source: &'a AsyncSource<E, R, F>) -> Self {
        AsyncSlotOptions {
            slot: source.source().slot(),
            #[cfg(feature = "tokio")]
            timeout: None,
        }
    }

    fn change(
        mut self,
        change: impl FnOnce(
            SlotOptions<'a, Event<E, R, F>, Answer<R>, F>,
        ) -> SlotOptions<'a, Event<E, R, F>, Answer<R>, F>,
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

    /// See [`SlotOptions::times`]. A call is claimed before the handler's future is made, and counts also if
    /// that is dropped before its end.
    ///
    /// # Panics
    /// When `times` is 0: the handler would never be called.
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
        M: for<'x> AsyncMethod<'x, O::Target, E, R, F> + Captures<F>,
    {
        #[cfg(feature = "tokio")]
        if let Some(timeout) = self.timeout {
            return self.put_method::<Async, _, _, _>(owner, method, timeout);
        }
        self.put_method::<Async, _, _, _>(owner, method, NoLimit)
    }

    /// See [`AsyncSource::connect_sync`].
    pub fn connect_sync<O, M>(self, owner: &O, method: M) -> Connection<F>
    where
        O: Owner<F>,
        M: Fn(&O::Target, &E) -> R + Captures<F>,
    {
        self.slot.put_method::<AtOnce, _, _>(owner, Checked::new(method))
    }

    /// See [`AsyncSource::connect_fn`]. A closure is never connected already, so `unique` says nothing.
    pub fn connect_fn<C>(self, closure: C) -> ScopedConnection<F>
    where
        C: for<'x> AsyncClosure<'x, E, R, F> + Captures<F>,
    {
        #[cfg(feature = "tokio")]
        if let Some(timeout) = self.timeout {
            return self.put_owned::<AsyncItself, _, _>(closure, timeout);
        }
        self.put_owned::<AsyncItself, _, _>(closure, NoLimit)
    }

    /// Connects a method that is called as `I` does.
    pub(super) fn put_method<I, O, M, L>(self, owner: &O, method: M, limit: L) -> Connection<F>
    where
        I: Invoke<(M, L), O::Target, Event<E, R, F>, Answer<R>, F>,
        O: Owner<F>,
        M: Captures<F>,
        L: Limit,
    {
        let method = Checked::new(method).and(Checked::any(limit));
        self.slot.put_method::<I, _, _>(owner, method)
    }

    /// Connects what the guard owns.
    pub(super) fn put_owned<I, M, L>(self, method: M, limit: L) -> ScopedConnection<F>
    where
        I: Invoke<(), (M, L), Event<E, R, F>, Answer<R>, F>,
        M: Captures<F>,
        L: Limit,
    {
        let target = Checked::new(method).and(Checked::any(limit));
        let (handle, anchor) = Handle::owned::<I, _>(target);
        self.slot.put(handle, Some(anchor)).scoped()
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Family> fmt::Debug for AsyncSlotOptions<'_, E, R, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("AsyncSlotOptions");
        debug.field("slot", &self.slot);
        #[cfg(feature = "tokio")]
        debug.field("timeout", &self.timeout);
        debug.finish()
    }
}
