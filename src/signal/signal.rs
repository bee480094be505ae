//! Signals: the right to emit.

use core::fmt;
use core::ops::Deref;

use super::emission::Emission;
use super::source::Source;
use crate::raw::Flavor;
use crate::raw::Local;

/// What announces events: owns the right to emit, and derefs to its [`Source`], to which slots are
/// connected.
///
/// Generic over the flavor. Its everyday names are [`Signal`](crate::Signal) and
/// [`local::Signal`](crate::local::Signal).
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
pub struct Signal<E: ?Sized + 'static, R: 'static, F: Flavor> {
    source: Source<E, R, F>,
}

// Not one for all flavors: see `LazyStrong::new`.
macro_rules! new {
    ($flavor:ty) => {
        impl<E: ?Sized + 'static, R: 'static> Signal<E, R, $flavor> {
            /// A signal without slots. Allocates nothing.
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
    /// Calls every slot, in order: by priority, then as they were connected. Returns how many were
    /// called; slots that are blocked or have lost their owner are not.
    ///
    /// A `Signal<()>` announces that something happened, and nothing more: `emit(&())`. A `Signal<str>` takes
    /// `&String`, too, and its slots get `&str`.
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
    /// - when a thread calls a [`HazardArc`](crate::HazardArc) owner for the first time: see there.
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
    /// assert_eq!(error.failures()[0].name(), Some("backup"));
    /// assert_eq!(error.failures()[0].message(), "disk full");
    /// error.failures()[0].connection().disconnect();
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
    pub fn try_emit(&self, event: &E) -> Result<usize, crate::signal::EmitError<F>> {
        let Some(slots) = self.source.slots.get() else { return Ok(0) };
        slots.try_emit(event, |key| self.source.connection(key))
    }

    /// The subscribe-only face.
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
