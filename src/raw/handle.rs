use core::any::{TypeId, type_name};
use core::marker::PhantomData;
use core::mem::needs_drop;
use core::ops::Deref;
use core::ptr::NonNull;
use core::sync::atomic::Ordering;

use super::word::{Word, fits};
use super::{Anchor, Entry, Hold, Link};
use crate::family::{Atom, Family};
use crate::table::SlotKey;

/// How to call a method of a target: the shape of a slot, without its owner.
///
/// The defaults are for a target that is the owner itself; [`Through`] overrides them.
pub(crate) trait Invoke<T: ?Sized, E: ?Sized, R, F: Family>: 'static {
    /// Whether the target is the owner, so that the one is alive when the other is.
    const IS_OWNER: bool = true;
    /// `None` when there is an owner behind the target, and it is gone.
    fn invoke(&self, target: impl Hold<Target = T>, event: &E) -> Option<R>;
    /// The type that tells one method from another, and its name.
    type Method: 'static;
    /// The address of the owner.
    fn owner(target: &T) -> *const () {
        core::ptr::from_ref(target).cast()
    }
    fn is_alive(_target: &T) -> bool {
        true
    }
    fn pin<S: Deref<Target = T> + Clone>(target: S) -> Option<Anchor<F>> {
        Some(Anchor::new(target))
    }
}

/// What came of a call.
pub(crate) enum Called<R> {
    Returned(R),
    /// The admission said no.
    Refused,
    /// The owner is gone.
    Dead,
}

impl<R> Called<R> {
    /// Of a call that came to its owner, or not.
    fn of(result: Option<R>) -> Self {
        result.map_or(Called::Dead, Called::Returned)
    }
}

/// May the slot be called? Asked with the owner already held, so that a yes is not lost.
pub(crate) struct Gate<'a, F: Family> {
    /// [`OPEN`]: yes. Otherwise the desk knows. Written under the lock, read without.
    pub(crate) state: &'a F::State,
    pub(crate) key_bits: u64,
    pub(crate) desk: &'a dyn Desk,
}

pub(crate) trait Desk {
    fn admits(&self, key: SlotKey) -> bool;
}

/// The state of a gate that needs no desk.
const OPEN: u8 = 0;

/// Tells the compiler which way is seldom taken.
#[cold]
fn seldom() {}

/// A weak method handle: a weak pointer to a target and what to call on it, in two words.
///
/// The target is the owner itself where the method is a path or a closure without captures: its
/// type says all there is to know, so the handle needs no memory of its own. Otherwise the target
/// is an [`Adapter`] that holds the method beside a weak pointer to the owner, and whoever keeps
/// the handle keeps the adapter alive with the [`Anchor`] that came with it. Dropping the anchor
/// drops what the method captured: at once, or right after the call that is under way.
pub(crate) struct Handle<E: ?Sized + 'static, R: 'static, F: Family> {
    /// The weak pointer to the target.
    data: Word,
    table: &'static Table<E, R, F>,
}

type CallThrough<E, R, F> = unsafe fn(Word, &<F as Family>::State, u64, &dyn Desk, &E) -> Called<R>;

struct Table<E: ?Sized, R, F: Family> {
    call: unsafe fn(Word, &E) -> Option<R>,
    /// The gate in its parts, which travel in registers: what lies in memory would have to get there
    /// before the owner can be upgraded.
    call_through: CallThrough<E, R, F>,
    clone: unsafe fn(Word) -> Word,
    release: unsafe fn(Word),
    is_alive: unsafe fn(Word) -> bool,
    owner: unsafe fn(Word) -> *const (),
    pin: unsafe fn(Word) -> Option<Anchor<F>>,
    method: fn() -> TypeId,
    name: fn() -> &'static str,
}

