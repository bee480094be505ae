use core::any::{TypeId, type_name};
use core::marker::PhantomData;
use core::mem::needs_drop;
use core::ops::Deref;
#[cfg(feature = "async")]
use core::sync::atomic::Ordering;

use super::erased_ptr::{ErasedPtr, fits};
use super::versions::is_begun_to_call;
use super::{
    Admission, Caller, Checked, Hold, KeepAlive, Link, Liveness, NotCalled, Target, Typed,
};
#[cfg(feature = "async")]
use super::{Intake, Keeper, inlet::Inlet};
use crate::base::SlotKey;
use crate::raw::{Flavor, SlotState, StateCell};

/// How a slot calls its method `M` on a target `T`.
pub(crate) trait Invoke<M, T: ?Sized, E: ?Sized, R, F: Flavor>: 'static {
    /// Returns `None` if the target is not the owner itself and the owner is gone.
    fn invoke(method: &M, target: Target<impl Hold<Target = T>, F>, event: &E) -> Option<R>;
    /// As `invoke`, but may instead release the target and [call](Again::call) once more.
    #[inline(always)]
    fn invoke_or_again(
        method: &M,
        target: Target<impl Hold<Target = T>, F>,
        event: &E,
        _again: Again<'_, E, R>,
    ) -> Option<R> {
        Self::invoke(method, target, event)
    }
    /// The type that identifies the method and gives its name.
    type Method: 'static;
}

/// The current call of a handle, to be made once more. If the call finds something missing, it runs
/// a function that ends with this call and does nothing after it. Therefore a call that finds
/// nothing missing saves no registers, and needs no stack frame.
#[cfg_attr(not(feature = "async"), allow(dead_code))]
pub(crate) struct Again<'c, E: ?Sized, R> {
    call: unsafe fn(ErasedPtr, &E) -> Option<R>,
    data: ErasedPtr,
    /// The event is lent to the call, and the handle exists as long as its call is under way.
    call_lasts: PhantomData<&'c E>,
}

#[cfg(feature = "async")]
impl<E: ?Sized, R> Again<'_, E, R> {
    #[inline(always)]
    pub(super) fn call(self, event: &E) -> Option<R> {
        // SAFETY: as when it was called first.
        unsafe { (self.call)(self.data, event) }
    }
}

/// How to get from a target `T` to its owner. It does not depend on the method.
trait Reach<T: ?Sized, F> {
    /// Whether the target is the owner. Then it is alive exactly when the owner is.
    const IS_OWNER: bool;
    /// Whether only the holder of the handle keeps the target alive.
    const IS_OWN: bool;
    /// The address of the owner.
    fn owner(target: &T) -> *const ();
    fn liveness(target: &T) -> Liveness;
    /// Keeps the owner alive, if it is.
    ///
    /// # Safety
    /// The target is out of a handle of this flavor.
    unsafe fn pin<S: Deref<Target = T> + Clone>(target: S) -> Option<KeepAlive<F>>;
}

/// The target is the owner.
struct Direct<const IS_OWN: bool>;

impl<T: ?Sized, F, const IS_OWN: bool> Reach<T, F> for Direct<IS_OWN> {
    const IS_OWNER: bool = true;
    const IS_OWN: bool = IS_OWN;
    fn owner(target: &T) -> *const () {
        core::ptr::from_ref(target).cast()
    }
    fn liveness(_: &T) -> Liveness {
        Liveness::Alive
    }
    #[inline(always)]
    unsafe fn pin<S: Deref<Target = T> + Clone>(target: S) -> Option<KeepAlive<F>> {
        // SAFETY: the caller's promise: handles are made of what was `Checked`.
        Some(unsafe { KeepAlive::new(target) })
    }
}

/// The target is an object of the user.
type ToOwner = Direct<false>;
/// The target was made for the handle.
type ToOwn = Direct<true>;

/// For calls that need no signal's permission.
struct AdmitsAll;

impl Admission for AdmitsAll {
    fn admits(&self, _: SlotKey) -> bool {
        true
    }
}

