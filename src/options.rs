//! The options of a slot that is about to be connected.

use core::any::TypeId;
use core::fmt;

use crate::connection::{Connection, ScopedConnection};
use crate::family::Family;
use crate::ledger::Special;
use crate::method::{ByMut, ByRef, Extended, WeakMethod};
use crate::owner::{BorrowMut, Captures, Owner};
use crate::raw::{Anchor, Checked, Handle, Link, Liveness};
use crate::signal::Source;
use crate::slots::NewSlot;
use crate::state::StateCell;
use crate::table::SlotKey;

/// A slot that is about to be connected: options first, then one of the verbs of [`Source`]. Made by
/// [`Source::slot`].
///
/// ```
/// use sigwire::Signal;
/// use std::sync::{Arc, Mutex};
///
/// let opened: Signal<str> = Signal::new();
/// let log = Arc::new(Mutex::new(vec![]));
/// opened.connect_mut(&log, |log, name| log.push(format!("2. {name}")));
/// opened.slot().priority(10).once().name("first").connect_mut(&log, |log, name| log.push(format!("1. {name}")));
///
/// opened.emit("a");
/// opened.emit("b");
/// assert_eq!(*log.lock().unwrap(), ["1. a", "2. a", "2. b"]);
/// ```
///
/// [`Source`]: crate::Source
/// [`Source::slot`]: crate::Source::slot
#[must_use = "options alone connect nothing: call one of the `connect` methods"]
pub struct SlotOptions<'a, E: ?Sized + 'static, R: 'static, F: Family> {
    source: &'a Source<E, R, F>,
    priority: i32,
    calls_left: Option<usize>,
    unique: bool,
    name: Option<&'static str>,
}

impl<'a, E: ?Sized + 'static, R: 'static, F: Family> SlotOptions<'a, E, R, F> {
    pub(crate) fn new(source: &'a Source<E, R, F>) -> Self {
        SlotOptions { source, priority: 0, calls_left: None, unique: false, name: None }
    }

    /// Slots of a higher priority are called first; 0 unless told. Slots of one priority are called
    /// in the order they were connected.
    ///
    /// # Cost
    /// Connecting a slot that is not called last moves all that come after it.
    pub fn priority(self, priority: i32) -> Self {
        SlotOptions { priority, ..self }
    }

    /// Disconnects the slot as it is called for the first time.
    pub fn once(self) -> Self {
        self.times(1)
    }

    /// Disconnects the slot as it is called for the `times`-th time. The call is claimed before it
    /// is made: no nested or concurrent emission makes it again, and inside the last one the slot is
    /// not connected any more.
    ///
    /// # Panics
    /// When `times` is 0: the slot would never be called.
    ///
    /// # Cost
    /// Each call takes the signal's lock for a moment.
    #[track_caller]
    pub fn times(self, times: usize) -> Self {
        assert!(
            times > 0,
            "a slot that is called 0 times would never be called; connect it for 1 or more"
        );
        SlotOptions { calls_left: Some(times), ..self }
    }

    /// Connects only if the same method of the same owner is not connected already; otherwise the
    /// result is the connection that stands, as it is. A method is known by its type: all `fn` pointers of
    /// one signature count as one method, and so do closures that one closure expression made.
    ///
    /// # Cost
    /// Looks at all slots.
    pub fn unique(self) -> Self {
        SlotOptions { unique: true, ..self }
    }

    /// Names the slot, for `Debug` and for the reports of [`try_emit`](crate::Signal::try_emit).
    pub fn name(self, name: &'static str) -> Self {
        SlotOptions { name: Some(name), ..self }
    }

    /// See [`Source::connect`].
    pub fn connect<O, M>(self, owner: &O, method: M) -> Connection<F>
    where
        O: Owner<F>,
        M: Fn(&O::Target, &E) -> R + Captures<F>,
    {
        self.put::<O, M>(owner, |weak, _| Handle::new::<ByRef, _, _>(weak, Checked::new(method)))
    }

    /// See [`Source::connect_mut`].
    pub fn connect_mut<O, M>(self, owner: &O, method: M) -> Connection<F>
    where
        O: Owner<F>,
        O::Target: BorrowMut,
        M: Fn(&mut <O::Target as BorrowMut>::Inner, &E) -> R + Captures<F>,
    {
        self.put::<O, M>(owner, |weak, _| Handle::new::<ByMut, _, _>(weak, Checked::new(method)))
    }

