//! Code that the benches share: the contenders, the measured loops, and the measuring itself.

// Each bench uses only part of it.
#![allow(dead_code, unused_imports)]

mod contender;
pub(crate) mod heap;
pub(crate) mod loops;
pub(crate) mod order;
pub(crate) mod paired;
pub(crate) mod queued;
pub(crate) mod table;

pub(crate) use contender::{
    Contender, Disconnect, Event, HandArc, HandRc, Signals2, TrackedSignal,
};
