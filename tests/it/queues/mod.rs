//! Queues: handlers that wait for their loop.

/// Compiles the items twice: for a queue of `Arc` owners, and for one of `Rc` owners.
macro_rules! both_homes {
    ($($items:tt)*) => {
        mod shared_owners {
            #[allow(unused_imports)]
            use super::*;
            #[allow(unused_imports)]
            use crate::queues::shared_home::{Exclusive, QueueFlavor, Queue, Strong, noter};
            $($items)*
        }
        mod local_owners {
            #[allow(unused_imports)]
            use super::*;
            #[allow(unused_imports)]
            use crate::queues::local_home::{Exclusive, QueueFlavor, Queue, Strong, noter};
            $($items)*
        }
    };
}

mod bounds;
mod driving;
mod ending;
mod flush;
mod latest;
mod panics;
mod rc_owners;
mod running;
mod slots;
mod threads;
mod waking;
mod windows;

use crate::support::{AtEnd, Log, Noter, panic_of};
use sigwire::{Connection, Edges, LocalQueue, Overflow, Queue, Signal};
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, Weak, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

/// The names for `Arc` owners.
mod shared_home {
    pub use sigwire::Queue;
    pub use sigwire::generic::Shared as QueueFlavor;
    pub use std::sync::{Arc as Strong, Mutex as Exclusive};

    pub fn noter(log: &super::Log, name: &'static str) -> Strong<super::Noter> {
        Strong::new(super::Noter::new(log, name))
    }
}

/// The names for `Rc` owners.
mod local_home {
    pub use sigwire::LocalQueue as Queue;
    pub use sigwire::generic::Local as QueueFlavor;
    pub use std::cell::RefCell as Exclusive;
    pub use std::rc::Rc as Strong;

    pub fn noter(log: &super::Log, name: &'static str) -> Strong<super::Noter> {
        Strong::new(super::Noter::new(log, name))
    }
}

const MS: Duration = Duration::from_millis(1);

/// A counter of wakes, and the `wake` that counts.
fn wakes() -> (Arc<AtomicUsize>, impl Fn() + Send + Sync + 'static) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    (count, move || _ = counted.fetch_add(1, SeqCst))
}

fn emit_all(signal: &Signal<u32>, events: impl IntoIterator<Item = u32>) {
    for event in events {
        assert_eq!(signal.emit(&event), 1);
    }
}

/// Wakes by counting.
#[derive(Default)]
struct Woken(AtomicUsize);
impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// An event that does something whenever a copy of it is made or dropped.
struct Bomb(Arc<dyn Fn() + Send + Sync>);
impl Clone for Bomb {
    fn clone(&self) -> Self {
        (self.0)();
        Bomb(self.0.clone())
    }
}
impl Drop for Bomb {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// The inside of an owner of either home.
trait Inside<T> {
    fn try_lock_or_borrow(&self) -> impl std::ops::DerefMut<Target = T>;
}
impl<T> Inside<T> for Mutex<T> {
    fn try_lock_or_borrow(&self) -> impl std::ops::DerefMut<Target = T> {
        self.try_lock().unwrap()
    }
}
impl<T> Inside<T> for RefCell<T> {
    fn try_lock_or_borrow(&self) -> impl std::ops::DerefMut<Target = T> {
        self.borrow_mut()
    }
}
