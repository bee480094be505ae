//! Asynchronous signals: slots whose methods are `async`.
//!
//! A slot of one is a slot of an ordinary signal whose event is a [`Request`]: the
//! event, and where the handler's future is to go. So who is called, in what order, and when no more, is
//! decided by the very rules of ordinary signals, and only what comes after that is here.

mod emission;
mod error;
mod method;
mod options;
mod signal;
mod stream;
#[cfg(feature = "tokio")]
mod tokio;

use core::task::Poll;

use crate::outcome::Outcome;
use crate::raw::Request;

pub use emission::{AsyncEmission, ConcurrentEmission, Emit, EmitConcurrent, TryEmit};
pub use error::{AsyncEmitError, Failure, SlotFailure};
pub use method::{AsyncClosure, AsyncMethod, Moves};
pub use options::AsyncSlotOptions;
pub use signal::{AsyncSignal, AsyncSource};
#[cfg(feature = "tokio")]
pub use {method::AsyncMutMethod, tokio::Spawned};

type Event<E, R, F> = Request<E, R, F>;
pub(crate) type Answer<R> = Poll<Outcome<R>>;
