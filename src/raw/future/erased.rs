//! A handler's future, of whatever type, with what it borrows from.

use alloc::alloc::Layout;
use core::cell::UnsafeCell;
use core::future::Future;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::pin::Pin;
use core::ptr::drop_in_place;
use core::task::{Context, Poll};

use super::Limit;
use super::buffer::FutureBuffer;
use crate::base::{Depth, Outcome};
use crate::raw::{Again, Flavor, Hold, MaybeSend, Target};

/// FutureBuffer for one future at a time. What it has allocated for one it uses again for the next.
pub(crate) struct ErasedFuture<'a, E: ?Sized, R: 'static, F> {
    room: FutureBuffer,
    state: State<R>,
    /// The future may borrow from the event.
    event: PhantomData<&'a E>,
    flavor: PhantomData<fn() -> F>,
}

/// Whether a room is empty, and how large it is then, or how to poll and drop what is in it. In one
/// word, so that one comparison says whether there is room for a future, and one store that it is
/// taken: less its size, or half the address of the table, which is even.
struct State<R: 'static>(*const FutureVtable<R>);

impl<R: 'static> State<R> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn empty(size: usize) -> Self {
        State(core::ptr::without_provenance(size.wrapping_neg()))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn taken(by: &'static FutureVtable<R>) -> Self {
        const { assert!(align_of::<FutureVtable<R>>() > 1) };
        State(core::ptr::from_ref(by).map_addr(|address| address >> 1))
    }

    #[inline(always)]
    fn is_empty(&self) -> bool {
        self.0.addr() as isize <= 0
    }

    /// Whether it is empty, and not smaller than this.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn has_room(&self, size: usize) -> bool {
        self.0.addr() as isize <= size.wrapping_neg() as isize
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn table(&self) -> Option<&'static FutureVtable<R>> {
        // SAFETY: `taken` had it from a reference. No layout is larger than `isize::MAX`, so an
        // empty room is no positive number; and half an address is.
        (!self.is_empty()).then(|| unsafe { &*self.0.map_addr(|half| half << 1) })
    }
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
            state: State::empty(0),
            event: PhantomData,
            flavor: PhantomData,
        }
    }

    /// Takes the room that the last emission on this thread has left, if there is one, for handlers that are about
    /// to be started.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn expect_handlers(&mut self) {
        if self.room.is_none() {
            if let Some(room) = FutureBuffer::spare() {
                // There is nothing to drop.
                core::mem::forget(core::mem::replace(&mut self.room, room));
                self.set_empty();
            }
        }
    }

    /// Whether there is an empty room, good for a future with this layout.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn has_room(&self, layout: Layout) -> bool {
        self.state.has_room(layout.size()) && self.room.is_aligned(layout.align())
    }

    fn find_room(&mut self, layout: Layout) {
        self.clear();
        // Until there is one again.
        self.state = State::empty(0);
        self.room.grow(layout);
        self.set_empty();
    }

    /// Leaves the future that is in the room to be polled later.
    ///
    /// # Safety
    /// It was written to the room, which was empty, and is good for `'a`. For the thread-safe
    /// flavor it is `Send`, if `E` is `Sync`.
    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn leave<V: Future<Output = Outcome<R>>>(&mut self, _future: *mut V) {
        self.state = State::taken(FutureVtable::of::<V>());
    }

    /// Drops the future, if there is one.
    #[inline(never)]
    fn clear(&mut self) {
        if let Some(table) = self.state.table() {
            self.set_empty();
            // SAFETY: it was left there, and it is not used again.
            unsafe { (table.drop)(self.room.place()) };
        }
    }

    /// Whether there is no future, or none any more.
    pub(crate) fn is_over(&self) -> bool {
        self.state.is_empty()
    }

    /// From now on there is no future in the room.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn set_empty(&mut self) {
        self.state = State::empty(self.room.size());
    }

    /// Polls the future; drops it as soon as it is ready, or has panicked. To be called inside of a
    /// [`Depth`] of the emission.
    ///
    /// # Panics
    /// When the future does, and when there is none.
    #[inline]
    pub(crate) fn poll_in_emission(&mut self, context: &mut Context<'_>) -> Poll<Outcome<R>> {
        let table = self.state.table().expect("a task is polled until it is ready");
        self.set_empty();
        // SAFETY: it was left there, and is used again only if it is pending.
        let polled = unsafe { (table.poll)(self.room.place(), context) };
        if polled.is_pending() {
            self.state = State::taken(table);
        } else {
            // SAFETY: it was taken, and nobody else can leave one as long as this has the task.
            unsafe { core::hint::assert_unchecked(self.state.is_empty()) };
        }
        polled
    }
}

