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
//! So a call takes one exchange, on a cache line that no other thread writes to. A store that other threads
//! do not see at once can delay the end of an object, until the next such call of the emission begins, or the
//! emission ends. That takes a last pointer dropped on another thread while the call ends.
//!
//! The cells are hazard pointers (Michael, "Hazard Pointers: Safe Memory Reclamation for Lock-Free
//! Objects", 2004), here for the value in the object. Its memory is reference-counted: the list that an
//! emission runs over keeps it.

use core::sync::atomic::Ordering;

use super::OnceStrong;
use crate::family::{Atom, Family};

/// What the protocol knows of an object, at the object's beginning.
pub(super) struct Head<F: Family> {
    /// [`INCOMPLETE`], then the number of strong pointers, then [`ENDED`], then [`DESTROYED`].
    strong: F::Count,
    destroy: unsafe fn(*const Head<F>),
}

const INCOMPLETE: usize = 0;
/// Without owner; whoever finds it in no cell is to destroy it.
const ENDED: usize = 1 << (usize::BITS - 1);
const DESTROYED: usize = ENDED + 1;

impl<F: Family> Head<F> {
    /// # Safety
    /// `destroy` is called once at most, with a pointer to this head that is good for the whole object,
    /// when nobody can reach the value any more. It is not called before [`complete`](Self::complete).
    pub(super) unsafe fn incomplete(destroy: unsafe fn(*const Head<F>)) -> Self {
        Head { strong: F::Count::new(INCOMPLETE), destroy }
    }

    /// From now on the object has a value, and one strong pointer.
    pub(super) fn complete(&self) {
        self.strong.store(1, Ordering::Release);
    }

    /// How many strong pointers there are.
    #[inline(always)]
    pub(super) fn strong(&self) -> usize {
        let strong = self.strong.load(Ordering::SeqCst);
        if strong < ENDED { strong } else { 0 }
    }

    #[inline(always)]
    pub(super) fn is_alive(&self) -> bool {
        self.strong() > 0
    }

    /// One more strong pointer, if there is one.
    pub(super) fn retain(&self) -> bool {
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
    pub(super) unsafe fn release(object: *const Self) -> bool {
        let less = |strong| Some(if strong == 1 { ENDED } else { strong - 1 });
        // SAFETY: the caller's promise.
        change::<F>(unsafe { &(*object).strong }, less) == Some(ENDED)
    }
}

fn change<F: Family>(strong: &F::Count, change: impl Fn(usize) -> Option<usize>) -> Option<usize> {
    loop {
        let before = strong.load(Ordering::Relaxed);
        let after = change(before)?;
        if strong.replace(before, after, Ordering::SeqCst) {
            return Some(after);
        }
    }
}

/// What one running emission is calling.
pub struct Cell<F: Family> {
    /// Null when that is nothing of this kind.
    object: F::Ptr<Head<F>>,
    /// What was left last: it is to be looked at after the next exchange. Only the emission's thread uses
    /// this.
    left: F::Ptr<Head<F>>,
}

impl<F: Family> Cell<F> {
    fn new() -> Self {
        let null = || F::Ptr::new(core::ptr::null_mut());
        Cell { object: null(), left: null() }
    }

    /// Enters `object`, or says that what was left before has to be looked at first.
    ///
    /// # Safety
    /// The memory of what was left has stayed until now. The cell is the caller's.
    #[inline(always)]
    pub(super) unsafe fn enter(&self, object: &Head<F>) -> Entering {
        let address = core::ptr::from_ref(object).cast_mut();
        self.object.swap(address, Ordering::SeqCst);
        F::sequential();
        let before = self.left.load(Ordering::Relaxed);
        // SAFETY: the caller's promise.
        if !before.is_null() && !unsafe { (*before).is_alive() } {
            self.object.store(core::ptr::null_mut(), Ordering::Release);
            Entering::LookFirst
        } else if object.is_alive() {
            Entering::Alive
        } else {
            Entering::WithoutOwner
        }
    }
}

pub(super) enum Entering {
    /// The object may be called until the cell is left.
    Alive,
    /// It is not to be called, and is to be left.
    WithoutOwner,
    /// It was not entered. Clear the cell, and come again.
    LookFirst,
}

/// How deep emissions on one thread can nest with a cell for each.
const LEVELS: usize = 16;

/// The cells of one thread.
pub(super) struct Record<F: Family> {
    cells: [Cell<F>; LEVELS],
    leased: F::State,
    more: OnceStrong<Record<F>, F>,
    _apart: [F::Spacing; 0],
}

impl<F: Family> Record<F> {
    fn new() -> Self {
        Record {
            cells: core::array::from_fn(|_| Cell::new()),
            leased: F::State::new(0),
            more: OnceStrong::new(F::Ptr::new(core::ptr::null_mut())),
            _apart: [],
        }
    }