/// Tells the compiler that this branch is unlikely.
#[cold]
pub(super) fn seldom() {}

/// A weak method handle: a weak pointer to a target and what to call on it, in two words.
///
/// If the method is a path or a closure without captures, the target is the owner itself. The
/// method's type then contains all information, so the handle needs no memory of its own. Otherwise
/// the target is an [`Adapter`] that holds the method and a weak pointer to the owner. The
/// [`KeepAlive`] that comes with the handle keeps the adapter alive. Dropping the `KeepAlive` drops
/// what the method captured: at once, or right after the current call.
pub(crate) type Handle<E, R, F> = Typed<E, R, AnyHandle<F>>;

/// A [`Handle`] with its event and result types erased, so it cannot be called.
pub(crate) struct AnyHandle<F: Flavor> {
    /// The weak pointer to the target.
    data: ErasedPtr,
    table: &'static HandleVtable<F>,
}

/// A weak pointer that will become part of a [`Handle`]. Dropping it leaks the pointer.
pub(crate) struct StoredLink<L, F>(ErasedPtr, PhantomData<(L, F)>);

impl<L, F> StoredLink<L, F> {
    /// For a pointer that [fits](Handle::is_bare).
    pub(crate) fn new(link: Checked<L, F>) -> Self {
        StoredLink(ErasedPtr::new(link.0), PhantomData)
    }
}

