//! Asynchronous signals: slots whose methods are `async`.
//!
//! A slot of one is a slot of an ordinary signal whose event is a [`Request`](crate::raw::Request): the
//! event, and where the handler's future is to go. So who is called, in what order, and when no more, is
//! decided by the very rules of ordinary signals, and only what comes after that is here.

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
