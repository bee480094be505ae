//! Signals, and their subscribe-only face.

use core::fmt;
use core::ops::Deref;

use crate::connection::{Block, Connection, ScopedConnection};
use crate::emission::Emission;
use crate::family::{Family, Local};
use crate::method::{ByMut, ByRef, WeakMethod};
use crate::options::SlotOptions;
use crate::owner::{BorrowMut, Captures, Owner};
#[cfg(feature = "tokio")]
use crate::raw::Link;
use crate::raw::{Checked, OnceStrong, WeakTable};
use crate::slots::Slots;

/// What announces events: owns the right to emit, and derefs to its [`Source`], to which slots are
/// connected.
///
/// Events are values of `E`, passed by reference; slots return `R`. `E` may be unsized: `Signal<str>`
/// goes with methods that take `&str`. It holds no borrows (`E: 'static`). Slots hold their owners weakly:
/// connecting keeps nothing alive, and an object may connect to its own signal.
///
/// ```
/// use sigwire::Signal;
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
///
/// #[derive(Default)]
/// struct Counter {
///     total: AtomicU64,
/// }
///
/// impl Counter {
///     fn add(&self, n: &u64) {
///         self.total.fetch_add(*n, Relaxed);
///     }
/// }
///
/// let numbers: Signal<u64> = Signal::new();
/// let counter = Arc::new(Counter::default());
/// numbers.connect(&counter, Counter::add);
/// numbers.connect(&counter, |counter, n| counter.add(&(n + 1)));
///
/// assert_eq!(numbers.emit(&2), 2); // slots called
/// assert_eq!(counter.total.load(Relaxed), 5);
///
/// drop(counter); // freed here, at once
/// assert_eq!(numbers.emit(&3), 0); // its slots are pruned
/// ```
///
/// # Cost
/// A signal is one pointer wide, and owns no heap until something is connected. It can be a `static`:
///
/// ```
/// # use sigwire::Signal;
/// struct Quit;
/// static QUIT: Signal<Quit> = Signal::new();
/// assert_eq!(QUIT.emit(&Quit), 0);
/// ```
#[repr(transparent)]
pub struct Signal<E: ?Sized + 'static, R: 'static, F: Family> {
    source: Source<E, R, F>,
}

/// The subscribe-only face of a [`Signal`]. Publish `&Source` and keep the `Signal` private, so that
/// everyone can connect and only you can emit.
///
/// ```
/// use sigwire::{Signal, Source};
///
/// #[derive(Default)]
/// pub struct Slider {
///     moved: Signal<f32>,
/// }
///
/// impl Slider {
///     pub fn moved(&self) -> &Source<f32> {
///         self.moved.source()
///     }
/// }
///
/// let slider = Slider::default();
/// let _guard = slider.moved().connect_fn(|to| println!("moved to {to}"));
/// assert_eq!(slider.moved().slot_count(), 1);
/// ```
pub struct Source<E: ?Sized + 'static, R: 'static, F: Family> {
    slots: OnceStrong<Slots<E, R, F>, F>,
}

// Not one for all families: see `OnceStrong::new`.
macro_rules! new {
    ($family:ty) => {
        impl<E: ?Sized + 'static, R: 'static> Signal<E, R, $family> {
            /// A signal without slots. Allocates nothing.
            pub const fn new() -> Self {
                Signal { source: Source { slots: OnceStrong::<_, $family>::new() } }
            }
        }
    };
}
new!(Local);
#[cfg(feature = "std")]
new!(crate::family::Shared);

