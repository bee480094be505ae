//! The future of a handler, with its type erased, and all that it borrows from.

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

/// Holds one future at a time. The next one reuses its memory.
pub(crate) struct ErasedFuture<'a, E: ?Sized, R: 'static, F> {
    buffer: FutureBuffer,
    state: State<R>,
    /// The future may borrow from the event.
    event: PhantomData<&'a E>,
    flavor: PhantomData<fn() -> F>,
}

/// Whether a buffer is empty, with its size, or which vtable the future in it has. It is one word,
/// so that one comparison tells whether there is space for a future, and one store marks it as
/// occupied:
///
/// | word, as a signed integer | meaning |
/// |---|---|
/// | 0 or negative | empty; the negated size of the buffer |
/// | positive | half of the vtable's address, which is even |
struct State<R: 'static>(*const FutureVtable<R>);

impl<R: 'static> State<R> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn empty(size: usize) -> Self {
        State(core::ptr::without_provenance(size.wrapping_neg()))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn occupied(vtable: &'static FutureVtable<R>) -> Self {
        const { assert!(align_of::<FutureVtable<R>>() > 1) };
        State(core::ptr::from_ref(vtable).map_addr(|address| address >> 1))
    }

    #[inline(always)]
    fn is_empty(&self) -> bool {
        self.0.addr() as isize <= 0
    }

    /// Whether the buffer is empty, and at least of this size.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn has_space(&self, size: usize) -> bool {
        self.0.addr() as isize <= size.wrapping_neg() as isize
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn vtable(&self) -> Option<&'static FutureVtable<R>> {
        // SAFETY: if the state is not empty, `occupied` has made it from a reference, and doubling
        // restores the address. The two cannot be confused: no size is larger than `isize::MAX`, so
        // the word of an empty buffer is never positive, and half of an address always is.
        (!self.is_empty()).then(|| unsafe { &*self.0.map_addr(|half| half << 1) })
    }
}

/// The functions for one type of future.
struct FutureVtable<R> {
    /// Also drops the future when it is ready, or has panicked.
    poll: unsafe fn(*mut u8, &mut Context<'_>) -> Poll<Outcome<R>>,
    drop: unsafe fn(*mut u8),
}

impl<R: 'static> FutureVtable<R> {
    const fn of<V: Future<Output = Outcome<R>>>() -> &'static Self {
        const { &FutureVtable { poll: poll::<V>, drop: drop_future::<V> } }
    }
}

/// # Safety
/// `future` points to a `V` that is pinned there. Unless this returns `Pending`, it is not used
/// again.
unsafe fn poll<V: Future>(future: *mut u8, context: &mut Context<'_>) -> Poll<V::Output> {
    let future = InPlace(future.cast::<V>());
    // SAFETY: the caller promises that the future is pinned.
    let polled = unsafe { Pin::new_unchecked(&mut *future.0) }.poll(context);
    if polled.is_pending() {
        core::mem::forget(future);
    } else {
        // Now, not at the end of the scope: if this panics, `polled` must be dropped too.
        drop(future);
    }
    polled
}

/// # Safety
/// `future` points to a `V`, which is not used again.
unsafe fn drop_future<V>(future: *mut u8) {
    // SAFETY: this function has the same contract.
    unsafe { drop_in_place(future.cast::<V>()) };
}

impl<E: ?Sized, R: 'static, F> ErasedFuture<'_, E, R, F> {
    pub(crate) fn new() -> Self {
        ErasedFuture {
            buffer: FutureBuffer::NONE,
            state: State::empty(0),
            event: PhantomData,
            flavor: PhantomData,
        }
    }

