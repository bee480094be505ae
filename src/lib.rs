// The README's links within the repository are relative, as GitHub and crates.io need them. The
// definitions here are absolute: if a link is defined twice, the first definition counts.
#![doc = concat!("[ARCHITECTURE.md]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/HEAD/ARCHITECTURE.md")]
#![doc = concat!("[BENCHMARKS.md]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/HEAD/BENCHMARKS.md")]
#![doc = concat!("[MIT]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/HEAD/LICENSE-MIT")]
#![doc = concat!("[Apache-2.0]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/HEAD/LICENSE-APACHE")]
#![doc = concat!("[async_bus]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/HEAD/examples/async_bus.rs")]
#![doc = concat!("[desktop]: ", env!("CARGO_PKG_REPOSITORY"), "/tree/HEAD/examples/desktop")]
#![doc = concat!("[window]: ", env!("CARGO_PKG_REPOSITORY"), "/raw/HEAD/examples/desktop/window.png")]
//!
// Run the README's examples only if the features they need are on.
#![cfg_attr(any(not(doctest), feature = "async"), doc = include_str!("../README.md"))]
//!
//! New here? The [`guide`] says when to use which type, and shows each in use.
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![deny(unsafe_code)]
#![warn(missing_docs, unreachable_pub)]

extern crate alloc;

// Each layer imports only layers before it in this list: `base`, `raw`, `slots`, `signal`,
// `overflow`, `async_signal`, `queue`, `stream`. See ARCHITECTURE.md.
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

#[cfg(not(feature = "tokio"))]
mod features_off;
#[cfg(any(doc, doctest))]
pub mod guide;
pub mod local;
#[cfg(all(test, sigwire_loom))]
mod models;
#[cfg(feature = "std")]
mod shared;

/// The types of both flavors, with the [`Flavor`](generic::Flavor) as their last type parameter.
///
/// Most programs do not need this module. The names at the [crate root](crate) are these types with
/// the flavor `Shared`, and those in [`local`] are these types with the flavor `Local`. Use this
/// module for code that works with both. The pages here also document each type in detail: its
/// methods, its hard cases and its costs.
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
#[cfg(feature = "async")]
pub use shared::{AsyncSignal, AsyncSlotOptions, AsyncSource, EventStream, NextEvent};
#[cfg(feature = "std")]
pub use shared::{
    Block, BoundMethod, Connection, ConnectionSet, Emission, EmitError, LocalQueue, Queue,
    ScopedConnection, ScopedConnectionSet, Signal, SlotFailure, SlotOptions, Source, WeakMethod,
};
#[cfg(feature = "std")]
pub use signal::Failure;
pub use signal::Owner;
pub use slots::WaitError;
