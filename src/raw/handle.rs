use core::any::{TypeId, type_name};
use core::marker::PhantomData;
use core::mem::needs_drop;
use core::ops::Deref;
use core::ptr::NonNull;

use super::versions::is_begun_to_call;
use super::word::{Word, fits};
use super::{Anchor, Caller, Checked, Entering, Hold, Link, Liveness, Target};
use crate::family::Family;
use crate::state::StateCell;
use crate::table::SlotKey;

/// How a slot calls its method, `M`, of a target, `T`.
///
/// The defaults are for a target that is the owner itself; [`Through`] overrides them.
pub(crate) trait Invoke<M, T: ?Sized, E: ?Sized, R, F: Family>: 'static {
    /// Whether the target is the owner, so that the one is alive when the other is.
    const IS_OWNER: bool = true;
    /// `None` when there is an owner behind the target, and it is gone.
    fn invoke(method: &M, target: Target<impl Hold<Target = T>, F>, event: &E) -> Option<R>;
    /// The type that tells one method from another, and its name.
    type Method: 'static;
    /// The address of the owner.
    fn owner(target: &T) -> *const () {
        core::ptr::from_ref(target).cast()
    }
    fn liveness(_target: &T) -> Liveness {
        Liveness::Alive
    }
    fn pin<S: Deref<Target = T> + Clone>(target: S) -> Option<Anchor<F>> {
        Some(Anchor::new(target))
    }
}

