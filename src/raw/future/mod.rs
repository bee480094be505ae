//! The futures of asynchronous handlers, with their types erased.

mod buffer;
mod erased;
mod handlers;
mod limit;
mod method;

pub(crate) use erased::{ErasedFuture, Request, Requests};
#[cfg(feature = "tokio")]
pub(crate) use handlers::CallAsyncLocked;
pub(crate) use handlers::{Answer, CallAsync, CallAsyncClosure, CallSync};
pub(crate) use limit::{Limit, NoLimit};
#[cfg(feature = "tokio")]
pub use method::AsyncMutMethod;
pub use method::{AsyncClosure, AsyncMethod};
