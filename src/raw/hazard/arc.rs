//! `HazardArc`: a strong pointer to an object that emissions call without counting references.

use core::cell::UnsafeCell;
use core::fmt;
use core::marker::PhantomData;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ops::Deref;
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::ptr::NonNull;
use std::sync::Arc;

use super::protocol::{HazardCell, HazardHead};
use super::thread::HAZARDS;
use crate::raw::{Caller, Hold, Link, Liveness, NotCalled, Shared};

/// An object with its head. `repr(C)`, so that a pointer to the object is also one to its head.
#[repr(C)]
struct Object<T> {
    head: HazardHead<Shared>,
    value: UnsafeCell<MaybeUninit<T>>,
}

// SAFETY: strong pointers share the value between threads, and any thread may drop it. So it has to
// be `Sync` and `Send`. The head consists of an atomic and a function pointer.
unsafe impl<T: Send + Sync> Send for Object<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Object<T> {}

impl<T> Object<T> {
    fn incomplete() -> Arc<Self> {
        // SAFETY: only `hazard::protocol` calls `destroy`, as `destroy` requires.
        let head = unsafe { HazardHead::incomplete(Self::destroy) };
        Arc::new(Object { head, value: UnsafeCell::new(MaybeUninit::uninit()) })
    }

    /// Drops the value.
    ///
    /// # Safety
    /// `head` is the head of an `Object<T>`, and valid for all of it. The object is complete,
    /// nobody can reach its value any more, and this is called once.
    unsafe fn destroy(head: *const HazardHead<Shared>) {
        // SAFETY: there is a value, which nobody else reaches, and which was not dropped yet.
        unsafe {
            (*UnsafeCell::raw_get(&raw const (*head.cast::<Self>()).value)).assume_init_drop()
        };
    }

    /// # Safety
    /// The object is complete, and is not destroyed while the reference is used.
    #[inline(always)]
    unsafe fn value(&self) -> &T {
        // SAFETY: the caller promises that there is a value. Nobody has a `&mut` to it before it is
        // destroyed.
        unsafe { (*self.value.get()).assume_init_ref() }
    }
}

/// A pointer that is valid for the whole object.
fn object<T>(object: &Arc<Object<T>>) -> NonNull<Object<T>> {
    NonNull::new(Arc::as_ptr(object).cast_mut()).expect("`Arc::as_ptr` is never null")
}

/// An owner whose slots are called without touching its reference count: `Arc<T>` for objects that
/// are called often, or from several threads at once.
///
/// Every call of an `Arc`'s method increments and decrements a reference count, and threads that
/// emit to the same owners wait for each other's counting. Before an emission calls a `HazardArc`
/// owner, it makes one atomic exchange, in memory of its own thread. Otherwise a `HazardArc`
/// behaves mostly like an `Arc`: slots hold the owner weakly, and it is dropped at once with its
/// last strong pointer. If one of its slots runs at that moment, it is dropped right after that
/// call, on that thread.
///
/// What differs:
/// - While a method path or a closure without captures is called, the call does not count as an
///   owner. Once the last strong pointer is gone, weak pointers cannot be upgraded and further
///   slots are not called, even while such a method of the object still runs.
/// - If the last strong pointer is dropped on another thread just while the call ends, the object
///   may be destroyed a little later: when the same emission calls its next `HazardArc` owner, or
///   ends, or by another thread that was about to call the object. So the object may be destroyed,
///   and its destructor may panic, when the emission has come to another slot.
/// - `T` is sized. For trait objects, use an `Arc<dyn Trait>`.
///
/// ```
/// use sigwire::{Signal, HazardArc};
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
/// let counter = HazardArc::new(Counter::default());
/// numbers.connect(&counter, Counter::add);
/// numbers.emit(&2);
/// assert_eq!(counter.0.load(Relaxed), 2);
/// drop(counter); // freed here
/// assert_eq!(numbers.emit(&3), 0);
/// ```
///
/// # Cost
/// On one thread, a call takes 0.7 to 1.0 of the time of an `Arc`'s method if the signal has many
/// slots, and is somewhat slower if it has few. When two threads call the same owners, a call takes
/// 0.3 of the time. This holds for method paths and closures without captures, in up to 16
/// emissions that run on a thread at the same time. In further emissions, and for other methods,
/// references are counted. [`WeakMethod::call`](crate::WeakMethod::call), and each run of a queue,
/// count as an emission to one slot.
///
/// Dropping the last strong pointer checks 16 words per thread, for as many threads as ever called
/// `HazardArc` owners at the same time. The first such call on a thread may allocate 640 bytes,
/// which later threads reuse.
pub struct HazardArc<T>(NonNull<Object<T>>);

