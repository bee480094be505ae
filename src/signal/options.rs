//! The options of a slot that is about to be connected.

use core::any::TypeId;
use core::fmt;
use core::mem::ManuallyDrop;

use super::callable::{Closure, Method, MutMethod};
use super::method::{ByMut, ByRef, Extended, WeakMethod};
use super::owner::{InteriorMut, Owner, stored, weak_of};
use super::source::Source;
use crate::raw::Flavor;
use crate::raw::{Checked, Handle, Invoke, Link, MaybeSendSync};
#[cfg(feature = "async")]
use crate::raw::{Intake, Keeper};
use crate::slots::{Choice, OwnedHandle};
use crate::slots::{Connection, ScopedConnection};

/// The options of a slot that is about to be connected. Set the options, then call one of the
/// `connect` methods, which are those of [`Source`]. Made by [`Source::slot`].
///
/// Generic over the flavor. Its everyday names are [`SlotOptions`](crate::SlotOptions) and
/// [`local::SlotOptions`](crate::local::SlotOptions).
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
    choice: Choice,
}

impl<'a, E: ?Sized + 'static, R: 'static, F: Flavor> SlotOptions<'a, E, R, F> {
    pub(crate) fn new(source: &'a Source<E, R, F>) -> Self {
        SlotOptions { source, choice: Choice::default() }
    }

    /// Slots with a higher priority are called first. Slots with the same priority are called in
    /// the order in which they were connected. Default: 0.
    ///
    /// # Cost
    /// If the new slot is not the last in the order of calls, connecting moves all slots after it.
    pub fn priority(mut self, priority: i32) -> Self {
        self.choice.priority = priority;
        self
    }

    /// Calls the slot at most once: its first call disconnects it. The same as
    /// [`times(1)`](Self::times).
    pub fn once(self) -> Self {
        self.times(1)
    }

    /// Calls the slot at most `times` times: the last of these calls disconnects it. Each call is
    /// claimed before it is made, so no nested or concurrent emission can repeat it. During the
    /// last call, the slot is already disconnected.
    ///
    /// # Panics
    /// If `times` is 0, because such a slot would never be called.
    ///
    /// # Cost
    /// Each call takes the signal's lock for a moment.
    #[track_caller]
    pub fn times(mut self, times: usize) -> Self {
        assert!(
            times > 0,
            "a slot that may be called 0 times is never called; pass 1 or more to `times`"
        );
        self.choice.calls_left = Some(times);
        self
    }

    /// Connects only if the same method of the same owner is not connected yet. If it is,
    /// connecting returns the existing connection and leaves its options unchanged. A method is
    /// identified by its type. Therefore all `fn` pointers with the same signature count as one
    /// method, and so do all closures made by the same closure expression.
    ///
    /// # Cost
    /// Connecting looks at all slots.
    pub fn unique(mut self) -> Self {
        self.choice.unique = true;
        self
    }

    /// Names the slot. The name appears in `Debug` output and in the reports of
    /// [`try_emit`](crate::Signal::try_emit).
    pub fn name(mut self, name: &'static str) -> Self {
        self.choice.name = Some(name);
        self
    }

    /// See [`Source::connect`].
    pub fn connect<O, M>(self, owner: &O, method: M) -> Connection<F>
    where
        O: Owner<F>,
        M: Method<O::Target, E, R> + MaybeSendSync<F>,
    {
        self.put_method::<ByRef, _, _>(owner, Checked::new(method))
    }

