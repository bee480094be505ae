//! Who drives asynchronous tests. These get a boxed future, so that each executor is compiled for
//! one kind of future and not for every test.

use futures::future::{BoxFuture, LocalBoxFuture};
use tokio::runtime::{Builder, Runtime};

/// Two workers.
pub fn workers() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// On a worker of tokio's multi-thread runtime.
pub fn on_a_worker(test: BoxFuture<'static, ()>) {
    let runtime = workers();
    if let Err(panic) = runtime.block_on(runtime.spawn(test)) {
        std::panic::resume_unwind(panic.into_panic());
    }
}

/// On the thread that waits for it, in tokio's multi-thread runtime.
pub fn beside_workers(test: LocalBoxFuture<'static, ()>) {
    workers().block_on(test);
}

/// In tokio's current-thread runtime.
pub fn current_thread(test: LocalBoxFuture<'static, ()>) {
    Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

/// Without tokio.
pub fn without_tokio(test: LocalBoxFuture<'static, ()>) {
    futures::executor::block_on(test);
}