// SAFETY: as for `Arc`: strong pointers share the value, and any of them may drop it.
unsafe impl<T: Send + Sync> Send for HazardArc<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for HazardArc<T> {}
impl<T: RefUnwindSafe> UnwindSafe for HazardArc<T> {}
impl<T: RefUnwindSafe> RefUnwindSafe for HazardArc<T> {}

impl<T> HazardArc<T> {
    /// Moves `value` into a new allocation.
    pub fn new(value: T) -> Self {
        Self::new_cyclic(|_| value)
    }

    /// Makes a value that holds a weak pointer to itself, or connects itself while it is made. The
    /// pointer can be upgraded, and the slots are called, once `make` has returned. If `make`
    /// panics, its slots are pruned like those of an owner that is gone.
    ///
    /// ```
    /// use sigwire::{Signal, HazardArc};
    ///
    /// struct Button {
    ///     clicked: Signal<()>,
    /// }
    /// impl Button {
    ///     fn on_clicked(&self, _: &()) {}
    /// }
    ///
    /// let button = HazardArc::new_cyclic(|weak| {
    ///     let clicked = Signal::new();
    ///     clicked.connect(weak, Button::on_clicked);
    ///     Button { clicked }
    /// });
    /// assert_eq!(button.clicked.emit(&()), 1);
    /// ```
    pub fn new_cyclic(make: impl FnOnce(&WeakHazardArc<T>) -> T) -> Self {
        struct Unfinished<T>(WeakHazardArc<T>);
        impl<T> Drop for Unfinished<T> {
            fn drop(&mut self) {
                self.0.0.head.abandon();
            }
        }
        let incomplete = Unfinished(WeakHazardArc(Object::incomplete()));
        let value = make(&incomplete.0);
        let incomplete = ManuallyDrop::new(incomplete);
        let made = &incomplete.0.0;
        // SAFETY: only this function writes the value, and nobody reads it before the object is
        // complete.
        unsafe { (*made.value.get()).write(value) };
        made.head.complete();
        // All strong pointers together own one reference to the memory: the one of the weak pointer
        // here.
        HazardArc(object(made))
    }

    /// A weak pointer to the value.
    pub fn downgrade(this: &Self) -> WeakHazardArc<T> {
        let object = this.0.as_ptr().cast_const();
        // SAFETY: `object` is the pointer of an `Arc`, whose memory this strong pointer keeps.
        unsafe { Arc::increment_strong_count(object) };
        // SAFETY: likewise; and the reference was counted just now.
        WeakHazardArc(unsafe { Arc::from_raw(object) })
    }

    /// Whether both point to the same value.
    pub fn ptr_eq(this: &Self, other: &Self) -> bool {
        this.0 == other.0
    }

    /// The number of strong pointers. Other threads may change it at any time.
    pub fn strong_count(this: &Self) -> usize {
        this.object().head.strong()
    }

    /// The number of weak pointers, including those of slots. Other threads may change it at any
    /// time.
    pub fn weak_count(this: &Self) -> usize {
        Arc::strong_count(&Self::downgrade(this).0) - 2
    }

    fn object(&self) -> &Object<T> {
        // SAFETY: this strong pointer keeps the memory.
        unsafe { self.0.as_ref() }
    }

    /// Drops the value, unless it is being called. The last strong pointer has been released.
    #[cold]
    fn end(&self) {
        // SAFETY: this takes over the one reference that all strong pointers have owned together.
        let object = unsafe { Arc::from_raw(self.0.as_ptr()) };
        // SAFETY: `object` keeps the memory. Its pointer is valid for the whole object.
        unsafe { HAZARDS.destroy_unless_called(Arc::as_ptr(&object).cast()) };
    }
}