impl<E: ?Sized + 'static, R: 'static, F: Family> Handle<E, R, F> {
    /// A handle to `method` of `owner`. The anchor, if there is one, owns what the handle needs
    /// beside the owner.
    ///
    /// For the thread-safe family, `O` and `I` must be `Send + Sync` (see the `Send` impl below).
    pub(crate) fn new<L: Link + 'static, I>(owner: L, method: I) -> (Self, Option<Anchor<F>>)
    where
        I: Invoke<L::Target, E, R, F>,
    {
        if fits::<L>() && is_implied::<I>() {
            core::mem::forget(method);
            (Self::to_target::<L, I>(owner), None)
        } else {
            let adapter = F::strong(Adapter { owner, method });
            let handle = Self::to_target::<_, Through<L, I>>(F::downgrade(&adapter));
            (handle, Some(Anchor::new(adapter)))
        }
    }

    /// A handle to a closure, which the anchor owns.
    ///
    /// For the thread-safe family, `C` must be `Send + Sync`.
    pub(crate) fn closure<C: Fn(&E) -> R + 'static>(closure: C) -> (Self, Anchor<F>) {
        Self::owned::<C, Itself>(closure)
    }

    /// A handle to a target, which the anchor owns.
    ///
    /// For the thread-safe family, `T` must be `Send + Sync`.
    pub(crate) fn owned<T: 'static, I: Invoke<T, E, R, F>>(target: T) -> (Self, Anchor<F>) {
        let target = F::strong(target);
        (Self::to_target::<_, I>(F::downgrade(&target)), Anchor::new(target))
    }

    /// A handle that holds its target. Nothing of the user's may be dropped with that, since it may be
    /// dropped under the signal's lock; for what is to end with the connection, there is an anchor of it.
    ///
    /// For the thread-safe family, `T` and `D` must be `Send + Sync`.
    #[cfg(feature = "std")]
    pub(crate) fn held<T, I, D>(target: T, until_the_end: D) -> (Self, Anchor<F>)
    where
        T: super::Deputy + 'static,
        I: Invoke<T, E, R, F>,
        D: 'static,
    {
        (Self::to_target::<_, I>(super::Held::new(target)), Anchor::new(F::strong(until_the_end)))
    }

    /// A handle to nobody, without memory of its own.
    pub(crate) fn vacant() -> Self {
        Self::to_target::<_, Nobody>(F::dangling::<()>())
    }

    fn to_target<L: Link, I: Invoke<L::Target, E, R, F>>(target: L) -> Self {
        assert!(is_implied::<I>());
        Handle {
            data: Word::new(target),
            table: &Table {
                call: call::<L, I, E, R, F>,
                call_through: call_through::<L, I, E, R, F>,
                clone: clone::<L>,
                release: release::<L>,
                is_alive: is_alive::<L, I, E, R, F>,
                owner: owner::<L, I, E, R, F>,
                pin: pin::<L, I, E, R, F>,
                method: TypeId::of::<I::Method>,
                name: type_name::<I::Method>,
            },
        }
    }

    /// Calls the method, if the owner is there.
    #[inline(always)]
    pub(crate) fn call(&self, event: &E) -> Option<R> {
        // SAFETY: `table` was made for the type of `data`, here and below.
        unsafe { (self.table.call)(self.data, event) }
    }

    /// Calls the method, if the owner is there and the gate is open.
    #[inline(always)]
    pub(crate) fn call_through(&self, gate: Gate<'_, F>, event: &E) -> Called<R> {
        let Gate { state, key_bits, desk } = gate;
        // SAFETY: as in `call`.
        unsafe { (self.table.call_through)(self.data, state, key_bits, desk, event) }
    }

    pub(crate) fn is_alive(&self) -> bool {
        // SAFETY: as in `call`.
        unsafe { (self.table.is_alive)(self.data) }
    }

    /// Where the owner is, or was.
    pub(crate) fn owner(&self) -> *const () {
        // SAFETY: as in `call`.
        unsafe { (self.table.owner)(self.data) }
    }

    /// Keeps the owner alive, if it is.
    pub(crate) fn pin(&self) -> Option<Anchor<F>> {
        // SAFETY: as in `call`.
        unsafe { (self.table.pin)(self.data) }
    }

    pub(crate) fn method(&self) -> TypeId {
        (self.table.method)()
    }

    /// The name of the method's type, which for a method path is the path.
    pub(crate) fn name(&self) -> &'static str {
        (self.table.name)()
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Family> Clone for Handle<E, R, F> {
    fn clone(&self) -> Self {
        // SAFETY: as in `call`.
        Handle { data: unsafe { (self.table.clone)(self.data) }, table: self.table }
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Family> Drop for Handle<E, R, F> {
    fn drop(&mut self) {
        // SAFETY: as in `call`, and this runs once.
        unsafe { (self.table.release)(self.data) }
    }
}

// SAFETY: a thread-safe handle is a `Weak` of an owner, or of an adapter of an owner and a method,
// all of them `Send + Sync` by `Owner<Shared>` and `Captures<Shared>`; or it holds a target that is
// `Send + Sync` as `Handle::held` asks for. Events and results are never
// stored: they pass through on the thread that calls.
#[cfg(feature = "std")]
unsafe impl<E: ?Sized, R> Send for Handle<E, R, crate::family::Shared> {}
// SAFETY: as above.
#[cfg(feature = "std")]
unsafe impl<E: ?Sized, R> Sync for Handle<E, R, crate::family::Shared> {}

/// A method that is not implied by its type, beside the weak owner it is called on.
struct Adapter<L, I> {
    owner: L,
    method: I,
}

/// Calls the method of an [`Adapter`].
struct Through<L, I>(PhantomData<(L, I)>);

impl<L: Link + 'static, I, E: ?Sized, R, F: Family> Invoke<Adapter<L, I>, E, R, F> for Through<L, I>
where
    I: Invoke<L::Target, E, R, F>,
{
    const IS_OWNER: bool = false;
    type Method = I::Method;
    fn invoke(&self, adapter: impl Hold<Target = Adapter<L, I>>, event: &E) -> Option<R> {
        let owner = adapter.owner.upgrade()?;
        adapter.method.invoke(owner, event)
    }
    fn owner(adapter: &Adapter<L, I>) -> *const () {
        adapter.owner.address()
    }
    fn is_alive(adapter: &Adapter<L, I>) -> bool {
        adapter.owner.is_alive()
    }
    fn pin<S: Deref<Target = Adapter<L, I>>>(adapter: S) -> Option<Anchor<F>> {
        adapter.owner.upgrade().map(Anchor::new)
    }
}

/// Calls the target, which is a closure.
struct Itself;

impl<C: Fn(&E) -> R + 'static, E: ?Sized, R, F: Family> Invoke<C, E, R, F> for Itself {
    type Method = C;
    fn invoke(&self, closure: impl Hold<Target = C>, event: &E) -> Option<R> {
        Some(closure(event))
    }
}

struct Nobody;

impl<E: ?Sized, R, F: Family> Invoke<(), E, R, F> for Nobody {
    type Method = Nobody;
    fn invoke(&self, _: impl Hold<Target = ()>, _: &E) -> Option<R> {
        None
    }
}

/// Whether a value of `I` can be had from its type alone.
const fn is_implied<I>() -> bool {
    size_of::<I>() == 0 && !needs_drop::<I>()
}

/// A method that is implied by its type.
#[inline(always)]
fn implied<I>() -> &'static I {
    assert!(is_implied::<I>());
    // SAFETY: `I` has no size, so any aligned address holds a value of it; and there is one to
    // refer to, because `Handle::new` was given a value and forgot it, which is what `Box::leak`
    // does to a value without size. Nothing is ever dropped.
    unsafe { NonNull::<I>::dangling().as_ref() }
}

