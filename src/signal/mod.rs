//! Signals, their slots, connections and emissions.

mod callable;
mod emission;
#[cfg(feature = "std")]
mod error;
mod method;
mod options;
mod owner;
#[allow(clippy::module_inception, reason = "it defines `Signal`")]
mod signal;
mod source;
mod unwind;

pub use callable::{Closure, Method, MutMethod};
#[cfg(feature = "async")]
pub(crate) use emission::Cursor;
pub use emission::Emission;
#[cfg(feature = "std")]
pub use error::{EmitError, Failure, SlotFailure};
pub use method::{BoundMethod, WeakMethod};
#[cfg(feature = "std")]
pub(crate) use method::{ByMut, ByRef};
pub use options::SlotOptions;
pub use owner::{InteriorMut, Owner};
pub use signal::Signal;
pub use source::Source;
