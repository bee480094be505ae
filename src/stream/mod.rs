//! Events as a `Stream`, and waiting for the next one.
//!
//! A slot clones each event into a [`Channel`](channel::Channel), from which the stream takes it. The slot is a closure
//! that the stream owns, so dropping the stream disconnects; and what the closure captured is dropped
//! when the slot or the signal ends, by which the stream learns of it.

mod async_source;
mod channel;
mod event;
mod event_stream;
mod next_event;
mod source;

pub use event::StreamEvent;
pub use event_stream::EventStream;
pub use next_event::NextEvent;
#[cfg(all(test, sigwire_loom))]
pub(crate) use {channel::Feed, event::stream_event};
