//! The contenders: what is measured.

use crate::sink::Event;

/// A signal, or its equivalent, and how it makes its owners.
pub trait Contender: Sized {
    const NAME: &'static str;

    /// Whether two threads could use it. This has a cost, so it is compared only with other
    /// thread-safe contenders.
    const THREAD_SAFE: bool;

    /// Whether it neither keeps its owners alive nor calls a dead one.
    const TRACKS_OWNERS: bool;

    /// Whether a program may have many of them, each independent of the others.
    const STANDS_ALONE: bool = true;

    type Owner;

    fn new() -> Self;

    /// Whether it could be built on this machine.
    fn is_there() -> bool {
        true
    }

    /// The library's version, if Cargo.lock does not contain it.
    fn version() -> Option<String> {
        None
    }

    /// A `Sink` of its own.
    fn owner(&mut self) -> Self::Owner;

    /// The sum of the events that the owner received.
    fn total(&self, owner: &Self::Owner) -> u64;

    /// Drops the only strong reference to the owner.
    fn release(&mut self, owner: Self::Owner) {
        drop(owner);
    }
}

/// A contender that Rust code calls.
pub(crate) trait Native: Contender {
    type Connection;

    fn connect(&mut self, owner: &Self::Owner) -> Self::Connection;
    fn disconnect(&mut self, connection: Self::Connection);
    fn emit(&self, event: &Event);
}
