//! The tests that need no process of their own, a module for each topic.
//!
//! `cargo test --all-features --test it blocking::` runs one topic. What needs a process of its own
//! is beside this directory: `memory.rs` counts what is allocated, `planted.rs` is for the
//! sanitizers, `compile_fail.rs` runs the compiler.

#[macro_use]
mod support;

mod architecture;
// ThreadSanitizer does not see the locks of the standard library, which tokio uses: see
// `threads/asynchronous.rs` for what it can run.
#[cfg(all(feature = "tokio", not(sigwire_tsan)))]
mod async_signals;
mod auto_traits;
mod blocking;
mod chains;
mod connecting;
mod connections;
mod coroutines;
mod debug;
mod destructors;
mod disconnecting;
mod emissions;
mod emitting;
mod generic_bounds;
mod nesting;
mod options;
mod order;
mod owners;
mod panics;
mod queues;
mod random;
mod signals;
#[cfg(feature = "async")]
mod streams;
mod threads;
mod untyped_closures;
mod weak_methods;