    #[inline(always)]
    pub(super) fn cell(&self, level: usize) -> Option<&Cell<F>> {
        self.cells.get(level)
    }

    /// For another thread to use. All cells have been left.
    pub(super) fn give_back(&self) {
        self.leased.store(0, Ordering::Release);
    }
}

/// As many records as there were ever threads at once that called such objects.
pub(super) struct Hazards<F: Family> {
    records: OnceStrong<Record<F>, F>,
}

impl<F: Family> Hazards<F> {
    /// `null` is a null pointer: see [`OnceStrong::new`].
    pub(super) const fn new(null: F::Ptr<Record<F>>) -> Self {
        Hazards { records: OnceStrong::new(null) }
    }

    /// A record that nobody else has.
    pub(super) fn lease(&self) -> &Record<F> {
        let mut next = &self.records;
        loop {
            let record = next.get_or_init(Record::new);
            if record.leased.replace(0, 1, Ordering::Acquire) {
                return record;
            }
            next = &record.more;
        }
    }

    fn hold(&self, object: *const Head<F>) -> bool {
        let records = core::iter::successors(self.records.get(), |record| record.more.get());
        let mut cells = records.flat_map(|record| &record.cells);
        cells.any(|cell| core::ptr::eq(cell.object.load(Ordering::SeqCst), object))
    }

    /// `object`, which was entered, is not called any more.
    ///
    /// # Safety
    /// The memory of `object` stays until the cell is entered again or cleared. The pointer is good for the
    /// whole object. The cell is the caller's.
    #[inline(always)]
    pub(super) unsafe fn leave(&self, cell: &Cell<F>, object: *const Head<F>) {
        cell.object.store(core::ptr::null_mut(), Ordering::Release);
        cell.left.store(object.cast_mut(), Ordering::Relaxed);
        // SAFETY: the caller's promise.
        if !unsafe { (*object).is_alive() } {
            // SAFETY: likewise.
            unsafe { self.clear(cell) };
        }
    }

    /// The cell, which was left, is not used any more.
    ///
    /// # Safety
    /// As for [`leave`](Self::leave).
    #[inline(never)]
    pub(super) unsafe fn clear(&self, cell: &Cell<F>) {
        let before = cell.left.load(Ordering::Relaxed);
        if before.is_null() {
            return;
        }
        cell.left.store(core::ptr::null_mut(), Ordering::Relaxed);
        cell.object.swap(core::ptr::null_mut(), Ordering::SeqCst);
        F::sequential();
        // SAFETY: the caller's promise.
        if !unsafe { (*before).is_alive() } {
            // SAFETY: likewise.
            unsafe { self.destroy_if_last(before) };
        }
    }

    /// Destroys an object without owner, unless somebody is calling it: then that is left to them.
    ///
    /// # Safety
    /// The memory of `object` stays until this returns. The pointer is good for the whole object.
    pub(super) unsafe fn destroy_if_last(&self, object: *const Head<F>) {
        F::sequential();
        // SAFETY: the caller's promise.
        let Head { strong, destroy } = unsafe { &*object };
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
        head: Head<Modelled>,
        /// Loom reports it when it is destroyed while it is called.
        value: UnsafeCell<usize>,
        destroyed: AtomicUsize,
    }