type CallThrough<E, R, F> =
    unsafe fn(ErasedPtr, &StateCell<F>, &mut Caller<'_>, &E) -> Result<R, NotCalled>;

/// The functions that depend on the method.
struct HandleVtable<F: Flavor> {
    /// A [`CallFn`] whose types are erased.
    call: unsafe fn(),
    /// The method's identity and name.
    method: unsafe fn(ErasedPtr) -> (TypeId, &'static str),
    link: &'static LinkVtable<F>,
}

/// The flavor decides which field is used. Each function in a table adds 32 bytes to a program,
/// including its relocation.
#[repr(C)]
union CallFn<E: ?Sized, R, F: Flavor> {
    any: unsafe fn(),
    /// For one thread.
    alone: unsafe fn(ErasedPtr, &E) -> Option<R>,
    /// For several threads. All arguments are passed in registers: an argument in memory would have
    /// to be written before the owner can be upgraded.
    through: CallThrough<E, R, F>,
}

type WhileEntered = for<'c> unsafe fn(
    ErasedPtr,
    &mut Caller<'c>,
    &mut dyn FnMut(&mut Caller<'c>),
) -> Result<(), NotCalled>;

/// The functions that depend only on the weak pointer.
struct LinkVtable<F: Flavor> {
    clone: unsafe fn(ErasedPtr) -> ErasedPtr,
    release: unsafe fn(ErasedPtr),
    liveness: unsafe fn(ErasedPtr) -> Liveness,
    owner: unsafe fn(ErasedPtr) -> *const (),
    pin: unsafe fn(ErasedPtr) -> Option<KeepAlive<F>>,
    own_keep_alive: unsafe fn(ErasedPtr) -> Option<KeepAlive<F>>,
    while_entered: WhileEntered,
    finish_entering: unsafe fn(ErasedPtr, &mut Caller<'_>) -> bool,
}

/// The tables for a target behind a link of type `L`, where `I` calls `M` and `W` leads to the
/// owner.
struct VtablesOf<I, W, L, M, E: ?Sized, R, F> {
    how: PhantomData<(I, W)>,
    on: PhantomData<(L, M)>,
    result: PhantomData<(R, F)>,
    event: PhantomData<E>,
}

impl<I, W, L, M, E, R, F> VtablesOf<I, W, L, M, E, R, F>
where
    I: Invoke<M, L::Target, E, R, F>,
    W: Reach<L::Target, F>,
    L: Link,
    M: 'static,
    E: ?Sized,
    F: Flavor,
{
    const LINK: LinkVtable<F> = LinkVtable {
        clone: clone::<L>,
        release: release::<L>,
        liveness: liveness::<W, L, F>,
        owner: owner::<W, L, F>,
        pin: pin::<W, L, F>,
        own_keep_alive: if W::IS_OWN { own_keep_alive::<L, F> } else { no_keep_alive },
        while_entered: while_entered::<W, L, F>,
        finish_entering: if L::FINISHES_ENTERING {
            finish_entering::<L>
        } else {
            nothing_to_finish
        },
    };
    /// Only the way of calling that is used gets compiled.
    const CALL: CallFn<E, R, F> = if F::THREADED {
        CallFn { through: call_through::<I, W, L, M, E, R, F> }
    } else {
        CallFn { alone: call::<I, L, M, E, R, F> }
    };
    const TABLE: HandleVtable<F> = HandleVtable {
        // SAFETY: all pointers to functions are alike, as long as they are not called.
        call: unsafe { Self::CALL.any },
        method: if L::KNOWS_METHOD { known_method::<L> } else { method::<I::Method> },
        link: &Self::LINK,
    };
}

impl<E: ?Sized, R, F: Flavor> Handle<E, R, F> {
    /// A handle to `method` of `owner`. The `KeepAlive`, if there is one, owns what the handle
    /// needs besides the owner.
    #[inline(always)]
    pub(crate) fn new<I, L, M>(
        owner: Checked<L, F>,
        method: Checked<M, F>,
    ) -> (Self, Option<KeepAlive<F>>)
    where
        I: Invoke<M, L::Target, E, R, F>,
        L: Link + 'static,
        M: 'static,
    {
        // The branch that is not taken is not compiled.
        if const { Self::is_bare::<L, M>() } {
            (Self::to_target::<I, ToOwner, L, M>(owner.0), None)
        } else {
            Self::adapted::<I, L, M>(owner.0, method.0)
        }
    }

    /// Whether a handle to an `M` needs nothing besides the owner.
    pub(crate) const fn is_bare<L, M>() -> bool {
        fits::<L>() && is_implied::<M>()
    }

    /// A handle that [needs nothing](Self::is_bare) besides the owner.
    #[inline(always)]
    pub(crate) fn bare<I, L, M>(owner: StoredLink<L, F>, _method: &Checked<M, F>) -> Self
    where
        I: Invoke<M, L::Target, E, R, F>,
        L: Link,
        M: 'static,
    {
        if const { !is_implied::<M>() } {
            unreachable!("the method has a place of its own");
        }
        // SAFETY: the table was made for these types, and for that of the data.
        unsafe {
            Typed::assume(AnyHandle {
                data: owner.0,
                table: &VtablesOf::<I, ToOwner, L, M, E, R, F>::TABLE,
            })
        }
    }

    fn adapted<I, L, M>(owner: L, method: M) -> (Self, Option<KeepAlive<F>>)
    where
        I: Invoke<M, L::Target, E, R, F>,
        L: Link + 'static,
        M: 'static,
    {
        let adapter = F::strong(Adapter { owner, method });
        let handle = Self::to_target::<ThroughAdapter<I>, Behind, _, ()>(F::downgrade(&adapter));
        // SAFETY: both parts of the adapter were `Checked`.
        (handle, Some(unsafe { KeepAlive::new(adapter) }))
    }

    /// A handle to a closure, which the `KeepAlive` owns.
    pub(crate) fn closure<C: Fn(&E) -> R + 'static>(
        closure: Checked<C, F>,
    ) -> (Self, KeepAlive<F>) {
        Self::owned::<CallClosure, C>(closure)
    }

    /// A handle to a target, which the `KeepAlive` owns.
    pub(crate) fn owned<I, T>(target: Checked<T, F>) -> (Self, KeepAlive<F>)
    where
        I: Invoke<(), T, E, R, F>,
        T: 'static,
    {
        let target = F::strong(target.0);
        let handle = Self::to_target::<I, ToOwn, _, ()>(F::downgrade(&target));
        // SAFETY: the target was `Checked`.
        (handle, unsafe { KeepAlive::new(target) })
    }

    /// A handle that holds its target. Dropping the target must not drop user values, because it
    /// may be dropped under the signal's lock: see [`KeepAlive::until_the_end`].
    #[cfg(feature = "std")]
    pub(crate) fn held<I, T>(target: Checked<T, F>) -> Self
    where
        I: Invoke<(), T, E, R, F>,
        T: super::StandIn + 'static,
    {
        Self::to_target::<I, ToOwner, _, ()>(super::Held::new(target.0))
    }

    #[inline(always)]
    fn to_target<I, W, L, M>(target: L) -> Self
    where
        I: Invoke<M, L::Target, E, R, F>,
        W: Reach<L::Target, F>,
        L: Link,
        M: 'static,
    {
        if const { !is_implied::<M>() } {
            unreachable!("the method has a place of its own");
        }
        let data = ErasedPtr::new(target);
        // SAFETY: the table was made for these types, and for that of the data.
        unsafe {
            Typed::assume(AnyHandle { data, table: &VtablesOf::<I, W, L, M, E, R, F>::TABLE })
        }
    }

    /// Calls the method if the owner is alive.
    #[inline]
    pub(crate) fn call(&self, event: &E) -> Option<R> {
        if F::THREADED {
            return self.call_in(&mut Caller::new(&AdmitsAll), event);
        }
        // SAFETY: `table` was made for the type of `data`, here and below; for these of the event
        // and the result; and for one thread.
        unsafe { (CallFn::<E, R, F> { any: self.table.call }.alone)(self.data, event) }
    }

    /// Calls the method with this caller, if the owner is alive.
    fn call_in<'l>(&'l self, caller: &mut Caller<'l>, event: &E) -> Option<R> {
        if !F::THREADED {
            return self.call(event);
        }
        let state = StateCell::new(SlotState::Call);
        loop {
            match self.call_through(&state, caller, event) {
                Ok(result) => return Some(result),
                Err(why) if self.can_go_on(caller, why) => (),
                Err(_) => return None,
            }
        }
    }

    /// Calls the method if the owner is alive and the slot's state allows the call without asking
    /// the ledger. Must come after [`ReaderCell::begin`](super::ReaderCell::begin).
    #[inline(always)]
    pub(crate) fn call_through<'l>(
        &'l self,
        state: &StateCell<F>,
        caller: &mut Caller<'l>,
        event: &E,
    ) -> Result<R, NotCalled> {
        if const { !F::THREADED } {
            return Err(NotCalled::Asks);
        }
        // SAFETY: as in `call`, but for more threads. And this handle keeps the target's memory for
        // `'l`.
        let call = CallFn::<E, R, F> { any: self.table.call };
        // SAFETY: see above.
        unsafe { (call.through)(self.data, state, caller, event) }
    }

    /// Calls the method if `is_admitted` returns true. `is_admitted` runs while the owner, and what
    /// the method captured, are held, so a claimed call is not lost because the owner has gone, and
    /// `is_admitted` may drop other references to them. Returns `None` if the owner is gone or the
    /// call was not admitted.
    pub(crate) fn ask_and_call<'l>(
        &'l self,
        caller: &mut Caller<'l>,
        event: &E,
        is_admitted: &dyn Fn() -> bool,
    ) -> Option<R> {
        let mut result = None;
        let mut call = |caller: &mut Caller<'l>| {
            if is_admitted() {
                result = self.call_in(caller, event);
            }
        };
        loop {
            // SAFETY: as in `call_through`; and only this target is entered.
            match unsafe { (self.table.link.while_entered)(self.data, caller, &mut call) } {
                Err(why) if self.can_go_on(caller, why) => (),
                Ok(()) | Err(_) => return result,
            }
        }
    }
}

