//! The two kinds of queue: for methods of `Arc` owners, and for methods of `Rc` owners.

use core::any::{Any, TypeId, type_name};
use core::cell::Cell;

use crate::raw::Flavor;
use crate::raw::{Handle, HomeThread, Liveness, ThreadBound};
use crate::raw::{Local, Shared};
use crate::signal::WeakMethod;

/// Returns a method's identity and name.
pub(super) type MethodName = fn() -> (TypeId, &'static str);

/// The `MethodName` of the method type `M`, for flavors that need it.
pub(super) fn method_name<M: 'static, H: QueueFlavor>() -> Option<MethodName> {
    // For other flavors the closure is not compiled.
    if const { H::IS_THREAD_BOUND } { Some(|| (TypeId::of::<M>(), type_name::<M>())) } else { None }
}

/// The kind of owners that a queue's handlers have. With `Shared` they are `Arc` owners, which any
/// thread may access. With `Local` they are `Rc` owners, which only the loop's thread may access.
/// The trait is sealed: there are only these two.
///
/// Each method has two parts: a *view*, which emitting threads look at, and the *method* itself,
/// which only a run, or the code that ends it, looks at.
pub trait QueueFlavor: Flavor {
    /// State that the methods need on the loop's thread. If methods are thread-bound, it never
    /// leaves that thread.
    #[doc(hidden)]
    type LoopSide: Default;
    #[doc(hidden)]
    type View<E: 'static>: Send + Sync + 'static;
    #[doc(hidden)]
    type Method<E: 'static>: Send + 'static;
    /// Whether methods may be accessed and dropped only on the loop's thread.
    #[doc(hidden)]
    const IS_THREAD_BOUND: bool;
    /// Drops nothing, because the caller holds the signal's lock.
    #[doc(hidden)]
    fn bind<E: 'static>(
        loop_side: &Self::LoopSide,
        method: WeakMethod<E, (), Self>,
        name: Option<MethodName>,
    ) -> (Self::View<E>, Self::Method<E>);
    #[doc(hidden)]
    fn call<E: 'static>(
        loop_side: &Self::LoopSide,
        method: &mut Self::Method<E>,
        event: &E,
    ) -> Option<()>;
    /// Whether the owner is alive.
    #[doc(hidden)]
    fn is_alive<E: 'static>(loop_side: &Self::LoopSide, method: &Self::Method<E>) -> bool;
    /// Whether the owner is gone for good, where only the loop's thread can see that.
    #[doc(hidden)]
    fn is_gone<E: 'static>(loop_side: &Self::LoopSide, method: &mut Self::Method<E>) -> bool;
    /// Whether the owner is alive, as far as emitting threads can see. If they cannot see it, it
    /// counts as alive.
    #[doc(hidden)]
    fn liveness<E: 'static>(view: &Self::View<E>) -> Liveness;
    /// Where the owner is, or was.
    #[doc(hidden)]
    fn owner<E: 'static>(view: &Self::View<E>) -> *const ();
    #[doc(hidden)]
    fn method_of<E: 'static>(view: &Self::View<E>) -> (TypeId, &'static str);
    /// Turns the method into a value that can be dropped on this thread. If methods are
    /// thread-bound, this must be the loop's thread.
    #[doc(hidden)]
    fn release<E: 'static>(loop_side: &Self::LoopSide, method: Self::Method<E>) -> Box<dyn Any>;
    /// Whether it is time to look for owners that are gone for good, given that there are `count`
    /// methods.
    #[doc(hidden)]
    fn is_to_prune(loop_side: &Self::LoopSide, count: usize) -> bool;
    /// Called after that search, with the number of methods that stayed.
    #[doc(hidden)]
    fn pruned(loop_side: &Self::LoopSide, count: usize, stayed: usize);
}

#[doc(hidden)]
pub struct SharedView<E: 'static>(Handle<E, (), Shared>);

impl QueueFlavor for Shared {
    type LoopSide = ();
    type View<E: 'static> = SharedView<E>;
    type Method<E: 'static> = WeakMethod<E, (), Shared>;
    const IS_THREAD_BOUND: bool = false;

    fn bind<E: 'static>(
        (): &(),
        method: WeakMethod<E, (), Shared>,
        _: Option<MethodName>,
    ) -> (SharedView<E>, WeakMethod<E, (), Shared>) {
        (SharedView(method.handle.clone()), method)
    }
    #[inline]
    fn call<E: 'static>((): &(), method: &mut WeakMethod<E, (), Shared>, event: &E) -> Option<()> {
        method.call(event)
    }
    fn is_alive<E: 'static>((): &(), method: &WeakMethod<E, (), Shared>) -> bool {
        method.is_alive()
    }
    fn is_gone<E: 'static>((): &(), _: &mut WeakMethod<E, (), Shared>) -> bool {
        false
    }
    #[inline]
    fn liveness<E: 'static>(view: &SharedView<E>) -> Liveness {
        view.0.liveness()
    }
    fn owner<E: 'static>(view: &SharedView<E>) -> *const () {
        view.0.owner()
    }
    fn method_of<E: 'static>(view: &SharedView<E>) -> (TypeId, &'static str) {
        (view.0.method(), view.0.name())
    }
    fn release<E: 'static>((): &(), method: WeakMethod<E, (), Shared>) -> Box<dyn Any> {
        Box::new(method)
    }
    fn is_to_prune((): &(), _: usize) -> bool {
        false
    }
    fn pruned((): &(), _: usize, _: usize) {}
}

