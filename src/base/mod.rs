//! Small types that all other modules use. This module imports nothing from the crate.

mod depth;
mod never;
#[cfg(feature = "async")]
mod outcome;
#[cfg(feature = "std")]
mod panics;
mod slot_key;

pub(crate) use depth::Depth;
#[cfg(feature = "std")]
pub(crate) use depth::this_thread;
pub(crate) use never::Never;
#[cfg(feature = "async")]
pub(crate) use outcome::Outcome;
#[cfg(feature = "std")]
pub(crate) use panics::message;
pub(crate) use slot_key::{Running, SlotKey, tag};
