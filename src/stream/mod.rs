//! Events as a `Stream`, and the next event as a future.
//!
//! The slot of a stream clones each event into a [`Channel`](channel::Channel), from which the
//! stream takes it. The stream owns the slot's connection, so dropping the stream disconnects the
//! slot. The slot and its running calls are the channel's keepers, so the stream ends once no more
//! events can come.

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