    /// Takes the spare buffer of this thread, if there is one. Called before handlers are started.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn take_spare_buffer(&mut self) {
        if self.buffer.is_none() {
            if let Some(buffer) = FutureBuffer::spare() {
                // The buffer that is replaced has no memory, so its destructor would have nothing
                // to do.
                core::mem::forget(core::mem::replace(&mut self.buffer, buffer));
                self.set_empty();
            }
        }
    }

    /// Whether the buffer is empty, and fits a future with this layout.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn has_space(&self, layout: Layout) -> bool {
        self.state.has_space(layout.size()) && self.buffer.is_aligned(layout.align())
    }

    /// Empties the buffer, and makes it fit a future with this layout.
    fn make_space(&mut self, layout: Layout) {
        self.clear();
        // While there is no memory: `grow` may panic.
        self.state = State::empty(0);
        self.buffer.grow(layout);
        self.set_empty();
    }

    /// Records that the buffer contains a `V`, which is polled later.
    ///
    /// # Safety
    /// `_future` was written to the buffer, which was empty before, and is pinned there. It is
    /// valid for `'a`. For the thread-safe flavor it is `Send` if `E` is `Sync`.
    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn set_occupied<V: Future<Output = Outcome<R>>>(&mut self, _future: *mut V) {
        self.state = State::occupied(FutureVtable::of::<V>());
    }

    /// Drops the future, if there is one.
    #[inline(never)]
    fn clear(&mut self) {
        if let Some(vtable) = self.state.vtable() {
            self.set_empty();
            // SAFETY: by the contract of `set_occupied` the buffer contains the future of this
            // vtable. The state is empty now, so the future is not used again.
            unsafe { (vtable.drop)(self.buffer.place()) };
        }
    }

    /// Whether there is no future, or it is over.
    pub(crate) fn is_over(&self) -> bool {
        self.state.is_empty()
    }

    /// Records that the buffer contains no future.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn set_empty(&mut self) {
        self.state = State::empty(self.buffer.size());
    }

    /// Polls the future, and drops it when it is ready or has panicked. To be called at a [`Depth`]
    /// of the emission.
    ///
    /// # Panics
    /// If the future panics, or there is none.
    #[inline]
    pub(crate) fn poll_in_emission(&mut self, context: &mut Context<'_>) -> Poll<Outcome<R>> {
        let vtable = self.state.vtable().expect("the future has not ended yet");
        self.set_empty();
        // SAFETY: by the contract of `set_occupied` the buffer contains the future of this vtable,
        // pinned. Unless it is pending, the state stays empty, so it is not used again.
        let polled = unsafe { (vtable.poll)(self.buffer.place(), context) };
        if polled.is_pending() {
            self.state = State::occupied(vtable);
        } else {
            // SAFETY: `set_empty` has set it, and nobody else can change it while `self` is
            // borrowed.
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

/// Polls a future that was not ready when its slot was called. What it emits counts as nested as
/// deep as in that call.
impl<E: ?Sized, R: 'static, F: Flavor> Future for ErasedFuture<'_, E, R, F> {
    type Output = Outcome<R>;
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome<R>> {
        let _depth = Depth::enter(|| 0);
        self.poll_in_emission(context)
    }
}

// SAFETY: by the contract of `set_occupied` the future is `Send`, since `E` is `Sync`.
unsafe impl<E: ?Sized + Sync, R: 'static> Send for ErasedFuture<'_, E, R, crate::raw::Shared> {}
// SAFETY: through a shared reference only the state can be read.
unsafe impl<E: ?Sized + Sync, R: 'static> Sync for ErasedFuture<'_, E, R, crate::raw::Shared> {}
impl<E: ?Sized, R: 'static, F> Unpin for ErasedFuture<'_, E, R, F> {}

/// The event of an asynchronous signal's slots: the event of the emission, the memory for a
/// handler's future, and the context to poll it with. Valid for one call, so slots cannot keep it.
pub(crate) struct Request<E: ?Sized + 'static, R: 'static, F: Flavor> {
    event: *const E,
    /// The handler that is being started has exclusive access to it.
    erased: UnsafeCell<ErasedFuture<'static, E, R, F>>,
    first_poll: FirstPoll<E, F>,
}

/// The requests of one emission. They are the same `Request` each time: only its context is written
/// anew.
pub(crate) struct Requests<'a, E: ?Sized + 'static, R: 'static, F: Flavor> {
    request: Request<E, R, F>,
    /// The event outlives the future.
    lifetime: PhantomData<ErasedFuture<'a, E, R, F>>,
}

/// Access to the future of the slot that was called last, if it was pending.
pub(crate) struct PendingFuture<'r, 'a, E: ?Sized + 'static, R: 'static, F: Flavor> {
    request: &'r Request<E, R, F>,
    lifetime: PhantomData<ErasedFuture<'a, E, R, F>>,
}

impl<'a, E: ?Sized, R: 'static, F: Flavor> PendingFuture<'_, 'a, E, R, F> {
    /// Takes the future, with its memory.
    pub(crate) fn take(&self) -> ErasedFuture<'a, E, R, F> {
        // SAFETY: `Requests::with` has the only reference to the request besides this one, and no
        // handler is being started: handlers cannot reach `self`, which is not `'static`.
        unsafe { core::mem::replace(&mut *self.request.erased.get(), ErasedFuture::new()) }
    }
}

