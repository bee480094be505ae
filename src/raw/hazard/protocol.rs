//! The protocol by which emissions call objects without counting references: who destroys an
//! object, and when.
//!
//! An emission writes the object that it is about to call into a *hazard cell* of its own, and then
//! checks whether the object still has an owner. A thread that drops the last strong pointer first
//! marks the object as unowned, and then checks all cells. These four steps have a single total
//! order, so whichever thread comes second sees what the first has written. Either the emission
//! does not call the object, or the dropping thread leaves destroying it to the emission. An
//! emission that leaves an object and finds it unowned checks all cells in turn. The last one to do
//! so finds no cell that contains it, and destroys it at once, on its own thread. No object waits
//! in a list.
//!
//! | who | writes | then checks |
//! |---|---|---|
//! | emission, entering | its cell: the object, by an exchange | the object left before, and this one |
//! | emission, leaving | its cell: null, by a plain store | the object; again after the next exchange |
//! | dropping thread | the object: unowned | all cells |
//!
//! An object is checked for whether it has an owner, a cell for whether it contains the object.
//!
//! An emission keeps its cell from its first such call to its end, on whichever of the thread's
//! stacks it runs: so emissions may end in any order. If a thread has no free cell, the emission
//! counts references.
//!
//! So a call takes one exchange, on a cache line that no other thread writes to. The store on
//! leaving may become visible to other threads late. If the last strong pointer is dropped on
//! another thread while the call ends, this delays destroying the object: until the emission begins
//! its next such call, or ends.
//!
//! The cells are hazard pointers (Michael, "Hazard Pointers: Safe Memory Reclamation for Lock-Free
//! Objects", 2004). Here they protect the value in the object. The object's memory is
//! reference-counted: the list that an emission runs over keeps it.

use core::sync::atomic::Ordering;

use crate::raw::{Atom, Flavor, LazyStrong, Liveness, Shared};

/// The first field of each object: all that the protocol knows about it.
pub(in crate::raw) struct HazardHead<F: Flavor> {
    /// First [`INCOMPLETE`], then the number of strong pointers, then [`UNOWNED`], then
    /// [`DESTROYED`]. An object that is never completed goes from the first to the last.
    strong: F::Count,
    destroy: unsafe fn(*const HazardHead<F>),
}

const INCOMPLETE: usize = 0;
/// There is no strong pointer. A thread that finds it in no cell destroys it.
const UNOWNED: usize = 1 << (usize::BITS - 1);
const DESTROYED: usize = UNOWNED + 1;

impl<F: Flavor> HazardHead<F> {
    /// # Safety
    /// `destroy` may be called once, with a pointer to this head that is valid for the whole
    /// object, when nobody can reach the value any more. (It is not called before
    /// [`complete`](Self::complete).)
    pub(in crate::raw) unsafe fn incomplete(destroy: unsafe fn(*const HazardHead<F>)) -> Self {
        HazardHead { strong: F::Count::new(INCOMPLETE), destroy }
    }

    /// The object has a value and one strong pointer from now on.
    pub(in crate::raw) fn complete(&self) {
        self.strong.store(1, Ordering::Release);
    }

    /// The object will never be completed.
    pub(in crate::raw) fn abandon(&self) {
        self.strong.store(DESTROYED, Ordering::Release);
    }

    /// The number of strong pointers.
    #[inline(always)]
    pub(in crate::raw) fn strong(&self) -> usize {
        let strong = self.strong.load(Ordering::SeqCst);
        if strong < UNOWNED { strong } else { 0 }
    }

    #[inline(always)]
    pub(in crate::raw) fn is_alive(&self) -> bool {
        self.strong() > 0
    }

    pub(in crate::raw) fn liveness(&self) -> Liveness {
        match self.strong.load(Ordering::SeqCst) {
            INCOMPLETE => Liveness::Absent,
            UNOWNED | DESTROYED => Liveness::Gone,
            _ => Liveness::Alive,
        }
    }

    /// Counts one more strong pointer. Returns false if there is none so far.
    pub(in crate::raw) fn retain(&self) -> bool {
        update::<F>(&self.strong, |strong| match strong {
            INCOMPLETE | UNOWNED | DESTROYED => None,
            // So many exist only if they were leaked.
            strong if strong + 1 == UNOWNED => std::process::abort(),
            strong => Some(strong + 1),
        })
        .is_some()
    }

