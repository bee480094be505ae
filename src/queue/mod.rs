//! Queues: where handlers wait for their loop.
//!
//! Each file imports some of those above it, and none below it. An event goes through `sender`,
//! `state`, `run` and `handler`, in this order.
//!
//! | file | what it holds |
//! |---|---|
//! | `first_panic` | pieces of work that are all done even if some panic |
//! | `pace` | debounce and throttle of one connection |
//! | `flavor` | how methods of `Arc` owners, or of `Rc` owners, are kept and called |
//! | `inbox` | the events of one connection that wait |
//! | `handler` | the method of one connection, and its events whose turn has come |
//! | `mailbox` | an inbox and a handler: what a connection has in its queue |
//! | `timers` | when the windows of debounces and throttles close |
//! | `batch` | what a run takes at once |
//! | `state` | all that is under the lock: who is connected, what waits, whose turn it is |
//! | `queue_core` | the lock, and what is done when it is released: waking, dropping |
//! | `sender` | what a signal has of a connection: emitting enqueues |
//! | `run` | one run: calls the handlers |
//! | `queue`, `drive`, `bounds`, `options` | the public face: a queue, running it as a task, whom it admits, connecting to it |

mod batch;
mod bounds;
mod drive;
mod first_panic;
mod flavor;
mod handler;
mod inbox;
mod mailbox;
mod options;
mod pace;
#[allow(clippy::module_inception, reason = "it is the queue itself")]
mod queue;
mod queue_core;
mod run;
mod sender;
mod state;
mod timers;

pub use bounds::{CallsLater, Keeps, ThreadSafe};
pub use drive::Drive;
pub use flavor::QueueFlavor;
pub use options::QueuedSlot;
pub use pace::Edges;
pub use queue::Queue;
pub use run::RunReport;
