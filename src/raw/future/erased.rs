//! A handler's future, of whatever type, with what it borrows from.

use alloc::alloc::Layout;
use core::future::Future;
use core::marker::PhantomData;
use core::pin::Pin;
use core::ptr::drop_in_place;
use core::task::{Context, Poll};

use super::Limit;
use super::buffer::FutureBuffer;
use crate::base::{Depth, Outcome};
use crate::raw::{Hold, MaybeSend, Primitives, Target};

/// FutureBuffer for one future at a time. What it has allocated for one it uses again for the next.
pub(crate) struct ErasedFuture<'a, E: ?Sized, R: 'static, F> {
    room: FutureBuffer,
    future: Option<&'static FutureVtable<R>>,
    /// The future may borrow from the event.
    event: PhantomData<&'a E>,
    flavor: PhantomData<fn() -> F>,
}

/// Made for the type of the future.
struct FutureVtable<R> {
    /// Drops it as soon as it is ready, or has panicked.
    poll: unsafe fn(*mut u8, &mut Context<'_>) -> Poll<Outcome<R>>,
    drop: unsafe fn(*mut u8),
}

impl<R: 'static> FutureVtable<R> {
    const fn of<V: Future<Output = Outcome<R>>>() -> &'static Self {
        const { &FutureVtable { poll: poll::<V>, drop: drop_future::<V> } }
    }
}

/// # Safety
/// It is the future that the table was made for, and is not moved. Unless it is pending, it is not used again.
unsafe fn poll<V: Future>(future: *mut u8, context: &mut Context<'_>) -> Poll<V::Output> {
    let future = InPlace(future.cast::<V>());
    // SAFETY: the caller's promise.
    let polled = unsafe { Pin::new_unchecked(&mut *future.0) }.poll(context);
    if polled.is_pending() {
        core::mem::forget(future);
    } else {
        // Before the result is returned: if this panics, that must be dropped, too.
        drop(future);
    }
    polled
}

/// # Safety
/// As for `poll`, and for the last time.
unsafe fn drop_future<V>(future: *mut u8) {
    // SAFETY: the caller's promise.
    unsafe { drop_in_place(future.cast::<V>()) };
}

impl<E: ?Sized, R: 'static, F> ErasedFuture<'_, E, R, F> {
    pub(crate) fn new() -> Self {
        ErasedFuture {
            room: FutureBuffer::NONE,
            future: None,
            event: PhantomData,
            flavor: PhantomData,
        }
    }

    /// Takes the room that the last emission on this thread has left, if there is one, for handlers that are about
    /// to be started.
    #[inline(always)]
    pub(crate) fn expect_handlers(&mut self) {
        if self.room.is_none() {
            if let Some(room) = FutureBuffer::spare() {
                // There is nothing to drop.
                core::mem::forget(core::mem::replace(&mut self.room, room));
            }
        }
    }

    /// Whether there is an empty room, good for a future with this layout.
    #[inline(always)]
    fn has_room(&self, layout: Layout) -> bool {
        self.future.is_none() && self.room.is_good_for(layout)
    }

    fn find_room(&mut self, layout: Layout) {
        self.clear();
        self.room.grow(layout);
    }

    /// Leaves the future that is in the room to be polled later.
    ///
    /// # Safety
    /// It was written where `room` said, and is good for `'a`. For the thread-safe flavor it is `Send`, if `E`
    /// is `Sync`.
    #[inline(always)]
    unsafe fn keep<V: Future<Output = Outcome<R>>>(&mut self, _future: *mut V) {
        self.future = Some(FutureVtable::of::<V>());
    }

    /// Drops the future, if there is one.
    fn clear(&mut self) {
        if let Some(table) = self.future.take() {
            // SAFETY: it was left there, and it is not used again.
            unsafe { (table.drop)(self.room.place()) };
        }
    }

    /// Whether there is no future, or none any more.
    pub(crate) fn is_over(&self) -> bool {
        self.future.is_none()
    }

    /// Polls the future; drops it as soon as it is ready, or has panicked. To be called inside of a
    /// [`Depth`] of the emission.
    ///
    /// # Panics
    /// When the future does, and when there is none.
    #[inline]
    pub(crate) fn poll_in_emission(&mut self, context: &mut Context<'_>) -> Poll<Outcome<R>> {
        let table = self.future.take().expect("a task is polled until it is ready");
        // SAFETY: it was left there, and is used again only if it is pending.
        let polled = unsafe { (table.poll)(self.room.place(), context) };
        if polled.is_pending() {
            self.future = Some(table);
        }
        polled
    }
}

impl<E: ?Sized, R: 'static, F> Drop for ErasedFuture<'_, E, R, F> {
    #[inline]
    fn drop(&mut self) {
        self.clear();
    }
}