impl<E: ?Sized, R: 'static, F> Drop for ErasedFuture<'_, E, R, F> {
    #[inline]
    fn drop(&mut self) {
        if !self.is_over() {
            self.clear();
        }
    }
}

/// For a future that was not ready when its slot was called. What it emits is nested as deep as if it were in
/// that call.
impl<E: ?Sized, R: 'static, F: Flavor> Future for ErasedFuture<'_, E, R, F> {
    type Output = Outcome<R>;
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome<R>> {
        let _depth = Depth::enter(|| 0);
        self.poll_in_emission(context)
    }
}

// SAFETY: by the promise to `leave`.
unsafe impl<E: ?Sized + Sync, R: 'static> Send for ErasedFuture<'_, E, R, crate::raw::Shared> {}
// SAFETY: nothing can be done with a shared task.
unsafe impl<E: ?Sized + Sync, R: 'static> Sync for ErasedFuture<'_, E, R, crate::raw::Shared> {}
impl<E: ?Sized, R: 'static, F> Unpin for ErasedFuture<'_, E, R, F> {}

/// What the slots of an asynchronous signal are called with: an event, a task for the future, and
/// whom it wakes. It is good for one call, so a slot never keeps it.
pub(crate) struct Request<E: ?Sized + 'static, R: 'static, F: Flavor> {
    event: *const E,
    /// The handler that is being started has it for itself.
    task: UnsafeCell<ErasedFuture<'static, E, R, F>>,
    first_poll: FirstPoll<E, F>,
}

/// The requests of one emission, with one task: each time the same one. Whoever waits for a handler
/// has to write down only whom that wakes, and little else is moved.
pub(crate) struct Requests<'a, E: ?Sized + 'static, R: 'static, F: Flavor> {
    request: Request<E, R, F>,
    /// The event outlives what is in the task.
    tasks: PhantomData<ErasedFuture<'a, E, R, F>>,
}

/// The future that the slot called last has left.
pub(crate) struct LeftFuture<'r, 'a, E: ?Sized + 'static, R: 'static, F: Flavor> {
    request: &'r Request<E, R, F>,
    tasks: PhantomData<ErasedFuture<'a, E, R, F>>,
}

impl<'a, E: ?Sized, R: 'static, F: Flavor> LeftFuture<'_, 'a, E, R, F> {
    /// Takes the task with the future in it.
    pub(crate) fn take(&self) -> ErasedFuture<'a, E, R, F> {
        // SAFETY: `Requests::with` has the only reference to the task, and no handler is at work
        // with it: none can come to this, which is not `'static`.
        unsafe { core::mem::replace(&mut *self.request.task.get(), ErasedFuture::new()) }
    }
}

/// When a future is polled first.
enum FirstPoll<E: ?Sized, F: Flavor> {
    AtOnce(*mut Context<'static>),
    /// By a runtime. The future keeps the event until then.
    #[cfg(feature = "tokio")]
    Later(F::Strong<E>),
    #[cfg(not(feature = "tokio"))]
    _Later(core::convert::Infallible, PhantomData<(*const E, F)>),
}

impl<'a, E: ?Sized + 'static, R: 'static, F: Flavor> Requests<'a, E, R, F> {
    #[inline(always)]
    pub(crate) fn new(event: &'a E) -> Self {
        let (task, first_poll) =
            (ErasedFuture::new().into(), FirstPoll::AtOnce(core::ptr::null_mut()));
        Requests { request: Request { event, task, first_poll }, tasks: PhantomData }
    }

    /// See [`ErasedFuture::expect_handlers`].
    #[inline(always)]
    pub(crate) fn expect_handlers(&mut self) {
        self.request.task.get_mut().expect_handlers();
    }