impl<F: Flavor> AnyHandle<F> {
    /// A handle to no method, without memory of its own.
    pub(super) fn vacant() -> Self {
        let handle = Handle::<(), (), F>::to_target::<CallNobody, ToOwner, _, ()>(F::dangling());
        // SAFETY: the handle calls no method, so its types do not matter.
        unsafe { handle.forget_types() }
    }

    /// Prepares for another try to call the method. Returns false if the method cannot be called.
    pub(crate) fn can_go_on<'l>(&'l self, caller: &mut Caller<'l>, why: NotCalled) -> bool {
        match why {
            NotCalled::NeedsCell => {
                caller.find_cell();
                true
            }
            // SAFETY: as in `call_through`.
            NotCalled::Begun => unsafe { (self.table.link.finish_entering)(self.data, caller) },
            NotCalled::Dead | NotCalled::Asks => false,
        }
    }

    pub(crate) fn liveness(&self) -> Liveness {
        // SAFETY: as in `call`.
        unsafe { (self.table.link.liveness)(self.data) }
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.liveness() == Liveness::Alive
    }

    /// The owner's address, also after the owner is gone.
    pub(crate) fn owner(&self) -> *const () {
        // SAFETY: as in `call`.
        unsafe { (self.table.link.owner)(self.data) }
    }

    /// Keeps the owner alive, if it is alive now.
    pub(crate) fn pin(&self) -> Option<KeepAlive<F>> {
        // SAFETY: as in `call`.
        unsafe { (self.table.link.pin)(self.data) }
    }

    /// Keeps the target alive, if it was made for this handle and still exists.
    pub(super) fn own_keep_alive(&self) -> Option<KeepAlive<F>> {
        // SAFETY: as in `call`.
        unsafe { (self.table.link.own_keep_alive)(self.data) }
    }

    pub(crate) fn method(&self) -> TypeId {
        // SAFETY: as in `call`.
        unsafe { (self.table.method)(self.data) }.0
    }

    /// The name of the method's type. For a method path, this is the path.
    pub(crate) fn name(&self) -> &'static str {
        // SAFETY: as in `call`.
        unsafe { (self.table.method)(self.data) }.1
    }
}

