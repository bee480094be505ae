//! The signal: a source, plus the right to emit.

use core::fmt;
use core::ops::Deref;

use super::emission::Emission;
use super::source::Source;
use crate::raw::Flavor;
use crate::raw::Local;

/// Announces events to the slots that are connected to it.
///
/// Generic over the flavor. Its everyday names are [`Signal`](crate::Signal) and
/// [`local::Signal`](crate::local::Signal).
///
/// A signal owns the right to emit. It derefs to its [`Source`], which has the methods that connect
/// and disconnect slots.
///
/// An event is a value of type `E` and is passed by reference. A slot returns an `R`. `E` may be
/// unsized: the methods connected to a `Signal<str>` take `&str`. Events contain no borrowed data
/// (`E: 'static`). Slots hold their owners weakly: connecting keeps no object alive, and an object
/// may connect to its own signal.
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
/// A signal is one pointer wide. It allocates nothing until a slot is connected, so it can be a
/// `static`:
///
/// ```
/// # use sigwire::Signal;
/// struct Quit;
/// static QUIT: Signal<Quit> = Signal::new();
/// assert_eq!(QUIT.emit(&Quit), 0);
/// ```
#[repr(transparent)]
pub struct Signal<E: ?Sized + 'static, R: 'static, F: Flavor> {
    source: Source<E, R, F>,
}

// Written for each flavor: `LazyStrong::new` says why it cannot be generic.
macro_rules! new {
    ($flavor:ty) => {
        impl<E: ?Sized + 'static, R: 'static> Signal<E, R, $flavor> {
            /// Creates a signal without slots. Allocates nothing.
            pub const fn new() -> Self {
                Signal { source: Source::<_, _, $flavor>::new() }
            }
        }
    };
}
new!(Local);
#[cfg(feature = "std")]
new!(crate::raw::Shared);

impl<E: ?Sized + 'static, R: 'static, F: Flavor> Default for Signal<E, R, F> {
    fn default() -> Self {
        Signal { source: Source::empty() }
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Flavor> Signal<E, R, F> {
    /// Calls every slot and returns how many were called.
    ///
    /// Slots are called by priority, then in the order in which they were connected. Slots that are
    /// blocked or have lost their owner are skipped and not counted.
    ///
    /// A slot that is connected during an emission is first called by the next emission. A slot
    /// that is disconnected during an emission, before its turn, is not called. A slot may use the
    /// signal in any way, and may also emit: the inner emission runs at once, inside the outer one.
    /// Several threads may emit at the same time. No lock is held while a slot runs.
    ///
    /// A `Signal<()>` is emitted with `emit(&())`. A `Signal<str>` also takes a `&String`; its slots
    /// get a `&str`.
    ///
    /// # Panics
    /// - If a slot panics. The slots after it are not called, and the signal stays fully usable.
    /// - If emissions are nested 256 deep on this thread.
    ///
    /// # Cost
    /// Without slots: two loads. Otherwise: one atomic exchange for the emission, and for each slot
    /// upgrading its owner, calling the method, and releasing the owner. It allocates only
    /// - if emissions of this signal overlap (in parallel or nested), and more of them than ever
    ///   before: memory for four more emissions, which the signal keeps;
    /// - if more than 16 `connect_mut` slots are nested on a thread: to record their locks;
    /// - if a thread calls a [`HazardArc`](crate::HazardArc) owner for the first time: see there.
    #[inline(always)]
    #[track_caller]
    pub fn emit(&self, event: &E) -> usize {
        match self.source.slots.get() {
            Some(slots) => slots.emit(event),
            None => 0,
        }
    }

    /// Returns an iterator over the results of the slots. It calls one slot for each `next`.
    ///
    /// The emission covers the slots that are connected now. The methods of [`Iterator`] combine
    /// the results or stop early:
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
    /// // `find` stops at the second shop:
    /// assert_eq!(offers.call("tea").find(|price| *price < 30), Some(20));
    ///
    /// let keys: Signal<char, ControlFlow<&str>> = Signal::new();
    /// keys.connect(&shops, |_, key| match key {
    ///     'q' => ControlFlow::Break("quit"),
    ///     _ => ControlFlow::Continue(()),
    /// });
    /// assert_eq!(keys.call(&'q').try_for_each(|flow| flow), ControlFlow::Break("quit"));
    /// ```
    ///
    /// # Cost
    /// See [`Emission`].
    pub fn call<'a>(&'a self, event: &'a E) -> Emission<'a, E, R, F> {
        Emission::new(self.source.slots.get(), event)
    }

    /// Calls every slot, even if some panic, and returns how many were called.
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
    /// assert_eq!(error.failures()[0].name(), Some("backup"));
    /// assert_eq!(error.failures()[0].message(), "disk full");
    /// error.failures()[0].connection().disconnect();
    /// assert_eq!(saved.try_emit("notes.txt").unwrap(), 1);
    /// ```
    ///
    /// # Errors
    /// If slots panicked. The error lists which ones, and their panic messages. It also lists
    /// destructors that panicked during the emission: see [`SlotFailure::in_slot`].
    ///
    /// [`SlotFailure::in_slot`]: crate::SlotFailure::in_slot
    ///
    /// # Panics
    /// If emissions are nested 256 deep on this thread.
    ///
    /// # Cost
    /// The same as [`emit`](Self::emit), plus an allocation for each panic, plus a short lock of
    /// the signal for each slot that has a name.
    #[cfg(feature = "std")]
    pub fn try_emit(&self, event: &E) -> Result<usize, crate::signal::EmitError<F>> {
        let Some(slots) = self.source.slots.get() else { return Ok(0) };
        slots.try_emit(event, |key| self.source.connection(key))
    }

    /// The subscribe-only side of this signal. Publish it to let others connect but not emit.
    pub const fn source(&self) -> &Source<E, R, F> {
        &self.source
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Flavor> Deref for Signal<E, R, F> {
    type Target = Source<E, R, F>;
    fn deref(&self) -> &Source<E, R, F> {
        &self.source
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Flavor> fmt::Debug for Signal<E, R, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.debug("Signal", f)
    }
}
