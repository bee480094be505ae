//! The options of a slot that is about to be connected.

use core::any::TypeId;
use core::fmt;
use core::mem::ManuallyDrop;

use super::connection::{Connection, ScopedConnection};
use super::flavor::Flavor;
use super::method::{ByMut, ByRef, Extended, WeakMethod};
use super::owner::{InteriorMut, Owner, stored, weak_of};
use super::rare_data::RareData;
use super::slots::{HandleMaker, NewSlot};
use super::source::Source;
use crate::raw::{Checked, Handle, Invoke, KeepAlive, Link, Liveness, MaybeSendSync, StateCell};
#[cfg(feature = "async")]
use crate::raw::{Intake, Keeper};

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
pub struct SlotOptions<'a, E: ?Sized + 'static, R: 'static, F: Flavor> {
    source: &'a Source<E, R, F>,
    priority: i32,
    calls_left: Option<usize>,
    unique: bool,
    name: Option<&'static str>,
}

impl<'a, E: ?Sized + 'static, R: 'static, F: Flavor> SlotOptions<'a, E, R, F> {
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
        M: Fn(&O::Target, &E) -> R + MaybeSendSync<F>,
    {
        self.put_method::<ByRef, _, _>(owner, Checked::new(method))
    }

    /// See [`Source::connect_mut`].
    pub fn connect_mut<O, M>(self, owner: &O, method: M) -> Connection<F>
    where
        O: Owner<F>,
        O::Target: InteriorMut,
        M: Fn(&mut <O::Target as InteriorMut>::Inner, &E) -> R + MaybeSendSync<F>,
    {
        self.put_method::<ByMut, _, _>(owner, Checked::new(method))
    }

    /// See [`Source::connect_extended`].
    pub fn connect_extended<O, M>(self, owner: &O, method: M) -> Connection<F>
    where
        O: Owner<F>,
        M: Fn(&O::Target, &Connection<F>, &E) -> R + MaybeSendSync<F>,
        Connection<F>: MaybeSendSync<F>,
    {
        let (weak, source) = (owner.weak(), self.source);
        let identity = self.unique.then(|| (weak.address(), TypeId::of::<M>()));
        let liveness = weak.liveness();
        let mut made_of = Some((Checked::new(weak), Checked::new(method)));
        let make = &mut |key| {
            let (weak, method) = made_of.take().expect("a slot is made once");
            let method = method.and(Checked::new(source.connection(key)));
            Handle::new::<Extended, _, _>(weak, method)
        };
        self.put_as(identity, liveness, None, HandleMaker::OfKey(make))
    }

    /// See [`Source::connect_fn`]. A closure is never connected already, so `unique` says nothing.
    pub fn connect_fn<C>(self, closure: C) -> ScopedConnection<F>
    where
        C: Fn(&E) -> R + MaybeSendSync<F>,
    {
        let (handle, keep_alive) = Handle::closure(Checked::new(closure));
        self.put(handle, Some(keep_alive)).scoped()
    }

    /// See [`Source::connect_weak`].
    pub fn connect_weak(self, method: WeakMethod<E, R, F>) -> Connection<F> {
        if !method.is_alive() {
            return Connection::never();
        }
        self.put(method.handle, method.keep_alive)
    }