/// What came of a call.
pub(crate) enum Called<R> {
    Returned(R),
    /// The signal said no.
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

type CallThrough<E, R, F> = unsafe fn(Word, &StateCell<F>, u64, &mut Caller<'_>, &E) -> Called<R>;

struct Table<E: ?Sized, R, F: Family> {
    call: unsafe fn(Word, &E) -> Option<R>,
    /// All of it travels in registers: what lies in memory would have to get there before the owner can be
    /// upgraded.
    call_through: CallThrough<E, R, F>,
    clone: unsafe fn(Word) -> Word,
    release: unsafe fn(Word),
    liveness: unsafe fn(Word) -> Liveness,
    owner: unsafe fn(Word) -> *const (),
    pin: unsafe fn(Word) -> Option<Anchor<F>>,
    method: fn() -> TypeId,
    name: fn() -> &'static str,
}

impl<E: ?Sized + 'static, R: 'static, F: Family> Handle<E, R, F> {
    /// A handle to `method` of `owner`. The anchor, if there is one, owns what the handle needs
    /// beside the owner.
    pub(crate) fn new<I, L, M>(
        owner: Checked<L, F>,
        method: Checked<M, F>,
    ) -> (Self, Option<Anchor<F>>)
    where
        I: Invoke<M, L::Target, E, R, F>,
        L: Link + 'static,
        M: 'static,
    {
        let (owner, method) = (owner.take(), method.take());
        if fits::<L>() && is_implied::<M>() {
            core::mem::forget(method);
            (Self::to_target::<I, L, M>(owner), None)
        } else {
            let adapter = F::strong(Adapter { owner, method });
            let handle = Self::to_target::<Through<I>, _, ()>(F::downgrade(&adapter));
            (handle, Some(Anchor::new(adapter)))
        }
    }

    /// A handle to a closure, which the anchor owns.
    pub(crate) fn closure<C: Fn(&E) -> R + 'static>(closure: Checked<C, F>) -> (Self, Anchor<F>) {
        Self::owned::<Itself, C>(closure)
    }

    /// A handle to a target, which the anchor owns.
    pub(crate) fn owned<I, T>(target: Checked<T, F>) -> (Self, Anchor<F>)
    where
        I: Invoke<(), T, E, R, F>,
        T: 'static,
    {
        let target = F::strong(target.take());
        (Self::to_target::<I, _, ()>(F::downgrade(&target)), Anchor::new(target))
    }

    /// A handle that holds its target. Nothing of the user's may be dropped with that, since it may be
    /// dropped under the signal's lock; for what is to end with the connection, there is an anchor of it.
    #[cfg(feature = "std")]
    pub(crate) fn held<I, T, D>(
        target: Checked<T, F>,
        until_the_end: Checked<D, F>,
    ) -> (Self, Anchor<F>)
    where
        I: Invoke<(), T, E, R, F>,
        T: super::Deputy + 'static,
        D: 'static,
    {
        let handle = Self::to_target::<I, _, ()>(super::Held::new(target.take()));
        (handle, Anchor::new(F::strong(until_the_end.take())))
    }

    /// A handle to nobody, without memory of its own.
    pub(crate) fn vacant() -> Self {
        Self::to_target::<Nobody, _, ()>(F::dangling::<()>())
    }

    fn to_target<I: Invoke<M, L::Target, E, R, F>, L: Link, M: 'static>(target: L) -> Self {
        assert!(is_implied::<M>());
        Handle {
            data: Word::new(target),
            table: &Table {
                call: call::<I, L, M, E, R, F>,
                call_through: call_through::<I, L, M, E, R, F>,
                clone: clone::<L>,
                release: release::<L>,
                liveness: liveness::<I, L, M, E, R, F>,
                owner: owner::<I, L, M, E, R, F>,
                pin: pin::<I, L, M, E, R, F>,
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

    /// Calls the method, if the owner is there and the slot may be called. Comes after
    /// [`Lane::begin`](super::Lane::begin).
    #[inline(always)]
    pub(crate) fn call_through<'l>(
        &'l self,
        state: &StateCell<F>,
        key_bits: u64,
        caller: &mut Caller<'l>,
        event: &E,
    ) -> Called<R> {
        // SAFETY: as in `call`. And this handle keeps the target's memory for `'l`.
        unsafe { (self.table.call_through)(self.data, state, key_bits, caller, event) }
    }

    pub(crate) fn liveness(&self) -> Liveness {
        // SAFETY: as in `call`.
        unsafe { (self.table.liveness)(self.data) }
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.liveness() == Liveness::Alive
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

// SAFETY: all that a thread-safe handle can reach was `Checked` when it was made: weak pointers to owners,
// methods, targets. Events and results are never stored: they pass through on the thread that calls.
#[cfg(feature = "std")]
unsafe impl<E: ?Sized, R> Send for Handle<E, R, crate::family::Shared> {}
// SAFETY: as above.
#[cfg(feature = "std")]
unsafe impl<E: ?Sized, R> Sync for Handle<E, R, crate::family::Shared> {}

/// A method that is not implied by its type, beside the weak owner it is called on.
struct Adapter<L, M> {
    owner: L,
    method: M,
}

/// Calls the method of an [`Adapter`] as `I` does.
struct Through<I>(PhantomData<I>);

impl<I, L, M, E, R, F> Invoke<(), Adapter<L, M>, E, R, F> for Through<I>
where
    I: Invoke<M, L::Target, E, R, F>,
    L: Link + 'static,
    M: 'static,
    E: ?Sized,
    F: Family,
{
    const IS_OWNER: bool = false;
    type Method = I::Method;
    fn invoke(
        (): &(),
        adapter: Target<impl Hold<Target = Adapter<L, M>>, F>,
        event: &E,
    ) -> Option<R> {
        // SAFETY: the adapter was made of what was `Checked`.
        let owner = unsafe { Target::new(adapter.owner.upgrade()?) };
        I::invoke(&adapter.method, owner, event)
    }
    fn owner(adapter: &Adapter<L, M>) -> *const () {
        adapter.owner.address()
    }
    fn liveness(adapter: &Adapter<L, M>) -> Liveness {
        adapter.owner.liveness()
    }
    fn pin<S: Deref<Target = Adapter<L, M>>>(adapter: S) -> Option<Anchor<F>> {
        adapter.owner.upgrade().map(Anchor::new)
    }
}

/// Calls the target, which is a closure.
struct Itself;

impl<C: Fn(&E) -> R + 'static, E: ?Sized, R, F: Family> Invoke<(), C, E, R, F> for Itself {
    type Method = C;
    fn invoke((): &(), closure: Target<impl Hold<Target = C>, F>, event: &E) -> Option<R> {
        Some(closure(event))
    }
}

struct Nobody;

impl<E: ?Sized, R, F: Family> Invoke<(), (), E, R, F> for Nobody {
    type Method = Nobody;
    fn invoke((): &(), _: Target<impl Hold<Target = ()>, F>, _: &E) -> Option<R> {
        None
    }
}

/// Whether a value of `M` can be had from its type alone.
const fn is_implied<M>() -> bool {
    size_of::<M>() == 0 && !needs_drop::<M>()
}

/// A method that is implied by its type.
#[inline(always)]
fn implied<M: 'static>() -> &'static M {
    assert!(is_implied::<M>());
    // SAFETY: `M` has no size, so any aligned address holds a value of it; and there is one to
    // refer to, because `Handle::new` was given a value and forgot it, which is what `Box::leak`
    // does to a value without size. (There is always a `()`.) Nothing is ever dropped.
    unsafe { NonNull::<M>::dangling().as_ref() }
}

unsafe fn call<I, L: Link, M: 'static, E: ?Sized, R, F: Family>(data: Word, event: &E) -> Option<R>
where
    I: Invoke<M, L::Target, E, R, F>,
{
    // SAFETY: `Handle` calls this with the data its table was made for; so do all below.
    let Some(target) = unsafe { data.get::<L>() }.upgrade() else {
        seldom();
        return None;
    };
    invoke::<I, M, _, E, R, F>(target, event)
}

/// # Safety
/// As for `call`; and the memory of the target is kept until `caller` is dropped.
unsafe fn call_through<I, L: Link, M: 'static, E: ?Sized, R, F: Family>(
    data: Word,
    state: &StateCell<F>,
    key_bits: u64,
    caller: &mut Caller<'_>,
    event: &E,
) -> Called<R>
where
    I: Invoke<M, L::Target, E, R, F>,
{
    // What is seldom is left to functions that take everything along, so that nothing has to be saved.
    // SAFETY: the caller's promise. It enters one at a time: it is borrowed mutably as long as it calls.
    match unsafe { data.get::<L>().enter(caller) } {
        Entering::Alive(target) => {
            call_entered::<I, L, M, _, E, R, F>(target, state, key_bits, caller, event)
        }
        Entering::Dead => {
            seldom();
            Called::Dead
        }
        // SAFETY: the caller's promise.
        Entering::Begun => unsafe {
            finish_entering_and_call::<I, L, M, E, R, F>(data, state, key_bits, caller, event)
        },
        // SAFETY: the caller's promise.
        Entering::NoCell => unsafe {
            find_cell_and_call::<I, L, M, E, R, F>(data, state, key_bits, caller, event)
        },
    }
}

#[inline(always)]
fn call_entered<I, L: Link, M: 'static, H, E: ?Sized, R, F: Family>(
    target: H,
    state: &StateCell<F>,
    key_bits: u64,
    caller: &Caller<'_>,
    event: &E,
) -> Called<R>
where
    I: Invoke<M, L::Target, E, R, F>,
    H: Hold<Target = L::Target>,
{
    if !I::IS_OWNER && I::liveness(&target) != Liveness::Alive {
        return pass_over(target, caller, Called::Dead);
    }
    if !is_begun_to_call::<F>(state, L::ENTERS_BY_EXCHANGE) {
        return ask_and_call::<I, M, _, E, R, F>(target, key_bits, caller, event);
    }
    Called::of(invoke::<I, M, _, E, R, F>(target, event))
}

#[inline(always)]
fn invoke<I, M: 'static, H: Hold, E: ?Sized, R, F: Family>(target: H, event: &E) -> Option<R>
where
    I: Invoke<M, H::Target, E, R, F>,
{
    // SAFETY: it is out of a handle, which was made of what was `Checked`.
    I::invoke(implied::<M>(), unsafe { Target::new(target) }, event)
}

#[cold]
fn pass_over<H, R>(target: H, caller: &Caller<'_>, called: Called<R>) -> Called<R> {
    caller.passes_over();
    drop(target);
    called
}

#[cold]
fn ask_and_call<I, M: 'static, H: Hold, E: ?Sized, R, F: Family>(
    target: H,
    key_bits: u64,
    caller: &Caller<'_>,
    event: &E,
) -> Called<R>
where
    I: Invoke<M, H::Target, E, R, F>,
{
    if caller.admits(SlotKey::from_bits(key_bits)) {
        Called::of(invoke::<I, M, _, E, R, F>(target, event))
    } else {
        pass_over(target, caller, Called::Refused)
    }
}