impl<T> Deref for HazardArc<T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: this strong pointer keeps the value alive.
        unsafe { self.object().value() }
    }
}

impl<T> Clone for HazardArc<T> {
    fn clone(&self) -> Self {
        let retained = self.object().head.retain();
        debug_assert!(retained, "a strong pointer exists: `self`");
        HazardArc(self.0)
    }
}

impl<T> Drop for HazardArc<T> {
    fn drop(&mut self) {
        // SAFETY: this strong pointer is not used again, except by `end`.
        if unsafe { HazardHead::<Shared>::release(self.0.as_ptr().cast_const().cast()) } {
            self.end();
        }
    }
}

impl<T> From<T> for HazardArc<T> {
    fn from(value: T) -> Self {
        HazardArc::new(value)
    }
}

impl<T: Default> Default for HazardArc<T> {
    fn default() -> Self {
        HazardArc::new(T::default())
    }
}

impl<T> AsRef<T> for HazardArc<T> {
    fn as_ref(&self) -> &T {
        self
    }
}

impl<T: fmt::Debug> fmt::Debug for HazardArc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::fmt(self, f)
    }
}

/// A weak pointer to the value of a [`HazardArc`]. It keeps the memory, but not the value.
pub struct WeakHazardArc<T>(Arc<Object<T>>);

impl<T: RefUnwindSafe> UnwindSafe for WeakHazardArc<T> {}
impl<T: RefUnwindSafe> RefUnwindSafe for WeakHazardArc<T> {}

impl<T> WeakHazardArc<T> {
    /// A strong pointer, if the value is complete and still has an owner.
    pub fn upgrade(&self) -> Option<HazardArc<T>> {
        self.0.head.retain().then(|| HazardArc(object(&self.0)))
    }

    /// Whether both point, or pointed, to the same value.
    pub fn ptr_eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<T> Clone for WeakHazardArc<T> {
    fn clone(&self) -> Self {
        WeakHazardArc(self.0.clone())
    }
}

impl<T> fmt::Debug for WeakHazardArc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(WeakHazardArc)")
    }
}

// SAFETY: `upgrade` counts by an atomic exchange, and so does `enter` without a cell. With a cell,
// `enter` writes to it by an atomic exchange.
unsafe impl<T> Link for WeakHazardArc<T> {
    type Target = T;
    type Strong = HazardArc<T>;
    const ENTERS_BY_EXCHANGE: bool = true;
    type Entered<'a>
        = EnteredArc<'a, T>
    where
        Self: 'a;

    fn upgrade(&self) -> Option<HazardArc<T>> {
        self.upgrade()
    }

    fn liveness(&self) -> Liveness {
        self.0.head.liveness()
    }

    fn address(&self) -> *const () {
        self.0.value.get().cast_const().cast()
    }

    #[inline(always)]
    unsafe fn enter(&self, caller: &mut Caller<'_>) -> Result<EnteredArc<'_, T>, NotCalled> {
        let (object, head) = (object(&self.0), &self.0.head);
        let Some(cell) = caller.cell() else {
            return if !caller.counts() {
                Err(NotCalled::NeedsCell)
            } else if head.retain() {
                Ok(EnteredArc { object, cell: None, target: PhantomData })
            } else {
                Err(NotCalled::Dead)
            };
        };
        // SAFETY: the cell belongs to `caller`. By the contract of this function, `caller` has left
        // what it entered before, and the memory of that is still kept. (When it enters the same
        // object again, the exchange changes nothing.)
        if unsafe { cell.enter(head) } {
            Ok(EnteredArc { object, cell: Some(cell), target: PhantomData })
        } else {
            Err(NotCalled::Begun)
        }
    }

    fn forget_left(&self, caller: &mut Caller<'_>) {
        if let Some(cell) = caller.cell() {
            cell.forget_left();
        }
    }

    const FINISHES_ENTERING: bool = true;
    unsafe fn finish_entering(&self, caller: &mut Caller<'_>) -> bool {
        let Some(cell) = caller.cell() else { return true };
        let entered = EnteredArc { object: object(&self.0), cell: Some(cell), target: PhantomData };
        caller.admission().passing_over(true);
        // SAFETY: `entered` has just been entered in this cell. By the contract of `enter`, the
        // memory of both objects is kept until `caller` is dropped.
        unsafe { HAZARDS.destroy_left(cell, entered.head()) };
        let is_alive = self.0.head.is_alive();
        caller.admission().passing_over(!is_alive);
        is_alive
    }
}

/// An object that is being called. Leaves it when dropped, also after a panic.
pub struct EnteredArc<'a, T> {
    object: NonNull<Object<T>>,
    /// None: this counts as an owner instead.
    cell: Option<&'static HazardCell<Shared>>,
    target: PhantomData<&'a T>,
}

