//! The single-threaded flavor: the same names over `Rc`.
//!
//! Nothing here is `Send`, nothing needs to be, and nothing pays for atomics. It needs no `std`.
//!
//! ```
//! use sigwire::local::Signal;
//! use std::cell::RefCell;
//! use std::rc::Rc;
//!
//! struct Panel {
//!     title: String,
//! }
//!
//! impl Panel {
//!     fn rename(&mut self, title: &str) {
//!         self.title = title.to_owned();
//!     }
//! }
//!
//! let renamed: Signal<str> = Signal::new();
//! let panel = Rc::new(RefCell::new(Panel { title: String::new() }));
//! renamed.connect_mut(&panel, Panel::rename);
//! renamed.emit("Inbox");
//! assert_eq!(panel.borrow().title, "Inbox");
//! drop(panel);
//! assert_eq!(renamed.emit("Outbox"), 0);
//! ```

use crate::generic;
use crate::raw::Local;

aliases!(Local);