impl<F: Flavor> AnyHandle<F> {
    /// A clone, for an entry like the one this handle is in, or for code that knows its types.
    pub(super) fn another(&self) -> Self {
        // SAFETY: as in `call`.
        AnyHandle { data: unsafe { (self.table.link.clone)(self.data) }, table: self.table }
    }
}

impl<F: Flavor> Drop for AnyHandle<F> {
    fn drop(&mut self) {
        // SAFETY: as in `call`, and this runs once.
        unsafe { (self.table.link.release)(self.data) }
    }
}

// SAFETY: all that a thread-safe handle can reach was `Checked` when it was made: weak pointers to
// owners, methods, targets. Events and results are never stored: they pass through on the thread
// that calls.
#[cfg(feature = "std")]
unsafe impl Send for AnyHandle<crate::raw::Shared> {}
// SAFETY: as above.
#[cfg(feature = "std")]
unsafe impl Sync for AnyHandle<crate::raw::Shared> {}

/// A method that its type does not imply, with the weak owner on which it is called.
struct Adapter<L, M> {
    owner: L,
    method: M,
}

/// Calls the method of an [`Adapter`] with `I`.
struct ThroughAdapter<I>(PhantomData<I>);

impl<I, L, M, E, R, F> Invoke<(), Adapter<L, M>, E, R, F> for ThroughAdapter<I>
where
    I: Invoke<M, L::Target, E, R, F>,
    L: Link + 'static,
    M: 'static,
    E: ?Sized,
    F: Flavor,
{
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
}

/// The owner is behind the target, which is an [`Adapter`].
struct Behind;

impl<L: Link + 'static, M, F> Reach<Adapter<L, M>, F> for Behind {
    const IS_OWNER: bool = false;
    const IS_OWN: bool = true;
    fn owner(adapter: &Adapter<L, M>) -> *const () {
        adapter.owner.address()
    }
    fn liveness(adapter: &Adapter<L, M>) -> Liveness {
        adapter.owner.liveness()
    }
    unsafe fn pin<S: Deref<Target = Adapter<L, M>>>(adapter: S) -> Option<KeepAlive<F>> {
        // SAFETY: the caller's promise: the owner is behind a target that was `Checked`.
        adapter.owner.upgrade().map(|owner| unsafe { KeepAlive::new(owner) })
    }
}

