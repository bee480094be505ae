//! Where the methods of a queue's handlers live.

use core::any::{Any, TypeId, type_name};
use core::cell::Cell;
use core::sync::atomic::{AtomicBool, Ordering};

use crate::raw::Flavor;
use crate::raw::{Handle, HomeThread, KeepAlive, Liveness, ThreadBound};
use crate::raw::{Local, Shared};
use crate::signal::WeakMethod;

slotmap::new_key_type! {
    /// A connection's place in its queue, used again by others when that has ended. What it was until then
    /// names nothing, unless the same place was used another 2^31 times meanwhile.
    #[doc(hidden)]
    pub struct Place;
}

/// Tells one method from others, and its name.
pub(super) type Naming = fn() -> (TypeId, &'static str);

/// Of a method that `M` tells from others.
pub(super) fn naming<M: 'static>() -> (TypeId, &'static str) {
    (TypeId::of::<M>(), type_name::<M>())
}

/// The parts of a method: its face, its body, and what it captured.
pub(super) type Settled<E, H> = (
    <H as QueueFlavor>::Face<E>,
    <H as QueueFlavor>::Body<E>,
    Option<<H as QueueFlavor>::Captured>,
);

/// Who a queue's handlers belong to: `Shared` to `Arc` owners, which any thread may look at; `Local` to
/// `Rc` owners, which only the loop's thread may. Sealed: these two are all there are.
///
/// Of each handler's method there is a *face*, which any thread may look at, and a *body*, which only a run
/// does, or who ends it.
pub trait QueueFlavor: Flavor {
    /// The loop's own side. It never leaves the thread, if it must not.
    #[doc(hidden)]
    type Methods: Default;
    #[doc(hidden)]
    type Face<E: 'static>: Send + Sync + 'static;
    #[doc(hidden)]
    type Body<E: 'static>: Send + 'static;
    /// What the method captured.
    #[doc(hidden)]
    type Captured: Send + 'static;
    /// Parts a method. It drops nothing: the caller has the signal's lock.
    #[doc(hidden)]
    fn settle<E: 'static>(
        methods: &Self::Methods,
        method: WeakMethod<E, (), Self>,
        naming: Option<Naming>,
    ) -> Settled<E, Self>;
    #[doc(hidden)]
    fn call<E: 'static>(
        methods: &Self::Methods,
        face: &Self::Face<E>,
        body: &Self::Body<E>,
        event: &E,
    ) -> Option<()>;
    /// What the loop's thread knows of the owner.
    #[doc(hidden)]
    fn is_alive<E: 'static>(
        methods: &Self::Methods,
        face: &Self::Face<E>,
        body: &Self::Body<E>,
    ) -> bool;
    /// Whether the owner is gone for good and only the loop's thread can tell.
    #[doc(hidden)]
    fn is_gone<E: 'static>(
        methods: &Self::Methods,
        face: &Self::Face<E>,
        body: &Self::Body<E>,
    ) -> bool;
    /// What any thread knows of the owner. Where that is nothing, it counts as alive.
    #[doc(hidden)]
    fn liveness<E: 'static>(face: &Self::Face<E>) -> Liveness;
    /// Where the owner is, or was.
    #[doc(hidden)]
    fn owner<E: 'static>(face: &Self::Face<E>) -> *const ();
    #[doc(hidden)]
    fn method<E: 'static>(face: &Self::Face<E>) -> (TypeId, &'static str);
    /// Whether the bodies of ended connections wait to be let go by the loop's thread.
    #[doc(hidden)]
    const LETS_GO: bool;
    /// What is to be dropped of a connection that has ended: on the loop's thread, if it lets go.
    #[doc(hidden)]
    fn let_go<E: 'static>(
        methods: &Self::Methods,
        body: Self::Body<E>,
        captured: Option<Self::Captured>,
    ) -> Box<dyn Any>;
    /// Whether it is time to look for owners that are gone for good, now that there are `count` methods.
    #[doc(hidden)]
    fn is_to_prune(methods: &Self::Methods, count: usize) -> bool;
    /// That was done, and so many have stayed.
    #[doc(hidden)]
    fn pruned(methods: &Self::Methods, count: usize, stayed: usize);
}

/// What is known of a method of an `Arc` owner, which is all there is to know.
#[doc(hidden)]
pub struct Near<E: 'static>(Handle<E, (), Shared>);

#[doc(hidden)]
pub struct CapturedNear(#[expect(dead_code, reason = "it is dropped")] KeepAlive<Shared>);

impl QueueFlavor for Shared {
    type Methods = ();
    type Face<E: 'static> = Near<E>;
    type Body<E: 'static> = ();
    type Captured = CapturedNear;
    fn settle<E: 'static>(
        (): &(),
        method: WeakMethod<E, (), Shared>,
        _: Option<Naming>,
    ) -> (Near<E>, (), Option<CapturedNear>) {
        (Near(method.handle), (), method.keep_alive.map(CapturedNear))
    }
    #[inline]
    fn call<E: 'static>((): &(), face: &Near<E>, (): &(), event: &E) -> Option<()> {
        face.0.call(event)
    }
    fn is_alive<E: 'static>((): &(), face: &Near<E>, (): &()) -> bool {
        face.0.is_alive()
    }
    fn is_gone<E: 'static>((): &(), _: &Self::Face<E>, (): &()) -> bool {
        false
    }
    #[inline]
    fn liveness<E: 'static>(face: &Near<E>) -> Liveness {
        face.0.liveness()
    }
    fn owner<E: 'static>(face: &Near<E>) -> *const () {
        face.0.owner()
    }
    fn method<E: 'static>(face: &Near<E>) -> (TypeId, &'static str) {
        (face.0.method(), face.0.name())
    }
    const LETS_GO: bool = false;
    fn let_go<E: 'static>((): &(), (): (), captured: Option<CapturedNear>) -> Box<dyn Any> {
        Box::new(captured)
    }
    fn is_to_prune((): &(), _: usize) -> bool {
        false
    }
    fn pruned((): &(), _: usize, _: usize) {}
}

