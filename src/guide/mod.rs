//! When to use which type, a tour, and a page for each kind of program.
//!
#![doc = include_str!("overview.md")]
// The pages link to items of all features. If a feature is off, the links to its items are broken.
#![cfg_attr(not(feature = "tokio"), allow(rustdoc::broken_intra_doc_links))]

// If all examples of a page need a feature, the page is a doctest only with that feature. If only
// some examples need it, hidden lines in these examples say so.

/// GUIs: widgets that notify each other, worker threads, a search field that waits, and setting a
/// value without an echo.
///
#[cfg_attr(any(not(doctest), feature = "std"), doc = include_str!("gui.md"))]
pub mod gui {}

/// Games: a loop with fixed steps, the order of systems, stopping a key event, queued events, and
/// thousands of small signals.
///
#[cfg_attr(any(not(doctest), feature = "std"), doc = include_str!("game.md"))]
pub mod game {}

/// `async` programs: handlers that await, streams of events, timeouts, and emitting from code that
/// is not async.
///
#[cfg_attr(any(not(doctest), feature = "tokio"), doc = include_str!("asynchronous.md"))]
pub mod asynchronous {}

/// Tests: of code that emits, of code that connects, of queues and of time.
///
#[cfg_attr(any(not(doctest), feature = "std"), doc = include_str!("testing.md"))]
pub mod testing {}

/// Surprises: what you see, why it happens, and what to write instead.
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
