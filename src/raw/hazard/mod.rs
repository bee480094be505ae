//! Owners whose calls count no references, by hazard pointers.

mod arc;
mod protocol;
mod thread;

pub use arc::{HazardArc, WeakHazardArc};
pub(super) use protocol::HazardCell;
pub(super) use thread::{give_back, spare_cell, take_another_cell};
