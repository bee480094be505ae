//! A handler's future, of whatever type, with what it borrows from.

use alloc::alloc::Layout;
use core::cell::Cell;
use core::future::Future;
use core::marker::PhantomData;
use core::pin::Pin;
use core::ptr::drop_in_place;
use core::task::{Context, Poll};

use super::room::Room;
use super::{Hold, Limit, MaybeSend, Target};
use crate::depth::Depth;
use crate::family::Family;
use crate::outcome::Outcome;

/// Room for one future at a time. What it has allocated for one it uses again for the next.
pub(crate) struct Task<'a, E: ?Sized, R, F> {
    room: Room,
    future: Option<Table<R>>,
    /// The future may borrow from the event.
    event: PhantomData<&'a E>,
    family: PhantomData<fn() -> F>,
}

/// Made for the type of the future.
struct Table<R> {
    poll: unsafe fn(*mut u8, &mut Context<'_>) -> Poll<Outcome<R>>,
    drop: unsafe fn(*mut u8),
}

impl<R> Clone for Table<R> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<R> Copy for Table<R> {}

unsafe fn poll<V: Future>(future: *mut u8, context: &mut Context<'_>) -> Poll<V::Output> {
    // SAFETY: `Task` calls this with the future its table was made for, which it does not move.
    unsafe { Pin::new_unchecked(&mut *future.cast::<V>()) }.poll(context)
}

unsafe fn drop_future<V>(future: *mut u8) {
    // SAFETY: as in `poll`, and for the last time.
    unsafe { drop_in_place(future.cast::<V>()) };
}

impl<E: ?Sized, R, F> Task<'_, E, R, F> {
    pub(crate) fn new() -> Self {
        Task { room: Room::NONE, future: None, event: PhantomData, family: PhantomData }
    }

    /// An empty room, good for a future of this type.
    #[inline(always)]
    fn room<V>(&mut self) -> *mut V {
        let layout = Layout::new::<V>();
        if self.future.is_some() || !self.room.is_good_for(layout) {
            self.find_room(layout);
        }
        self.room.place().cast()
    }

    /// Not inlined: this is for the first handler of an emission.
    #[cold]
    fn find_room(&mut self, layout: Layout) {
        self.clear();
        self.room.grow(layout);
    }

    /// Leaves the future that is in the room to be polled later.
    ///
    /// # Safety
    /// It was written where `room` said, and is good for `'a`. For the thread-safe family it is `Send`, if `E`
    /// is `Sync`.
    #[inline(always)]
    unsafe fn keep<V: Future<Output = Outcome<R>>>(&mut self, _future: *mut V) {
        self.future = Some(Table { poll: poll::<V>, drop: drop_future::<V> });
    }

    /// Drops the future, if there is one.
    fn clear(&mut self) {
        if let Some(table) = self.future.take() {
            // SAFETY: it was left there, and it is not used again.
            unsafe { (table.drop)(self.room.place()) };
        }
    }

    /// Polls the future; drops it as soon as it is ready, or has panicked.
    ///
    /// # Panics
    /// When the future does, and when there is none.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Outcome<R>> {
        struct Clear<'t, 'a, E: ?Sized, R, F>(&'t mut Task<'a, E, R, F>);
        impl<E: ?Sized, R, F> Drop for Clear<'_, '_, E, R, F> {
            fn drop(&mut self) {
                self.0.clear();
            }
        }
        let table = self.future.expect("a task is polled until it is ready");
        let room = self.room.place();
        let clear = Clear(self);
        // SAFETY: it was left there.
        let polled = unsafe { (table.poll)(room, context) };
        if polled.is_pending() {
            core::mem::forget(clear);
        } else {
            // Before the result is returned: if this panics, that must be dropped, too.
            drop(clear);
        }
        polled
    }
}

impl<E: ?Sized, R, F> Drop for Task<'_, E, R, F> {
    #[inline]
    fn drop(&mut self) {
        self.clear();
    }
}

/// For a future that was not ready when its slot was called. What it emits is nested as deep as if it were in
/// that call.
impl<E: ?Sized, R, F: Family> Future for Task<'_, E, R, F> {
    type Output = Outcome<R>;
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome<R>> {
        let _depth = Depth::enter(|| 0);
        Task::poll(&mut self, context)
    }
}

// SAFETY: by the promise to `keep`.
unsafe impl<E: ?Sized + Sync, R> Send for Task<'_, E, R, crate::family::Shared> {}
// SAFETY: nothing can be done with a shared task.
unsafe impl<E: ?Sized + Sync, R> Sync for Task<'_, E, R, crate::family::Shared> {}
impl<E: ?Sized, R, F> Unpin for Task<'_, E, R, F> {}

