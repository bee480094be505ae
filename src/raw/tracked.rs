use core::cell::{Cell, UnsafeCell};
use core::fmt;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ops::Deref;
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::AtomicPtr;

use super::hazards::{self, Entering, Hazards, Head, Record};
use super::{Entry, Hold, Link};
use crate::depth;
use crate::family::Shared;

static HAZARDS: Hazards<Shared> = Hazards::new(AtomicPtr::new(core::ptr::null_mut()));

/// An object and what is needed to call it. `repr(C)`: a pointer to it is one to its head.
#[repr(C)]
struct Object<T> {
    head: Head<Shared>,
    value: UnsafeCell<MaybeUninit<T>>,
}

// SAFETY: strong pointers share the value between threads, and any thread may be the one to drop it.
unsafe impl<T: Send + Sync> Send for Object<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Object<T> {}

impl<T> Object<T> {
    fn incomplete() -> Arc<Self> {
        // SAFETY: the value is dropped by the protocol of `hazards` only, which promises just that.
        let head = unsafe { Head::incomplete(Self::destroy) };
        Arc::new(Object { head, value: UnsafeCell::new(MaybeUninit::uninit()) })
    }

    /// Drops the value.
    unsafe fn destroy(head: *const Head<Shared>) {
        // SAFETY: by the promise to `Head::incomplete`, there is a value, for the last time.
        unsafe {
            (*UnsafeCell::raw_get(&raw const (*head.cast::<Self>()).value)).assume_init_drop()
        };
    }

    /// # Safety
    /// The object is complete and not destroyed, as long as the reference is used.
    #[inline(always)]
    unsafe fn value(&self) -> &T {
        // SAFETY: the caller's promise. Nobody has a `&mut` to it before it is destroyed.
        unsafe { (*self.value.get()).assume_init_ref() }
    }
}

fn object<T>(object: &Arc<Object<T>>) -> NonNull<Object<T>> {
    NonNull::new(Arc::as_ptr(object).cast_mut()).expect("an `Arc` points somewhere")
}

fn head<T>(object: &Arc<Object<T>>) -> *const Head<Shared> {
    Arc::as_ptr(object).cast()
}

/// An owner whose slots are called without touching its reference count: `Arc<T>` for objects that
/// are called often, or from several threads at once.
///
/// Every call of an `Arc`'s method counts a reference up and down again, and threads that emit to the
/// same owners wait for one another's counting. An emission calls a tracked owner after one exchange in
/// memory of its own thread. In nearly everything else it does as for an `Arc`: slots hold the owner weakly;
/// it is dropped with its last strong pointer, at once, or, when a slot of it runs at that moment, right
/// after that call and on that thread.
///
/// What differs:
/// - The call of a method path, or of a closure without captures, does not count as an owner. Once the last
///   strong pointer is gone, weak pointers cannot be upgraded and further slots are not called, also while
///   such a method of the object still runs.
/// - When the last strong pointer is dropped on another thread just while the call ends, the object may be
///   destroyed a little later: when the same emission calls its next tracked owner, or ends; or by another
///   thread that was about to call it.
/// - `T` is sized: for trait objects, use an `Arc<dyn Trait>`.
///
/// ```
/// use sigwire::{Signal, Tracked};
/// use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
///
/// #[derive(Default)]
/// struct Counter(AtomicU64);
/// impl Counter {
///     fn add(&self, n: &u64) {
///         self.0.fetch_add(*n, Relaxed);
///     }
/// }
///
/// let numbers: Signal<u64> = Signal::new();
/// let counter = Tracked::new(Counter::default());
/// numbers.connect(&counter, Counter::add);
/// numbers.emit(&2);
/// assert_eq!(counter.0.load(Relaxed), 2);
/// drop(counter); // freed here
/// assert_eq!(numbers.emit(&3), 0);
/// ```
///
/// # Cost
/// On one thread a call takes 0.7 to 1.0 of the time of an `Arc`'s method, if the signal has many slots; with
/// few it is somewhat slower. When two threads call the same owners it takes 0.3 of it. That holds for method
/// paths and for closures without captures, in emissions nested 16 deep at most; other methods, and
/// [`WeakMethod::call`](crate::WeakMethod::call), count references. Dropping the last strong pointer looks through 16 words for each thread that ever
/// called tracked owners at the same time. The first such call on a thread may allocate 512 bytes, which
/// later threads use again.
pub struct Tracked<T>(NonNull<Object<T>>);

// SAFETY: as for `Arc`: it shares the value, and drops it.
unsafe impl<T: Send + Sync> Send for Tracked<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Tracked<T> {}
impl<T: RefUnwindSafe> UnwindSafe for Tracked<T> {}
impl<T: RefUnwindSafe> RefUnwindSafe for Tracked<T> {}