    /// See [`Source::connect_mut`].
    pub fn connect_mut<O, M>(self, owner: &O, method: M) -> Connection<F>
    where
        O: Owner<F>,
        O::Target: InteriorMut,
        M: MutMethod<<O::Target as InteriorMut>::Inner, E, R> + MaybeSendSync<F>,
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
        let identity = self.choice.unique.then(|| (weak.address(), TypeId::of::<M>()));
        let liveness = weak.liveness();
        let mut made_of = Some((Checked::new(weak), Checked::new(method)));
        let make = &mut |key| {
            let (weak, method) = made_of.take().expect("a slot is made once");
            let method = method.and(Checked::new(source.connection(key)));
            Handle::new::<Extended, _, _>(weak, method)
        };
        source.slots.put_made(self.choice, identity, liveness, None, make)
    }

    /// See [`Source::connect_fn`]. Every closure counts as a new method, so
    /// [`unique`](Self::unique) has no effect.
    pub fn connect_fn<C>(self, closure: C) -> ScopedConnection<F>
    where
        C: Closure<E, R> + MaybeSendSync<F>,
    {
        let (handle, keep_alive) = Handle::closure(Checked::new(closure));
        self.put((handle, Some(keep_alive))).scoped()
    }

    /// See [`Source::connect_weak`].
    pub fn connect_weak(self, method: WeakMethod<E, R, F>) -> Connection<F> {
        if !method.is_alive() {
            return Connection::never();
        }
        self.put((method.handle, method.keep_alive))
    }

    #[cfg(feature = "std")]
    pub(crate) fn is_unique(&self) -> bool {
        self.choice.unique
    }

    #[cfg(feature = "std")]
    pub(crate) fn source(&self) -> &'a Source<E, R, F> {
        self.source
    }

    /// For a slot in a queue: the queue counts the calls itself.
    #[cfg(feature = "std")]
    pub(crate) fn take_times(&mut self) -> Option<usize> {
        self.choice.calls_left.take()
    }

    /// Connects a method that `I` calls.
    #[inline(always)]
    pub(crate) fn put_method<I, O, M>(self, owner: &O, method: Checked<M, F>) -> Connection<F>
    where
        I: Invoke<M, O::Target, E, R, F>,
        O: Owner<F>,
        M: 'static,
    {
        self.put(Handle::new::<I, _, _>(Checked::new(weak_of(owner)), method))
    }

    #[inline]
    pub(crate) fn put(self, made: OwnedHandle<E, R, F>) -> Connection<F> {
        self.source.slots.put_chosen(self.choice, made)
    }

    #[cfg(feature = "std")]
    pub(crate) fn choice(&self) -> Choice {
        self.choice
    }
}