/// What the slots of an asynchronous signal are called with: an event, a task for the future, and
/// whom it wakes. It is good for one call, so a slot never keeps it.
pub(crate) struct Request<E: ?Sized + 'static, R, F: Family> {
    event: *const E,
    task: *mut Task<'static, E, R, F>,
    first_poll: FirstPoll<E, F>,
    /// A handler is being started: it alone may use the task. Stays so when that panics.
    is_starting: Cell<bool>,
}

/// The future that the slot called last has left.
pub(crate) struct Left<'r, 'a, E: ?Sized, R, F> {
    task: *mut Task<'a, E, R, F>,
    is_starting: &'r Cell<bool>,
}

impl<'a, E: ?Sized, R, F> Left<'_, 'a, E, R, F> {
    /// Takes the task with the future in it.
    ///
    /// # Panics
    /// While a handler is being started.
    pub(crate) fn take(&self) -> Task<'a, E, R, F> {
        assert!(!self.is_starting.get(), "the future is taken when it is made");
        // SAFETY: `Request::with` has the only reference to the task, and no handler is at work with it now.
        unsafe { core::mem::replace(&mut *self.task, Task::new()) }
    }
}

/// When a future is polled first.
enum FirstPoll<E: ?Sized, F: Family> {
    AtOnce(*mut Context<'static>),
    /// By a runtime. The future keeps the event until then.
    #[cfg(feature = "tokio")]
    Later(F::Strong<E>),
    #[cfg(not(feature = "tokio"))]
    _Later(core::convert::Infallible, PhantomData<(*const E, F)>),
}

impl<E: ?Sized + 'static, R, F: Family> Request<E, R, F> {
    /// Calls a slot, or several, with a request. A future that is not ready at once is left in `task`, and
    /// must be taken from there before the next slot is called.
    #[inline(always)]
    pub(crate) fn with<'a, U>(
        event: &'a E,
        task: &mut Task<'a, E, R, F>,
        context: &mut Context<'_>,
        call: impl FnOnce(&Request<E, R, F>, &Left<'_, 'a, E, R, F>) -> U,
    ) -> U {
        let first_poll = FirstPoll::AtOnce(core::ptr::from_mut(context).cast());
        let task = core::ptr::from_mut(task);
        let is_starting = Cell::new(false);
        let request = Request { event, task: task.cast(), first_poll, is_starting };
        call(&request, &Left { task, is_starting: &request.is_starting })
    }

    /// The same for a future that keeps the event, and is not polled yet.
    #[cfg(feature = "tokio")]
    pub(crate) fn for_later<U>(
        event: &F::Strong<E>,
        task: &mut Task<'static, E, R, F>,
        call: impl FnOnce(&Request<E, R, F>) -> U,
    ) -> U
    where
        F::Strong<E>: MaybeSend<F>,
    {
        let first_poll = FirstPoll::Later(event.clone());
        let is_starting = Cell::new(false);
        call(&Request { event: &raw const **event, task, first_poll, is_starting })
    }

    /// The event, for a slot that is ready at once.
    pub(crate) fn event(&self) -> &E {
        // SAFETY: `with` borrows it longer than there is a request.
        unsafe { &*self.event }
    }

    /// Makes a future that borrows nothing, and polls it once.
    ///
    /// # Panics
    /// While another handler is started with this request.
    pub(crate) fn start_owned<V, L>(
        &self,
        make: impl FnOnce(&E) -> V,
        limit: &L,
    ) -> Option<Poll<Outcome<R>>>
    where
        V: Future<Output = R> + MaybeSend<F> + 'static,
        L: Limit,
    {
        // SAFETY: a unit is `Send + Sync`.
        let nobody = unsafe { Target::new(&()) };
        // SAFETY: the future is `'static`, and `MaybeSend`.
        unsafe { self.start(nobody, |(), event| make(event), limit) }
    }

    /// Makes the future of a handler, and polls it once. None when the owner is gone.
    ///
    /// # Safety
    /// `make` keeps what it is given nowhere but in the future, although it may take it for good for as long
    /// as it likes. For the thread-safe family the future is `Send`, if `E` is `Sync`.
    #[inline(always)]
    pub(super) unsafe fn start<'x, H, V, L>(
        &self,
        owner: Target<H, F>,
        make: impl FnOnce(&'x H::Target, &'x E) -> V,
        limit: &L,
    ) -> Option<Poll<Outcome<R>>>
    where
        H: Hold<Target: 'x>,
        E: 'x,
        V: Future<Output = R>,
        L: Limit,
    {
        let owner = owner.take().keep()?;
        // SAFETY: the owner is kept with the future, and dropped after it; what it derefs to stays where it is
        // when it moves, as `Hold` promises.
        let target: &'x H::Target = unsafe { &*core::ptr::from_ref(&*owner) };
        // SAFETY: the future goes into a task of the event's lifetime, or keeps the event.
        let event: &'x E = unsafe { &*self.event };
        assert!(!self.is_starting.replace(true), "handlers are started one after another");
        // SAFETY: `with` has the only reference to it, and lends it to the one handler that is started.
        let task = unsafe { &mut *self.task };
        // The future is made where it stays: what is written in small parts and moved in large ones right
        // afterwards keeps the processor waiting.
        let started = match &self.first_poll {
            FirstPoll::AtOnce(context) => {
                let room = task.room::<Handler<L::Limited<V>, L, R, H::Strong, ()>>();
                // SAFETY: the future does not move before it is dropped: here, or by the task that keeps it
                // with the rest. What it borrows from lives as long as it does, see above; the rest is the
                // caller's promise. `with` borrows the context longer than there is a request.
                unsafe {
                    let future =
                        InPlace::new(&raw mut (*room).future, limit.limit(make(target, event)));
                    match Pin::new_unchecked(&mut *future.0).poll(&mut **context) {
                        Poll::Ready(output) => {
                            drop(future);
                            let outcome = L::outcome(output);
                            // As in `Task::poll`.
                            drop(owner);
                            Poll::Ready(outcome)
                        }
                        Poll::Pending => {
                            core::mem::forget(future);
                            (&raw mut (*room)._owner).write(owner);
                            task.keep(room);
                            Poll::Pending
                        }
                    }
                }
            }
            #[cfg(feature = "tokio")]
            FirstPoll::Later(keeper) => {
                let room = task.room::<Handler<L::Limited<V>, L, R, H::Strong, F::Strong<E>>>();
                let _event = keeper.clone();
                // SAFETY: as above.
                unsafe {
                    room.write(Handler {
                        future: limit.limit(make(target, event)),
                        limit: PhantomData,
                        _owner: owner,
                        _event,
                    });
                    task.keep(room);
                }
                Poll::Pending
            }
            #[cfg(not(feature = "tokio"))]
            FirstPoll::_Later(never, _) => match *never {},
        };
        self.is_starting.set(false);
        Some(started)
    }
}

