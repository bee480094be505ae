//! Objects that emissions call without counting references: who destroys them, and when.
//!
//! An emission writes the object it is about to call into a *cell* of its own, then looks whether the
//! object still has an owner. Whoever drops the last strong pointer writes that down, then looks through
//! all cells. Whichever comes second in the one order of these four steps sees the other. So either the
//! emission does not call, or the dropping thread leaves the object to it; and an emission that has left
//! the object and finds it without owner looks through the cells in turn. The last one to do so finds
//! none, and destroys the object, on its thread, at once. Nothing is kept for later.
//!
//! | who | its cell | then looks at |
//! |---|---|---|
//! | emission, entering | object, by an exchange | what it left before, then the object: is there an owner? |
//! | emission, leaving | null, by a plain store | the object, in good time mostly: what it misses here, it sees after the next exchange |
//! | dropping thread | marks the object | all cells |
//!
//! A cell is one emission's from its first such call to its end, wherever on the thread's stacks that is: so
//! emissions may end in any order. When a thread has no cell to spare, that emission counts references.
//!
//! So a call takes one exchange, on a cache line that no other thread writes to. A store that other threads
//! do not see at once can delay the end of an object, until the next such call of the emission begins, or the
//! emission ends. That takes a last pointer dropped on another thread while the call ends.
//!
//! The cells are hazard pointers (Michael, "Hazard Pointers: Safe Memory Reclamation for Lock-Free
//! Objects", 2004), here for the value in the object. Its memory is reference-counted: the list that an
//! emission runs over keeps it.

use core::sync::atomic::Ordering;

use crate::raw::{Atom, Flavor, LazyStrong, Liveness, Shared};

/// What the protocol knows of an object, at the object's beginning.
pub(in crate::raw) struct HazardHead<F: Flavor> {
    /// [`INCOMPLETE`], then the number of strong pointers, then [`ENDED`], then [`DESTROYED`]; or the last
    /// right after the first.
    strong: F::Count,
    destroy: unsafe fn(*const HazardHead<F>),
}

const INCOMPLETE: usize = 0;
/// Without owner; whoever finds it in no cell is to destroy it.
const ENDED: usize = 1 << (usize::BITS - 1);
const DESTROYED: usize = ENDED + 1;

impl<F: Flavor> HazardHead<F> {
    /// # Safety
    /// `destroy` is called once at most, with a pointer to this head that is good for the whole object,
    /// when nobody can reach the value any more. It is not called before [`complete`](Self::complete).
    pub(in crate::raw) unsafe fn incomplete(destroy: unsafe fn(*const HazardHead<F>)) -> Self {
        HazardHead { strong: F::Count::new(INCOMPLETE), destroy }
    }

    /// From now on the object has a value, and one strong pointer.
    pub(in crate::raw) fn complete(&self) {
        self.strong.store(1, Ordering::Release);
    }

    /// The object will never be complete.
    pub(in crate::raw) fn abandon(&self) {
        self.strong.store(DESTROYED, Ordering::Release);
    }

    /// How many strong pointers there are.
    #[inline(always)]
    pub(in crate::raw) fn strong(&self) -> usize {
        let strong = self.strong.load(Ordering::SeqCst);
        if strong < ENDED { strong } else { 0 }
    }

    #[inline(always)]
    pub(in crate::raw) fn is_alive(&self) -> bool {
        self.strong() > 0
    }

    pub(in crate::raw) fn liveness(&self) -> Liveness {
        match self.strong.load(Ordering::SeqCst) {
            INCOMPLETE => Liveness::Absent,
            ENDED | DESTROYED => Liveness::Gone,
            _ => Liveness::Alive,
        }
    }

    /// One more strong pointer, if there is one.
    pub(in crate::raw) fn retain(&self) -> bool {
        change::<F>(&self.strong, |strong| match strong {
            INCOMPLETE | ENDED | DESTROYED => None,
            // Only by leaking them can there be so many.
            strong if strong + 1 == ENDED => std::process::abort(),
            strong => Some(strong + 1),
        })
        .is_some()
    }