unsafe fn call<L: Link, I, E: ?Sized, R, F: Family>(data: Word, event: &E) -> Option<R>
where
    I: Invoke<L::Target, E, R, F>,
{
    // SAFETY: `Handle` calls this with the data its table was made for; so do all below.
    let Some(target) = unsafe { data.get::<L>() }.upgrade() else {
        seldom();
        return None;
    };
    implied::<I>().invoke(target, event)
}

unsafe fn call_through<L: Link, I, E: ?Sized, R, F: Family>(
    data: Word,
    state: &F::State,
    key_bits: u64,
    desk: &dyn Desk,
    event: &E,
) -> Called<R>
where
    I: Invoke<L::Target, E, R, F>,
{
    // What is seldom is left to functions that take everything along, so that nothing has to be saved.
    let Some(place) = L::place() else {
        // SAFETY: the caller's promise.
        return unsafe { find_place_and_call::<L, I, E, R, F>(data, state, key_bits, desk, event) };
    };
    // SAFETY: as in `call`. Handles are called through gates by emissions only, out of their lists.
    match unsafe { data.get::<L>().enter(place) } {
        Entry::Alive(target) => call_entered::<_, I, E, R, F>(target, state, key_bits, desk, event),
        Entry::Dead => {
            seldom();
            Called::Dead
        }
        // SAFETY: the caller's promise.
        Entry::Again => unsafe {
            find_place_and_call::<L, I, E, R, F>(data, state, key_bits, desk, event)
        },
    }
}

