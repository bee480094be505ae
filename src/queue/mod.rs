//! Queues, in which events wait for a loop that runs their handlers.
//!
//! Each file imports some of those above it, and none below it. An event goes through `sender`,
//! `state`, `run` and `handler`, in this order.
//!
//! | file | what it holds |
//! |---|---|
//! | `first_panic` | runs several pieces of work, each even if another panics |
//! | `pace` | debounce and throttle of one connection |
//! | `flavor` | how methods of `Arc` owners, or of `Rc` owners, are kept and called |
//! | `inbox` | the waiting events of one connection |
//! | `handler` | the method of one connection, and its events whose turn has come |
//! | `mailbox` | the inbox and handler of one connection |
//! | `timers` | when the windows of debounces and throttles close |
//! | `batch` | what a run takes at once |
//! | `state` | everything under the lock: the connections, the waiting events, and whose turn it is |
//! | `queue_core` | the lock, and what is done after it is released: waking, dropping |
//! | `sender` | the signal's side of a connection: emitting enqueues |
//! | `run` | one run: calls the handlers |
//! | `queue`, `drive`, `bounds`, `options` | the public API: the queue, running it as a task, which slots it takes, connecting to it |

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