/// The part of a queue of `Rc` owners that stays on the loop's thread.
#[doc(hidden)]
pub struct LocalSide {
    home: HomeThread,
    /// When there are this many methods, the next connect looks for owners that are gone.
    prune_at: Cell<usize>,
    /// How many methods these searches have looked at.
    #[cfg(test)]
    looked_at: Cell<usize>,
}

impl Default for LocalSide {
    fn default() -> Self {
        LocalSide {
            home: HomeThread::new(),
            prune_at: Cell::new(0),
            #[cfg(test)]
            looked_at: Cell::new(0),
        }
    }
}

#[doc(hidden)]
pub struct LocalView {
    owner: usize,
    name: MethodName,
}

#[doc(hidden)]
pub struct LocalMethod<E: 'static> {
    method: ThreadBound<WeakMethod<E, (), Local>>,
    /// The owner was connected through a weak pointer and has not been seen yet.
    is_incomplete: bool,
}

impl QueueFlavor for Local {
    type LoopSide = LocalSide;
    type View<E: 'static> = LocalView;
    type Method<E: 'static> = LocalMethod<E>;
    const IS_THREAD_BOUND: bool = true;

    fn bind<E: 'static>(
        loop_side: &LocalSide,
        method: WeakMethod<E, (), Local>,
        name: Option<MethodName>,
    ) -> (LocalView, LocalMethod<E>) {
        let view = LocalView {
            owner: method.handle.owner().addr(),
            name: name.expect("other threads cannot ask the method for its name"),
        };
        let is_incomplete = method.handle.liveness() == Liveness::Absent;
        (view, LocalMethod { method: loop_side.home.bind(method), is_incomplete })
    }
    fn call<E: 'static>(
        loop_side: &LocalSide,
        method: &mut LocalMethod<E>,
        event: &E,
    ) -> Option<()> {
        if method.is_incomplete {
            Self::is_gone(loop_side, method);
        }
        method.method.open(&loop_side.home).call(event)
    }
    fn is_alive<E: 'static>(loop_side: &LocalSide, method: &LocalMethod<E>) -> bool {
        method.method.open(&loop_side.home).is_alive()
    }
    fn is_gone<E: 'static>(loop_side: &LocalSide, method: &mut LocalMethod<E>) -> bool {
        let is_alive = Self::is_alive(loop_side, method);
        method.is_incomplete &= !is_alive;
        !is_alive && !method.is_incomplete
    }
    fn liveness<E: 'static>(_: &LocalView) -> Liveness {
        Liveness::Alive
    }
    fn owner<E: 'static>(view: &LocalView) -> *const () {
        core::ptr::without_provenance(view.owner)
    }
    fn method_of<E: 'static>(view: &LocalView) -> (TypeId, &'static str) {
        (view.name)()
    }
    fn release<E: 'static>(loop_side: &LocalSide, method: LocalMethod<E>) -> Box<dyn Any> {
        Box::new(method.method.take(&loop_side.home))
    }
    fn is_to_prune(loop_side: &LocalSide, count: usize) -> bool {
        const FIRST_PRUNE: usize = 16;
        count >= loop_side.prune_at.get().max(FIRST_PRUNE)
    }
    fn pruned(loop_side: &LocalSide, _count: usize, stayed: usize) {
        #[cfg(test)]
        loop_side.looked_at.set(loop_side.looked_at.get() + _count);
        loop_side.prune_at.set(2 * stayed);
    }
}

#[cfg(all(test, not(sigwire_loom)))]
mod tests {
    use crate::{LocalQueue, Signal};
    use std::rc::{Rc, Weak};

    #[test]
    fn connecting_looks_at_each_owner_few_times_also_while_it_is_made() {
        let (signal, queue) = (Signal::<()>::new(), LocalQueue::default());
        let count = 10_000;
        let owner = Rc::new_cyclic(|owner: &Weak<()>| {
            for _ in 0..count {
                signal.slot().on(&queue).connect(owner, |_, _| ());
            }
        });
        let looked_at = || queue.loop_side.looked_at.get();
        assert!((count / 2..2 * count).contains(&looked_at()), "{}", looked_at());
        assert_eq!((signal.emit(&()), queue.run().called), (count, count));
        drop(owner);
        for _ in 0..count {
            signal.slot().on(&queue).connect(&Rc::new(()), |_, _| ());
        }
        assert!(signal.slot_count() < count / 2, "those seen complete are pruned");
    }
}