    /// Counts one strong pointer less. Returns whether it was the last. If it was not, another
    /// thread may free the object's memory meanwhile: hence the raw pointer.
    ///
    /// # Safety
    /// The caller owns a strong pointer to `object`, and does not use it again.
    pub(in crate::raw) unsafe fn release(object: *const Self) -> bool {
        let less = |strong| Some(if strong == 1 { UNOWNED } else { strong - 1 });
        // SAFETY: the strong pointer keeps the memory until its count is given up.
        update::<F>(unsafe { &(*object).strong }, less) == Some(UNOWNED)
    }
}

/// Replaces the count by what `update` returns for it, and returns the new count. Stops if that is
/// `None`.
fn update<F: Flavor>(strong: &F::Count, update: impl Fn(usize) -> Option<usize>) -> Option<usize> {
    loop {
        let before = strong.load(Ordering::Relaxed);
        let after = update(before)?;
        if strong.replace(before, after, Ordering::SeqCst) {
            return Some(after);
        }
    }
}

/// Protects the object that one running emission is calling.
pub(in crate::raw) struct HazardCell<F: Flavor> {
    /// The object, or null if the emission is not in a call of this kind.
    object: F::Ptr<HazardHead<F>>,
    /// The object that the emission left last, if it still has to be checked after the next
    /// exchange. Null while no emission has the cell.
    left: F::Ptr<HazardHead<F>>,
    /// Whether an emission has the cell. Only the thread that leased the record takes it.
    taken: F::State,
}

impl<F: Flavor> HazardCell<F> {
    fn new() -> Self {
        let null = || F::Ptr::new(core::ptr::null_mut());
        HazardCell { object: null(), left: null(), taken: F::State::new(0) }
    }

    /// Forgets the object that was left last. It has an owner, and an exchange was made since it
    /// was left: so a thread that drops its last owner does not find it in this cell.
    pub(in crate::raw) fn forget_left(&self) {
        self.left.store(core::ptr::null_mut(), Ordering::Relaxed);
    }

    /// Makes the cell free for another emission. It contains nothing.
    pub(in crate::raw) fn give_back(&self) {
        self.taken.store(0, Ordering::Release);
    }

    /// Enters `object`: if it has an owner, it is not destroyed from now on. Whatever this returns,
    /// `object` has to be left. If true, it may be called. If false, the caller first [handles what
    /// was left before](HazardDomain::destroy_left), then checks whether `object` has an owner.
    ///
    /// # Safety
    /// The cell belongs to the caller, who has left what was entered in it, and who has kept the
    /// memory of what was left last until now.
    #[inline(always)]
    pub(in crate::raw) unsafe fn enter(&self, object: &HazardHead<F>) -> bool {
        let address = core::ptr::from_ref(object).cast_mut();
        self.object.swap(address, Ordering::SeqCst);
        F::sequential();
        let before = self.left.load(Ordering::Relaxed);
        // SAFETY: the caller has kept the memory of `before`.
        (before.is_null() || unsafe { (*before).is_alive() }) && object.is_alive()
    }
}

/// How many emissions on one thread can have a cell at the same time.
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

    /// A free cell, if there is one. Only the thread that leased the record calls this.
    pub(in crate::raw) fn take_cell(&self) -> Option<&HazardCell<F>> {
        let is_free = |cell: &&HazardCell<F>| cell.taken.load(Ordering::Acquire) == 0;
        let cell = self.cells.iter().find(is_free)?;
        cell.taken.store(1, Ordering::Relaxed);
        Some(cell)
    }

    /// Ends the lease, so that another thread can have the record. Returns false, and does nothing,
    /// if an emission still has a cell.
    pub(in crate::raw) fn give_back(&self) -> bool {
        let are_free = self.cells.iter().all(|cell| cell.taken.load(Ordering::Acquire) == 0);
        if are_free {
            self.leased.store(0, Ordering::Release);
        }
        are_free
    }
}

/// All hazard records: as many as there ever were threads at the same time that called such
/// objects.
pub(in crate::raw) struct HazardDomain<F: Flavor> {
    records: LazyStrong<HazardRecord<F>, F>,
}

impl HazardDomain<Shared> {
    pub(in crate::raw) const fn new() -> Self {
        HazardDomain { records: LazyStrong::<_, Shared>::new() }
    }
}

impl<F: Flavor> HazardDomain<F> {
    /// Leases a record that no other thread has.
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

    /// Whether a cell contains `object`.
    fn contain(&self, object: *const HazardHead<F>) -> bool {
        let mut cells = self.records().flat_map(|record| &record.cells);
        cells.any(|cell| core::ptr::eq(cell.object.load(Ordering::SeqCst), object))
    }