/// When a future is polled for the first time.
enum FirstPoll<E: ?Sized, F: Flavor> {
    AtOnce(*mut Context<'static>),
    /// Later, by a runtime. The future keeps the event until it is dropped.
    #[cfg(feature = "tokio")]
    Later(F::Strong<E>),
    #[cfg(not(feature = "tokio"))]
    _Later(core::convert::Infallible, PhantomData<(*const E, F)>),
}

impl<'a, E: ?Sized + 'static, R: 'static, F: Flavor> Requests<'a, E, R, F> {
    #[inline(always)]
    pub(crate) fn new(event: &'a E) -> Self {
        let (erased, first_poll) =
            (ErasedFuture::new().into(), FirstPoll::AtOnce(core::ptr::null_mut()));
        Requests { request: Request { event, erased, first_poll }, lifetime: PhantomData }
    }

    /// See [`ErasedFuture::take_spare_buffer`].
    #[inline(always)]
    pub(crate) fn take_spare_buffer(&mut self) {
        self.request.erased.get_mut().take_spare_buffer();
    }

    /// See [`ErasedFuture::poll_in_emission`].
    #[inline(always)]
    pub(crate) fn poll_in_emission(&mut self, context: &mut Context<'_>) -> Poll<Outcome<R>> {
        self.request.erased.get_mut().poll_in_emission(context)
    }

    /// Whether no handler is pending.
    #[inline(always)]
    pub(crate) fn are_over(&self) -> bool {
        // SAFETY: while somebody else has the request, `with` borrows `self` mutably.
        unsafe { &*self.request.erased.get() }.is_over()
    }

    /// Calls one or several slots with the request. If the future of a slot is pending, it has to
    /// be taken before the next slot is called.
    #[inline(always)]
    pub(crate) fn with<U>(
        &mut self,
        context: &mut Context<'_>,
        call: impl FnOnce(&Request<E, R, F>, &PendingFuture<'_, 'a, E, R, F>) -> U,
    ) -> U {
        self.request.first_poll = FirstPoll::AtOnce(core::ptr::from_mut(context).cast());
        call(&self.request, &PendingFuture { request: &self.request, lifetime: PhantomData })
    }
}

// SAFETY: the event is borrowed for `'a`, and `&E` is `Send` since `E` is `Sync`. The erased future
// is `Send`. The context is used only while `with` borrows it.
unsafe impl<E: ?Sized + Sync, R: 'static> Send for Requests<'_, E, R, crate::raw::Shared> {}
// SAFETY: through a shared reference only the future's state can be read.
unsafe impl<E: ?Sized + Sync, R: 'static> Sync for Requests<'_, E, R, crate::raw::Shared> {}
impl<E: ?Sized, R: 'static, F: Flavor> Unpin for Requests<'_, E, R, F> {}

impl<E: ?Sized + 'static, R: 'static, F: Flavor> Request<E, R, F> {
    /// Calls a slot with a request for a future that keeps the event, and is not polled yet. Stores
    /// the future in `erased`.
    #[cfg(feature = "tokio")]
    pub(crate) fn for_later<U>(
        event: &F::Strong<E>,
        erased: &mut ErasedFuture<'static, E, R, F>,
        call: impl FnOnce(&Request<E, R, F>) -> U,
    ) -> U
    where
        F::Strong<E>: MaybeSend<F>,
    {
        let first_poll = FirstPoll::Later(event.clone());
        let request =
            Request { event: &raw const **event, erased: ErasedFuture::new().into(), first_poll };
        let result = call(&request);
        *erased = request.erased.into_inner();
        result
    }

    /// The event, for a handler that is not asynchronous.
    pub(crate) fn event(&self) -> &E {
        // SAFETY: `Requests` borrows the event, or `for_later` does: both longer than the request
        // exists.
        unsafe { &*self.event }
    }