/// Calls the target, which is a closure.
struct CallClosure;

impl<C: Fn(&E) -> R + 'static, E: ?Sized, R, F: Flavor> Invoke<(), C, E, R, F> for CallClosure {
    type Method = C;
    fn invoke((): &(), closure: Target<impl Hold<Target = C>, F>, event: &E) -> Option<R> {
        Some(closure(event))
    }
}

struct CallNobody;

impl<E: ?Sized, R, F: Flavor> Invoke<(), (), E, R, F> for CallNobody {
    type Method = CallNobody;
    fn invoke((): &(), _: Target<impl Hold<Target = ()>, F>, _: &E) -> Option<R> {
        None
    }
}

/// The tables of a target that takes events over.
#[cfg(feature = "async")]
struct IntakeVtables<T, E: ?Sized, F>(PhantomData<(T, F)>, PhantomData<E>);

#[cfg(feature = "async")]
impl<T: Intake<E> + 'static, E: ?Sized + 'static, F: Flavor> IntakeVtables<T, E, F> {
    const LINK: LinkVtable<F> = LinkVtable {
        clone: clone::<Inlet<F::Strong<T>>>,
        release: release::<Inlet<F::Strong<T>>>,
        liveness: liveness::<ToOwn, Inlet<F::Strong<T>>, F>,
        owner: owner::<ToOwn, Inlet<F::Strong<T>>, F>,
        pin: pin::<ToOwn, Inlet<F::Strong<T>>, F>,
        own_keep_alive: own_keep_alive::<Inlet<F::Strong<T>>, F>,
        while_entered: while_entered::<ToOwn, Inlet<F::Strong<T>>, F>,
        finish_entering: nothing_to_finish,
    };
    const CALL: CallFn<E, (), F> = if F::THREADED {
        CallFn { through: hand_over_through::<T, E, F> }
    } else {
        CallFn { alone: hand_over::<T, E, F> }
    };
    const TABLE: HandleVtable<F> = HandleVtable {
        // SAFETY: all pointers to functions are alike, as long as they are not called.
        call: unsafe { Self::CALL.any },
        method: method::<T>,
        link: &Self::LINK,
    };
}

#[cfg(feature = "async")]
impl<E: ?Sized + 'static, F: Flavor> Handle<E, (), F> {
    /// A handle to a target that takes events over. The `KeepAlive` keeps the target from its end.
    pub(crate) fn intake<T: Intake<E> + 'static>(
        keeper: Checked<Keeper<F::Strong<T>>, F>,
    ) -> (Self, KeepAlive<F>) {
        let data = ErasedPtr::new(Inlet(keeper.0.strong().clone()));
        let handle = AnyHandle { data, table: &IntakeVtables::<T, E, F>::TABLE };
        // SAFETY: the vtable was made for this event, a unit, and the type of the data; and the keeper
        // was `Checked`.
        unsafe { (Typed::assume(handle), KeepAlive::new(keeper.0)) }
    }
}

#[cfg(feature = "async")]
unsafe fn hand_over<T: Intake<E>, E: ?Sized, F: Flavor>(data: ErasedPtr, event: &E) -> Option<()> {
    // SAFETY: as in `call`.
    let inlet = unsafe { data.get::<Inlet<F::Strong<T>>>() };
    inlet.0.take_over(event, || true).then_some(())
}

/// # Safety
/// As for `call_through`.
#[cfg(feature = "async")]
unsafe fn hand_over_through<T: Intake<E>, E: ?Sized, F: Flavor>(
    data: ErasedPtr,
    state: &StateCell<F>,
    _: &mut Caller<'_>,
    event: &E,
) -> Result<(), NotCalled> {
    // SAFETY: as in `call`.
    let inlet = unsafe { data.get::<Inlet<F::Strong<T>>>() };
    if !state.is(SlotState::Call, Ordering::Relaxed) {
        return Err(NotCalled::Asks);
    }
    // The state is read after an exchange, where the target's end either has not come yet or has
    // come already. Therefore, when the end is reported, all events of calls that were answered
    // with yes have been taken over.
    let is_called = inlet.0.take_over(event, || is_begun_to_call::<F>(state, true));
    if is_called { Ok(()) } else { Err(NotCalled::Asks) }
}

