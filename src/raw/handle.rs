use core::any::{TypeId, type_name};
use core::marker::PhantomData;
use core::mem::{ManuallyDrop, needs_drop, size_of, transmute_copy};
use core::ptr::NonNull;
use core::sync::atomic::Ordering;

use super::Anchor;
use crate::family::{Atom, Family};
use crate::table::SlotKey;

/// How to call a method of a target: the shape of a slot, without its owner.
///
/// The defaults are for a target that is the owner itself; [`Through`] overrides them.
pub(crate) trait Invoke<T: ?Sized, E: ?Sized, R, F: Family>: 'static {
    /// Whether the target is the owner, so that the one is alive when the other is.
    const IS_OWNER: bool = true;
    /// `None` when there is an owner behind the target, and it is gone.
    fn invoke(&self, target: &T, event: &E) -> Option<R>;
    /// The type that tells one method from another, and its name.
    type Method: 'static;
    /// The address of the owner.
    fn owner(target: &T) -> *const () {
        core::ptr::from_ref(target).cast()
    }
    fn is_alive(_target: &T) -> bool {
        true
    }
    fn pin(target: F::Strong<T>) -> Option<Anchor<F>> {
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

/// May the slot be called? Asked with the owner already held, so that a yes is not lost.
pub(crate) struct Gate<'a, F: Family> {
    /// 0: yes. Otherwise the desk knows. Written under the lock, read without.
    pub(crate) state: &'a F::State,
    pub(crate) key_bits: u64,
    pub(crate) desk: &'a dyn Desk,
}

pub(crate) trait Desk {
    fn admits(&self, key: SlotKey) -> bool;
}

impl<F: Family> Gate<'_, F> {
    #[inline(always)]
    fn is_open(&self) -> bool {
        // SeqCst: see `Lane::begin`.
        self.state.load(Ordering::SeqCst) == 0
            || self.desk.admits(SlotKey::from_bits(self.key_bits))
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
    /// What `weak_into_raw` gave for the target.
    data: *const (),
    table: &'static Table<E, R, F>,
}

type CallThrough<E, R, F> =
    unsafe fn(*const (), &<F as Family>::State, u64, &dyn Desk, &E) -> Called<R>;

struct Table<E: ?Sized, R, F: Family> {
    call: unsafe fn(*const (), &E) -> Option<R>,
    /// The gate in its parts, which travel in registers: what lies in memory would have to get there
    /// before the owner can be upgraded.
    call_through: CallThrough<E, R, F>,
    clone: unsafe fn(*const ()),
    release: unsafe fn(*const ()),
    is_alive: unsafe fn(*const ()) -> bool,
    owner: unsafe fn(*const ()) -> *const (),
    pin: unsafe fn(*const ()) -> Option<Anchor<F>>,
    method: fn() -> TypeId,
    name: fn() -> &'static str,
}

