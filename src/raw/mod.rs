//! All `unsafe` code of the crate, behind safe interfaces, and the types that a flavor consists of.
//! Imports only [`base`] from the crate. One concept in each file:
//!
//! | file | provides | sound because |
//! |---|---|---|
//! | [`flavor`] | cells, locks and threads of a flavor | safe code |
//! | [`bounds`] | values that are `Send + Sync` if their flavor is | bounds where they are made |
//! | [`pointers`], [`link`] | `Arc` or `Rc`, by flavor | the contracts of std's `from_raw` |
//! | [`erased_ptr`] | a value of any type in one word | who reads the value knows its type |
//! | [`keep_alive`] | an owned strong pointer of any type | its vtable was made for its type |
//! | [`handle`] | a weak handle to any method, in two words | its vtable was made for its types |
//! | [`caller`] | an emission as handles see it | a lifetime: what it calls outlives it |
//! | [`entry`] | a handle in a list, with what it owns | it gives up its strong count once |
//! | [`slot_state`] | whether a slot may be called, in one byte | safe code |
//! | [`versions`] | a list that is edited while emissions read it | hazard pointers to lists |
//! | [`outlined_weak`] | a weak pointer whose drop is one call | it is dropped once |
//! | [`typed`] | an event's and a result's type, put back on what has none | all handles in it have these types |
//! | [`lazy_strong`] | a strong pointer made at first use, in one word | it is set once |
//! | [`hazard`] | owners whose calls count no references | hazard pointers to owners |
//! | `future` | the futures of asynchronous handlers | they are dropped before what they borrow |
//! | `spin_lock` | a lock for very short critical sections | an atomic state |
//! | [`held`] | a link that keeps its target alive | an emission keeps its list, and so the link |
//! | `inlet` | a link to an event sink | the same; and the link keeps the memory |
//! | [`thread_bound`] | values of one thread, in memory of any | only their thread opens them |
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

// For the flavor that the loom models define.
#[cfg(all(test, sigwire_loom))]
pub(crate) use {
    flavor::atom,
    pointers::{pointers, weak_link},
};