    /// One strong pointer less; says whether it was the last. If it was not, the object may be gone
    /// afterwards: hence no reference to all of it.
    ///
    /// # Safety
    /// `object` has a strong pointer, which is not used any more.
    pub(in crate::raw) unsafe fn release(object: *const Self) -> bool {
        let less = |strong| Some(if strong == 1 { ENDED } else { strong - 1 });
        // SAFETY: the caller's promise.
        change::<F>(unsafe { &(*object).strong }, less) == Some(ENDED)
    }
}

fn change<F: Flavor>(strong: &F::Count, change: impl Fn(usize) -> Option<usize>) -> Option<usize> {
    loop {
        let before = strong.load(Ordering::Relaxed);
        let after = change(before)?;
        if strong.replace(before, after, Ordering::SeqCst) {
            return Some(after);
        }
    }
}

/// What one running emission is calling.
pub(in crate::raw) struct HazardCell<F: Flavor> {
    /// Null when that is nothing of this kind.
    object: F::Ptr<HazardHead<F>>,
    /// What was left last: it is to be looked at after the next exchange. Null while the cell is not taken.
    left: F::Ptr<HazardHead<F>>,
    /// Whether an emission has it. Only the thread that leased the record takes it.
    taken: F::State,
}

impl<F: Flavor> HazardCell<F> {
    fn new() -> Self {
        let null = || F::Ptr::new(core::ptr::null_mut());
        HazardCell { object: null(), left: null(), taken: F::State::new(0) }
    }

    /// What was left has an owner, and an exchange was made since: whoever drops it does not find it here.
    pub(in crate::raw) fn forget_left(&self) {
        self.left.store(core::ptr::null_mut(), Ordering::Relaxed);
    }

    /// For another emission to use. It was cleared.
    pub(in crate::raw) fn give_back(&self) {
        self.taken.store(0, Ordering::Release);
    }

    /// Enters `object`: from now on it is not destroyed, if it has an owner. It is to be left, whatever this
    /// says. True: it may be called. False: first [look at what was left](HazardDomain::look_at_left) before, then
    /// whether it has an owner.
    ///
    /// # Safety
    /// The memory of what was left has stayed until now. The cell is the caller's, who has left what was in it.
    #[inline(always)]
    pub(in crate::raw) unsafe fn enter(&self, object: &HazardHead<F>) -> bool {
        let address = core::ptr::from_ref(object).cast_mut();
        self.object.swap(address, Ordering::SeqCst);
        F::sequential();
        let before = self.left.load(Ordering::Relaxed);
        // SAFETY: the caller's promise.
        (before.is_null() || unsafe { (*before).is_alive() }) && object.is_alive()
    }
}

/// How many emissions on one thread can have a cell at once.
const CELLS: usize = 16;

/// The cells of one thread.
pub(in crate::raw) struct HazardRecord<F: Flavor> {
    cells: [HazardCell<F>; CELLS],
    leased: F::State,
    more: LazyStrong<HazardRecord<F>, F>,
    _apart: [F::Spacing; 0],
}

impl<F: Flavor> HazardRecord<F> {
    fn new() -> Self {
        HazardRecord {
            cells: core::array::from_fn(|_| HazardCell::new()),
            leased: F::State::new(0),
            more: LazyStrong::empty(),
            _apart: [],
        }
    }

    /// A cell for one emission on the thread that leased the record, if there is one to spare.
    pub(in crate::raw) fn take_cell(&self) -> Option<&HazardCell<F>> {
        let is_free = |cell: &&HazardCell<F>| cell.taken.load(Ordering::Acquire) == 0;
        let cell = self.cells.iter().find(is_free)?;
        cell.taken.store(1, Ordering::Relaxed);
        Some(cell)
    }

    /// For another thread to use. Not if an emission still has a cell.
    pub(in crate::raw) fn give_back(&self) -> bool {
        let are_free = self.cells.iter().all(|cell| cell.taken.load(Ordering::Acquire) == 0);
        if are_free {
            self.leased.store(0, Ordering::Release);
        }
        are_free
    }
}