impl<T> Tracked<T> {
    /// Puts `value` into an allocation of its own.
    pub fn new(value: T) -> Self {
        Self::new_cyclic(|_| value)
    }

    /// The same for a value that holds a weak pointer to itself, or connects itself as it is made. The
    /// pointer can be upgraded, and its slots are called, once `make` has returned.
    ///
    /// ```
    /// use sigwire::{Signal, Tracked};
    ///
    /// struct Button {
    ///     clicked: Signal<()>,
    /// }
    /// impl Button {
    ///     fn on_clicked(&self, _: &()) {}
    /// }
    ///
    /// let button = Tracked::new_cyclic(|weak| {
    ///     let clicked = Signal::new();
    ///     clicked.connect(weak, Button::on_clicked);
    ///     Button { clicked }
    /// });
    /// assert_eq!(button.clicked.emit(&()), 1);
    /// ```
    pub fn new_cyclic(make: impl FnOnce(&WeakTracked<T>) -> T) -> Self {
        let weak = WeakTracked(Object::incomplete());
        let value = make(&weak);
        // SAFETY: nobody reads it before it is complete, and only this function writes to it.
        unsafe { (*weak.0.value.get()).write(value) };
        weak.0.head.complete();
        // All strong pointers together own one reference to the memory: this one.
        Tracked(object(&ManuallyDrop::new(weak.0)))
    }

    /// A pointer that does not keep the value.
    pub fn downgrade(this: &Self) -> WeakTracked<T> {
        let object = this.0.as_ptr().cast_const();
        // SAFETY: `object` came from `into_raw`, and this strong pointer keeps the memory.
        unsafe { Arc::increment_strong_count(object) };
        // SAFETY: as above; the reference was counted just now.
        WeakTracked(unsafe { Arc::from_raw(object) })
    }

    /// Whether both point to one value.
    pub fn ptr_eq(this: &Self, other: &Self) -> bool {
        this.0 == other.0
    }

    /// How many strong pointers there are. Other threads may change that at any time.
    pub fn strong_count(this: &Self) -> usize {
        this.object().head.strong()
    }

    /// How many weak pointers there are, slots included. Other threads may change that at any time.
    pub fn weak_count(this: &Self) -> usize {
        Arc::strong_count(&Self::downgrade(this).0) - 2
    }

    fn object(&self) -> &Object<T> {
        // SAFETY: this strong pointer keeps it.
        unsafe { self.0.as_ref() }
    }

    /// The last strong pointer ends.
    #[cold]
    fn end(&self) {
        // SAFETY: the reference that all strong pointers own together.
        let object = unsafe { Arc::from_raw(self.0.as_ptr()) };
        // SAFETY: `object` keeps the memory.
        unsafe { HAZARDS.destroy_if_last(head(&object)) };
    }
}

impl<T> Deref for Tracked<T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: this strong pointer keeps the value.
        unsafe { self.object().value() }
    }
}

impl<T> Clone for Tracked<T> {
    fn clone(&self) -> Self {
        let retained = self.object().head.retain();
        debug_assert!(retained, "this is a strong pointer");
        Tracked(self.0)
    }
}

impl<T> Drop for Tracked<T> {
    fn drop(&mut self) {
        // SAFETY: this strong pointer ends.
        if unsafe { Head::<Shared>::release(self.0.as_ptr().cast_const().cast()) } {
            self.end();
        }
    }
}

impl<T> From<T> for Tracked<T> {
    fn from(value: T) -> Self {
        Tracked::new(value)
    }
}

impl<T: Default> Default for Tracked<T> {
    fn default() -> Self {
        Tracked::new(T::default())
    }
}

impl<T> AsRef<T> for Tracked<T> {
    fn as_ref(&self) -> &T {
        self
    }
}

impl<T: fmt::Debug> fmt::Debug for Tracked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::fmt(self, f)
    }
}

/// A weak pointer to a [`Tracked`] value: it does not keep the value, only its memory.
pub struct WeakTracked<T>(Arc<Object<T>>);

impl<T: RefUnwindSafe> UnwindSafe for WeakTracked<T> {}
impl<T: RefUnwindSafe> RefUnwindSafe for WeakTracked<T> {}

impl<T> WeakTracked<T> {
    /// The value, if it still has an owner and is complete.
    pub fn upgrade(&self) -> Option<Tracked<T>> {
        self.0.head.retain().then(|| Tracked(object(&self.0)))
    }

    /// Whether both point to one value, or did.
    pub fn ptr_eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<T> Clone for WeakTracked<T> {
    fn clone(&self) -> Self {
        WeakTracked(self.0.clone())
    }
}

impl<T> fmt::Debug for WeakTracked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(WeakTracked)")
    }
}