/// A future on its first poll, which is dropped where it is unless this is forgotten.
struct InPlace<V>(*mut V);

impl<V> InPlace<V> {
    /// # Safety
    /// The place is good for writing, and nobody else uses it before this is dropped or forgotten.
    #[inline(always)]
    unsafe fn new(place: *mut V, future: V) -> Self {
        // SAFETY: the caller's promise.
        unsafe { place.write(future) };
        InPlace(place)
    }
}

impl<V> Drop for InPlace<V> {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: `new` wrote it there, and nobody has moved it away.
        unsafe { drop_in_place(self.0) };
    }
}

/// Fields are dropped in order: the future borrows from the others.
struct Handler<V, L, R, S, K> {
    future: V,
    limit: PhantomData<fn() -> (L, R)>,
    _owner: S,
    _event: K,
}

impl<V, L, R, S, K> Future for Handler<V, L, R, S, K>
where
    V: Future<Output = L::Output<R>>,
    L: Limit,
{
    type Output = Outcome<R>;
    #[inline(always)]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome<R>> {
        // SAFETY: the future is not moved out of what is pinned; the others are not pinned.
        let future = unsafe { self.map_unchecked_mut(|handler| &mut handler.future) };
        future.poll(context).map(L::outcome)
    }
}

#[cfg(all(test, not(sigwire_loom)))]
mod tests {
    use super::*;
    use crate::family::Shared;
    use crate::raw::NoLimit;
    use core::future::pending;
    use core::task::Waker;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    fn refused(misuse: impl FnOnce(&Request<u32, u32, Shared>, &Left<'_, '_, u32, u32, Shared>)) {
        let mut task = Task::new();
        let context = &mut Context::from_waker(Waker::noop());
        let run = || Request::with(&1, &mut task, context, misuse);
        assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
    }

    #[test]
    fn a_task_is_not_taken_nor_used_again_while_its_future_is_made() {
        refused(|request, left| {
            let make = |_: &u32| {
                drop(left.take());
                pending()
            };
            request.start_owned(make, &NoLimit);
        });
        refused(|request, _| {
            let make = |_: &u32| {
                request.start_owned(|n| pending_with(n.to_string()), &NoLimit);
                pending()
            };
            request.start_owned(make, &NoLimit);
        });
    }

    async fn pending_with(held: String) -> u32 {
        let n = pending::<u32>().await;
        n + held.len() as u32
    }
}