/// As many records as there were ever threads at once that called such objects.
pub(in crate::raw) struct HazardDomain<F: Flavor> {
    records: LazyStrong<HazardRecord<F>, F>,
}

impl HazardDomain<Shared> {
    pub(in crate::raw) const fn new() -> Self {
        HazardDomain { records: LazyStrong::<_, Shared>::new() }
    }
}

impl<F: Flavor> HazardDomain<F> {
    /// A record that nobody else has.
    pub(in crate::raw) fn lease(&self) -> &HazardRecord<F> {
        let mut next = &self.records;
        loop {
            let record = next.get_or_init(HazardRecord::new);
            if record.leased.replace(0, 1, Ordering::Acquire) {
                return record;
            }
            next = &record.more;
        }
    }

    pub(in crate::raw) fn records(&self) -> impl Iterator<Item = &HazardRecord<F>> {
        core::iter::successors(self.records.get(), |record| record.more.get())
    }

    fn hold(&self, object: *const HazardHead<F>) -> bool {
        let mut cells = self.records().flat_map(|record| &record.cells);
        cells.any(|cell| core::ptr::eq(cell.object.load(Ordering::SeqCst), object))
    }

    /// `object`, which was entered, is not called any more.
    ///
    /// # Safety
    /// The memory of `object` stays until the cell is entered again or cleared. The pointer is good for the
    /// whole object. The cell is the caller's.
    #[inline(always)]
    pub(in crate::raw) unsafe fn leave(&self, cell: &HazardCell<F>, object: *const HazardHead<F>) {
        cell.object.store(core::ptr::null_mut(), Ordering::Release);
        cell.left.store(object.cast_mut(), Ordering::Relaxed);
        // SAFETY: the caller's promise.
        if !unsafe { (*object).is_alive() } {
            // SAFETY: likewise.
            unsafe { self.clear_at_once(cell) };
        }
    }

    /// Looks at what was left before the object that is entered now.
    ///
    /// # Safety
    /// As for [`leave`](Self::leave); and `object` is entered.
    pub(in crate::raw) unsafe fn look_at_left(
        &self,
        cell: &HazardCell<F>,
        object: *const HazardHead<F>,
    ) {
        let before = cell.left.load(Ordering::Relaxed);
        // If it is the same, there is no call of it, and leaving it looks.
        if !before.is_null() && !core::ptr::eq(before, object) {
            cell.left.store(core::ptr::null_mut(), Ordering::Relaxed);
            // SAFETY: the caller's promise.
            unsafe { self.end_if_last(before) };
        }
    }

    /// The cell, in which nothing is entered, does not keep what was left either. So its emission can end.
    /// What it was is to be [ended](Self::end_if_last) next; null if it was nothing.
    ///
    /// # Safety
    /// The cell is the caller's.
    #[inline]
    pub(in crate::raw) unsafe fn take_left(&self, cell: &HazardCell<F>) -> *const HazardHead<F> {
        let before = cell.left.load(Ordering::Relaxed);
        if !before.is_null() {
            cell.left.store(core::ptr::null_mut(), Ordering::Relaxed);
            cell.object.swap(core::ptr::null_mut(), Ordering::SeqCst);
            F::sequential();
        }
        before
    }

    /// Does both.
    ///
    /// # Safety
    /// As for [`leave`](Self::leave).
    #[inline]
    pub(in crate::raw) unsafe fn clear(&self, cell: &HazardCell<F>) {
        // SAFETY: the caller's promise.
        let before = unsafe { self.take_left(cell) };
        if !before.is_null() {
            // SAFETY: likewise.
            unsafe { self.end_if_last(before) };
        }
    }

    #[cold]
    #[inline(never)]
    unsafe fn clear_at_once(&self, cell: &HazardCell<F>) {
        // SAFETY: the caller's promise.
        unsafe { self.clear(cell) };
    }