/// Whether a value of `M` can be made from its type alone.
const fn is_implied<M>() -> bool {
    size_of::<M>() == 0 && !needs_drop::<M>()
}

/// A method whose type implies its value.
///
/// # Safety
/// [`is_implied`] is true for `M`, and a value of `M` has existed.
#[inline(always)]
unsafe fn implied<M: 'static>() -> &'static M {
    // SAFETY: `M` has size zero, so any aligned address holds a value of it. A value exists that
    // the reference can refer to: `M` needs no drop, so releasing the value only forgot it, which
    // is what `Box::leak` does for a zero-sized value.
    unsafe { &*core::ptr::dangling::<M>() }
}

unsafe fn call<I, L: Link, M: 'static, E: ?Sized, R, F: Flavor>(
    data: ErasedPtr,
    event: &E,
) -> Option<R>
where
    I: Invoke<M, L::Target, E, R, F>,
{
    // SAFETY: `Handle` calls this with the data its table was made for; so do all below.
    let Some(target) = unsafe { data.get::<L>() }.upgrade() else {
        seldom();
        return None;
    };
    let again = Again { call: call::<I, L, M, E, R, F>, data, call_lasts: PhantomData };
    // SAFETY: it is out of a handle, which was made of what was `Checked`; and of a method, if it
    // is not a unit.
    unsafe { I::invoke_or_again(implied::<M>(), Target::new(target), event, again) }
}

/// # Safety
/// As for `call`; and the target's memory must be kept until `caller` is dropped.
unsafe fn call_through<I, W, L: Link, M: 'static, E: ?Sized, R, F: Flavor>(
    data: ErasedPtr,
    state: &StateCell<F>,
    caller: &mut Caller<'_>,
    event: &E,
) -> Result<R, NotCalled>
where
    I: Invoke<M, L::Target, E, R, F>,
    W: Reach<L::Target, F>,
{
    let mut why = NotCalled::Dead;
    // SAFETY: as in `call`.
    let method = unsafe { implied::<M>() };
    // SAFETY: the caller's promise.
    let Some(target) = (unsafe { enter::<W, L, F>(&data, state, caller, &mut why) }) else {
        return Err(why);
    };
    match I::invoke(method, target, event) {
        Some(result) => Ok(result),
        None => Err(NotCalled::Dead),
    }
}

/// The beginning of a call, which does not depend on the method. In unoptimized builds, it is one
/// function for all methods. (It does not return a `Result`, which would cost each call 4
/// instructions.)
///
/// # Safety
/// As for `call_through`.
#[cfg_attr(not(debug_assertions), inline(always))]
unsafe fn enter<'a, W: Reach<L::Target, F>, L: Link, F: Flavor>(
    data: &'a ErasedPtr,
    state: &StateCell<F>,
    caller: &mut Caller<'_>,
    why: &mut NotCalled,
) -> Option<Target<L::Entered<'a>, F>> {
    // Rare work is left to the caller, so registers for it need not be saved here.
    // SAFETY: the caller's promise. It enters one target at a time, since `caller` stays mutably
    // borrowed during the call.
    let target = match unsafe { data.get::<L>().enter(caller) } {
        Ok(target) => target,
        Err(not_called) => {
            *why = not_called;
            return None;
        }
    };
    if !W::IS_OWNER && W::liveness(&target) != Liveness::Alive {
        *why = NotCalled::Dead;
    } else if !is_begun_to_call::<F>(state, L::ENTERS_BY_EXCHANGE) {
        *why = NotCalled::Asks;
    } else {
        // SAFETY: it is out of a handle, which was made of what was `Checked`.
        return Some(unsafe { Target::new(target) });
    }
    pass_over(target, caller);
    None
}