/// # Safety
/// As for `call_through`; and the target has begun to be entered.
#[cold]
#[inline(never)]
unsafe fn finish_entering_and_call<I, L: Link, M: 'static, E: ?Sized, R, F: Family>(
    data: Word,
    state: &StateCell<F>,
    key_bits: u64,
    caller: &mut Caller<'_>,
    event: &E,
) -> Called<R>
where
    I: Invoke<M, L::Target, E, R, F>,
{
    // SAFETY: as in `call`, and the caller's promise.
    let target = unsafe { data.get::<L>().finish_entering(caller) };
    target.map_or(Called::Dead, |target| {
        call_entered::<I, L, M, _, E, R, F>(target, state, key_bits, caller, event)
    })
}

/// # Safety
/// As for `call_through`.
#[inline(never)]
unsafe fn find_cell_and_call<I, L: Link, M: 'static, E: ?Sized, R, F: Family>(
    data: Word,
    state: &StateCell<F>,
    key_bits: u64,
    caller: &mut Caller<'_>,
    event: &E,
) -> Called<R>
where
    I: Invoke<M, L::Target, E, R, F>,
{
    if caller.find_cell() {
        // SAFETY: the caller's promise.
        return unsafe { call_through::<I, L, M, E, R, F>(data, state, key_bits, caller, event) };
    }
    // SAFETY: as in `call`.
    let target = unsafe { data.get::<L>() }.upgrade();
    target.map_or(Called::Dead, |target| {
        call_entered::<I, L, M, _, E, R, F>(target, state, key_bits, caller, event)
    })
}

