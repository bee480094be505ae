//! The slots of one signal: what is connected, and who may be called.

mod any_slots;
mod connect;
mod connection;
mod ledger;
mod list;
mod rare_data;
#[allow(unsafe_code)]
mod typed;

#[cfg(all(test, sigwire_loom))]
pub(crate) use any_slots::NewSlot;
pub(crate) use any_slots::{AnySlots, Slots};
pub(crate) use connect::Choice;
pub(crate) use connection::WeakSlots;
pub use connection::{
    Block, Connection, ConnectionSet, ScopedConnection, ScopedConnectionSet, WaitError,
};
pub(crate) use list::List;
#[cfg(all(test, sigwire_loom))]
pub(crate) use rare_data::RareData;
pub(crate) use typed::{OnceSlots, OwnedHandle, PinnedList, SharedList};