impl<T> Link for WeakTracked<T> {
    type Target = T;
    type Strong = Tracked<T>;
    type Place = &'static hazards::Cell<Shared>;
    type Entered<'a>
        = Entered<'a, T>
    where
        Self: 'a;

    fn upgrade(&self) -> Option<Tracked<T>> {
        self.upgrade()
    }

    fn is_alive(&self) -> bool {
        self.0.head.is_alive()
    }

    fn address(&self) -> *const () {
        self.0.value.get().cast_const().cast()
    }

    #[inline(always)]
    fn place() -> Option<Self::Place> {
        PLACE.with(|place| if place.depth.get() == depth::here() { place.cell.get() } else { None })
    }

    fn find_place() -> bool {
        PLACE.with(Place::find)
    }

    #[inline(always)]
    unsafe fn enter(&self, cell: Self::Place) -> Entry<Entered<'_, T>> {
        // SAFETY: the emission keeps what it has entered.
        let entering = unsafe { cell.enter(&self.0.head) };
        if let Entering::LookFirst = entering {
            return Entry::Again;
        }
        let entered = Entered { cell, object: &self.0 };
        if let Entering::Alive = entering { Entry::Alive(entered) } else { Entry::Dead }
    }
}

/// An object that is called, until the call ends, by a panic too.
pub struct Entered<'a, T> {
    cell: &'static hazards::Cell<Shared>,
    object: &'a Arc<Object<T>>,
}

impl<T> Deref for Entered<'_, T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: it is in the cell, and was alive after it had got there.
        unsafe { self.object.value() }
    }
}

impl<T> Hold for Entered<'_, T> {
    type Strong = Tracked<T>;
    fn keep(self) -> Option<Tracked<T>> {
        self.object.head.retain().then(|| Tracked(object(self.object)))
    }
}

impl<T> Hold for Tracked<T> {
    type Strong = Self;
    fn keep(self) -> Option<Self> {
        Some(self)
    }
}

impl<T> Drop for Entered<'_, T> {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: by the promise to `enter`.
        unsafe { HAZARDS.leave(self.cell, head(self.object)) };
    }
}

/// Where an emission on this thread notes what it calls: the innermost, or one that was at least as deep as
/// all that have called something of this kind and have not ended.
struct Place {
    /// The emission's depth; 0 while there is none.
    depth: Cell<usize>,
    cell: Cell<Option<&'static hazards::Cell<Shared>>>,
    record: Cell<Option<&'static Record<Shared>>>,
}

std::thread_local! {
    /// Has no destructor, so it can be used while a thread ends.
    static PLACE: Place =
        const { Place { depth: Cell::new(0), cell: Cell::new(None), record: Cell::new(None) } };
    static LEASE: Lease = Lease(HAZARDS.lease());
}

impl Place {
    /// Makes it that of the innermost emission, and clears its cell. Not if that is nested too deep, nor while
    /// the thread ends.
    fn find(&self) -> bool {
        if self.record.get().is_none() {
            self.record.set(LEASE.try_with(|lease| lease.0).ok());
        }
        self.set(depth::here()).is_some_and(|cell| {
            // SAFETY: it is that of this emission.
            unsafe { HAZARDS.clear(cell) };
            true
        })
    }

    fn set(&self, depth: usize) -> Option<&'static hazards::Cell<Shared>> {
        let cell = self.record.get()?.cell(depth.checked_sub(1)?)?;
        self.depth.set(depth);
        self.cell.set(Some(cell));
        Some(cell)
    }

    /// The emission at this depth ends. Deeper ones have ended; the one around it may have called something
    /// too.
    #[inline(never)]
    fn leave(&self, depth: usize) {
        let is_here = self.depth.get() == depth;
        let cell = if is_here { self.cell.get() } else { self.set(depth) };
        if depth > 1 {
            self.set(depth - 1);
        }
        if let Some(cell) = cell {
            // SAFETY: it is that of this emission.
            unsafe { HAZARDS.clear(cell) };
        }
    }
}

/// The thread's record, until the thread ends.
struct Lease(&'static Record<Shared>);

impl Drop for Lease {
    fn drop(&mut self) {
        if depth::here() > 0 {
            // A slot ends the process. What it called is still in its cell, and stays there.
            return;
        }
        PLACE.with(|place| {
            place.depth.set(0);
            place.record.set(None);
        });
        self.0.give_back();
    }
}

/// The emission at this depth ends, before it lets go of its list.
#[inline(always)]
pub(crate) fn leave_depth(depth: usize) {
    PLACE.with(|place| {
        // Deeper, when an emission of the other flavour came between.
        if place.depth.get() >= depth {
            place.leave(depth);
        }
    });
}
