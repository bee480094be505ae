//! The hazard record of each thread, and which emission has which of its cells.

use core::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use super::protocol::{HazardCell, HazardDomain, HazardHead, HazardRecord};
use crate::base::message;
use crate::raw::{Admission, Shared};

pub(super) static HAZARDS: HazardDomain<Shared> = HazardDomain::new();

std::thread_local! {
    /// Has no destructor, so it can be used while its thread ends.
    static RECORD: Cell<Option<&'static HazardRecord<Shared>>> = const { Cell::new(None) };
    /// The cell that was given back last, for the next emission. Mostly the thread needs no other.
    static SPARE: Cell<Option<&'static HazardCell<Shared>>> = const { Cell::new(None) };
    /// The record of a thread that has ended its lease while emissions still have cells of it.
    static LEFT: Cell<Option<&'static HazardRecord<Shared>>> = const { Cell::new(None) };
    static LEASE: RecordLease = RecordLease(HAZARDS.lease());
}

/// The thread's lease of a record. Ends with the thread.
struct RecordLease(&'static HazardRecord<Shared>);

impl Drop for RecordLease {
    fn drop(&mut self) {
        RECORD.set(None);
        if let Some(spare) = SPARE.take() {
            spare.give_back();
        }
        // An emission may still be under way: on the stack of a coroutine that another thread-local
        // owns, or in a slot that ends the process.
        if !self.0.give_back() {
            LEFT.set(Some(self.0));
        }
    }
}

/// The thread's spare cell, if it has one.
#[inline(always)]
pub(in crate::raw) fn spare_cell() -> Option<&'static HazardCell<Shared>> {
    SPARE.take()
}

/// Another cell of this thread, if one is free. Leases a record first if the thread has none.
#[cold]
pub(in crate::raw) fn take_another_cell() -> Option<&'static HazardCell<Shared>> {
    if RECORD.get().is_none() {
        RECORD.set(LEASE.try_with(|lease| lease.0).ok());
    }
    RECORD.get()?.take_cell()
}

/// Gives back the cell of an emission that ends, and destroys the object that it left last if that
/// has no owner any more.
///
/// # Safety
/// The cell belongs to the caller, who does not use it again. No object is entered in it. The
/// memory of the object that was left last in it is kept until this returns.
#[inline(never)]
pub(in crate::raw) unsafe fn give_back(
    cell: &'static HazardCell<Shared>,
    admission: &dyn Admission,
) {
    /// A guard, since the cell is given back also if a destructor panics.
    struct GiveBack(&'static HazardCell<Shared>);
    impl Drop for GiveBack {
        #[inline(always)]
        fn drop(&mut self) {
            if RECORD.get().is_none() {
                give_back_at_end(self.0);
            } else if let Some(spare) = SPARE.replace(Some(self.0)) {
                spare.give_back();
            }
        }
    }
    let _give_back = GiveBack(cell);
    // SAFETY: the cell belongs to the caller, and no object is entered in it.
    let left = unsafe { HAZARDS.take_left(cell) };
    // SAFETY: the caller keeps the object's memory.
    if !left.is_null() && !unsafe { (*left).is_alive() } {
        // SAFETY: likewise. The pointer is valid for the whole object, since it is the one that was
        // passed to `leave`.
        unsafe { destroy_late(left, admission) };
    }
}

/// Destroys the object that an ending emission has left, unless another emission is calling it.
///
/// # Safety
/// As for [`HazardDomain::destroy_if_dead`].
#[cold]
unsafe fn destroy_late(left: *const HazardHead<Shared>, admission: &dyn Admission) {
    // SAFETY: this function has the same contract.
    let destroy = || unsafe { HAZARDS.destroy_if_dead(left) };
    if !thread::panicking() {
        admission.ending();
        destroy();
        admission.passing_over(false);
    } else if let Err(payload) = catch_unwind(AssertUnwindSafe(destroy)) {
        // A panic is under way already. That one is reported, this one is dropped.
        message(payload);
    }
}

#[cold]
fn give_back_at_end(cell: &'static HazardCell<Shared>) {
    cell.give_back();
    if LEFT.get().is_some_and(HazardRecord::give_back) {
        LEFT.set(None);
    }
}