    /// Destroys an object that was left and that an exchange was made after, if it has no owner.
    ///
    /// # Safety
    /// As for [`destroy_if_last`](Self::destroy_if_last).
    #[inline]
    pub(in crate::raw) unsafe fn end_if_last(&self, object: *const HazardHead<F>) {
        // SAFETY: the caller's promise.
        if !unsafe { (*object).is_alive() } {
            // SAFETY: likewise.
            unsafe { self.destroy_if_last(object) };
        }
    }

    /// Destroys an object without owner, unless somebody is calling it: then that is left to them.
    ///
    /// # Safety
    /// The memory of `object` stays until this returns. The pointer is good for the whole object.
    #[cold]
    pub(in crate::raw) unsafe fn destroy_if_last(&self, object: *const HazardHead<F>) {
        F::sequential();
        // SAFETY: the caller's promise.
        let HazardHead { strong, destroy } = unsafe { &*object };
        if !self.hold(object) && strong.replace(ENDED, DESTROYED, Ordering::SeqCst) {
            // SAFETY: this is the only call. No strong pointer is left, nor will be; no emission calls
            // the object, and none that enters it from now on will, since it looks for an owner.
            unsafe { destroy(object) };
        }
    }
}

/// See [`crate::models`] for how to run them.
#[cfg(all(test, sigwire_loom))]
mod models {
    use super::*;
    use crate::models::Modelled;
    use loom::cell::UnsafeCell;
    use loom::thread;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    #[repr(C)]
    struct Object {
        head: HazardHead<Modelled>,
        /// Loom reports it when it is destroyed while it is called.
        value: UnsafeCell<usize>,
        destroyed: AtomicUsize,
    }

    impl Object {
        fn new() -> Arc<Self> {
            // SAFETY: by the protocol, which is what is tried here.
            let head = unsafe { HazardHead::incomplete(Self::destroy) };
            head.complete();
            Arc::new(Object { head, value: UnsafeCell::new(7), destroyed: AtomicUsize::new(0) })
        }
        unsafe fn destroy(head: *const HazardHead<Modelled>) {
            // SAFETY: the models keep their objects.
            let object = unsafe { &*head.cast::<Object>() };
            // SAFETY: loom checks that nobody reads it meanwhile.
            object.value.with_mut(|value| unsafe { *value = 0 });
            object.destroyed.fetch_add(1, Relaxed);
        }
        fn address(self: &Arc<Self>) -> *const HazardHead<Modelled> {
            Arc::as_ptr(self).cast()
        }
        fn read(&self) -> usize {
            // SAFETY: loom checks that nobody writes to it meanwhile.
            self.value.with(|value| unsafe { *value })
        }
    }

    #[derive(Clone)]
    struct World(Arc<HazardDomain<Modelled>>);

    impl World {
        fn new() -> Self {
            World(Arc::new(HazardDomain { records: LazyStrong::empty() }))
        }
        /// An emission over these objects, which does `inside` in each call.
        fn emit(&self, objects: &[Arc<Object>], inside: impl Fn(&HazardRecord<Modelled>)) {
            let record = self.0.lease();
            self.emit_in(record, objects, inside);
            record.give_back();
        }
        fn emit_in(
            &self,
            record: &HazardRecord<Modelled>,
            objects: &[Arc<Object>],
            inside: impl Fn(&HazardRecord<Modelled>),
        ) {
            let cell = record.take_cell().unwrap();
            for object in objects {
                // SAFETY: the models keep their objects, and each emission has its own cell.
                let is_alive = unsafe { cell.enter(&object.head) } || {
                    // SAFETY: as above.
                    unsafe { self.0.look_at_left(cell, object.address()) };
                    object.head.is_alive()
                };
                if is_alive {
                    assert_eq!(object.read(), 7);
                    inside(record);
                    assert_eq!(object.read(), 7);
                }
                // SAFETY: the models keep their objects, and each emission has its own cell.
                unsafe { self.0.leave(cell, object.address()) };
            }
            // SAFETY: as above.
            unsafe { self.0.clear(cell) };
            cell.give_back();
        }
        /// The same on a thread of its own.
        fn emitting<const N: usize>(&self, objects: [&Arc<Object>; N]) -> thread::JoinHandle<()> {
            let (world, objects) = (self.clone(), objects.map(Arc::clone));
            thread::spawn(move || world.emit(&objects, |_| ()))
        }
        fn drop_one(&self, object: &Arc<Object>) {
            // SAFETY: the models drop what they have.
            if unsafe { HazardHead::release(object.address()) } {
                // SAFETY: the models keep their objects.
                unsafe { self.0.destroy_if_last(object.address()) };
            }
        }
    }

