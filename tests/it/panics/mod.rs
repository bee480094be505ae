//! Panics: of slots, of destructors, and of what the users of streams and asynchronous signals give
//! these. (Of queues, see `queues/panics.rs`.)

#[cfg(feature = "async")]
mod callbacks;
mod slots;
