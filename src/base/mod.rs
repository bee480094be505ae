//! What everything else stands on. It imports nothing of the crate.

mod depth;
mod never;
#[cfg(feature = "async")]
mod outcome;
#[cfg(feature = "std")]
mod panics;
mod slot_key;
mod slot_table;

pub(crate) use depth::Depth;
#[cfg(feature = "std")]
pub(crate) use depth::this_thread;
pub(crate) use never::{Impossible, Never};
#[cfg(feature = "async")]
pub(crate) use outcome::Outcome;
#[cfg(feature = "std")]
pub(crate) use panics::message;
pub(crate) use slot_key::{SlotKey, tag};
pub(crate) use slot_table::{Running, SlotTable};