#[inline(always)]
fn call_entered<H: Hold, I, E: ?Sized, R, F: Family>(
    target: H,
    state: &F::State,
    key_bits: u64,
    desk: &dyn Desk,
    event: &E,
) -> Called<R>
where
    I: Invoke<H::Target, E, R, F>,
{
    if !I::IS_OWNER && !I::is_alive(&target) {
        return Called::Dead;
    }
    // SeqCst: see `Lane::begin`.
    if state.load(Ordering::SeqCst) != OPEN {
        return ask_and_call::<_, I, E, R, F>(target, key_bits, desk, event);
    }
    Called::of(implied::<I>().invoke(target, event))
}

#[cold]
fn ask_and_call<H: Hold, I, E: ?Sized, R, F: Family>(
    target: H,
    key_bits: u64,
    desk: &dyn Desk,
    event: &E,
) -> Called<R>
where
    I: Invoke<H::Target, E, R, F>,
{
    if desk.admits(SlotKey::from_bits(key_bits)) {
        Called::of(implied::<I>().invoke(target, event))
    } else {
        Called::Refused
    }
}

/// # Safety
/// As for `call_through`.
#[inline(never)]
unsafe fn find_place_and_call<L: Link, I, E: ?Sized, R, F: Family>(
    data: Word,
    state: &F::State,
    key_bits: u64,
    desk: &dyn Desk,
    event: &E,
) -> Called<R>
where
    I: Invoke<L::Target, E, R, F>,
{
    if L::find_place() {
        // SAFETY: the caller's promise.
        return unsafe { call_through::<L, I, E, R, F>(data, state, key_bits, desk, event) };
    }
    // SAFETY: as in `call`.
    let Some(target) = unsafe { data.get::<L>() }.upgrade() else { return Called::Dead };
    call_entered::<_, I, E, R, F>(target, state, key_bits, desk, event)
}

unsafe fn clone<L: Link>(data: Word) -> Word {
    // SAFETY: as in `call`.
    Word::new(unsafe { data.get::<L>() }.clone())
}

unsafe fn release<L: Link>(data: Word) {
    // SAFETY: as in `call`, and the handle ends here.
    drop(unsafe { data.take::<L>() });
}

unsafe fn is_alive<L: Link, I, E: ?Sized, R, F: Family>(data: Word) -> bool
where
    I: Invoke<L::Target, E, R, F>,
{
    // SAFETY: as in `call`.
    let target = unsafe { data.get::<L>() };
    if I::IS_OWNER {
        // Without holding it: this may run under a lock, where the owner must not be dropped.
        target.is_alive()
    } else {
        target.upgrade().is_some_and(|target| I::is_alive(&target))
    }
}

unsafe fn owner<L: Link, I, E: ?Sized, R, F: Family>(data: Word) -> *const ()
where
    I: Invoke<L::Target, E, R, F>,
{
    // SAFETY: as in `call`.
    let target = unsafe { data.get::<L>() };
    if I::IS_OWNER {
        return target.address();
    }
    target.upgrade().map_or(core::ptr::null(), |target| I::owner(&target))
}

unsafe fn pin<L: Link, I, E: ?Sized, R, F: Family>(data: Word) -> Option<Anchor<F>>
where
    I: Invoke<L::Target, E, R, F>,
{
    // SAFETY: as in `call`.
    unsafe { data.get::<L>() }.upgrade().and_then(I::pin)
}