    impl Object {
        fn new() -> Arc<Self> {
            // SAFETY: by the protocol, which is what is tried here.
            let head = unsafe { Head::incomplete(Self::destroy) };
            head.complete();
            Arc::new(Object { head, value: UnsafeCell::new(7), destroyed: AtomicUsize::new(0) })
        }
        unsafe fn destroy(head: *const Head<Modelled>) {
            // SAFETY: the models keep their objects.
            let object = unsafe { &*head.cast::<Object>() };
            // SAFETY: loom checks that nobody reads it meanwhile.
            object.value.with_mut(|value| unsafe { *value = 0 });
            object.destroyed.fetch_add(1, Relaxed);
        }
        fn address(self: &Arc<Self>) -> *const Head<Modelled> {
            Arc::as_ptr(self).cast()
        }
        fn read(&self) -> usize {
            // SAFETY: loom checks that nobody writes to it meanwhile.
            self.value.with(|value| unsafe { *value })
        }
    }

    #[derive(Clone)]
    struct World(Arc<Hazards<Modelled>>);

    impl World {
        fn new() -> Self {
            World(Arc::new(Hazards::new(loom::sync::atomic::AtomicPtr::new(core::ptr::null_mut()))))
        }
        /// An emission over these objects, which does `inside` in each call.
        fn emit(&self, level: usize, objects: &[Arc<Object>], inside: impl Fn(&Record<Modelled>)) {
            let record = self.0.lease();
            self.emit_at(record, level, objects, inside);
            record.give_back();
        }
        fn emit_at(
            &self,
            record: &Record<Modelled>,
            level: usize,
            objects: &[Arc<Object>],
            inside: impl Fn(&Record<Modelled>),
        ) {
            let cell = record.cell(level).unwrap();
            for object in objects {
                // SAFETY: the models keep their objects, and each emission has its own cell.
                let mut entering = unsafe { cell.enter(&object.head) };
                while let Entering::LookFirst = entering {
                    // SAFETY: as above.
                    unsafe { self.0.clear(cell) };
                    // SAFETY: as above.
                    entering = unsafe { cell.enter(&object.head) };
                }
                if let Entering::Alive = entering {
                    assert_eq!(object.read(), 7);
                    inside(record);
                    assert_eq!(object.read(), 7);
                }
                // SAFETY: the models keep their objects, and each emission has its own cell.
                unsafe { self.0.leave(cell, object.address()) };
            }
            // SAFETY: as above.
            unsafe { self.0.clear(cell) };
        }
        fn drop_one(&self, object: &Arc<Object>) {
            // SAFETY: the models drop what they have.
            if unsafe { Head::release(object.address()) } {
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
            let emitter = {
                let (world, object) = (world.clone(), object.clone());
                thread::spawn(move || world.emit(0, &[object], |_| ()))
            };
            world.drop_one(&object);
            emitter.join().unwrap();
            assert_eq!(destroyed(&object), 1);
        });
    }

    #[test]
    fn a_tracked_object_ends_once_beside_two_emitters() {
        loom::model(|| {
            let (world, object) = (World::new(), Object::new());
            let emitters: Vec<_> = (0..2)
                .map(|_| {
                    let (world, object) = (world.clone(), object.clone());
                    thread::spawn(move || world.emit(0, &[object], |_| ()))
                })
                .collect();
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
            let emitter = {
                let (world, object) = (world.clone(), object.clone());
                thread::spawn(move || world.emit(0, &[object], |_| ()))
            };
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
            let emitter = {
                let (world, objects) = (world.clone(), objects.clone());
                thread::spawn(move || world.emit(0, &objects, |_| ()))
            };
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
                    world.emit(0, &outer, |record| world.emit_at(record, 1, &outer, |_| ()));
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
                    world.emit(0, &outer, |record| world.emit_at(record, 1, &inner, |_| ()));
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
            let emitter = {
                let (world, object) = (world.clone(), object.clone());
                thread::spawn(move || world.emit(0, &[object], |_| ()))
            };
            world.drop_one(&object);
            other.join().unwrap();
            emitter.join().unwrap();
            assert_eq!(destroyed(&object), 1);
        });
    }
}