impl<T> EnteredArc<'_, T> {
    #[inline(always)]
    fn head(&self) -> *const HazardHead<Shared> {
        self.object.as_ptr().cast_const().cast()
    }
}

impl<T> Deref for EnteredArc<'_, T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: a cell contains the object, which was alive after that was written; or this
        // counts as an owner.
        unsafe { self.object.as_ref().value() }
    }
}

// SAFETY: the object is not destroyed while a cell contains it, or while this counts as an owner;
// and it is in an allocation of its own. `keep` returns a strong pointer.
unsafe impl<T> Hold for EnteredArc<'_, T> {
    type Strong = HazardArc<T>;
    fn keep(self) -> Option<HazardArc<T>> {
        // SAFETY: by the contract of `enter`, the memory is kept until the caller is dropped.
        unsafe { self.object.as_ref() }.head.retain().then(|| HazardArc(self.object))
    }
}

// SAFETY: it counts as an owner, and the value is in an allocation of its own.
unsafe impl<T> Hold for HazardArc<T> {
    type Strong = Self;
    fn keep(self) -> Option<Self> {
        Some(self)
    }
}

impl<T> Drop for EnteredArc<'_, T> {
    #[inline(always)]
    fn drop(&mut self) {
        match self.cell {
            // SAFETY: the cell belongs to the emission, and contains this object. By the contract
            // of `enter`, the memory is kept until the caller is dropped, which clears the cell.
            Some(cell) => unsafe { HAZARDS.leave(cell, self.head()) },
            None => drop(HazardArc(self.object)),
        }
    }
}

#[cfg(all(test, not(sigwire_loom)))]
mod tests {
    use super::*;
    use crate::base::{SlotKey, message};
    use crate::raw::Admission;
    use std::cell::Cell;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::thread;

    struct Nobody;
    impl Admission for Nobody {
        fn admits(&self, _: SlotKey) -> bool {
            true
        }
    }

    struct Ends(Arc<AtomicUsize>, bool);
    impl Drop for Ends {
        fn drop(&mut self) {
            self.0.fetch_add(1, SeqCst);
            assert!(!self.1, "in a destructor");
        }
    }

    #[test]
    fn an_object_that_loses_its_owner_while_what_was_left_before_panics_is_destroyed_all_the_same()
    {
        let (first_ended, second_ended) = (Arc::default(), Arc::default());
        let first = HazardArc::new(Ends(Arc::clone(&first_ended), true));
        let second = HazardArc::new(Ends(Arc::clone(&second_ended), false));
        let weak = [&first, &second].map(HazardArc::downgrade);
        let mut caller = Caller::new(&Nobody);
        caller.find_cell();
        // SAFETY: `weak` keeps the memory until after `caller` is dropped.
        assert!(unsafe { weak[0].enter(&mut caller) }.is_ok());
        // As if the thread that drops it had still seen it in the cell, and had left it to this
        // one.
        // SAFETY: this gives up the strong pointer `first`, which is forgotten below. Its reference
        // to the memory is not touched.
        assert!(unsafe { HazardHead::<Shared>::release(first.0.as_ptr().cast_const().cast()) });
        std::mem::forget(first);
        // SAFETY: as above.
        assert_eq!(unsafe { weak[1].enter(&mut caller) }.err(), Some(NotCalled::Begun));
        drop(second);
        assert_eq!(second_ended.load(SeqCst), 0, "it is in the cell");
        // SAFETY: as above.
        let finish = || unsafe { weak[1].finish_entering(&mut caller) };
        assert!(catch_unwind(AssertUnwindSafe(finish)).is_err());
        assert_eq!((first_ended.load(SeqCst), second_ended.load(SeqCst)), (1, 1));
        // SAFETY: all strong pointers to `first` owned one reference together, which was forgotten.
        drop(unsafe { Arc::from_raw(Arc::as_ptr(&weak[0].0)) });
    }

