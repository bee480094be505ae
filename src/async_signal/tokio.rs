//! The features that need tokio: its mutex, its clock, its tasks.

use core::future::poll_fn;
use core::ops::ControlFlow;
use core::time::Duration;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use tokio::runtime::Handle as Runtime;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use super::emission::SequentialHandlers;
use super::{AsyncSignal, AsyncSlotOptions, AsyncSource};
use crate::base::{Depth, Outcome};
use crate::raw::{
    Answer, AsyncMutMethod, CallAsyncLocked, ErasedFuture, Flavor, MaybeSend, MaybeSendSync,
    NoLimit, Request, Shared,
};
use crate::signal::{Cursor, Owner};
use crate::slots::Connection;

impl<E: ?Sized + 'static, R: 'static, F: Flavor> AsyncSlotOptions<'_, E, R, F> {
    /// Drops the handler's future if it is not ready after this time.
    ///
    /// [`try_emit`](AsyncSignal::try_emit) reports such a handler as
    /// [`TimedOut`](crate::Failure::TimedOut). Streams of results contain no item for it. The
    /// option has no effect on methods that are not async.
    ///
    /// # Panics
    /// The handler panics if it is polled outside of a tokio runtime whose clock is enabled.
    pub fn timeout(self, timeout: Duration) -> Self {
        AsyncSlotOptions { timeout: Some(timeout), ..self }
    }

    /// See [`AsyncSource::connect_mut`].
    pub fn connect_mut<T, O, M>(self, owner: &O, method: M) -> Connection<F>
    where
        T: ?Sized + 'static,
        O: Owner<F, Target = Mutex<T>>,
        M: Clone + MaybeSendSync<F>,
        M: for<'x> AsyncMutMethod<'x, T, E, R, Future: MaybeSend<F>>, // clone captures: see docs
    {
        match self.timeout {
            Some(timeout) => self.put_method::<CallAsyncLocked, _, _, _>(owner, method, timeout),
            None => self.put_method::<CallAsyncLocked, _, _, _>(owner, method, NoLimit),
        }
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Flavor> AsyncSource<E, R, F> {
    /// Connects an `async` method that takes `&mut self`, of an owner behind tokio's mutex.
    ///
    /// The handler waits for the lock without blocking the thread. It holds the lock until it is
    /// done, also across its own `.await`s.
    ///
    /// ```
    /// use sigwire::AsyncSignal;
    /// use std::sync::Arc;
    /// use tokio::sync::Mutex;
    ///
    /// struct Log(Vec<String>);
    /// impl Log {
    ///     async fn write(&mut self, line: &str) {
    ///         self.0.push(line.to_owned());
    ///     }
    /// }
    ///
    /// # futures::executor::block_on(async {
    /// let lines: AsyncSignal<str> = AsyncSignal::new();
    /// let log = Arc::new(Mutex::new(Log(vec![])));
    /// lines.connect_mut(&log, Log::write);
    /// lines.emit("hello").await;
    /// assert_eq!(log.lock().await.0, ["hello"]);
    /// # });
    /// ```
    ///
    /// # Deadlocks
    /// A handler never becomes ready if it awaits an emission that runs a handler of the same
    /// owner, or if the code that holds the lock awaits the handler.
    ///
    /// # Panics
    /// See [`connect`](Self::connect).
    ///
    /// # Cost
    /// One allocation.
    pub fn connect_mut<T, O, M>(&self, owner: &O, method: M) -> Connection<F>
    where
        T: ?Sized + 'static,
        O: Owner<F, Target = Mutex<T>>,
        M: Clone + MaybeSendSync<F>,
        M: for<'x> AsyncMutMethod<'x, T, E, R, Future: MaybeSend<F>>, // clone captures: see docs
    {
        self.slot().connect_mut(owner, method)
    }
}

/// A handler that [`AsyncSignal::emit_spawned`] runs on its own task.
#[derive(Debug)]
pub struct Spawned<R> {
    /// The slot's connection.
    pub connection: Connection<Shared>,
    /// The task.
    ///
    /// Its output is the handler's result, `None` if the handler was not ready at its deadline, or
    /// an error if the handler panicked. Dropping the `JoinHandle` does not stop the handler.
    /// Aborting the task drops the handler.
    pub handler: JoinHandle<Option<R>>,
}

impl<E: ?Sized + Send + Sync + 'static, R: Send + 'static> AsyncSignal<E, R, Shared> {
    /// Runs each handler on its own task, on the current tokio runtime.
    ///
    /// Handlers are started in order and run in parallel. If one panics, only its task fails.
    /// Handlers that are not async ([`connect_sync`](AsyncSource::connect_sync)) run inside this
    /// call; their tasks only return the result.
    ///
    /// ```
    /// use sigwire::AsyncSignal;
    /// use std::sync::Arc;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let asked: AsyncSignal<str, usize> = AsyncSignal::new();
    /// let owner = Arc::new(1);
    /// asked.connect(&owner, async |one, word| word.len() + one);
    /// for spawned in asked.emit_spawned(Arc::from("tea")) {
    ///     assert_eq!(spawned.handler.await.unwrap(), Some(4));
    /// }
    /// # }
    /// ```
    ///
    /// # Panics
    /// - If it is called outside of a tokio runtime.
    /// - If emissions are nested 256 deep on this thread.
    /// - If a destructor panics that the emission runs, for instance of a dead slot, or of a
    ///   [`HazardArc`](crate::HazardArc) owner whose last pointer was dropped in the meantime. All
    ///   handlers are started first, and they continue to run.
    ///
    /// # Cost
    /// Two allocations for each handler, one of them for its task, and those of the returned `Vec`.
    pub fn emit_spawned(&self, event: Arc<E>) -> Vec<Spawned<R>> {
        let runtime = Runtime::current();
        let (mut spawned, mut other_panic) = (Vec::new(), None);
        let Some(mut cursor) = self.source().slots().map(Cursor::new) else { return spawned };
        // If this panics because of nesting, it is not the failure of a handler.
        drop(Depth::enter(|| 0));
        loop {
            let mut future = ErasedFuture::new();
            let start = AssertUnwindSafe(|| {
                Request::for_later(&event, &mut future, |request| {
                    cursor.call_each::<_, true>(request, |_, answer| ControlFlow::Break(answer))
                })
            });
            let handler = match catch_unwind(start) {
                Ok(None) => break,
                Ok(Some(Answer::Pending)) => runtime.spawn(async move { returned(future.await) }),
                Ok(Some(Answer::Ready(outcome))) => runtime.spawn(async move { returned(outcome) }),
                // The slot was not called: the emission reaches it again.
                Err(payload) if !cursor.has_panicked_in_slot() => {
                    other_panic.get_or_insert(payload);
                    continue;
                }
                Err(payload) => runtime.spawn(async move { resume_unwind(payload) }),
            };
            let last = cursor.last().expect("a slot was just called");
            spawned.push(Spawned { connection: self.source().source().connection(last), handler });
        }
        match other_panic {
            Some(payload) => resume_unwind(payload),
            None => spawned,
        }
    }

    /// Spawns an emission on a runtime, without waiting for it. Use it in code that is not async.
    ///
    /// The emission covers the slots that are connected now. The output of the task is how many
    /// handlers were called. If the signal is dropped before the emission is done, no further
    /// handler is started.
    pub fn emit_on(&self, runtime: &Runtime, event: Arc<E>) -> JoinHandle<usize> {
        let slots = self.source().source().strong_slots();
        let cursor = slots.map(Cursor::new);
        runtime.spawn(async move {
            let (mut handlers, mut called) = (SequentialHandlers::over(cursor, &*event), 0);
            poll_fn(|context| handlers.poll_count(context, &mut called)).await
        })
    }
}

fn returned<R>(outcome: Outcome<R>) -> Option<R> {
    match outcome {
        Outcome::Returned(result) => Some(result),
        Outcome::TimedOut => None,
    }
}
