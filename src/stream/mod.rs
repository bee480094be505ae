//! Events as a `Stream`, and waiting for the next one.
//!
//! A slot clones each event into a [`Channel`](channel::Channel), from which the stream takes it. The
//! channel is what the slot calls. The stream has the slot's connection, so dropping the stream
//! disconnects; and the slot keeps the channel from its end, as each call does, so the stream learns of
//! the end once no event can come any more.

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
