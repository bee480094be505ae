//! Who drives asynchronous tests.

use std::future::Future;
use tokio::runtime::{Builder, Runtime};

/// Two workers.
pub fn workers() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// On a worker of tokio's multi-thread runtime.
pub fn on_a_worker<F: Future<Output: Send> + Send + 'static>(test: F) {
    let runtime = workers();
    if let Err(panic) = runtime.block_on(runtime.spawn(test)) {
        std::panic::resume_unwind(panic.into_panic());
    }
}

/// On the thread that waits for it, in tokio's multi-thread runtime.
pub fn beside_workers(test: impl Future) {
    workers().block_on(test);
}

/// In tokio's current-thread runtime.
pub fn current_thread(test: impl Future) {
    Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

/// Without tokio.
pub fn without_tokio(test: impl Future) {
    futures::executor::block_on(test);
}
