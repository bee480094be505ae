//! Which type when, a tour, and a page for each kind of program.
//!
#![doc = include_str!("overview.md")]
// The pages name items of all features. Where some are off, those names are no links.
#![cfg_attr(not(feature = "tokio"), allow(rustdoc::broken_intra_doc_links))]

// A page whose examples need a feature throughout is a doctest only where that is on. Where single
// examples need one, hidden lines say so.

/// Windows: widgets that tell each other, worker threads, a search field that waits, values that are
/// set without an echo.
///
#[cfg_attr(any(not(doctest), feature = "std"), doc = include_str!("gui.md"))]
pub mod gui {}

/// Games: a loop with fixed steps, who comes first, who stops a key, events that wait for their turn,
/// and thousands of small signals.
///
#[cfg_attr(any(not(doctest), feature = "std"), doc = include_str!("game.md"))]
pub mod game {}

/// `async` programs: handlers that await, streams of events, deadlines, and the way from code that is
/// not async.
///
#[cfg_attr(any(not(doctest), feature = "tokio"), doc = include_str!("asynchronous.md"))]
pub mod asynchronous {}

/// Tests: of code that emits, of code that connects, of queues and of time.
///
#[cfg_attr(any(not(doctest), feature = "std"), doc = include_str!("testing.md"))]
pub mod testing {}

/// What surprises at first: what you see, why it is so, and what to write.
///
#[cfg_attr(any(not(doctest), feature = "std"), doc = include_str!("surprises.md"))]
pub mod surprises {}

/// Coming from the `signals2` crate.
///
#[cfg_attr(any(not(doctest), feature = "std"), doc = include_str!("from_signals2.md"))]
pub mod from_signals2 {}

/// Coming from a `Vec<Box<dyn Fn>>` with ids.
///
#[cfg_attr(any(not(doctest), feature = "std"), doc = include_str!("from_callbacks.md"))]
pub mod from_callbacks {}

/// Coming from `tokio::sync::broadcast` and `watch`, or from `async-broadcast`.
///
#[cfg_attr(any(not(doctest), feature = "async"), doc = include_str!("from_channels.md"))]
pub mod from_channels {}

/// Coming from `boost::signals2` (C++).
///
#[cfg_attr(any(not(doctest), feature = "std"), doc = include_str!("from_boost.md"))]
pub mod from_boost {}

/// Coming from the signals and slots of Qt (C++).
///
#[cfg_attr(any(not(doctest), feature = "std"), doc = include_str!("from_qt.md"))]
pub mod from_qt {}

/// Coming from the observers of Bevy.
///
#[cfg_attr(any(not(doctest), feature = "std"), doc = include_str!("from_bevy.md"))]
pub mod from_bevy {}