    /// See [`Source::connect_extended`].
    pub fn connect_extended<O, M>(self, owner: &O, method: M) -> Connection<F>
    where
        O: Owner<F>,
        M: Fn(&O::Target, &Connection<F>, &E) -> R + Captures<F>,
        Connection<F>: Captures<F>,
    {
        self.put::<O, M>(owner, |weak, connection| {
            let method = Checked::new(method).and(Checked::new(connection()));
            Handle::new::<Extended, _, _>(weak, method)
        })
    }

    /// See [`Source::connect_fn`]. A closure is never connected already, so `unique` says nothing.
    pub fn connect_fn<C>(self, closure: C) -> ScopedConnection<F>
    where
        C: Fn(&E) -> R + Captures<F>,
    {
        let (handle, anchor) = Handle::closure(Checked::new(closure));
        self.put_closure::<C>(handle, anchor)
    }

    /// See [`Source::connect_weak`].
    pub fn connect_weak(self, method: WeakMethod<E, R, F>) -> Connection<F> {
        if !method.is_alive() {
            return Connection::never();
        }
        let WeakMethod { handle, anchor } = method;
        self.put_method(handle.owner(), handle.method(), false, None, |_| (handle, anchor))
    }

    #[cfg(feature = "std")]
    pub(crate) fn source(&self) -> &'a Source<E, R, F> {
        self.source
    }

    /// For who counts the calls elsewhere.
    #[cfg(feature = "std")]
    pub(crate) fn take_times(&mut self) -> Option<usize> {
        self.calls_left.take()
    }

    /// Connects a slot whose state is to be seen at `gate` as well.
    #[cfg(feature = "std")]
    pub(crate) fn put_gated<M: 'static>(
        self,
        owner: *const (),
        incomplete: bool,
        gate: F::Strong<StateCell<F>>,
        make: impl FnOnce(SlotKey) -> (Handle<E, R, F>, Option<Anchor<F>>),
    ) -> Connection<F> {
        self.put_method(owner, TypeId::of::<M>(), incomplete, Some(gate), make)
    }

    /// Connects what `make` makes of a weak pointer to the owner; it can have the slot's connection.
    pub(crate) fn put<O: Owner<F>, M: 'static>(
        self,
        owner: &O,
        make: impl FnOnce(
            Checked<O::Weak, F>,
            &dyn Fn() -> Connection<F>,
        ) -> (Handle<E, R, F>, Option<Anchor<F>>),
    ) -> Connection<F> {
        let (weak, source) = (owner.weak(), self.source);
        let incomplete = weak.liveness() == Liveness::Absent;
        self.put_method(weak.address(), TypeId::of::<M>(), incomplete, None, |key| {
            make(Checked::new(weak), &|| source.connection(key))
        })
    }

    pub(crate) fn put_closure<C: 'static>(
        self,
        handle: Handle<E, R, F>,
        anchor: Anchor<F>,
    ) -> ScopedConnection<F> {
        let owner = core::ptr::null();
        self.put_method(owner, TypeId::of::<C>(), false, None, |_| (handle, Some(anchor))).scoped()
    }

    fn put_method(
        self,
        owner: *const (),
        method: TypeId,
        incomplete: bool,
        gate: Option<F::Strong<StateCell<F>>>,
        make: impl FnOnce(SlotKey) -> (Handle<E, R, F>, Option<Anchor<F>>),
    ) -> Connection<F> {
        let new = NewSlot {
            priority: self.priority,
            special: Special {
                anchor: None,
                name: self.name,
                calls_left: self.calls_left,
                blocks: 0,
                incomplete,
                gate,
            },
            unique: self.unique.then_some((owner, method)),
        };
        let key = self.source.slots().connect(new, make);
        self.source.connection(key)
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Family> fmt::Debug for SlotOptions<'_, E, R, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlotOptions")
            .field("priority", &self.priority)
            .field("times", &self.calls_left)
            .field("unique", &self.unique)
            .field("name", &self.name)
            .finish()
    }
}