unsafe fn clone<L: Link>(data: Word) -> Word {
    // SAFETY: as in `call`.
    Word::new(unsafe { data.get::<L>() }.clone())
}

unsafe fn release<L: Link>(data: Word) {
    // SAFETY: as in `call`, and the handle ends here.
    drop(unsafe { data.take::<L>() });
}

unsafe fn liveness<I, L: Link, M: 'static, E: ?Sized, R, F: Family>(data: Word) -> Liveness
where
    I: Invoke<M, L::Target, E, R, F>,
{
    // SAFETY: as in `call`.
    let target = unsafe { data.get::<L>() };
    if I::IS_OWNER {
        // Without holding it: this may run under a lock, where the owner must not be dropped.
        target.liveness()
    } else {
        target.upgrade().map_or(Liveness::Gone, |target| I::liveness(&target))
    }
}

unsafe fn owner<I, L: Link, M: 'static, E: ?Sized, R, F: Family>(data: Word) -> *const ()
where
    I: Invoke<M, L::Target, E, R, F>,
{
    // SAFETY: as in `call`.
    let target = unsafe { data.get::<L>() };
    if I::IS_OWNER {
        return target.address();
    }
    target.upgrade().map_or(core::ptr::null(), |target| I::owner(&target))
}

unsafe fn pin<I, L: Link, M: 'static, E: ?Sized, R, F: Family>(data: Word) -> Option<Anchor<F>>
where
    I: Invoke<M, L::Target, E, R, F>,
{
    // SAFETY: as in `call`.
    unsafe { data.get::<L>() }.upgrade().and_then(I::pin)
}