    fn destroyed(object: &Object) -> usize {
        object.destroyed.load(Relaxed)
    }

    #[test]
    fn a_tracked_object_ends_once_and_not_in_its_call_whoever_comes_last() {
        loom::model(|| {
            let (world, object) = (World::new(), Object::new());
            let emitter = world.emitting([&object]);
            world.drop_one(&object);
            emitter.join().unwrap();
            assert_eq!(destroyed(&object), 1);
        });
    }

    #[test]
    fn a_tracked_object_ends_once_beside_two_emitters() {
        loom::model(|| {
            let (world, object) = (World::new(), Object::new());
            let emitters = [(); 2].map(|()| world.emitting([&object]));
            world.drop_one(&object);
            emitters.into_iter().for_each(|emitter| emitter.join().unwrap());
            assert_eq!(destroyed(&object), 1);
        });
    }

    #[test]
    fn a_tracked_object_with_two_owners_ends_with_the_later_one() {
        loom::model(|| {
            let (world, object) = (World::new(), Object::new());
            assert!(object.head.retain());
            let other = {
                let (world, object) = (world.clone(), object.clone());
                thread::spawn(move || world.drop_one(&object))
            };
            let emitter = world.emitting([&object]);
            world.drop_one(&object);
            other.join().unwrap();
            emitter.join().unwrap();
            assert_eq!(destroyed(&object), 1);
        });
    }

    #[test]
    fn tracked_objects_that_end_beside_one_emission_end_with_it_at_the_latest() {
        loom::model(|| {
            let (world, objects) = (World::new(), [Object::new(), Object::new()]);
            let emitter = world.emitting(objects.each_ref());
            objects.iter().for_each(|object| world.drop_one(object));
            emitter.join().unwrap();
            assert_eq!(objects.each_ref().map(|object| destroyed(object)), [1, 1]);
        });
    }

    #[test]
    fn a_tracked_object_called_in_its_own_call_ends_after_the_outer_one() {
        loom::model(|| {
            let (world, object) = (World::new(), Object::new());
            let emitter = {
                let (world, object) = (world.clone(), object.clone());
                thread::spawn(move || {
                    let outer = [object.clone()];
                    world.emit(&outer, |record| world.emit_in(record, &outer, |_| ()));
                })
            };
            world.drop_one(&object);
            emitter.join().unwrap();
            assert_eq!(destroyed(&object), 1);
        });
    }

    #[test]
    fn a_tracked_object_called_in_an_inner_emission_only_ends_after_that_call() {
        loom::model(|| {
            let (world, object) = (World::new(), Object::new());
            let emitter = {
                let (world, object) = (world.clone(), object.clone());
                thread::spawn(move || {
                    let (outer, inner) = ([Object::new()], [object]);
                    world.emit(&outer, |record| world.emit_in(record, &inner, |_| ()));
                })
            };
            world.drop_one(&object);
            emitter.join().unwrap();
            assert_eq!(destroyed(&object), 1);
        });
    }

    #[test]
    fn a_tracked_object_that_a_weak_pointer_had_back_ends_with_that_pointer() {
        loom::model(|| {
            let (world, object) = (World::new(), Object::new());
            let other = {
                let (world, object) = (world.clone(), object.clone());
                thread::spawn(move || {
                    if object.head.retain() {
                        assert_eq!(object.read(), 7);
                        world.drop_one(&object);
                    }
                })
            };
            let emitter = world.emitting([&object]);
            world.drop_one(&object);
            other.join().unwrap();
            emitter.join().unwrap();
            assert_eq!(destroyed(&object), 1);
        });
    }
}