    /// See [`ErasedFuture::poll_in_emission`].
    #[inline(always)]
    pub(crate) fn poll_in_emission(&mut self, context: &mut Context<'_>) -> Poll<Outcome<R>> {
        self.request.task.get_mut().poll_in_emission(context)
    }

    /// Whether there is no handler under way, or none any more.
    #[inline(always)]
    pub(crate) fn are_over(&self) -> bool {
        // SAFETY: as long as others have the request, this is borrowed mutably.
        unsafe { &*self.request.task.get() }.is_over()
    }

    /// Calls a slot, or several, with a request. A future that is not ready at once is left in the
    /// task, and must be taken from there before the next slot is called.
    #[inline(always)]
    pub(crate) fn with<U>(
        &mut self,
        context: &mut Context<'_>,
        call: impl FnOnce(&Request<E, R, F>, &LeftFuture<'_, 'a, E, R, F>) -> U,
    ) -> U {
        self.request.first_poll = FirstPoll::AtOnce(core::ptr::from_mut(context).cast());
        call(&self.request, &LeftFuture { request: &self.request, tasks: PhantomData })
    }
}

// SAFETY: the event is lent, the task is `Send`, and the context is used as long as `with` borrows
// it.
unsafe impl<E: ?Sized + Sync, R: 'static> Send for Requests<'_, E, R, crate::raw::Shared> {}
// SAFETY: what is shared can be asked for what it says, and nothing else.
unsafe impl<E: ?Sized + Sync, R: 'static> Sync for Requests<'_, E, R, crate::raw::Shared> {}
impl<E: ?Sized, R: 'static, F: Flavor> Unpin for Requests<'_, E, R, F> {}

impl<E: ?Sized + 'static, R: 'static, F: Flavor> Request<E, R, F> {
    /// Calls a slot with a request for a future that keeps the event, and is not polled yet. It is
    /// left in `task`.
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
        let request =
            Request { event: &raw const **event, task: ErasedFuture::new().into(), first_poll };
        let result = call(&request);
        *task = request.task.into_inner();
        result
    }

    /// The event, for a slot that is ready at once.
    pub(crate) fn event(&self) -> &E {
        // SAFETY: it is borrowed longer than there is a request.
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
        unsafe { self.start(nobody, |(), event| make(target, event), limit, None) }
    }