/// The side of a queue of `Rc` owners that stays on the loop's thread.
#[doc(hidden)]
pub struct Methods {
    residence: HomeThread,
    /// The number of methods at which the next connect looks for owners that are gone.
    prune_at: Cell<usize>,
    /// How many methods were looked at for that.
    #[cfg(test)]
    looked_at: Cell<usize>,
}

impl Default for Methods {
    fn default() -> Self {
        Methods {
            residence: HomeThread::new(),
            prune_at: Cell::new(0),
            #[cfg(test)]
            looked_at: Cell::new(0),
        }
    }
}

/// What any thread knows of a method of an `Rc` owner.
#[doc(hidden)]
pub struct Distant {
    owner: usize,
    naming: Naming,
    /// The owner was connected through a weak pointer and has not been seen yet. The loop's thread says so.
    is_incomplete: AtomicBool,
}

#[doc(hidden)]
pub struct Away<E: 'static>(ThreadBound<Handle<E, (), Local>>);

#[doc(hidden)]
pub struct CapturedAway(ThreadBound<KeepAlive<Local>>);

impl QueueFlavor for Local {
    type Methods = Methods;
    type Face<E: 'static> = Distant;
    type Body<E: 'static> = Away<E>;
    type Captured = CapturedAway;
    fn settle<E: 'static>(
        methods: &Methods,
        method: WeakMethod<E, (), Local>,
        naming: Option<Naming>,
    ) -> (Distant, Away<E>, Option<CapturedAway>) {
        let WeakMethod { handle, keep_alive } = method;
        let face = Distant {
            owner: handle.owner().addr(),
            naming: naming.expect("a method of an `Rc` owner is named from afar"),
            is_incomplete: AtomicBool::new(handle.liveness() == Liveness::Absent),
        };
        let residence = &methods.residence;
        let captured = keep_alive.map(|keep_alive| CapturedAway(residence.settle(keep_alive)));
        (face, Away(residence.settle(handle)), captured)
    }
    fn call<E: 'static>(
        methods: &Methods,
        face: &Distant,
        body: &Away<E>,
        event: &E,
    ) -> Option<()> {
        if face.is_incomplete.load(Ordering::Relaxed) {
            Self::is_gone(methods, face, body);
        }
        body.0.open(&methods.residence).call(event)
    }
    fn is_alive<E: 'static>(methods: &Methods, _: &Distant, body: &Away<E>) -> bool {
        body.0.open(&methods.residence).is_alive()
    }
    fn is_gone<E: 'static>(methods: &Methods, face: &Distant, body: &Away<E>) -> bool {
        let is_alive = Self::is_alive(methods, face, body);
        if is_alive {
            face.is_incomplete.store(false, Ordering::Relaxed);
        }
        !is_alive && !face.is_incomplete.load(Ordering::Relaxed)
    }
    fn liveness<E: 'static>(_: &Distant) -> Liveness {
        Liveness::Alive
    }
    fn owner<E: 'static>(face: &Distant) -> *const () {
        core::ptr::without_provenance(face.owner)
    }
    fn method<E: 'static>(face: &Distant) -> (TypeId, &'static str) {
        (face.naming)()
    }
    const LETS_GO: bool = true;
    fn let_go<E: 'static>(
        methods: &Methods,
        body: Away<E>,
        captured: Option<CapturedAway>,
    ) -> Box<dyn Any> {
        let residence = &methods.residence;
        Box::new((body.0.take(residence), captured.map(|captured| captured.0.take(residence))))
    }
    fn is_to_prune(methods: &Methods, count: usize) -> bool {
        const FIRST_PRUNE: usize = 16;
        count >= methods.prune_at.get().max(FIRST_PRUNE)
    }
    fn pruned(methods: &Methods, _count: usize, stayed: usize) {
        #[cfg(test)]
        methods.looked_at.set(methods.looked_at.get() + _count);
        methods.prune_at.set(2 * stayed);
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
        let looked_at = || queue.methods.looked_at.get();
        assert!((count / 2..2 * count).contains(&looked_at()), "{}", looked_at());
        assert_eq!((signal.emit(&()), queue.run().called), (count, count));
        drop(owner);
        for _ in 0..count {
            signal.slot().on(&queue).connect(&Rc::new(()), |_, _| ());
        }
        assert!(signal.slot_count() < count / 2, "those seen complete are pruned");
    }
}
