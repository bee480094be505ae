//! What the tests share.

#![allow(dead_code, unused_imports)]

#[cfg(feature = "tokio")]
pub mod executors;
pub mod random;

use std::sync::{Arc, Mutex};

/// Compiles the items in each flavor: over the names of `threaded`, of `tracked` and of `local`
/// below. After `with helpers;` also over those of `helpers`, which is compiled in each flavor
/// itself.
macro_rules! both_flavors {
    (with $helpers:ident; $($items:tt)*) => {
        mod threaded {
            #[allow(unused_imports)]
            use super::$helpers::threaded::*;
            in_flavor! { threaded: $($items)* }
        }
        mod tracked {
            #[allow(unused_imports)]
            use super::$helpers::tracked::*;
            in_flavor! { tracked: $($items)* }
        }
        mod local {
            #[allow(unused_imports)]
            use super::$helpers::local::*;
            in_flavor! { local: $($items)* }
        }
    };
    ($($items:tt)*) => {
        pub mod threaded {
            in_flavor! { threaded: $($items)* }
        }
        pub mod tracked {
            in_flavor! { tracked: $($items)* }
        }
        pub mod local {
            in_flavor! { local: $($items)* }
        }
    };
}

/// The names that differ between the flavors hide those that a file imports.
macro_rules! in_flavor {
    ($flavor:ident: $($items:tt)*) => {
        #[allow(unused_imports)]
        use crate::support::$flavor::{Connection, Signal, Weak};
        #[allow(unused_imports)]
        use {super::*, crate::support::{*, $flavor::*}};
        $($items)*
    };
}

/// What the tests of each flavor share, over the names of that.
macro_rules! shared_by_tests {
    () => {
        pub fn noter(log: &Log, name: &'static str) -> Strong<Noter> {
            Strong::new(Noter::new(log, name))
        }

        /// A signal with the noters a, b, c connected.
        pub fn three(log: &Log) -> (Strong<Signal<u32>>, [Strong<Noter>; 3], [Connection; 3]) {
            let signal = Strong::new(Signal::new());
            let noters = ["a", "b", "c"].map(|name| noter(log, name));
            let connections = noters.each_ref().map(|noter| signal.connect(noter, Noter::on));
            (signal, noters, connections)
        }

        /// Connects a slot that runs `act` before all others.
        pub fn first(signal: &Signal<u32>, act: impl Fn() + Sendable + 'static) -> Connection {
            signal.slot().priority(1).connect_fn(move |_| act()).detach()
        }

        /// Numbered slots, each of which notes that it was called and disconnects the slots that
        /// the plan names for it.
        pub struct Board {
            pub signal: Signal<()>,
            pub connections: Exclusive<Vec<Connection>>,
            pub called: Exclusive<Vec<usize>>,
        }

        impl Board {
            pub fn new(slots: usize, plan: impl Fn(usize) -> Vec<usize>) -> Strong<Board> {
                let board = Strong::new(Board {
                    signal: Signal::new(),
                    connections: Exclusive::new(vec![]),
                    called: Exclusive::new(vec![]),
                });
                for number in 0..slots {
                    let victims = plan(number);
                    let connection = board.signal.connect(&board, move |board, _| {
                        with(&board.called, |called| called.push(number));
                        for victim in &victims {
                            with(&board.connections, |all| all[*victim].clone()).disconnect();
                        }
                    });
                    with(&board.connections, |all| all.push(connection));
                }
                board
            }

            /// The slots that one emission calls.
            pub fn emit(&self) -> Vec<usize> {
                let count = self.signal.emit(&());
                let called = with(&self.called, std::mem::take);
                assert_eq!(count, called.len());
                called
            }
        }

        /// Three owners, each with `one`, `two`, `one` and a closure connected.
        pub fn parts() -> (Signal<(), u32>, [Strong<Part>; 3]) {
            let signal = Signal::new();
            let parts = [1, 2, 3].map(|number| Strong::new(Part(number)));
            for part in &parts {
                signal.connect(part, Part::one);
                signal.connect(part, Part::two);
                signal.connect(part, Part::one);
                signal.connect(part, |part, _| 10 * part.0);
            }
            (signal, parts)
        }
    };
}

pub mod threaded {
    use super::{Log, Noter, Part};
    shared_by_tests!();

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
    use super::{Log, Noter, Part};
    shared_by_tests!();

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
    use super::{Log, Noter, Part};
    shared_by_tests!();

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

/// Answers with its number, and which method it was.
pub struct Part(pub u32);

impl Part {
    pub fn one(&self, _: &()) -> u32 {
        10 * self.0 + 1
    }
    pub fn two(&self, _: &()) -> u32 {
        10 * self.0 + 2
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
