//! sigwire and its peers. All do the same work, so that one harness can measure them side by side.
//! `benches/timings.rs` and `benches/heap.rs` measure, `src/bin/charts` draws the charts and writes
//! the tables of `BENCHMARKS.md`, and `./run` does all of it.

mod bevy;
mod check;
mod contender;
mod foreign;
mod hand;
mod polled;
mod signals2;
mod sigwire;
mod sink;
mod work;

pub use bevy::Observers;
pub use check::check;
pub use contender::Contender;
pub use foreign::{BoostTracked, BoostUntracked, Foreign, Library, SigCpp};
pub use hand::{HandArc, HandLocked, HandRc};
pub use polled::{EventListeners, Receivers};
pub use signals2::Signals2;
pub use sigwire::{HazardArc, Shared, SingleThreaded};
pub use work::{Connected, Work};

/// Calls a generic function once for each contender, in the order of the page.
#[macro_export]
macro_rules! every {
    ($run:ident($($argument:expr),*)) => {{
        $crate::every_threaded!($run($($argument),*));
        $run::<$crate::Receivers>($($argument),*);
        $run::<$crate::EventListeners>($($argument),*);
        $run::<$crate::HandRc>($($argument),*);
        $run::<$crate::SingleThreaded>($($argument),*);
        $run::<$crate::Foreign<$crate::SigCpp>>($($argument),*);
        $run::<$crate::Observers>($($argument),*);
    }};
}

/// Calls a generic function once for each contender that two threads can emit on.
#[macro_export]
macro_rules! every_threaded {
    ($run:ident($($argument:expr),*)) => {{
        $run::<$crate::HandArc>($($argument),*);
        $run::<$crate::HandLocked>($($argument),*);
        $run::<$crate::Shared>($($argument),*);
        $run::<$crate::HazardArc>($($argument),*);
        $run::<$crate::Signals2>($($argument),*);
        $run::<$crate::Foreign<$crate::BoostTracked>>($($argument),*);
        $run::<$crate::Foreign<$crate::BoostUntracked>>($($argument),*);
    }};
}
