// Its examples are run when all they need is there.
#![cfg_attr(any(not(doctest), feature = "async"), doc = include_str!("../README.md"))]
//!
//! New here? The [`guide`] says which type to take when, and shows each at work.
#![cfg_attr(not(feature = "std"), no_std)]
#![deny(unsafe_code)]
#![warn(missing_docs, unreachable_pub)]

extern crate alloc;

macro_rules! aliases {
    ($flavor:ty) => {
        /// [`generic::Signal`] of this flavor.
        pub type Signal<E, R = ()> = generic::Signal<E, R, $flavor>;
        /// [`generic::Source`] of this flavor.
        pub type Source<E, R = ()> = generic::Source<E, R, $flavor>;
        /// [`generic::SlotOptions`] of this flavor.
        pub type SlotOptions<'a, E, R = ()> = generic::SlotOptions<'a, E, R, $flavor>;
        /// [`generic::Emission`] of this flavor.
        pub type Emission<'a, E, R = ()> = generic::Emission<'a, E, R, $flavor>;
        /// [`generic::Connection`] of this flavor.
        pub type Connection = generic::Connection<$flavor>;
        /// [`generic::ScopedConnection`] of this flavor.
        pub type ScopedConnection = generic::ScopedConnection<$flavor>;
        /// [`generic::ConnectionSet`] of this flavor.
        pub type ConnectionSet = generic::ConnectionSet<$flavor>;
        /// [`generic::ScopedConnectionSet`] of this flavor.
        pub type ScopedConnectionSet = generic::ScopedConnectionSet<$flavor>;
        /// [`generic::Block`] of this flavor.
        pub type Block = generic::Block<$flavor>;
        /// [`generic::WeakMethod`] of this flavor.
        pub type WeakMethod<E, R = ()> = generic::WeakMethod<E, R, $flavor>;
        /// [`generic::BoundMethod`] of this flavor.
        pub type BoundMethod<E, R = ()> = generic::BoundMethod<E, R, $flavor>;
        /// [`generic::EmitError`] of this flavor.
        #[cfg(feature = "std")]
        pub type EmitError = generic::EmitError<$flavor>;
        /// [`generic::SlotFailure`] of this flavor.
        #[cfg(feature = "std")]
        pub type SlotFailure = generic::SlotFailure<$flavor>;
        /// [`generic::AsyncSignal`] of this flavor.
        #[cfg(feature = "async")]
        pub type AsyncSignal<E, R = ()> = generic::AsyncSignal<E, R, $flavor>;
        /// [`generic::AsyncSource`] of this flavor.
        #[cfg(feature = "async")]
        pub type AsyncSource<E, R = ()> = generic::AsyncSource<E, R, $flavor>;
        /// [`generic::AsyncSlotOptions`] of this flavor.
        #[cfg(feature = "async")]
        pub type AsyncSlotOptions<'a, E, R = ()> = generic::AsyncSlotOptions<'a, E, R, $flavor>;
        /// [`generic::EventStream`] of this flavor.
        #[cfg(feature = "async")]
        pub type EventStream<T> = generic::EventStream<T, $flavor>;
        /// [`generic::NextEvent`] of this flavor.
        #[cfg(feature = "async")]
        pub type NextEvent<T> = generic::NextEvent<T, $flavor>;
    };
}

// Each layer imports those above it in this list, and none below: see ARCHITECTURE.md.
#[cfg(feature = "async")]
mod async_signal;
mod base;
#[cfg(feature = "std")]
mod overflow;
#[cfg(feature = "std")]
mod queue;
#[allow(unsafe_code)]
mod raw;
mod signal;
mod slots;
#[cfg(feature = "async")]
mod stream;

pub mod design;
#[cfg(any(doc, doctest))]
pub mod guide;
pub mod local;
#[cfg(all(test, sigwire_loom))]
mod models;

/// Both flavors in one: the types with the [`Flavor`](generic::Flavor) as their last parameter, for
/// code that serves either. The names at the [crate root](crate) are these with `Shared`, those in
/// [`local`] with `Local`.
pub mod generic {
    #[cfg(feature = "async")]
    pub use crate::async_signal::{
        AsyncEmission, AsyncSignal, AsyncSlotOptions, AsyncSource, ConcurrentEmission, Emit,
        EmitConcurrent, TryEmit,
    };
    #[cfg(feature = "std")]
    pub use crate::queue::{CallsLater, Drive, Keeps, Queue, QueueFlavor, QueuedSlot, ThreadSafe};
    #[cfg(feature = "tokio")]
    pub use crate::raw::AsyncMutMethod;
    #[cfg(feature = "std")]
    pub use crate::raw::Shared;
    #[cfg(feature = "async")]
    pub use crate::raw::{AsyncClosure, AsyncMethod, MaybeSend};
    pub use crate::raw::{Flavor, Local, MaybeSendSync};
    pub use crate::signal::{
        BoundMethod, Closure, Emission, InteriorMut, Method, MutMethod, Owner, Signal, SlotOptions,
        Source, WeakMethod,
    };
    #[cfg(feature = "std")]
    pub use crate::signal::{EmitError, SlotFailure};
    pub use crate::slots::{
        Block, Connection, ConnectionSet, ScopedConnection, ScopedConnectionSet,
    };
    #[cfg(feature = "async")]
    pub use crate::{
        overflow::WhenFull,
        stream::{EventStream, NextEvent, StreamEvent},
    };
}

#[cfg(feature = "tokio")]
pub use async_signal::Spawned;
#[cfg(feature = "std")]
pub use overflow::Overflow;
#[cfg(feature = "async")]
pub use overflow::{Backpressure, Lagged};
#[cfg(feature = "std")]
pub use queue::{Edges, RunReport};
#[cfg(feature = "std")]
pub use raw::{HazardArc, WeakHazardArc};
#[cfg(feature = "std")]
pub use shared::*;
#[cfg(feature = "std")]
pub use signal::Failure;
pub use signal::Owner;
pub use slots::WaitError;

#[cfg(feature = "std")]
mod shared {
    use crate::generic;
    use crate::raw::Shared;
    aliases!(Shared);

    /// [`generic::Queue`] for handlers of `Arc` owners, which any one thread runs.
    pub type Queue = generic::Queue<Shared>;
    /// [`generic::Queue`] for handlers of `Rc` owners, which stays on their thread. The signals are the
    /// thread-safe ones all the same.
    pub type LocalQueue = generic::Queue<crate::raw::Local>;
}