    /// Whether the task has room for a `V`.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn has_room<V>(&self) -> bool {
        // SAFETY: as in `keep`.
        unsafe { &*self.task.get() }.has_room(Layout::new::<V>())
    }

    /// Sees to it that the task has room for a `V`. Gives back what it is given: so the way that is seldom taken
    /// leaves nothing to be kept for afterwards, and registers need not be saved for it.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn with_room<V, S>(&self, owner: S) -> (&Self, S) {
        if self.has_room::<V>() { (self, owner) } else { self.find_room(Layout::new::<V>(), owner) }
    }

    /// This is for the first handler of an emission.
    #[cold]
    #[inline(never)]
    fn find_room<S>(&self, layout: Layout, owner: S) -> (&Self, S) {
        // SAFETY: as in `keep`.
        unsafe { &mut *self.task.get() }.find_room(layout);
        (self, owner)
    }

    /// The same, where the handler can be called once more.
    #[cold]
    #[inline(never)]
    fn find_room_and_call<S>(
        &self,
        layout: Layout,
        owner: S,
        again: Again<'_, Self, Poll<Outcome<R>>>,
    ) -> Option<Poll<Outcome<R>>> {
        drop(self.find_room(layout, owner));
        again.call(self)
    }

    /// # Safety
    /// As for [`ErasedFuture::leave`].
    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn keep<V: Future<Output = Outcome<R>>>(&self, future: *mut V) {
        // SAFETY: `with` lends the task to the one handler that is started. The rest is the
        // caller's promise.
        unsafe { (*self.task.get()).leave(future) };
    }

    /// Makes the future of a handler, and polls it once. None when the owner is gone. It is called
    /// `again` where that can be and is of use.
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
        again: Option<Again<'_, Self, Poll<Outcome<R>>>>,
    ) -> Option<Poll<Outcome<R>>>
    where
        H: Hold<Target: 'x>,
        E: 'x,
        V: Future<Output = R>,
        L: Limit,
    {
        let owner = owner.take().keep()?;
        let (this, owner) = match self.first_poll {
            FirstPoll::AtOnce(_) => match again {
                Some(again) if !self.has_room::<HandlerFutureOf<V, L, R, H>>() => {
                    let layout = Layout::new::<HandlerFutureOf<V, L, R, H>>();
                    return self.find_room_and_call(layout, owner, again);
                }
                Some(_) => (self, owner),
                None => self.with_room::<HandlerFutureOf<V, L, R, H>, _>(owner),
            },
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
        let owner = InHand::new(owner);
        // SAFETY: the future goes into a task of the event's lifetime, or keeps the event.
        let event: &'x E = unsafe { &*this.event };
        // SAFETY: as in `keep`.
        let place = unsafe { &*this.task.get() }.room.place();
        // The future is made where it stays: what is written in small parts and moved in large ones
        // right afterwards keeps the processor waiting. The pointer to its owner is put beside it
        // when it has to wait.
        match &this.first_poll {
            FirstPoll::AtOnce(context) => {
                let room: *mut HandlerFutureOf<V, L, R, H> = place.cast();
                // SAFETY: the future does not move before it is dropped: here, or by the task that keeps it
                // with the rest. What it borrows from lives as long as it does, see above; the rest is the
                // caller's promise. `with` borrows the context as long as it calls.
                unsafe {
                    let future =
                        InPlace::new(&raw mut (*room).future, limit.limit(make(target, event)));
                    match Pin::new_unchecked(&mut *future.0).poll(&mut **context) {
                        Poll::Ready(output) => {
                            drop(future);
                            let outcome = L::outcome(output);
                            // As in `poll`.
                            owner.end_with(outcome)
                        }
                        Poll::Pending => {
                            core::mem::forget(future);
                            (&raw mut (*room)._owner).write(owner.take());
                            this.keep(room);
                            Some(Poll::Pending)
                        }
                    }
                }
            }
            #[cfg(feature = "tokio")]
            FirstPoll::Later(keeper) => {
                let room: *mut HandlerFutureOf<V, L, R, H, F::Strong<E>> = place.cast();
                let _event = keeper.clone();
                // SAFETY: as above.
                unsafe {
                    room.write(HandlerFuture {
                        future: limit.limit(make(target, event)),
                        limit: PhantomData,
                        _owner: owner.take(),
                        _event,
                    });
                    this.keep(room);
                }
                Some(Poll::Pending)
            }
            #[cfg(not(feature = "tokio"))]
            FirstPoll::_Later(never, _) => match *never {},
        }
    }
}

/// The owner of a handler on its first poll. It can be in a register until then: where it is
/// dropped, its pointer is copied first, and so is not one that has an address.
struct InHand<S: Hold>(ManuallyDrop<S>);

impl<S: Hold> InHand<S> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn new(owner: S) -> Self {
        InHand(ManuallyDrop::new(owner))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn take(self) -> S {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: it is not used again, nor dropped.
        unsafe { ManuallyDrop::take(&mut this.0) }
    }

    /// Drops it, for a handler that was ready at once.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn end_with<R>(self, outcome: Outcome<R>) -> Option<Poll<Outcome<R>>> {
        let owner = self.take();
        if owner.is_last() {
            return end(owner, outcome);
        }
        drop(owner);
        Some(Poll::Ready(outcome))
    }
}

impl<S: Hold> Drop for InHand<S> {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: it is not used again.
        let_go(unsafe { ManuallyDrop::take(&mut self.0) });
    }
}

/// The owner of a handler that has panicked.
#[cold]
#[inline(never)]
fn let_go<S>(owner: S) {
    drop(owner);
}

/// The last pointer to an owner. There is nothing to do after this call, not even to know what it
/// returns: so what calls it needs no place of its own on the stack.
#[cold]
#[inline(never)]
fn end<S, R>(owner: S, outcome: Outcome<R>) -> Option<Poll<Outcome<R>>> {
    drop(owner);
    core::hint::black_box(Some(Poll::Ready(outcome)))
}

/// A future on its first poll, which is dropped where it is unless this is forgotten.
struct InPlace<V>(*mut V);

impl<V> InPlace<V> {
    /// # Safety
    /// The place is good for writing, and nobody else uses it before this is dropped or forgotten.
    #[cfg_attr(not(debug_assertions), inline(always))]
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