impl<E: ?Sized + 'static, R: 'static, F: Family> Handle<E, R, F> {
    /// A handle to `method` of `owner`. The anchor, if there is one, owns what the handle needs
    /// beside the owner.
    ///
    /// For the thread-safe family, `O` and `I` must be `Send + Sync` (see the `Send` impl below).
    pub(crate) fn new<O: ?Sized + 'static, I>(
        owner: F::Weak<O>,
        method: I,
    ) -> (Self, Option<Anchor<F>>)
    where
        I: Invoke<O, E, R, F>,
    {
        if is_thin::<O>() && is_implied::<I>() {
            core::mem::forget(method);
            (Self::to_target::<O, I>(owner), None)
        } else {
            let adapter = F::strong(Adapter::<O, I, F> { owner, method });
            let handle = Self::to_target::<_, Through<O, I, F>>(F::downgrade(&adapter));
            (handle, Some(Anchor::new(adapter)))
        }
    }

    /// A handle to a closure, which the anchor owns.
    ///
    /// For the thread-safe family, `C` must be `Send + Sync`.
    pub(crate) fn closure<C: Fn(&E) -> R + 'static>(closure: C) -> (Self, Anchor<F>) {
        let closure = F::strong(closure);
        (Self::to_target::<C, Itself>(F::downgrade(&closure)), Anchor::new(closure))
    }

    /// A handle to nobody, without memory of its own.
    pub(crate) fn vacant() -> Self {
        Self::to_target::<(), Nobody>(F::dangling())
    }

    fn to_target<T: ?Sized + 'static, I: Invoke<T, E, R, F>>(target: F::Weak<T>) -> Self {
        assert!(is_thin::<T>() && is_implied::<I>());
        Handle {
            data: F::weak_into_raw(target).cast(),
            table: &Table {
                call: call::<T, I, E, R, F>,
                call_through: call_through::<T, I, E, R, F>,
                clone: clone::<T, F>,
                release: release::<T, F>,
                is_alive: is_alive::<T, I, E, R, F>,
                owner: owner::<T, I, E, R, F>,
                pin: pin::<T, I, E, R, F>,
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
        unsafe { (self.table.clone)(self.data) };
        Handle { data: self.data, table: self.table }
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Family> Drop for Handle<E, R, F> {
    fn drop(&mut self) {
        // SAFETY: as in `call`, and this runs once.
        unsafe { (self.table.release)(self.data) }
    }
}

// SAFETY: a thread-safe handle is a `Weak` of an owner, or of an adapter of an owner and a method,
// all of them `Send + Sync` by `Owner<Shared>` and `Captures<Shared>`. Events and results are never
// stored: they pass through on the thread that calls.
#[cfg(feature = "std")]
unsafe impl<E: ?Sized, R> Send for Handle<E, R, crate::family::Shared> {}
// SAFETY: as above.
#[cfg(feature = "std")]
unsafe impl<E: ?Sized, R> Sync for Handle<E, R, crate::family::Shared> {}

/// A method that is not implied by its type, beside the weak owner it is called on.
struct Adapter<O: ?Sized, I, F: Family> {
    owner: F::Weak<O>,
    method: I,
}

/// Calls the method of an [`Adapter`].
struct Through<O: ?Sized, I, F>(PhantomData<(*const O, I, F)>);

impl<O: ?Sized + 'static, I, E: ?Sized, R, F: Family> Invoke<Adapter<O, I, F>, E, R, F>
    for Through<O, I, F>
where
    I: Invoke<O, E, R, F>,
{
    const IS_OWNER: bool = false;
    type Method = I::Method;
    fn invoke(&self, adapter: &Adapter<O, I, F>, event: &E) -> Option<R> {
        let owner = F::upgrade(&adapter.owner)?;
        adapter.method.invoke(&owner, event)
    }
    fn owner(adapter: &Adapter<O, I, F>) -> *const () {
        F::weak_as_ptr(&adapter.owner).cast()
    }
    fn is_alive(adapter: &Adapter<O, I, F>) -> bool {
        F::is_alive(&adapter.owner)
    }
    fn pin(adapter: F::Strong<Adapter<O, I, F>>) -> Option<Anchor<F>> {
        F::upgrade(&adapter.owner).map(Anchor::new)
    }
}

/// Calls the target, which is a closure.
struct Itself;

impl<C: Fn(&E) -> R + 'static, E: ?Sized, R, F: Family> Invoke<C, E, R, F> for Itself {
    type Method = C;
    fn invoke(&self, closure: &C, event: &E) -> Option<R> {
        Some(closure(event))
    }
}

struct Nobody;

impl<E: ?Sized, R, F: Family> Invoke<(), E, R, F> for Nobody {
    type Method = Nobody;
    fn invoke(&self, (): &(), _: &E) -> Option<R> {
        None
    }
}

/// Whether a pointer to `T` is one word, so that it can be had back from its address.
pub(super) const fn is_thin<T: ?Sized>() -> bool {
    size_of::<*const T>() == size_of::<*const ()>()
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

#[inline(always)]
pub(super) fn thin_from<T: ?Sized>(data: *const ()) -> *const T {
    assert!(is_thin::<T>());
    // SAFETY: both are pointers of one word.
    unsafe { transmute_copy::<*const (), *const T>(&data) }
}

/// The weak pointer behind `data`, without taking it.
///
/// # Safety
/// `data` came from `weak_into_raw` for `T`, and has not been released.
#[inline(always)]
unsafe fn borrow<T: ?Sized, F: Family>(data: *const ()) -> ManuallyDrop<F::Weak<T>> {
    // SAFETY: the caller's promise; `ManuallyDrop` leaves the reference where it is.
    ManuallyDrop::new(unsafe { F::weak_from_raw(thin_from(data)) })
}

unsafe fn call<T: ?Sized, I, E: ?Sized, R, F: Family>(data: *const (), event: &E) -> Option<R>
where
    I: Invoke<T, E, R, F>,
{
    // SAFETY: `Handle` calls this with the data its table was made for; so do all below.
    let Some(target) = F::upgrade(&*unsafe { borrow::<T, F>(data) }) else {
        seldom();
        return None;
    };
    implied::<I>().invoke(&target, event)
}

unsafe fn call_through<T: ?Sized, I, E: ?Sized, R, F: Family>(
    data: *const (),
    state: &F::State,
    key_bits: u64,
    desk: &dyn Desk,
    event: &E,
) -> Called<R>
where
    I: Invoke<T, E, R, F>,
{
    // SAFETY: as in `call`.
    let Some(target) = F::upgrade(&*unsafe { borrow::<T, F>(data) }) else {
        seldom();
        return Called::Dead;
    };
    if !I::IS_OWNER && !I::is_alive(&target) {
        return Called::Dead;
    }
    if !(Gate::<F> { state, key_bits, desk }).is_open() {
        seldom();
        return Called::Refused;
    }
    match implied::<I>().invoke(&target, event) {
        Some(result) => Called::Returned(result),
        None => Called::Dead,
    }
}

unsafe fn clone<T: ?Sized, F: Family>(data: *const ()) {
    // SAFETY: as in `call`. The new reference is left to the clone of the handle.
    let _ = ManuallyDrop::new((*unsafe { borrow::<T, F>(data) }).clone());
}

unsafe fn release<T: ?Sized, F: Family>(data: *const ()) {
    // SAFETY: as in `call`, and the handle ends here.
    drop(unsafe { F::weak_from_raw::<T>(thin_from(data)) });
}

unsafe fn is_alive<T: ?Sized, I, E: ?Sized, R, F: Family>(data: *const ()) -> bool
where
    I: Invoke<T, E, R, F>,
{
    // SAFETY: as in `call`.
    let target = unsafe { borrow::<T, F>(data) };
    if I::IS_OWNER {
        // Without holding it: this may run under a lock, where the owner must not be dropped.
        F::is_alive(&*target)
    } else {
        F::upgrade(&*target).is_some_and(|target| I::is_alive(&target))
    }
}

unsafe fn owner<T: ?Sized, I, E: ?Sized, R, F: Family>(data: *const ()) -> *const ()
where
    I: Invoke<T, E, R, F>,
{
    if I::IS_OWNER {
        return data;
    }
    // SAFETY: as in `call`.
    let target = unsafe { borrow::<T, F>(data) };
    F::upgrade(&*target).map_or(core::ptr::null(), |target| I::owner(&target))
}

unsafe fn pin<T: ?Sized, I, E: ?Sized, R, F: Family>(data: *const ()) -> Option<Anchor<F>>
where
    I: Invoke<T, E, R, F>,
{
    // SAFETY: as in `call`.
    let target = unsafe { borrow::<T, F>(data) };
    F::upgrade(&*target).and_then(I::pin)
}