/// For a future that was not ready when its slot was called. What it emits is nested as deep as if it were in
/// that call.
impl<E: ?Sized, R: 'static, F: Primitives> Future for ErasedFuture<'_, E, R, F> {
    type Output = Outcome<R>;
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome<R>> {
        let _depth = Depth::enter(|| 0);
        self.poll_in_emission(context)
    }
}

// SAFETY: by the promise to `keep`.
unsafe impl<E: ?Sized + Sync, R: 'static> Send for ErasedFuture<'_, E, R, crate::raw::Shared> {}
// SAFETY: nothing can be done with a shared task.
unsafe impl<E: ?Sized + Sync, R: 'static> Sync for ErasedFuture<'_, E, R, crate::raw::Shared> {}
impl<E: ?Sized, R: 'static, F> Unpin for ErasedFuture<'_, E, R, F> {}

/// What the slots of an asynchronous signal are called with: an event, a task for the future, and
/// whom it wakes. It is good for one call, so a slot never keeps it.
pub(crate) struct Request<E: ?Sized + 'static, R: 'static, F: Primitives> {
    event: *const E,
    task: *mut ErasedFuture<'static, E, R, F>,
    first_poll: FirstPoll<E, F>,
}

/// The future that the slot called last has left.
pub(crate) struct LeftFuture<'r, 'a, E: ?Sized, R: 'static, F> {
    task: *mut ErasedFuture<'a, E, R, F>,
    /// Good as long as the request, and no longer.
    request: PhantomData<&'r ()>,
}

impl<'a, E: ?Sized, R: 'static, F> LeftFuture<'_, 'a, E, R, F> {
    /// Takes the task with the future in it.
    pub(crate) fn take(&self) -> ErasedFuture<'a, E, R, F> {
        // SAFETY: `Request::with` has the only reference to the task, and no handler is at work with it: none
        // can come to this, which is not `'static`.
        unsafe { core::mem::replace(&mut *self.task, ErasedFuture::new()) }
    }
}

/// When a future is polled first.
enum FirstPoll<E: ?Sized, F: Primitives> {
    AtOnce(*mut Context<'static>),
    /// By a runtime. The future keeps the event until then.
    #[cfg(feature = "tokio")]
    Later(F::Strong<E>),
    #[cfg(not(feature = "tokio"))]
    _Later(core::convert::Infallible, PhantomData<(*const E, F)>),
}

impl<E: ?Sized + 'static, R: 'static, F: Primitives> Request<E, R, F> {
    /// Calls a slot, or several, with a request. A future that is not ready at once is left in `task`, and
    /// must be taken from there before the next slot is called.
    #[inline(always)]
    pub(crate) fn with<'a, U>(
        event: &'a E,
        task: &mut ErasedFuture<'a, E, R, F>,
        context: &mut Context<'_>,
        call: impl FnOnce(&Request<E, R, F>, &LeftFuture<'_, 'a, E, R, F>) -> U,
    ) -> U {
        let first_poll = FirstPoll::AtOnce(core::ptr::from_mut(context).cast());
        let task = core::ptr::from_mut(task);
        let request = Request { event, task: task.cast(), first_poll };
        call(&request, &LeftFuture { task, request: PhantomData })
    }

    /// The same for a future that keeps the event, and is not polled yet.
    #[cfg(feature = "tokio")]
    pub(crate) fn for_later<U>(
        event: &F::Strong<E>,
        task: &mut ErasedFuture<'static, E, R, F>,
        call: impl FnOnce(&Request<E, R, F>) -> U,
    ) -> U
    where
        F::Strong<E>: MaybeSend<F>,
    {
        let first_poll = FirstPoll::Later(event.clone());
        call(&Request { event: &raw const **event, task, first_poll })
    }

    /// The event, for a slot that is ready at once.
    pub(crate) fn event(&self) -> &E {
        // SAFETY: `with` borrows it longer than there is a request.
        unsafe { &*self.event }
    }

    /// Makes a future that borrows nothing, and polls it once.
    pub(crate) fn start_owned<C, V, L>(
        &self,
        target: &C,
        make: fn(&C, &E) -> V,
        limit: &L,
    ) -> Option<Poll<Outcome<R>>>
    where
        C: 'static,
        V: Future<Output = R> + MaybeSend<F> + 'static,
        L: Limit,
    {
        // SAFETY: a unit is `Send + Sync`.
        let nobody = unsafe { Target::new(&()) };
        // SAFETY: the future is `'static`, and `MaybeSend`; and so is all that it is made of.
        unsafe { self.start(nobody, |(), event| make(target, event), limit) }
    }

