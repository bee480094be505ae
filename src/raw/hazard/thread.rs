//! The hazard cells of each thread: which emission has which.

use core::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use super::protocol::{HazardCell, HazardDomain, HazardHead, HazardRecord};
use crate::base::message;
use crate::raw::{Admission, Shared};

pub(super) static HAZARDS: HazardDomain<Shared> = HazardDomain::new();

std::thread_local! {
    /// Has no destructor, so it can be used while a thread ends.
    static RECORD: Cell<Option<&'static HazardRecord<Shared>>> = const { Cell::new(None) };
    /// The cell that was given back last, for the next emission: nearly always the only one.
    static SPARE: Cell<Option<&'static HazardCell<Shared>>> = const { Cell::new(None) };
    /// The record of a thread that ends, as long as emissions have cells of it.
    static LEFT: Cell<Option<&'static HazardRecord<Shared>>> = const { Cell::new(None) };
    static LEASE: RecordLease = RecordLease(HAZARDS.lease());
}

/// The thread's record, until the thread ends.
struct RecordLease(&'static HazardRecord<Shared>);

impl Drop for RecordLease {
    fn drop(&mut self) {
        RECORD.set(None);
        if let Some(spare) = SPARE.take() {
            spare.give_back();
        }
        // An emission may still be under way: on a stack that another thread-local has, or in a slot that ends
        // the process.
        if !self.0.give_back() {
            LEFT.set(Some(self.0));
        }
    }
}

/// A cell for an emission on this thread, if there is one at hand.
#[inline(always)]
pub(in crate::raw) fn spare_cell() -> Option<&'static HazardCell<Shared>> {
    SPARE.take()
}

/// Another one, if there is one.
#[cold]
pub(in crate::raw) fn take_another_cell() -> Option<&'static HazardCell<Shared>> {
    if RECORD.get().is_none() {
        RECORD.set(LEASE.try_with(|lease| lease.0).ok());
    }
    RECORD.get()?.take_cell()
}

/// The emission that had the cell ends.
///
/// # Safety
/// It is not used any more, nothing is entered, and the memory of what was left in it is kept until this
/// returns.
#[inline(never)]
pub(in crate::raw) unsafe fn give_back(
    cell: &'static HazardCell<Shared>,
    admission: &dyn Admission,
) {
    /// Also if a destructor panics.
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
    // SAFETY: the caller's promise.
    let left = unsafe { HAZARDS.take_left(cell) };
    // SAFETY: likewise.
    if !left.is_null() && !unsafe { (*left).is_alive() } {
        // SAFETY: likewise. Objects are entered as a whole.
        unsafe { end_late(left, admission) };
    }
}

/// An emission ends, and so does what it left, unless somebody else is calling that.
///
/// # Safety
/// As for [`HazardDomain::end_if_last`].
#[cold]
unsafe fn end_late(left: *const HazardHead<Shared>, admission: &dyn Admission) {
    // SAFETY: the caller's promise.
    let end = || unsafe { HAZARDS.end_if_last(left) };
    if !thread::panicking() {
        admission.ending();
        end();
        admission.passing_over(false);
    } else if let Err(payload) = catch_unwind(AssertUnwindSafe(end)) {
        // One panic is under way, and is the one to be told.
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