#[cfg(feature = "async")]
impl<E: ?Sized + 'static, F: Flavor> SlotOptions<'_, E, (), F> {
    /// Connects an object that takes events over.
    pub(crate) fn connect_intake<T>(self, keeper: Keeper<F::Strong<T>>) -> ScopedConnection<F>
    where
        T: Intake<E> + 'static,
        Keeper<F::Strong<T>>: MaybeSendSync<F>,
    {
        let (handle, keep_alive) = Handle::intake(Checked::new(keeper));
        self.put((handle, Some(keep_alive))).scoped()
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Flavor> Source<E, R, F> {
    /// Connects a method of `owner`. The method is a path such as `Panel::on_click`, or a closure
    /// whose first parameter is the owner. The slot holds the owner weakly. A method that is
    /// connected twice is called twice.
    ///
    /// The slot stays connected as long as its owner and the signal live. You may drop the
    /// [`Connection`]; keep it only if you want to disconnect earlier. (The guard that
    /// [`connect_fn`](Self::connect_fn) returns must be kept.)
    ///
    /// If the method's signature does not match, use a closure:
    ///
    /// ```
    /// use sigwire::Signal;
    /// use std::sync::Arc;
    ///
    /// struct Editor;
    /// impl Editor {
    ///     fn save(&self) {}
    ///     fn rename(&self, _: &str) {}
    /// }
    ///
    /// let (saved, renamed): (Signal<()>, Signal<String>) = Default::default();
    /// let editor = Arc::new(Editor);
    /// saved.connect(&editor, |editor, _| editor.save()); // `save` has no event parameter
    /// renamed.connect(&editor, |editor, name| editor.rename(name)); // takes `&str`, not `&String`
    ///
    /// let forwarded: Arc<Signal<String>> = Arc::default();
    /// renamed.connect(&forwarded, |forwarded, name| _ = forwarded.emit(name)); // `emit` returns a count
    ///
    /// assert_eq!(saved.emit(&()), 1);
    /// assert_eq!(renamed.emit(&"notes".to_owned()), 2);
    /// ```
    ///
    /// For a method that takes `&mut self`, see [`connect_mut`](Self::connect_mut).
    ///
    /// # # You keep the owner alive
    /// Do not capture the owner in the closure. That would be a strong reference, and a leak. Also
    /// keep an `Arc` of the owner yourself. `connect(&Arc::new(panel), ..)` compiles, but the `Arc`
    /// is dropped at the end of that line, and the slot ends with it. No lint finds this mistake.
    /// The connection shows it:
    ///
    /// ```
    /// # use sigwire::Signal;
    /// # use std::sync::Arc;
    /// let moved: Signal<u32> = Signal::new();
    /// let connection = moved.connect(&Arc::new("panel"), |_, _| ());
    /// assert!(!connection.is_connected());
    /// ```
    ///
    /// # # Owners under construction
    /// The owner may be a `Weak`. With it, an object can connect itself in
    /// [`Arc::new_cyclic`](std::sync::Arc::new_cyclic). From such a `Weak`, std does not tell
    /// whether the owner is still under construction or already gone. The signal can distinguish
    /// the two once it has seen the owner complete. It looks when it calls the slot, counts or
    /// prunes its slots, or is asked whether the slot is connected. If the owner is dropped before
    /// the signal has seen it complete, its slot is never called, but it stays in the signal until
    /// it is disconnected, and each emission tries to upgrade the owner. For short-lived objects,
    /// connect the complete `Arc`, or use a [`HazardArc`](crate::HazardArc), which can tell the
    /// difference.
    ///
    /// # Panics
    /// If the signal already holds 2^32 - 2 slots. Connecting may prune dead slots; if a destructor
    /// of what they captured panics, `connect` panics too, and connects nothing.
    ///
    /// # Cost
    /// Amortized constant time, whatever the number of slots. A method path, or a closure without
    /// captures, of a sized owner is stored in the signal's own lists. Any other method needs one
    /// allocation. If emissions are using the current list, the first connect copies the list. (The
    /// next one does not, unless another emission has begun since.) Connecting prunes dead slots
    /// from time to time, so a signal that never emits does not grow without limit.
    pub fn connect<O, M>(&self, owner: &O, method: M) -> Connection<F>
    where
        O: Owner<F>,
        M: Method<O::Target, E, R> + MaybeSendSync<F>,
    {
        self.put_method::<ByRef, _, _>(owner, Checked::new(method))
    }

    /// Connects a method that takes `&mut self`. The owner is behind a lock: `&Arc<Mutex<T>>` or
    /// `&Arc<RwLock<T>>`, or `&Rc<RefCell<T>>` in [`local`](crate::local). The lock is held only
    /// while the method runs. [`InteriorMut`] lists the supported locks of other crates, such as
    /// those of `parking_lot`.
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
    /// See [`connect`](Self::connect). The emission panics in this slot if the owner is already
    /// borrowed (`RefCell`), if a slot that is running further up on this thread holds the owner's
    /// lock, or if the lock is poisoned., in this slot, when the owner is borrowed already
    /// (`RefCell`), when a slot further up on this thread holds its lock, or when the lock is
    /// poisoned.
    ///
    /// # Deadlocks
    /// The emission deadlocks if your own code on this thread holds the owner's `Mutex` or
    /// `RwLock`, just as locking it twice does. Release the lock before you emit. (If a
    /// `connect_mut` slot further up holds the lock, the emission panics instead.)
    ///
    /// # Locks of tokio
    /// If the lock is held elsewhere, the slot waits and blocks its thread. tokio forbids that on
    /// the threads that run its tasks: there the emission panics. It does not panic if the lock is
    /// free. If tasks hold the lock for long, or across an `.await`, you can use an
    /// [`AsyncSignal`], whose `connect_mut` waits without blocking. You can also emit in
    /// [`spawn_blocking`], or put the handler in a [`Queue`](crate::Queue) that runs on a thread of
    /// its own.
    ///
    /// [`AsyncSignal`]: https://docs.rs/sigwire/latest/sigwire/generic/struct.AsyncSignal.html
    /// [`spawn_blocking`]: https://docs.rs/tokio/latest/tokio/task/fn.spawn_blocking.html
    pub fn connect_mut<O, M>(&self, owner: &O, method: M) -> Connection<F>
    where
        O: Owner<F>,
        O::Target: InteriorMut,
        M: MutMethod<<O::Target as InteriorMut>::Inner, E, R> + MaybeSendSync<F>,
    {
        self.put_method::<ByMut, _, _>(owner, Checked::new(method))
    }

    /// Connects a closure. A closure has no owner, so the returned guard owns the slot: dropping
    /// the guard disconnects the slot and drops the closure. [`ScopedConnection::detach`] keeps the
    /// closure connected as long as the signal lives.
    ///
    /// | call | the slot is connected as long as | the result |
    /// |---|---|---|
    /// | [`connect`](Self::connect) | the owner lives | may be dropped |
    /// | `connect_fn` | the guard lives | must be kept: `let _guard = ..`. With `let _ = ..` the slot ends at once |
    /// | `connect_fn(..).detach()` | the signal lives | may be dropped |
    ///
    /// ```
    /// use sigwire::Signal;
    ///
    /// let saved: Signal<str> = Signal::new();
    /// let guard = saved.connect_fn(|name| println!("saved {name}"));
    /// saved.connect_fn(|name| println!("saved {name}, and logged for ever")).detach();
    /// assert_eq!(saved.emit("notes.txt"), 2);
    /// drop(guard);
    /// assert_eq!(saved.emit("notes.txt"), 1);
    /// ```
    ///
    /// # Panics
    /// See [`connect`](Self::connect).
    ///
    /// # Cost
    /// One allocation.
    pub fn connect_fn<C>(&self, closure: C) -> ScopedConnection<F>
    where
        C: Closure<E, R> + MaybeSendSync<F>,
    {
        self.slot().connect_fn(closure)
    }

    /// Connects a weak method handle. If its object is gone, or not constructed yet, nothing is
    /// connected, and the result's `is_connected` returns false.
    ///
    /// # Panics
    /// See [`connect`](Self::connect).
    pub fn connect_weak(&self, method: WeakMethod<E, R, F>) -> Connection<F> {
        self.slot().connect_weak(method)
    }

    /// Connects a method that also gets the connection of its own slot, for instance to disconnect
    /// itself.
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

    /// Sets options for a slot before one of the same `connect` methods connects it. See
    /// [`SlotOptions`].
    pub fn slot(&self) -> SlotOptions<'_, E, R, F> {
        SlotOptions::new(self)
    }

    /// Connects a method that `I` calls, without options.
    #[inline(always)]
    pub(crate) fn put_method<I, O, M>(&self, owner: &O, method: Checked<M, F>) -> Connection<F>
    where
        I: Invoke<M, O::Target, E, R, F>,
        O: Owner<F>,
        M: 'static,
    {
        // Without this, the compiler does not know that there is nothing to drop.
        let method = ManuallyDrop::new(method);
        // Only a shortcut: the code below would do, but unoptimized builds need more code for it.
        if const { Handle::<E, R, F>::is_bare::<O::Weak, M>() } {
            return self.slots.put(Handle::bare::<I, _, _>(stored(owner), &method), None);
        }
        let method = ManuallyDrop::into_inner(method);
        let (handle, keep_alive) = Handle::new::<I, _, _>(Checked::new(weak_of(owner)), method);
        self.slots.put(handle, keep_alive)
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Flavor> fmt::Debug for SlotOptions<'_, E, R, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlotOptions")
            .field("priority", &self.choice.priority)
            .field("times", &self.choice.calls_left)
            .field("unique", &self.choice.unique)
            .field("name", &self.choice.name)
            .finish()
    }
}