impl<E: ?Sized + 'static, R: 'static, F: Family> Default for Signal<E, R, F> {
    fn default() -> Self {
        Signal { source: Source { slots: OnceStrong::empty() } }
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Family> Signal<E, R, F> {
    /// Calls every slot, in order: by priority, then as they were connected. Returns how many were
    /// called; slots that are blocked or have lost their owner are not.
    ///
    /// Slots connected meanwhile are called from the next emission on; slots disconnected meanwhile
    /// are not called any more. A slot may do anything with the signal, emitting included: that
    /// emission runs at once, inside this one. Other threads may emit at the same time; no lock is
    /// held while a slot runs.
    ///
    /// # Panics
    /// When a slot does: the later slots are not called then, and the signal stays as usable as it
    /// was. When emissions are nested 256 deep on this thread.
    ///
    /// # Cost
    /// Without slots: two loads. Otherwise one atomic exchange, and for each slot upgrading its
    /// owner, calling the method, and releasing the owner. It allocates only
    /// - when two emissions of one signal run at the same time or inside each other, or more of them,
    ///   and more than ever did before: room for four more, which is kept;
    /// - when more than 16 `connect_mut` slots are nested on a thread: to note their locks;
    /// - when a thread calls a [`Tracked`](crate::Tracked) owner for the first time: see there.
    #[inline(always)]
    #[track_caller]
    pub fn emit(&self, event: &E) -> usize {
        match self.source.slots.get() {
            Some(slots) => slots.emit(event),
            None => 0,
        }
    }

    /// Starts an emission that the caller drives: an iterator over what the slots return, which
    /// calls one slot each time it is advanced. It covers the slots that are connected now.
    ///
    /// All of `Iterator` is there to combine results, and to stop early:
    ///
    /// ```
    /// use sigwire::Signal;
    /// use std::ops::ControlFlow;
    /// use std::sync::Arc;
    ///
    /// let offers: Signal<str, u32> = Signal::new();
    /// let shops = Arc::new([30, 20, 25]);
    /// for i in 0..3 {
    ///     offers.connect(&shops, move |shops, _| shops[i]);
    /// }
    /// assert_eq!(offers.call("tea").min(), Some(20));
    /// assert_eq!(offers.call("tea").last(), Some(25));
    /// assert_eq!(offers.call("tea").find(|price| *price < 30), Some(20)); // the third is not asked
    ///
    /// let keys: Signal<char, ControlFlow<&str>> = Signal::new();
    /// keys.connect(&shops, |_, key| if *key == 'q' { ControlFlow::Break("quit") } else { ControlFlow::Continue(()) });
    /// assert_eq!(keys.call(&'q').try_for_each(|flow| flow), ControlFlow::Break("quit"));
    /// ```
    ///
    /// # Cost
    /// See [`Emission`].
    pub fn call<'a>(&'a self, event: &'a E) -> Emission<'a, E, R, F> {
        Emission::new(self.source.slots.get(), event)
    }

    /// Calls every slot, also when some of them panic, and returns how many were called.
    ///
    /// ```
    /// use sigwire::Signal;
    ///
    /// let saved: Signal<str> = Signal::new();
    /// let _bad = saved.slot().name("backup").connect_fn(|_| panic!("disk full"));
    /// let _good = saved.connect_fn(|_| ());
    ///
    /// let error = saved.try_emit("notes.txt").unwrap_err();
    /// assert_eq!(error.called(), 2);
    /// assert_eq!(error.panics()[0].name(), Some("backup"));
    /// assert_eq!(error.panics()[0].message(), "disk full");
    /// error.panics()[0].connection().disconnect();
    /// assert_eq!(saved.try_emit("notes.txt").unwrap(), 1);
    /// ```
    ///
    /// # Errors
    /// When slots panicked: which, and with what message.
    ///
    /// # Panics
    /// When emissions are nested 256 deep on this thread.
    ///
    /// # Cost
    /// As [`emit`](Self::emit), and an allocation for each panic. A slot that has a name also takes the
    /// signal's lock for a moment.
    #[cfg(feature = "std")]
    pub fn try_emit(&self, event: &E) -> Result<usize, crate::error::EmitError<F>> {
        let Some(slots) = self.source.slots.get() else { return Ok(0) };
        slots.try_emit(event, |key| self.source.connection(key))
    }

    /// The subscribe-only face.
    pub const fn source(&self) -> &Source<E, R, F> {
        &self.source
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Family> Deref for Signal<E, R, F> {
    type Target = Source<E, R, F>;
    fn deref(&self) -> &Source<E, R, F> {
        &self.source
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Family> Source<E, R, F> {
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
    /// For short-lived objects, connect the complete `Arc`; or use a [`Tracked`](crate::Tracked), which
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
        M: Fn(&O::Target, &E) -> R + Captures<F>,
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
        O::Target: BorrowMut,
        M: Fn(&mut <O::Target as BorrowMut>::Inner, &E) -> R + Captures<F>,
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
        C: Fn(&E) -> R + Captures<F>,
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
        M: Fn(&O::Target, &Connection<F>, &E) -> R + Captures<F>,
        Connection<F>: Captures<F>,
    {
        self.slot().connect_extended(owner, method)
    }

    /// Options first, then one of the same verbs: see [`SlotOptions`].
    pub fn slot(&self) -> SlotOptions<'_, E, R, F> {
        SlotOptions::new(self)
    }

    /// How many slots are connected, blocked ones included. Slots that have lost their owner are not
    /// connected, whether they are pruned yet or not.
    ///
    /// # Cost
    /// Looks at all slots, under the signal's lock.
    pub fn slot_count(&self) -> usize {
        self.slots.get().map_or(0, Slots::count)
    }

    /// Whether no slot is connected. Costs as much as [`slot_count`](Self::slot_count).
    pub fn is_empty(&self) -> bool {
        self.slot_count() == 0
    }

    /// Disconnects all slots; returns how many there were.
    pub fn disconnect_all(&self) -> usize {
        self.slots.get().map_or(0, Slots::disconnect_all)
    }

    /// Disconnects all slots of `owner`; returns how many there were.
    ///
    /// # Cost
    /// Looks at all slots, under the signal's lock.
    pub fn disconnect_owner<O: Owner<F>>(&self, owner: &O) -> usize {
        self.slots.get().map_or(0, |slots| slots.disconnect_matching(owner.address(), None))
    }

    /// Disconnects all slots that call this method of `owner`; returns how many there were. A method
    /// is known by its type: name it as it was named when it was connected. All `fn` pointers of one
    /// signature count as one method, and so do closures that one closure expression made.
    ///
    /// # Cost
    /// Looks at all slots, under the signal's lock.
    pub fn disconnect_method<O: Owner<F>, M: 'static>(&self, owner: &O, method: M) -> usize {
        drop(method);
        let method = core::any::TypeId::of::<M>();
        self.slots.get().map_or(0, |slots| slots.disconnect_matching(owner.address(), Some(method)))
    }

    /// Removes the slots that have lost their owner; returns how many there were. Emitting and
    /// connecting do this too, so it is seldom needed.
    ///
    /// # Cost
    /// Looks at all slots, under the signal's lock.
    pub fn prune(&self) -> usize {
        self.slots.get().map_or(0, Slots::prune)
    }

    /// Silences all slots, those that are connected later too, until the block is dropped. Emissions
    /// that are under way fall silent with the next slot. Blocks count: two need two releases.
    ///
    /// # Cost
    /// The first block and the last release look at all slots, under the signal's lock. Allocates when
    /// nothing was ever connected.
    pub fn block(&self) -> Block<F> {
        self.slots.get_or_init(Slots::new);
        Block::one(self.table(), None)
    }

    /// Whether the signal is blocked.
    pub fn is_blocked(&self) -> bool {
        self.slots.get().is_some_and(Slots::is_silent)
    }

    /// The slots, which are made first if need be.
    pub(crate) fn slots(&self) -> &Slots<E, R, F> {
        self.slots.get_or_init(Slots::new)
    }

    /// The slots, if anything was ever connected.
    #[cfg(feature = "async")]
    pub(crate) fn slots_if_any(&self) -> Option<&Slots<E, R, F>> {
        self.slots.get()
    }

    /// The slots, for an emission that may outlive the signal.
    #[cfg(feature = "tokio")]
    pub(crate) fn strong_slots(&self) -> Option<F::Strong<Slots<E, R, F>>> {
        self.slots.get()?;
        self.slots.downgrade().upgrade()
    }

    pub(crate) fn table(&self) -> WeakTable<F> {
        WeakTable::new(self.slots.downgrade())
    }

    pub(crate) fn connection(&self, key: crate::table::SlotKey) -> Connection<F> {
        Connection::new(self.table(), key)
    }
}

/// The signal ends: all its connections do, at once.
impl<E: ?Sized + 'static, R: 'static, F: Family> Drop for Source<E, R, F> {
    fn drop(&mut self) {
        self.disconnect_all();
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Family> fmt::Debug for Source<E, R, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug("Source", self, f)
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Family> fmt::Debug for Signal<E, R, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug("Signal", self, f)
    }
}

/// Does not wait for the lock: then what is under it is missing.
fn debug<E: ?Sized + 'static, R: 'static, F: Family>(
    name: &str,
    source: &Source<E, R, F>,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let mut f = f.debug_struct(name);
    if let Some((slots, is_blocked)) = source.slots.get().map_or(Some((0, false)), Slots::try_look)
    {
        f.field("slots", &slots).field("is_blocked", &is_blocked);
    }
    f.finish_non_exhaustive()
}
