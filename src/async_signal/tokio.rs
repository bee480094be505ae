//! What needs tokio: its mutex, its clock, its tasks.

use core::future::poll_fn;
use core::ops::ControlFlow;
use core::time::Duration;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use tokio::runtime::Handle as Runtime;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use super::emission::Sequence;
use super::{AsyncSignal, AsyncSlotOptions, AsyncSource};
use crate::base::{Depth, Outcome};
use crate::raw::{
    Answer, AsyncMutMethod, CallAsyncLocked, ErasedFuture, Flavor, MaybeSend, MaybeSendSync,
    NoLimit, Request, Shared,
};
use crate::signal::{Cursor, Owner};
use crate::slots::Connection;

impl<E: ?Sized + 'static, R: 'static, F: Flavor> AsyncSlotOptions<'_, E, R, F> {
    /// Drops the handler's future when it is not ready after this time. `try_emit` reports that;
    /// streams of results pass over it.
    ///
    /// The handler must be polled in a tokio runtime with its clock enabled, and panics otherwise. Methods
    /// that are not async are not affected.
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
    /// Connects an `async` method that takes `&mut self`, of an owner behind tokio's mutex. The handler waits
    /// for the lock without blocking the thread, and holds it while it runs, also across its own `.await`s.
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
    /// A handler that awaits an emission in which a handler of the same owner runs waits for itself, as does
    /// one that is awaited by whoever holds the lock.
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

/// One handler of an emission by [`AsyncSignal::emit_spawned`], on a task of its own.
#[derive(Debug)]
pub struct Spawned<R> {
    /// The slot's connection.
    pub connection: Connection<Shared>,
    /// The task. It ends in what the handler returned, in `None` when that was not ready at its deadline, and
    /// in an error when it panicked. Dropping this lets the handler run on; aborting it drops the handler.
    pub handler: JoinHandle<Option<R>>,
}

impl<E: ?Sized + Send + Sync + 'static, R: Send + 'static> AsyncSignal<E, R, Shared> {
    /// Runs each handler on a task of its own, on the runtime this is called in: handlers run in parallel, and
    /// a panic of one stays in its task. They are started in order. Handlers that are not async
    /// ([`connect_sync`](AsyncSource::connect_sync)) run within this call; their tasks only tell the result.
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
    /// Outside of a tokio runtime. When a destructor panics as the emission lets go of a dead slot, or of a
    /// [`HazardArc`](crate::HazardArc) owner that lost its last pointer meanwhile: once all handlers are started, which
    /// run on.
    ///
    /// # Cost
    /// A task for each handler, and two allocations.
    pub fn emit_spawned(&self, event: Arc<E>) -> Vec<Spawned<R>> {
        let runtime = Runtime::current();
        let (mut spawned, mut other_panic) = (Vec::new(), None);
        let Some(mut cursor) = self.source().slots().map(Cursor::new) else { return spawned };
        // Nested too deep: that is no handler's failure.
        drop(Depth::enter(|| 0));
        loop {
            let mut task = ErasedFuture::new();
            let start = AssertUnwindSafe(|| {
                Request::for_later(&event, &mut task, |request| {
                    cursor.call_each::<_, true>(request, |_, answer| ControlFlow::Break(answer))
                })
            });
            let handler = match catch_unwind(start) {
                Ok(None) => break,
                Ok(Some(Answer::Pending)) => runtime.spawn(async move { returned(task.await) }),
                Ok(Some(Answer::Ready(outcome))) => runtime.spawn(async move { returned(outcome) }),
                // None of its doing: the emission comes to the slot again.
                Err(payload) if !cursor.has_panicked_in_slot() => {
                    other_panic.get_or_insert(payload);
                    continue;
                }
                Err(payload) => runtime.spawn(async move { resume_unwind(payload) }),
            };
            let last = cursor.last().expect("a slot was called");
            spawned.push(Spawned { connection: self.source().source().connection(last), handler });
        }
        match other_panic {
            Some(payload) => resume_unwind(payload),
            None => spawned,
        }
    }

    /// Emits on a runtime, and does not wait for it: for code that is not async. The slots are those that are
    /// connected now. The task gives how many handlers were called.
    ///
    /// The signal may be dropped meanwhile: then no further handler is started.
    pub fn emit_on(&self, runtime: &Runtime, event: Arc<E>) -> JoinHandle<usize> {
        let slots = self.source().source().strong_slots();
        let cursor = slots.map(Cursor::new);
        runtime.spawn(async move {
            let (mut sequence, mut called) = (Sequence::over(cursor, &*event), 0);
            poll_fn(|context| sequence.poll_count(context, &mut called)).await
        })
    }
}

fn returned<R>(outcome: Outcome<R>) -> Option<R> {
    match outcome {
        Outcome::Returned(result) => Some(result),
        Outcome::TimedOut => None,
    }
}