    /// Makes a future that borrows neither target nor event, and polls it once.
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
        // SAFETY: `()` is `Send + Sync`.
        let no_owner = unsafe { Target::new(&()) };
        // SAFETY: the future is `'static`, so it keeps nothing of the target and the event; and it
        // is `MaybeSend`.
        unsafe { self.start(no_owner, |(), event| make(target, event), limit, None) }
    }

    /// Whether there is space for a `V`.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn has_space<V>(&self) -> bool {
        // SAFETY: as in `set_occupied`.
        unsafe { &*self.erased.get() }.has_space(Layout::new::<V>())
    }

    /// Makes sure that there is space for a `V`. Returns its arguments: so nothing has to be kept
    /// across the call of the cold function, and no registers have to be saved for it.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn with_space<V, S>(&self, owner: S) -> (&Self, S) {
        if self.has_space::<V>() {
            (self, owner)
        } else {
            self.make_space(Layout::new::<V>(), owner)
        }
    }

    /// Mostly for the first handler of an emission.
    #[cold]
    #[inline(never)]
    fn make_space<S>(&self, layout: Layout, owner: S) -> (&Self, S) {
        // SAFETY: as in `set_occupied`.
        unsafe { &mut *self.erased.get() }.make_space(layout);
        (self, owner)
    }

    /// Makes space where the handler can be called once more.
    #[cold]
    #[inline(never)]
    fn make_space_and_call<S>(
        &self,
        layout: Layout,
        owner: S,
        again: Again<'_, Self, Poll<Outcome<R>>>,
    ) -> Option<Poll<Outcome<R>>> {
        drop(self.make_space(layout, owner));
        again.call(self)
    }

    /// # Safety
    /// As for [`ErasedFuture::set_occupied`].
    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn set_occupied<V: Future<Output = Outcome<R>>>(&self, future: *mut V) {
        // SAFETY: only the handler that is being started uses `erased`: `with` and `for_later` lend
        // the request to one at a time. The rest is the contract of this function too.
        unsafe { (*self.erased.get()).set_occupied(future) };
    }

    /// Makes the future of a handler, and polls it once. `None` if the owner is gone. Calls `again`
    /// instead, if there is one, when there is no space for the future yet.
    ///
    /// # Safety
    /// - `make` keeps its arguments nowhere but in the future, although their lifetime `'x` may be
    ///   longer than they exist.
    /// - For the thread-safe flavor the future is `Send` if `E` is `Sync`.
    /// - The future contains nothing but the arguments of `make` and what is `'static`. `make` may
    ///   also borrow from the handler. So neither of them can reach a request, or its erased
    ///   future.
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
                Some(again) if !self.has_space::<HandlerFutureOf<V, L, R, H>>() => {
                    let layout = Layout::new::<HandlerFutureOf<V, L, R, H>>();
                    return self.make_space_and_call(layout, owner, again);
                }
                Some(_) => (self, owner),
                None => self.with_space::<HandlerFutureOf<V, L, R, H>, _>(owner),
            },
            #[cfg(feature = "tokio")]
            FirstPoll::Later(_) => {
                self.with_space::<HandlerFutureOf<V, L, R, H, F::Strong<E>>, _>(owner)
            }
            #[cfg(not(feature = "tokio"))]
            FirstPoll::_Later(never, _) => match never {},
        };
        // SAFETY: the owner is stored with the future, and dropped after it. What it derefs to does
        // not move with it, as `Hold` promises.
        let target: &'x H::Target = unsafe { &*core::ptr::from_ref(&*owner) };
        let owner = OwnerOnPoll::new(owner);
        // SAFETY: the future is dropped before the event: its `ErasedFuture` has the lifetime of
        // the event, or the future keeps the event.
        let event: &'x E = unsafe { &*this.event };
        // SAFETY: as in `set_occupied`.
        let place = unsafe { &*this.erased.get() }.buffer.place();
        // The future is made where it stays: moving it by wide reads right after narrow writes
        // would stall the processor. The pointer to its owner is stored beside it only if the
        // future is pending.
        match &this.first_poll {
            FirstPoll::AtOnce(context) => {
                let stored: *mut HandlerFutureOf<V, L, R, H> = place.cast();
                // SAFETY: there is space for it. The future does not move before it is dropped:
                // here, or by the `ErasedFuture` that stores it with the owner. What it borrows
                // lives as long as it does, see above. `with` borrows the context while it calls.
                // The rest of the contract of `set_occupied` is that of this function too.
                unsafe {
                    let future =
                        InPlace::new(&raw mut (*stored).future, limit.limit(make(target, event)));
                    match Pin::new_unchecked(&mut *future.0).poll(&mut **context) {
                        Poll::Ready(output) => {
                            drop(future);
                            let outcome = L::outcome(output);
                            // Like the future, the owner is dropped before the result is returned.
                            owner.drop_and_return(outcome)
                        }
                        Poll::Pending => {
                            core::mem::forget(future);
                            (&raw mut (*stored)._owner).write(owner.take());
                            this.set_occupied(stored);
                            Some(Poll::Pending)
                        }
                    }
                }
            }
            #[cfg(feature = "tokio")]
            FirstPoll::Later(keeper) => {
                let stored: *mut HandlerFutureOf<V, L, R, H, F::Strong<E>> = place.cast();
                let _event = keeper.clone();
                // SAFETY: as above, except that nothing is polled here.
                unsafe {
                    stored.write(HandlerFuture {
                        future: limit.limit(make(target, event)),
                        limit: PhantomData,
                        _owner: owner.take(),
                        _event,
                    });
                    this.set_occupied(stored);
                }
                Some(Poll::Pending)
            }
            #[cfg(not(feature = "tokio"))]
            FirstPoll::_Later(never, _) => match *never {},
        }
    }
}