    /// Leaves `object`, which was entered: it is not called any more.
    ///
    /// # Safety
    /// The cell belongs to the caller, and `object` is the one that is entered. The pointer is
    /// valid for the whole object. The memory is kept until the cell is cleared, or is entered
    /// again and, if that returned false, [`destroy_left`](Self::destroy_left) was called.
    #[inline(always)]
    pub(in crate::raw) unsafe fn leave(&self, cell: &HazardCell<F>, object: *const HazardHead<F>) {
        cell.object.store(core::ptr::null_mut(), Ordering::Release);
        cell.left.store(object.cast_mut(), Ordering::Relaxed);
        // SAFETY: the caller keeps the memory.
        if !unsafe { (*object).is_alive() } {
            // SAFETY: likewise. Nothing is entered in the cell now.
            unsafe { self.clear_at_once(cell) };
        }
    }

    /// Destroys the object that was left before `object` was entered, if that has no owner.
    ///
    /// # Safety
    /// As for [`leave`](Self::leave), for the object that was left before too. `object` is entered,
    /// so an exchange was made since.
    pub(in crate::raw) unsafe fn destroy_left(
        &self,
        cell: &HazardCell<F>,
        object: *const HazardHead<F>,
    ) {
        let before = cell.left.load(Ordering::Relaxed);
        // If it is `object` itself, leaving that checks it.
        if !before.is_null() && !core::ptr::eq(before, object) {
            cell.left.store(core::ptr::null_mut(), Ordering::Relaxed);
            // SAFETY: the caller keeps its memory, and the pointer is the one that was passed to
            // `leave`.
            unsafe { self.destroy_if_dead(before) };
        }
    }

    /// Returns the object that was left last, and removes it from the cell. Null if there is none.
    /// The caller [destroys](Self::destroy_if_dead) it next if it has no owner. Afterwards the
    /// emission can give back the cell.
    ///
    /// # Safety
    /// The cell belongs to the caller, and nothing is entered in it.
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

    /// Empties the cell, and destroys the object that was left last if it has no owner.
    ///
    /// # Safety
    /// As for [`leave`](Self::leave), for the object that was left last. Nothing is entered in the
    /// cell.
    #[inline]
    pub(in crate::raw) unsafe fn clear(&self, cell: &HazardCell<F>) {
        // SAFETY: the cell belongs to the caller, and nothing is entered in it.
        let before = unsafe { self.take_left(cell) };
        if !before.is_null() {
            // SAFETY: the caller keeps its memory, and the pointer is the one that was passed to
            // `leave`.
            unsafe { self.destroy_if_dead(before) };
        }
    }

    #[cold]
    #[inline(never)]
    unsafe fn clear_at_once(&self, cell: &HazardCell<F>) {
        // SAFETY: this function has the same contract.
        unsafe { self.clear(cell) };
    }

    /// Destroys `object` if it has no owner and no cell contains it. For an object that was left,
    /// after which an exchange was made.
    ///
    /// # Safety
    /// As for [`destroy_unless_called`](Self::destroy_unless_called).
    #[inline]
    pub(in crate::raw) unsafe fn destroy_if_dead(&self, object: *const HazardHead<F>) {
        // SAFETY: the caller keeps the memory.
        if !unsafe { (*object).is_alive() } {
            // SAFETY: this function has the same contract.
            unsafe { self.destroy_unless_called(object) };
        }
    }

    /// Destroys an object without owner, unless a cell contains it: then the emission that has the
    /// cell destroys it.
    ///
    /// # Safety
    /// The memory of `object` is kept until this returns. The pointer is valid for the whole
    /// object.
    #[cold]
    pub(in crate::raw) unsafe fn destroy_unless_called(&self, object: *const HazardHead<F>) {
        F::sequential();
        // SAFETY: the caller keeps the memory.
        let HazardHead { strong, destroy } = unsafe { &*object };
        if !self.contain(object) && strong.replace(UNOWNED, DESTROYED, Ordering::SeqCst) {
            // SAFETY: only one thread replaces `UNOWNED`, so this is the only call. There is no
            // strong pointer, and `retain` makes none any more. No cell contained the object after
            // it was marked unowned, so no emission calls it. An emission that enters it from now
            // on checks whether it has an owner, and does not call it.
            unsafe { destroy(object) };
        }
    }
}

