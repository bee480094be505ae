//! What the tests share: each body is compiled once for each flavor.

#![allow(dead_code, unused_imports)]

#[cfg(feature = "tokio")]
pub mod executors;
pub mod random;

use std::sync::{Arc, Mutex};

/// Compiles the items twice, over the names of `common::threaded` and of `common::local`.
#[macro_export]
macro_rules! both_flavors {
    ($($items:tt)*) => {
        mod threaded {
            #[allow(unused_imports)]
            use super::{common::threaded::*, common::*, *};
            $($items)*
        }
        mod tracked {
            #[allow(unused_imports)]
            use super::{common::tracked::*, common::*, *};
            $($items)*
        }
        mod local {
            #[allow(unused_imports)]
            use super::{common::local::*, common::*, *};
            $($items)*
        }
    };
}

pub mod threaded {
    pub use sigwire::*;
    pub use std::sync::{Arc as Std, Arc as Strong, Mutex as Exclusive, Weak, Weak as StdWeak};
    #[cfg(feature = "tokio")]
    pub use {super::executors::on_a_worker as multi_thread, futures::future::BoxFuture as Boxed};

    /// Whether weak pointers to an object can be upgraded while a slot of it runs, whatever else
    /// has become of its owners.
    pub const A_CALL_IS_AN_OWNER: bool = true;

    /// As any future that contains itself, or is kept, must be.
    #[cfg(feature = "tokio")]
    pub fn boxed(future: impl Future<Output = ()> + Send + 'static) -> Boxed<'static, ()> {
        Box::pin(future)
    }

    /// What closures of this flavor must be.
    pub trait Sendable: Send + Sync {}
    impl<T: Send + Sync> Sendable for T {}

    pub fn with<T, R>(exclusive: &Exclusive<T>, read: impl FnOnce(&mut T) -> R) -> R {
        read(&mut exclusive.lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
    }
}

/// The thread-safe flavor with owners that are tracked.
pub mod tracked {
    #[cfg(feature = "tokio")]
    pub use super::threaded::boxed;
    pub use super::threaded::{Exclusive, Sendable, Std, StdWeak, with};
    pub use sigwire::*;
    pub use sigwire::{HazardArc as Strong, WeakHazardArc as Weak};
    #[cfg(feature = "tokio")]
    pub use {super::executors::on_a_worker as multi_thread, futures::future::BoxFuture as Boxed};

    pub const A_CALL_IS_AN_OWNER: bool = false;
}

pub mod local {
    pub use sigwire::local::*;
    pub use std::cell::RefCell as Exclusive;
    pub use std::rc::{Rc as Std, Rc as Strong, Weak, Weak as StdWeak};
    #[cfg(feature = "tokio")]
    pub use {
        super::executors::beside_workers as multi_thread, futures::future::LocalBoxFuture as Boxed,
    };

    pub const A_CALL_IS_AN_OWNER: bool = true;

    #[cfg(feature = "tokio")]
    pub fn boxed(future: impl Future<Output = ()> + 'static) -> Boxed<'static, ()> {
        Box::pin(future)
    }

    pub trait Sendable {}
    impl<T> Sendable for T {}

    pub fn with<T, R>(exclusive: &Exclusive<T>, read: impl FnOnce(&mut T) -> R) -> R {
        read(&mut exclusive.borrow_mut())
    }
}

/// What happened, in order.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub fn add(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }
    /// What happened since the last time.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// Notes its calls, and its end.
pub struct Noter {
    pub log: Log,
    pub name: &'static str,
}

impl Noter {
    pub fn new(log: &Log, name: &'static str) -> Self {
        Noter { log: log.clone(), name }
    }
    pub fn on(&self, event: &u32) {
        self.log.add(format!("{} {event}", self.name));
    }
    pub fn also(&self, event: &u32) {
        self.log.add(format!("{} also {event}", self.name));
    }
}

impl Drop for Noter {
    fn drop(&mut self) {
        self.log.add(format!("{} dropped", self.name));
    }
}

/// Runs `at_end` when it is dropped.
pub struct AtEnd<F: FnMut()>(pub F);

impl<F: FnMut()> AtEnd<F> {
    /// For a closure to capture it by.
    pub fn touch(&self) {}
}

impl<F: FnMut()> Drop for AtEnd<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// The message of the panic that `run` must end in.
pub fn panic_of<R>(run: impl FnOnce() -> R) -> String {
    let payload = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run))
        .err()
        .expect("it was to panic, and did not");
    payload
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| payload.downcast_ref::<&str>().map(|text| text.to_string()))
        .expect("a panic with a text")
}