    /// Sees to it that the task has room for a `V`. Gives back what it is given: so the way that is seldom taken
    /// leaves nothing to be kept for afterwards, and registers need not be saved for it.
    #[inline(always)]
    fn with_room<V, S>(&self, owner: S) -> (&Self, S) {
        let layout = Layout::new::<V>();
        // SAFETY: as in `start`.
        if unsafe { &*self.task }.has_room(layout) {
            (self, owner)
        } else {
            self.find_room(layout, owner)
        }
    }

    /// This is for the first handler of an emission.
    #[cold]
    #[inline(never)]
    fn find_room<S>(&self, layout: Layout, owner: S) -> (&Self, S) {
        // SAFETY: as in `start`.
        unsafe { &mut *self.task }.find_room(layout);
        (self, owner)
    }

    /// Makes the future of a handler, and polls it once. None when the owner is gone.
    ///
    /// # Safety
    /// `make` keeps what it is given nowhere but in the future, although it may take it for good for as long
    /// as it likes. For the thread-safe flavor the future is `Send`, if `E` is `Sync`. Both hold nothing but what
    /// is `'static` and what `make` is given: so they come to no request, and use the task of none.
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
        let (this, owner) = match self.first_poll {
            FirstPoll::AtOnce(_) => self.with_room::<HandlerFutureOf<V, L, R, H>, _>(owner),
            #[cfg(feature = "tokio")]
            FirstPoll::Later(_) => {
                self.with_room::<HandlerFutureOf<V, L, R, H, F::Strong<E>>, _>(owner)
            }
            #[cfg(not(feature = "tokio"))]
            FirstPoll::_Later(never, _) => match never {},
        };
        // SAFETY: the owner is kept with the future, and dropped after it; what it derefs to stays where it is
        // when it moves, as `Hold` promises.
        let target: &'x H::Target = unsafe { &*core::ptr::from_ref(&*owner) };
        // SAFETY: the future goes into a task of the event's lifetime, or keeps the event.
        let event: &'x E = unsafe { &*this.event };
        // SAFETY: `with` has the only reference to it, and lends it to the one handler that is started.
        let task = unsafe { &mut *this.task };
        // The future is made where it stays: what is written in small parts and moved in large ones right
        // afterwards keeps the processor waiting. So is the pointer to its owner.
        match &this.first_poll {
            FirstPoll::AtOnce(context) => {
                let room: *mut HandlerFutureOf<V, L, R, H> = task.room.place().cast();
                // SAFETY: the future does not move before it is dropped: here, or by the task that keeps it
                // with the rest. What it borrows from lives as long as it does, see above; the rest is the
                // caller's promise. `with` borrows the context longer than there is a request.
                unsafe {
                    let owner = InPlace::new(&raw mut (*room)._owner, owner);
                    let future =
                        InPlace::new(&raw mut (*room).future, limit.limit(make(target, event)));
                    match Pin::new_unchecked(&mut *future.0).poll(&mut **context) {
                        Poll::Ready(output) => {
                            drop(future);
                            let outcome = L::outcome(output);
                            // As in `ErasedFuture::poll_in_emission`.
                            drop(owner);
                            Some(Poll::Ready(outcome))
                        }
                        Poll::Pending => {
                            core::mem::forget((future, owner));
                            task.keep(room);
                            Some(Poll::Pending)
                        }
                    }
                }
            }
            #[cfg(feature = "tokio")]
            FirstPoll::Later(keeper) => {
                let room: *mut HandlerFutureOf<V, L, R, H, F::Strong<E>> = task.room.place().cast();
                let _event = keeper.clone();
                // SAFETY: as above.
                unsafe {
                    room.write(HandlerFuture {
                        future: limit.limit(make(target, event)),
                        limit: PhantomData,
                        _owner: owner,
                        _event,
                    });
                    task.keep(room);
                }
                Some(Poll::Pending)
            }
            #[cfg(not(feature = "tokio"))]
            FirstPoll::_Later(never, _) => match *never {},
        }
    }
}

/// A future on its first poll, or its owner, which is dropped where it is unless this is forgotten.
struct InPlace<V>(*mut V);

impl<V> InPlace<V> {
    /// # Safety
    /// The place is good for writing, and nobody else uses it before this is dropped or forgotten.
    #[inline(always)]
    unsafe fn new(place: *mut V, value: V) -> Self {
        // SAFETY: the caller's promise.
        unsafe { place.write(value) };
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
struct HandlerFuture<V, L, R, S, K> {
    future: V,
    limit: PhantomData<fn() -> (L, R)>,
    _owner: S,
    _event: K,
}

/// That of a method whose future is a `V`, of a target held by an `H`, as an `L` limits it.
type HandlerFutureOf<V, L, R, H, K = ()> =
    HandlerFuture<<L as Limit>::Limited<V>, L, R, <H as Hold>::Strong, K>;

impl<V, L, R, S, K> Future for HandlerFuture<V, L, R, S, K>
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
