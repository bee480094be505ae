//! The objects whose methods are called.

mod exclusive;
mod incomplete;
mod kinds;
mod lifetimes;
mod locks;
mod tracked;
