//! All `unsafe` code of the crate, behind safe faces, and what a flavor is built from. It imports [`base`]
//! and nothing else of the crate. One concept a file:
//!
//! | file | what it gives | what makes it sound |
//! |---|---|---|
//! | [`flavor`] | cells, locks and threads of a flavor | safe code |
//! | [`bounds`] | values that may be shared between threads where their flavor is | bounds, where they are made |
//! | [`pointers`], [`link`] | `Arc` or `Rc`, by flavor | std's own contracts of `from_raw` |
//! | [`erased_ptr`] | a pointer of any type in one word | whoever takes it out knows what was put in |
//! | [`keep_alive`] | an owned strong pointer of any type | it is dropped by the function made for its type |
//! | [`handle`] | a weak method handle of any owner and method, in two words | its vtable was made for its type |
//! | [`caller`] | an emission, as what it calls knows it | what it calls lives longer: its lifetime says so |
//! | [`entry`] | a handle in a list, with what it owns | its count is there until it is given up, once |
//! | [`slot_state`] | whether a slot may be called, in one byte | safe code |
//! | [`versions`] | a list that emissions read while others edit it | reader cells: what is read is neither edited nor freed |
//! | [`outlined_weak`] | a weak pointer whose drop is one call | it is dropped once |
//! | [`typed`] | what knows its event and result by type, over what does not | only handles of these types come in |
//! | [`lazy_strong`] | a strong pointer made at first use, in one word | it is set once |
//! | [`hazard`] | owners whose calls count no references | what is in a cell is not destroyed |
//! | `future` | the futures of asynchronous handlers | the future is dropped before what it borrows from |
//! | `spin_lock` | a lock for moments | one holder at a time, by an atomic state |
//! | [`held`] | a link that holds what it points at | an emission keeps its list, and so the link |
//! | `inlet` | a link to what takes events over | the same; and the pointer in it holds the memory |
//! | [`thread_bound`] | values that stay on their thread, in memory that does not | only their thread opens them |
//!
//! [`base`]: crate::base

mod bounds;
mod caller;
mod entry;
mod erased_ptr;
mod flavor;
#[cfg(feature = "async")]
mod future;
mod handle;
#[cfg(feature = "std")]
mod hazard;
#[cfg(feature = "std")]
mod held;
#[cfg(feature = "async")]
mod inlet;
mod keep_alive;
mod lazy_strong;
mod link;
mod outlined_weak;
mod pointers;
mod slot_state;
#[cfg(feature = "async")]
mod spin_lock;
#[cfg(feature = "std")]
mod thread_bound;
mod typed;
mod versions;

pub(crate) use bounds::Checked;
#[cfg(feature = "async")]
pub use bounds::MaybeSend;
pub use bounds::MaybeSendSync;
pub(crate) use caller::{Admission, Caller};
pub(crate) use entry::{AnyEntry, SlotLabel};
pub use flavor::Flavor;
pub use flavor::Local;
#[cfg(feature = "std")]
pub use flavor::Shared;
pub(crate) use flavor::{Atom, Lock};
#[cfg(feature = "tokio")]
pub use future::AsyncMutMethod;
#[cfg(feature = "tokio")]
pub(crate) use future::CallAsyncLocked;
#[cfg(feature = "async")]
pub(crate) use future::{
    Answer, CallAsync, CallAsyncClosure, CallSync, ErasedFuture, Limit, NoLimit, Request, Requests,
};
#[cfg(feature = "async")]
pub use future::{AsyncClosure, AsyncMethod};
#[cfg(feature = "async")]
use handle::Again;
pub(crate) use handle::{AnyHandle, Handle, Invoke, StoredLink};
#[cfg(feature = "std")]
pub use hazard::{HazardArc, WeakHazardArc};
#[cfg(feature = "std")]
pub(crate) use held::{Held, StandIn};
#[cfg(feature = "async")]
pub(crate) use inlet::{CountsKeepers, Intake, Keeper};
pub(crate) use keep_alive::KeepAlive;
pub(crate) use lazy_strong::LazyStrong;
pub(crate) use link::{Hold, Link, Liveness, NotCalled, Target};
pub(crate) use outlined_weak::OutlinedWeak;
pub(crate) use pointers::Pointers;
pub(crate) use slot_state::{SlotState, StateCell};
#[cfg(feature = "async")]
pub(crate) use spin_lock::{SpinGuard, SpinLock};
#[cfg(feature = "std")]
pub(crate) use thread_bound::{HomeThread, ThreadBound};
pub(crate) use typed::{Entry, Typed};
pub(crate) use versions::{EditGuard, PinnedVersion, ReaderCell, Versions};

// For a flavor that tests make.
#[cfg(all(test, sigwire_loom))]
pub(crate) use {
    flavor::atom,
    pointers::{pointers, weak_link},
};
