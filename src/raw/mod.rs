//! All `unsafe` code of the crate, behind safe faces. One concept a file:
//!
//! | file | what it gives | what makes it sound |
//! |---|---|---|
//! | [`word`] | room for a pointer of any type | whoever takes it out knows what was put in |
//! | [`pointers`], [`link`] | `Arc` or `Rc`, by flavour | std's own contracts of `from_raw` |
//! | [`anchor`] | an owned strong pointer of any type | it is dropped by the function made for its type |
//! | [`brief`] | a lock for moments | one holder at a time, by an atomic state |
//! | [`checked`] | values that may be shared between threads where their family is | bounds, where they are made |
//! | [`caller`] | an emission, as what it calls knows it | what it calls lives longer: its lifetime says so |
//! | [`handle`] | a weak method handle of any owner and method, in two words | its table was made for its type |
//! | [`entry`] | a handle in a list, with what it owns | its count is there until it is given up, once |
//! | [`hazards`], [`tracked`] | owners whose calls count no references | what is in a cell is not destroyed |
//! | [`held`] | a link that holds what it points at | an emission keeps its list, and so the link |
//! | `inlet` | a link to what takes events over | the same; and the pointer in it holds the memory |
//! | [`versions`] | a list that emissions read while others edit it | lanes: what is read is neither edited nor freed |
//! | `room` | memory for a future, kept for the next one | it is given back with the layout it was allocated with |
//! | `handlers`, `limit` | who starts a handler's future, and how long it may take | its lifetimes and `Send` are those of a trait |
//! | `task` | a handler's future with its owner, of any type | the future is dropped before what it borrows from |
//! | [`once_strong`] | a strong pointer made at first use, in one word | it is set once |
//! | [`resident`] | values that stay on their thread, in memory that does not | only their residence opens them, which stays |
//! | [`twin`] | one piece of memory, a part of which has one user | there is one right to it, borrowed mutably |
//! | [`ward`] | values that are under one lock, wherever they are | only their ward opens them, borrowed mutably |
//! | [`table`] | a weak pointer to a signal's slots whatever its event | unsizing by hand, and a promise of `Send` |

mod anchor;
#[cfg(feature = "async")]
mod brief;
mod caller;
mod checked;
mod entry;
mod handle;
#[cfg(feature = "async")]
mod handlers;
#[cfg(feature = "std")]
mod hazards;
#[cfg(feature = "std")]
mod held;
#[cfg(feature = "async")]
mod inlet;
#[cfg(feature = "async")]
mod limit;
mod link;
mod once_strong;
mod pointers;
#[cfg(feature = "std")]
mod resident;
#[cfg(feature = "async")]
mod room;
mod table;
#[cfg(feature = "async")]
mod task;
#[cfg(feature = "std")]
mod tracked;
#[cfg(feature = "std")]
mod twin;
mod versions;
#[cfg(feature = "std")]
mod ward;
mod word;

pub(crate) use anchor::Anchor;
#[cfg(feature = "async")]
pub(crate) use brief::{Brief, Held as HeldBrief};
pub(crate) use caller::{Caller, Desk};
#[cfg(feature = "async")]
pub(crate) use checked::MaybeSend;
pub(crate) use checked::{Checked, MaybeSendSync};
pub(crate) use entry::{Entry, Label};
pub(crate) use handle::{Handle, Invoke, Stored};
#[cfg(feature = "tokio")]
pub(crate) use handlers::AsyncLocked;
#[cfg(feature = "async")]
pub(crate) use handlers::{Async, AsyncItself};
#[cfg(feature = "std")]
pub(crate) use held::{Deputy, Held};
#[cfg(feature = "async")]
pub(crate) use inlet::{Intake, Keeper, Kept};
#[cfg(feature = "async")]
pub(crate) use limit::{Limit, NoLimit};
pub(crate) use link::{Hold, Link, Liveness, NotCalled, Target};
pub(crate) use once_strong::OnceStrong;
pub(crate) use pointers::Pointers;
#[cfg(feature = "std")]
pub(crate) use resident::{Residence, Resident};
pub(crate) use table::WeakTable;
#[cfg(feature = "async")]
pub(crate) use task::{Request, Task};
#[cfg(feature = "std")]
pub use tracked::{Tracked, WeakTracked};
#[cfg(feature = "std")]
pub(crate) use twin::{Right, Sole, Twin};
pub(crate) use versions::{Guard, Lane, Pinned, Versions};
#[cfg(feature = "std")]
pub(crate) use ward::{Ward, Warded};