#[cold]
fn pass_over<H>(_target: H, caller: &Caller<'_>) {
    caller.admission().passing_over(true);
}

/// # Safety
/// As for `call_through`, which must have just returned `Begun`.
unsafe fn finish_entering<L: Link>(data: ErasedPtr, caller: &mut Caller<'_>) -> bool {
    // SAFETY: as in `call`, and the caller's promise.
    unsafe { data.get::<L>().finish_entering(caller) }
}

unsafe fn nothing_to_finish(_: ErasedPtr, _: &mut Caller<'_>) -> bool {
    true
}

unsafe fn method<M: 'static>(_: ErasedPtr) -> (TypeId, &'static str) {
    (TypeId::of::<M>(), type_name::<M>())
}

unsafe fn known_method<L: Link>(data: ErasedPtr) -> (TypeId, &'static str) {
    // SAFETY: as in `call`.
    unsafe { data.get::<L>() }.method()
}

unsafe fn clone<L: Link>(data: ErasedPtr) -> ErasedPtr {
    // SAFETY: as in `call`.
    ErasedPtr::new(unsafe { data.get::<L>() }.clone())
}

unsafe fn release<L: Link>(data: ErasedPtr) {
    // SAFETY: as in `call`, and the handle ends here.
    let _link = unsafe { data.take::<L>() };
}

unsafe fn liveness<W: Reach<L::Target, F>, L: Link, F>(data: ErasedPtr) -> Liveness {
    // SAFETY: as in `call`.
    let target = unsafe { data.get::<L>() };
    if W::IS_OWNER {
        // Do not hold the target: this may run under a lock, where the owner must not be dropped.
        target.liveness()
    } else {
        target.upgrade().map_or(Liveness::Gone, |target| W::liveness(&target))
    }
}

unsafe fn owner<W: Reach<L::Target, F>, L: Link, F>(data: ErasedPtr) -> *const () {
    // SAFETY: as in `call`.
    let target = unsafe { data.get::<L>() };
    if W::IS_OWNER {
        return target.address();
    }
    target.upgrade().map_or(core::ptr::null(), |target| W::owner(&target))
}

/// # Safety
/// As for `call_through`; and `act` must enter only this target.
unsafe fn while_entered<'c, W: Reach<L::Target, F>, L: Link, F>(
    data: ErasedPtr,
    caller: &mut Caller<'c>,
    act: &mut dyn FnMut(&mut Caller<'c>),
) -> Result<(), NotCalled> {
    // SAFETY: as in `call`.
    let link = unsafe { data.get::<L>() };
    // SAFETY: the caller's promise. If `act` enters the target once more and leaves it, this only
    // notes in the same place again that the target is being called.
    let target = unsafe { link.enter(caller) }?;
    // Otherwise the owner that was left last could be destroyed, and panic, after `act` has asked
    // and before it calls.
    link.forget_left(caller);
    if !W::IS_OWNER && W::liveness(&target) != Liveness::Alive {
        pass_over(target, caller);
        return Err(NotCalled::Dead);
    }
    act(caller);
    Ok(())
}

unsafe fn own_keep_alive<L: Link, F>(data: ErasedPtr) -> Option<KeepAlive<F>> {
    // SAFETY: as in `call`.
    // The target is out of a handle, which was made of what was `Checked`.
    unsafe { data.get::<L>().upgrade().map(|target| KeepAlive::new(target)) }
}

unsafe fn no_keep_alive<F>(_: ErasedPtr) -> Option<KeepAlive<F>> {
    None
}

unsafe fn pin<W: Reach<L::Target, F>, L: Link, F>(data: ErasedPtr) -> Option<KeepAlive<F>> {
    // SAFETY: as in `call`.
    match unsafe { data.get::<L>() }.upgrade() {
        // SAFETY: it is out of a handle.
        Some(target) => unsafe { W::pin(target) },
        None => None,
    }
}
