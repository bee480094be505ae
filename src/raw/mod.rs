//! All `unsafe` code of the crate, behind safe faces. One concept a file:
//!
//! | file | what it gives | what makes it sound |
//! |---|---|---|
//! | [`word`] | room for a pointer of any type | whoever takes it out knows what was put in |
//! | [`pointers`], [`link`] | `Arc` or `Rc`, by flavour | std's own contracts of `from_raw` |
//! | [`anchor`] | an owned strong pointer of any type | it is dropped by the function made for its type |
//! | [`brief`] | a lock for moments | one holder at a time, by an atomic state |
//! | [`handle`] | a weak method handle of any owner and method, in two words | its table was made for its type |
//! | [`hazards`], [`tracked`] | owners whose calls count no references | what is in a cell is not destroyed |
//! | [`held`] | a link that holds what it points at | an emission keeps its list, and so the link |
//! | [`versions`] | a list that emissions read while others edit it | lanes: what is read is neither edited nor freed |
//! | `room` | memory for a future, kept for the next one | it is given back with the layout it was allocated with |
//! | `task` | a handler's future with its owner, of any type | the future is dropped before what it borrows from |
//! | [`once_strong`] | a strong pointer made at first use, in one word | it is set once |
//! | [`ward`] | values that are under one lock, wherever they are | only their ward opens them, borrowed mutably |
//! | [`table`] | a weak pointer to a signal's slots whatever its event | unsizing by hand, and a promise of `Send` |

mod anchor;
#[cfg(feature = "async")]
mod brief;
mod handle;
#[cfg(feature = "std")]
mod hazards;
#[cfg(feature = "std")]
mod held;
mod link;
mod once_strong;
mod pointers;
#[cfg(feature = "async")]
mod room;
mod table;
#[cfg(feature = "async")]
mod task;
#[cfg(feature = "std")]
mod tracked;
mod versions;
#[cfg(feature = "std")]
mod ward;
mod word;

pub(crate) use anchor::Anchor;
#[cfg(feature = "async")]
pub(crate) use brief::Brief;
pub(crate) use handle::{Called, Desk, Gate, Handle, Invoke};
#[cfg(feature = "std")]
pub(crate) use held::{Deputy, Held};
pub(crate) use link::{Entry, Hold, Link};
pub(crate) use once_strong::OnceStrong;
pub(crate) use pointers::Pointers;
pub(crate) use table::WeakTable;
#[cfg(feature = "async")]
pub(crate) use task::{Request, Task};
#[cfg(feature = "std")]
pub(crate) use tracked::leave_depth;
#[cfg(feature = "std")]
pub use tracked::{Tracked, WeakTracked};
pub(crate) use versions::{Guard, Lane, Pinned, Versions};
#[cfg(feature = "std")]
pub(crate) use ward::{Ward, Warded};