/// The owner of a handler during its first poll. It can stay in a register: dropping it copies the
/// pointer out first, so that the pointer itself needs no address.
struct OwnerOnPoll<S: Hold>(ManuallyDrop<S>);

impl<S: Hold> OwnerOnPoll<S> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn new(owner: S) -> Self {
        OwnerOnPoll(ManuallyDrop::new(owner))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn take(self) -> S {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: `this` is neither used again nor dropped.
        unsafe { ManuallyDrop::take(&mut this.0) }
    }

    /// Drops the owner of a handler that was ready at once, and returns the outcome.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn drop_and_return<R>(self, outcome: Outcome<R>) -> Option<Poll<Outcome<R>>> {
        let owner = self.take();
        if owner.is_last() {
            return drop_last_and_return(owner, outcome);
        }
        drop(owner);
        Some(Poll::Ready(outcome))
    }
}

impl<S: Hold> Drop for OwnerOnPoll<S> {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: `drop` runs once, and nothing uses the owner afterwards.
        drop_after_panic(unsafe { ManuallyDrop::take(&mut self.0) });
    }
}

/// Drops the owner of a handler that has panicked.
#[cold]
#[inline(never)]
fn drop_after_panic<S>(owner: S) {
    drop(owner);
}

/// Drops the last pointer to an owner. A tail call, so that the caller needs no stack frame: it has
/// nothing to do afterwards, not even to compute the result.
#[cold]
#[inline(never)]
fn drop_last_and_return<S, R>(owner: S, outcome: Outcome<R>) -> Option<Poll<Outcome<R>>> {
    drop(owner);
    core::hint::black_box(Some(Poll::Ready(outcome)))
}

/// A future during its first poll. Dropping this drops the future in place.
struct InPlace<V>(*mut V);

impl<V> InPlace<V> {
    /// # Safety
    /// `place` is valid for writes, and nobody else uses it until this is dropped or forgotten.
    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn new(place: *mut V, value: V) -> Self {
        // SAFETY: the caller promises that the place is valid for writes.
        unsafe { place.write(value) };
        InPlace(place)
    }
}

impl<V> Drop for InPlace<V> {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: `new` has written the value, and nobody else has used the place since.
        unsafe { drop_in_place(self.0) };
    }
}

/// A future with what it borrows from. Fields are dropped in order: the future first.
struct HandlerFuture<V, L, R, S, K> {
    future: V,
    limit: PhantomData<fn() -> (L, R)>,
    _owner: S,
    _event: K,
}

/// For a future `V` of a method, limited by `L`, whose target is kept alive by an `H`.
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
        // SAFETY: the pinned future is not moved. The other fields are never pinned.
        let future = unsafe { self.map_unchecked_mut(|handler| &mut handler.future) };
        future.poll(context).map(L::outcome)
    }
}
