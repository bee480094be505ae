//! Asynchronous signals: slots whose methods are `async`.
//!
//! An asynchronous signal is built on an ordinary signal whose event is a
//! [`Request`](crate::raw::Request): the user's event, and a place for the handler's future. The
//! ordinary signal decides which slots are called and in which order. This module runs the
//! futures.

mod emission;
mod options;
mod signal;
#[cfg(feature = "tokio")]
mod tokio;
pub(crate) mod waking;

pub use emission::{AsyncEmission, ConcurrentEmission, Emit, EmitConcurrent, TryEmit};
pub use options::AsyncSlotOptions;
pub use signal::{AsyncSignal, AsyncSource};
#[cfg(feature = "tokio")]
pub use tokio::Spawned;