    /// A signal, and how often the owner of its first slot was destroyed. When the signal emits,
    /// that owner loses its last strong pointer just as its call ends: so that the dropping thread
    /// still sees it in the cell, and leaves it to the emission. Its destructor panics.
    fn with_late_end() -> (crate::Signal<u32>, Arc<AtomicUsize>) {
        let (signal, ended) = (crate::Signal::new(), Arc::default());
        let first = HazardArc::new(Ends(Arc::clone(&ended), true));
        signal.connect(&first, |_, _| ());
        let head = first.0.as_ptr().expose_provenance();
        let memory = HazardArc::downgrade(&first);
        std::mem::forget(first);
        let release = move |_: &u32| {
            let head = core::ptr::with_exposed_provenance::<HazardHead<Shared>>(head);
            // SAFETY: this gives up the strong pointer that was forgotten. `memory` keeps the
            // memory.
            assert!(unsafe { HazardHead::release(head) });
            // SAFETY: all strong pointers owned one reference together, which was forgotten.
            drop(unsafe { Arc::from_raw(Arc::as_ptr(&memory.0)) });
        };
        signal.slot().once().connect_fn(release).detach();
        (signal, ended)
    }

    #[test]
    fn try_emit_calls_every_slot_though_the_late_end_of_a_former_ones_owner_panics() {
        for others in 0..3 {
            let (signal, ended) = with_late_end();
            let calls = HazardArc::new(AtomicUsize::new(0));
            for _ in 0..others {
                signal.connect(&calls, |calls, _| _ = calls.fetch_add(1, SeqCst));
            }
            let error = signal.try_emit(&1).unwrap_err();
            let panics: Vec<_> = error.failures().iter().map(|it| it.in_slot()).collect();
            assert_eq!((error.called(), panics), (2 + others, vec![false]));
            assert_eq!((calls.load(SeqCst), ended.load(SeqCst)), (others, 1));
        }
    }

    #[test]
    fn the_late_end_of_an_owner_that_panics_while_a_slot_does_is_no_abort() {
        let (signal, ended) = with_late_end();
        signal.connect_fn(|_| panic!("in a slot")).detach();
        let panic = catch_unwind(AssertUnwindSafe(|| signal.emit(&1))).unwrap_err();
        assert_eq!(message(panic), "in a slot");
        assert_eq!(ended.load(SeqCst), 1);
    }

    fn records() -> usize {
        HAZARDS.records().count()
    }

    #[test]
    fn threads_that_end_with_an_emission_suspended_give_back_their_cells() {
        use corosensei::{Coroutine, Yielder};
        type Suspended = Coroutine<(), (), ()>;
        std::thread_local! {
            static SUSPENDED: Cell<Option<Suspended>> = const { Cell::new(None) };
            static YIELDER: Cell<*const Yielder<(), ()>> = const { Cell::new(core::ptr::null()) };
        }
        let before = records();
        for _ in 0..100 {
            let run = || {
                // Made first, so that it is destroyed after the thread-locals that the emission
                // makes.
                SUSPENDED.set(None);
                let mut suspended = Suspended::new(|yielder, ()| {
                    YIELDER.set(yielder);
                    let (signal, owner) = (crate::Signal::<u32>::new(), HazardArc::new(1));
                    // SAFETY: the coroutine is running, so its yielder exists.
                    signal.connect(&owner, |_, _| unsafe { (*YIELDER.get()).suspend(()) });
                    signal.emit(&1);
                });
                suspended.resume(());
                SUSPENDED.set(Some(suspended));
            };
            thread::spawn(run).join().unwrap();
        }
        assert!(records() < before + 50, "the records of other tests, but not one for each thread");
    }
}