    #[cfg(feature = "std")]
    pub(crate) fn is_unique(&self) -> bool {
        self.unique
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

    /// Connects a method that is called as `I` does.
    #[inline(always)]
    pub(crate) fn put_method<I, O, M>(self, owner: &O, method: Checked<M, F>) -> Connection<F>
    where
        I: Invoke<M, O::Target, E, R, F>,
        O: Owner<F>,
        M: 'static,
    {
        let (handle, keep_alive) = Handle::new::<I, _, _>(Checked::new(weak_of(owner)), method);
        self.put(handle, keep_alive)
    }

    /// Connects what is made already.
    #[inline(never)]
    pub(crate) fn put(
        self,
        handle: Handle<E, R, F>,
        keep_alive: Option<KeepAlive<F>>,
    ) -> Connection<F> {
        let identity = self.unique.then(|| (handle.owner(), handle.method()));
        let liveness = handle.liveness();
        self.put_as(identity, liveness, None, HandleMaker::Made((handle, keep_alive)))
    }

    /// Connects a slot, unless there is one of the same identity. Its state is to be seen at the gate, too.
    #[inline]
    pub(crate) fn put_as(
        self,
        unique: Option<(*const (), TypeId)>,
        liveness: Liveness,
        gate: Option<F::Strong<StateCell<F>>>,
        making: HandleMaker<'_, E, R, F>,
    ) -> Connection<F> {
        let incomplete = liveness == Liveness::Absent;
        let is_plain = self.name.is_none() && self.calls_left.is_none() && gate.is_none();
        let rare_data = (!is_plain || incomplete).then(|| RareData {
            name: self.name,
            calls_left: self.calls_left,
            incomplete,
            gate,
            ..RareData::default()
        });
        let new = NewSlot { priority: self.priority, rare_data, unique };
        let key = self.source.slots().connect(new, making);
        self.source.connection(key)
    }
}

#[cfg(feature = "async")]
impl<E: ?Sized + 'static, F: Flavor> SlotOptions<'_, E, (), F> {
    /// Connects what takes events over.
    pub(crate) fn connect_intake<T>(self, keeper: Keeper<F::Strong<T>>) -> ScopedConnection<F>
    where
        T: Intake<E> + 'static,
        Keeper<F::Strong<T>>: MaybeSendSync<F>,
    {
        let (handle, keep_alive) = Handle::intake(Checked::new(keeper));
        self.put(handle, Some(keep_alive)).scoped()
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Flavor> Source<E, R, F> {
    /// Connects a method of `owner`: a method path such as `Panel::on_click`, or a closure with the
    /// owner first. The owner is held weakly. The same method connected twice is called twice.
    ///
    /// Do not capture the owner in the closure: that would be a strong reference, and a leak. For a
    /// method that takes `&mut self`, see [`connect_mut`](Self::connect_mut). A method without a
    /// parameter for the event is connected as `|owner, _| owner.method()`.
    ///
    /// The owner may be a `Weak`, for objects that connect themselves in
    /// [`Arc::new_cyclic`](std::sync::Arc::new_cyclic). std does not say whether such an owner is not complete
    /// yet or gone already. The signal knows once it has seen the owner complete: when it called the slot,
    /// counted or pruned its slots, or was asked whether it is connected. A slot whose owner is gone
    /// before that is never called, and stays until it is disconnected. Each emission tries to upgrade it.
    /// For short-lived objects, connect the complete `Arc`; or use a [`HazardArc`](crate::HazardArc), which
    /// knows.
    ///
    /// # Panics
    /// When the signal holds 2^32 - 2 slots. When dead slots are pruned, and a destructor of what they captured
    /// panics: then nothing is connected.
    ///
    /// # Cost
    /// Amortised constant, whatever the number of slots. A method path, or a closure without
    /// captures, of a sized owner is stored in the signal's own lists; any other method takes an
    /// allocation. A connect while emissions of the current list are under way copies the list for them.
    /// (The next connect does not, unless another emission has begun since.) Dead slots are pruned now
    /// and then, so that a signal that never emits does not grow.
    pub fn connect<O, M>(&self, owner: &O, method: M) -> Connection<F>
    where
        O: Owner<F>,
        M: Fn(&O::Target, &E) -> R + MaybeSendSync<F>,
    {
        self.put_method::<ByRef, _, _>(owner, Checked::new(method))
    }

    /// Connects a method that takes `&mut self`, of an owner behind a lock: `&Arc<Mutex<T>>` or
    /// `&Arc<RwLock<T>>`, and `&Rc<RefCell<T>>` in [`local`](crate::local). The lock is held while
    /// the method runs, and only then.
    ///
    /// ```
    /// use sigwire::Signal;
    /// use std::sync::{Arc, Mutex};
    ///
    /// struct Log(Vec<String>);
    /// impl Log {
    ///     fn write(&mut self, line: &str) {
    ///         self.0.push(line.to_owned());
    ///     }
    /// }
    ///
    /// let lines: Signal<str> = Signal::new();
    /// let log = Arc::new(Mutex::new(Log(vec![])));
    /// lines.connect_mut(&log, Log::write);
    /// lines.emit("hello");
    /// assert_eq!(log.lock().unwrap().0, ["hello"]);
    /// ```
    ///
    /// # Panics
    /// See [`connect`](Self::connect). The emission panics, in this slot, when the owner is borrowed
    /// already (`RefCell`), when a slot further up on this thread holds its lock, or when the lock is
    /// poisoned.
    ///
    /// # Deadlocks
    /// Emitting while this thread holds the owner's `Mutex` or `RwLock` by a lock of its own, and not
    /// by a `connect_mut` slot further up, deadlocks as locking it twice does. Let go of it before you
    /// emit.
    pub fn connect_mut<O, M>(&self, owner: &O, method: M) -> Connection<F>
    where
        O: Owner<F>,
        O::Target: InteriorMut,
        M: Fn(&mut <O::Target as InteriorMut>::Inner, &E) -> R + MaybeSendSync<F>,
    {
        self.put_method::<ByMut, _, _>(owner, Checked::new(method))
    }

    /// Connects a closure. It has no owner, so the guard is its owner: dropping it disconnects and
    /// drops the closure. [`ScopedConnection::detach`] leaves it to the signal.
    ///
    /// # Panics
    /// See [`connect`](Self::connect).
    ///
    /// # Cost
    /// One allocation.
    pub fn connect_fn<C>(&self, closure: C) -> ScopedConnection<F>
    where
        C: Fn(&E) -> R + MaybeSendSync<F>,
    {
        self.slot().connect_fn(closure)
    }

    /// Connects a weak method handle. If its object is not there (any more, or yet), nothing is
    /// connected, and the result says so.
    ///
    /// # Panics
    /// See [`connect`](Self::connect).
    pub fn connect_weak(&self, method: WeakMethod<E, R, F>) -> Connection<F> {
        self.slot().connect_weak(method)
    }

    /// Connects a method that also gets the connection of its own slot, for instance to end it.
    ///
    /// ```
    /// use sigwire::Signal;
    /// use std::sync::Arc;
    ///
    /// let ticks: Signal<u32> = Signal::new();
    /// let limit = Arc::new(2);
    /// ticks.connect_extended(&limit, |limit, connection, tick| {
    ///     if tick >= limit {
    ///         connection.disconnect();
    ///     }
    /// });
    /// assert_eq!([1, 2, 3].map(|tick| ticks.emit(&tick)), [1, 1, 0]);
    /// ```
    ///
    /// # Panics
    /// See [`connect`](Self::connect).
    ///
    /// # Cost
    /// One allocation.
    pub fn connect_extended<O, M>(&self, owner: &O, method: M) -> Connection<F>
    where
        O: Owner<F>,
        M: Fn(&O::Target, &Connection<F>, &E) -> R + MaybeSendSync<F>,
        Connection<F>: MaybeSendSync<F>,
    {
        self.slot().connect_extended(owner, method)
    }

    /// Options first, then one of the same verbs: see [`SlotOptions`].
    pub fn slot(&self) -> SlotOptions<'_, E, R, F> {
        SlotOptions::new(self)
    }

    /// Connects a method that is called as `I` does, without options.
    #[inline(always)]
    pub(crate) fn put_method<I, O, M>(&self, owner: &O, method: Checked<M, F>) -> Connection<F>
    where
        I: Invoke<M, O::Target, E, R, F>,
        O: Owner<F>,
        M: 'static,
    {
        // Else it would be known only when it runs that there is nothing to drop.
        let method = ManuallyDrop::new(method);
        // The other way would do, but takes more code where nothing is optimised.
        if const { Handle::<E, R, F>::is_bare::<O::Weak, M>() } {
            return self.put(Handle::bare::<I, _, _>(stored(owner), &method), None);
        }
        let method = ManuallyDrop::into_inner(method);
        let (handle, keep_alive) = Handle::new::<I, _, _>(Checked::new(weak_of(owner)), method);
        self.put(handle, keep_alive)
    }

    /// Connects what is made already, without options: all that it takes is in registers.
    #[inline(never)]
    fn put(&self, handle: Handle<E, R, F>, keep_alive: Option<KeepAlive<F>>) -> Connection<F> {
        let liveness = handle.liveness();
        self.slot().put_as(None, liveness, None, HandleMaker::Made((handle, keep_alive)))
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Flavor> fmt::Debug for SlotOptions<'_, E, R, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlotOptions")
            .field("priority", &self.priority)
            .field("times", &self.calls_left)
            .field("unique", &self.unique)
            .field("name", &self.name)
            .finish()
    }
}
