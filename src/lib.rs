// Its examples are run when all they need is there.
#![cfg_attr(any(not(doctest), feature = "async"), doc = include_str!("../README.md"))]
#![cfg_attr(not(feature = "std"), no_std)]
#![deny(unsafe_code)]
#![warn(missing_docs, unreachable_pub)]

extern crate alloc;

macro_rules! aliases {
    ($family:ty) => {
        /// [`generic::Signal`] of this flavour.
        pub type Signal<E, R = ()> = generic::Signal<E, R, $family>;
        /// [`generic::Source`] of this flavour.
        pub type Source<E, R = ()> = generic::Source<E, R, $family>;
        /// [`generic::SlotOptions`] of this flavour.
        pub type SlotOptions<'a, E, R = ()> = generic::SlotOptions<'a, E, R, $family>;
        /// [`generic::Emission`] of this flavour.
        pub type Emission<'a, E, R = ()> = generic::Emission<'a, E, R, $family>;
        /// [`generic::Connection`] of this flavour.
        pub type Connection = generic::Connection<$family>;
        /// [`generic::ScopedConnection`] of this flavour.
        pub type ScopedConnection = generic::ScopedConnection<$family>;
        /// [`generic::ConnectionSet`] of this flavour.
        pub type ConnectionSet = generic::ConnectionSet<$family>;
        /// [`generic::Block`] of this flavour.
        pub type Block = generic::Block<$family>;
        /// [`generic::WeakMethod`] of this flavour.
        pub type WeakMethod<E, R = ()> = generic::WeakMethod<E, R, $family>;
        /// [`generic::BoundMethod`] of this flavour.
        pub type BoundMethod<E, R = ()> = generic::BoundMethod<E, R, $family>;
        /// [`generic::EmitError`] of this flavour.
        #[cfg(feature = "std")]
        pub type EmitError = generic::EmitError<$family>;
        /// [`generic::SlotPanic`] of this flavour.
        #[cfg(feature = "std")]
        pub type SlotPanic = generic::SlotPanic<$family>;
        /// [`generic::AsyncSignal`] of this flavour.
        #[cfg(feature = "async")]
        pub type AsyncSignal<E, R = ()> = generic::AsyncSignal<E, R, $family>;
        /// [`generic::AsyncSource`] of this flavour.
        #[cfg(feature = "async")]
        pub type AsyncSource<E, R = ()> = generic::AsyncSource<E, R, $family>;
        /// [`generic::AsyncSlotOptions`] of this flavour.
        #[cfg(feature = "async")]
        pub type AsyncSlotOptions<'a, E, R = ()> = generic::AsyncSlotOptions<'a, E, R, $family>;
        /// [`generic::AsyncEmitError`] of this flavour.
        #[cfg(feature = "async")]
        pub type AsyncEmitError = generic::AsyncEmitError<$family>;
        /// [`generic::SlotFailure`] of this flavour.
        #[cfg(feature = "async")]
        pub type SlotFailure = generic::SlotFailure<$family>;
        /// [`generic::EventStream`] of this flavour.
        #[cfg(feature = "async")]
        pub type EventStream<T> = generic::EventStream<T, $family>;
        /// [`generic::NextEvent`] of this flavour.
        #[cfg(feature = "async")]
        pub type NextEvent<T> = generic::NextEvent<T, $family>;
    };
}

// Who knows whom: see `design`.
#[cfg(feature = "async")]
mod async_signal;
mod connection;
mod depth;
pub mod design;
mod emission;
#[cfg(feature = "std")]
mod error;
mod family;
mod ledger;
mod list;
pub mod local;
mod method;
#[cfg(all(test, sigwire_loom))]
mod models;
mod options;
#[cfg(feature = "async")]
mod outcome;
#[cfg(feature = "std")]
mod overflow;
mod owner;
#[cfg(feature = "std")]
mod queue;
#[allow(unsafe_code)]
mod raw;
mod signal;
mod slots;
mod special;
mod state;
#[cfg(feature = "async")]
mod stream;
mod table;
mod unwind;
#[cfg(feature = "async")]
mod waking;

/// Both flavours in one: the types with the [`Family`](generic::Family) as their last parameter, for
/// code that serves either. The names at the [crate root](crate) are these with `Shared`, those in
/// [`local`] with `Local`.
pub mod generic {
    #[cfg(feature = "tokio")]
    pub use crate::async_signal::AsyncMutMethod;
    #[cfg(feature = "async")]
    pub use crate::async_signal::{
        AsyncClosure, AsyncEmission, AsyncEmitError, AsyncMethod, AsyncSignal, AsyncSlotOptions,
        AsyncSource, ConcurrentEmission, Emit, EmitConcurrent, Moves, SlotFailure, TryEmit,
    };
    pub use crate::connection::{Block, Connection, ConnectionSet, ScopedConnection};
    pub use crate::emission::Emission;
    #[cfg(feature = "std")]
    pub use crate::error::{EmitError, SlotPanic};
    #[cfg(feature = "std")]
    pub use crate::family::Shared;
    pub use crate::family::{Family, Local};
    pub use crate::method::{BoundMethod, WeakMethod};
    pub use crate::options::SlotOptions;
    pub use crate::owner::{BorrowMut, Captures, Owner};
    #[cfg(feature = "std")]
    pub use crate::queue::{Drive, Home, Queue, QueuedSlot};
    pub use crate::signal::{Signal, Source};
    #[cfg(feature = "async")]
    pub use crate::stream::{EventStream, NextEvent, Storable, WhenFull};
}

#[cfg(feature = "async")]
pub use async_signal::Failure;
#[cfg(feature = "tokio")]
pub use async_signal::Spawned;
pub use connection::WaitError;
pub use owner::Owner;
#[cfg(feature = "std")]
mod shared {
    use crate::family::Shared;
    use crate::generic;
    aliases!(Shared);

    /// [`generic::Queue`] for handlers of `Arc` owners, which any one thread runs.
    pub type Queue = generic::Queue<Shared>;
    /// [`generic::Queue`] for handlers of `Rc` owners, which stays on their thread. The signals are the
    /// thread-safe ones all the same.
    pub type LocalQueue = generic::Queue<crate::family::Local>;
}
#[cfg(feature = "std")]
pub use overflow::Overflow;
#[cfg(feature = "std")]
pub use queue::{Edges, Ran};
#[cfg(feature = "std")]
pub use raw::{Tracked, WeakTracked};
#[cfg(feature = "std")]
pub use shared::*;
#[cfg(feature = "async")]
pub use stream::{Lost, Wait};
