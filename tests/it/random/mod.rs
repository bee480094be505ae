//! Random operations, beside a model or in search of what must never happen.
//!
//! The variable `SIGWIRE_OPERATIONS` makes the runs longer. This runs 20 million operations of
//! several threads, and shows how far it is:
//!
//! ```text
//! SIGWIRE_OPERATIONS=20000000 cargo test --release --test it random::threads -- --nocapture
//! ```

#[cfg(feature = "tokio")]
mod asynchronous;
mod operations;
mod queues;
#[cfg(feature = "async")]
mod streams;
mod threads;
