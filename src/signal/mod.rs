//! Signals, their slots, connections and emissions.

mod connection;
mod emission;
#[cfg(feature = "std")]
mod error;
mod flavor;
mod ledger;
mod list;
mod method;
mod options;
mod owner;
mod rare_data;
#[allow(clippy::module_inception, reason = "it defines `Signal`")]
mod signal;
mod slots;
mod source;
mod unwind;

pub use connection::{
    Block, Connection, ConnectionSet, ScopedConnection, ScopedConnectionSet, WaitError,
};
#[cfg(feature = "async")]
pub(crate) use emission::Cursor;
pub use emission::Emission;
#[cfg(feature = "std")]
pub use error::{EmitError, Failure, SlotFailure};
pub use flavor::Flavor;
pub use method::{BoundMethod, WeakMethod};
#[cfg(feature = "std")]
pub(crate) use method::{ByMut, ByRef};
pub use options::SlotOptions;
pub use owner::{InteriorMut, Owner};
pub use signal::Signal;
#[cfg(feature = "std")]
pub(crate) use slots::HandleMaker;
#[cfg(any(feature = "async", all(test, sigwire_loom)))]
pub(crate) use slots::Slots;
pub use source::Source;
#[cfg(all(test, sigwire_loom))]
pub(crate) use {rare_data::RareData, slots::NewSlot};