/// Run by loom: see [`crate::models`].
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
        /// Loom reports it if this is destroyed during a call.
        value: UnsafeCell<usize>,
        destroyed: AtomicUsize,
    }

    impl Object {
        fn new() -> Arc<Self> {
            // SAFETY: the protocol calls `destroy` once, when nobody can reach the value. That is
            // what the models check.
            let head = unsafe { HazardHead::incomplete(Self::destroy) };
            head.complete();
            Arc::new(Object { head, value: UnsafeCell::new(7), destroyed: AtomicUsize::new(0) })
        }
        unsafe fn destroy(head: *const HazardHead<Modelled>) {
            // SAFETY: the models keep the memory of their objects.
            let object = unsafe { &*head.cast::<Object>() };
            // SAFETY: loom checks that nobody accesses the value meanwhile.
            object.value.with_mut(|value| unsafe { *value = 0 });
            object.destroyed.fetch_add(1, Relaxed);
        }
        fn address(self: &Arc<Self>) -> *const HazardHead<Modelled> {
            Arc::as_ptr(self).cast()
        }
        fn read(&self) -> usize {
            // SAFETY: loom checks that nobody writes the value meanwhile.
            self.value.with(|value| unsafe { *value })
        }
    }

    #[derive(Clone)]
    struct World(Arc<HazardDomain<Modelled>>);

    impl World {
        fn new() -> Self {
            World(Arc::new(HazardDomain { records: LazyStrong::empty() }))
        }
        /// An emission that calls these objects, and runs `inside` in each call.
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
                // SAFETY: the models keep the memory of their objects, and each emission has its
                // own cell.
                let is_alive = unsafe { cell.enter(&object.head) } || {
                    // SAFETY: as above.
                    unsafe { self.0.destroy_left(cell, object.address()) };
                    object.head.is_alive()
                };
                if is_alive {
                    assert_eq!(object.read(), 7);
                    inside(record);
                    assert_eq!(object.read(), 7);
                }
                // SAFETY: the models keep the memory of their objects, and each emission has its
                // own cell.
                unsafe { self.0.leave(cell, object.address()) };
            }
            // SAFETY: as above.
            unsafe { self.0.clear(cell) };
            cell.give_back();
        }
        /// Such an emission on a thread of its own.
        fn emitting<const N: usize>(&self, objects: [&Arc<Object>; N]) -> thread::JoinHandle<()> {
            let (world, objects) = (self.clone(), objects.map(Arc::clone));
            thread::spawn(move || world.emit(&objects, |_| ()))
        }
        fn drop_one(&self, object: &Arc<Object>) {
            // SAFETY: each model drops only as many strong pointers as it has.
            if unsafe { HazardHead::release(object.address()) } {
                // SAFETY: the models keep the memory of their objects.
                unsafe { self.0.destroy_unless_called(object.address()) };
            }
        }
    }

    fn destroyed(object: &Object) -> usize {
        object.destroyed.load(Relaxed)
    }

    #[test]
    fn a_hazard_object_ends_once_and_not_in_its_call_whoever_comes_last() {
        loom::model(|| {
            let (world, object) = (World::new(), Object::new());
            let emitter = world.emitting([&object]);
            world.drop_one(&object);
            emitter.join().unwrap();
            assert_eq!(destroyed(&object), 1);
        });
    }

    #[test]
    fn a_hazard_object_ends_once_beside_two_emitters() {
        loom::model(|| {
            let (world, object) = (World::new(), Object::new());
            let emitters = [(); 2].map(|()| world.emitting([&object]));
            world.drop_one(&object);
            emitters.into_iter().for_each(|emitter| emitter.join().unwrap());
            assert_eq!(destroyed(&object), 1);
        });
    }

    #[test]
    fn a_hazard_object_with_two_owners_ends_with_the_later_one() {
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
    fn hazard_objects_that_end_beside_one_emission_end_with_it_at_the_latest() {
        loom::model(|| {
            let (world, objects) = (World::new(), [Object::new(), Object::new()]);
            let emitter = world.emitting(objects.each_ref());
            objects.iter().for_each(|object| world.drop_one(object));
            emitter.join().unwrap();
            assert_eq!(objects.each_ref().map(|object| destroyed(object)), [1, 1]);
        });
    }

    #[test]
    fn a_hazard_object_called_in_its_own_call_ends_after_the_outer_one() {
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
    fn a_hazard_object_called_in_an_inner_emission_only_ends_after_that_call() {
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
    fn a_hazard_object_that_a_weak_pointer_had_back_ends_with_that_pointer() {
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
