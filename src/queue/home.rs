//! Where the methods of a queue's handlers live.

use core::any::Any;
use core::cell::RefCell;
use slotmap::SecondaryMap;
use std::rc::Rc;

use crate::family::{Family, Local, Shared};
use crate::method::WeakMethod;
use crate::raw::Liveness;

slotmap::new_key_type! {
    /// A connection's place in its queue; never used twice.
    #[doc(hidden)]
    pub struct Place;
}

/// Who a queue's handlers belong to: `Shared` to `Arc` owners, which any thread may look at; `Local` to
/// `Rc` owners, which only the loop's thread may. Sealed: these two are all there are.
///
/// Each handler's method is kept on the side of the queue that may touch it. The other side, which
/// emitting threads see, knows it by its place only.
pub trait Home: Family {
    /// The loop's own side. What is in it never leaves the thread, if it must not.
    #[doc(hidden)]
    type Methods: Default;
    /// What any thread may have of a method.
    #[doc(hidden)]
    type Kept<E: 'static>: Clone + Send + Sync + 'static;
    #[doc(hidden)]
    fn kept<E: 'static>(method: &WeakMethod<E, (), Self>) -> Self::Kept<E>;
    /// The same without what the method captured: it only says whether the owner is there.
    #[doc(hidden)]
    fn watch<E: 'static>(method: &WeakMethod<E, (), Self>) -> Self::Kept<E>;
    /// Puts a method into its place. The result is to be dropped under no lock.
    #[doc(hidden)]
    fn settle<E: 'static>(
        methods: &Self::Methods,
        place: Place,
        method: WeakMethod<E, (), Self>,
    ) -> Option<Rc<dyn Any>>;
    /// Calls the method, with `claim` before it once it is certain that there is one.
    #[doc(hidden)]
    fn call<E: 'static>(
        methods: &Self::Methods,
        place: Place,
        kept: &Self::Kept<E>,
        event: &E,
        claim: impl FnOnce(),
    ) -> Option<()>;
    /// Whether the owner is there, asked on the loop's thread.
    #[doc(hidden)]
    fn is_alive<E: 'static>(methods: &Self::Methods, place: Place, kept: &Self::Kept<E>) -> bool;
    /// What any thread knows of the owner. Where that is nothing, it counts as alive.
    #[doc(hidden)]
    fn liveness<E: 'static>(watch: &Self::Kept<E>) -> Liveness;
    /// Whether the methods of ended connections wait in `Methods` to be let go by the loop's thread.
    #[doc(hidden)]
    const LETS_GO: bool;
    #[doc(hidden)]
    fn let_go(methods: &Self::Methods, ended: Vec<Place>);
    /// Now and then, as more and more are connected: the places whose owners are gone.
    #[doc(hidden)]
    fn gone(methods: &Self::Methods) -> Vec<Place>;
}

impl Home for Shared {
    type Methods = ();
    type Kept<E: 'static> = WeakMethod<E, (), Shared>;
    fn kept<E: 'static>(method: &WeakMethod<E, (), Shared>) -> WeakMethod<E, (), Shared> {
        method.clone()
    }
    fn watch<E: 'static>(method: &WeakMethod<E, (), Shared>) -> WeakMethod<E, (), Shared> {
        WeakMethod { handle: method.handle.clone(), anchor: None }
    }
    fn settle<E: 'static>((): &(), _: Place, _: WeakMethod<E, (), Self>) -> Option<Rc<dyn Any>> {
        None
    }
    #[inline]
    fn call<E: 'static>(
        (): &(),
        _: Place,
        kept: &Self::Kept<E>,
        event: &E,
        claim: impl FnOnce(),
    ) -> Option<()> {
        claim();
        kept.call(event)
    }
    fn is_alive<E: 'static>((): &(), _: Place, kept: &Self::Kept<E>) -> bool {
        kept.is_alive()
    }
    #[inline]
    fn liveness<E: 'static>(watch: &Self::Kept<E>) -> Liveness {
        watch.handle.liveness()
    }
    const LETS_GO: bool = false;
    fn let_go((): &(), _: Vec<Place>) {}
    fn gone((): &()) -> Vec<Place> {
        Vec::new()
    }
}

/// The methods of `Rc` owners, on the loop's thread.
#[doc(hidden)]
#[derive(Default)]
pub struct Methods(RefCell<Kept>);

#[derive(Default)]
struct Kept {
    methods: SecondaryMap<Place, (Rc<dyn Any>, IsAlive)>,
    /// The number of methods at which the next connect looks for owners that are gone.
    prune_at: usize,
}

type IsAlive = fn(&dyn Any) -> bool;

impl Methods {
    fn get<E: 'static>(&self, place: Place) -> Option<Rc<WeakMethod<E, (), Local>>> {
        let method = self.0.borrow().methods.get(place)?.0.clone();
        Some(method.downcast().expect("a place has one method, and that one event"))
    }
}

fn is_alive<E: 'static>(method: &dyn Any) -> bool {
    method.downcast_ref::<WeakMethod<E, (), Local>>().is_some_and(WeakMethod::is_alive)
}

impl Home for Local {
    type Methods = Methods;
    type Kept<E: 'static> = ();
    fn kept<E: 'static>(_: &WeakMethod<E, (), Local>) {}
    fn watch<E: 'static>(_: &WeakMethod<E, (), Local>) {}
    fn settle<E: 'static>(
        methods: &Methods,
        place: Place,
        method: WeakMethod<E, (), Local>,
    ) -> Option<Rc<dyn Any>> {
        let replaced =
            methods.0.borrow_mut().methods.insert(place, (Rc::new(method), is_alive::<E>));
        replaced.map(|(method, _)| method)
    }
    fn call<E: 'static>(
        methods: &Methods,
        place: Place,
        (): &(),
        event: &E,
        claim: impl FnOnce(),
    ) -> Option<()> {
        let method = methods.get::<E>(place)?;
        claim();
        method.call(event)
    }
    fn is_alive<E: 'static>(methods: &Methods, place: Place, (): &()) -> bool {
        methods.get::<E>(place).is_some_and(|method| method.is_alive())
    }
    fn liveness<E: 'static>((): &()) -> Liveness {
        Liveness::Alive
    }
    const LETS_GO: bool = true;
    fn let_go(methods: &Methods, ended: Vec<Place>) {
        let mut kept = methods.0.borrow_mut();
        let let_go: Vec<_> =
            ended.into_iter().filter_map(|place| kept.methods.remove(place)).collect();
        drop(kept);
        // All of them, also if one panics.
        drop(let_go);
    }
    fn gone(methods: &Methods) -> Vec<Place> {
        const FIRST_PRUNE: usize = 16;
        let mut kept = methods.0.borrow_mut();
        if kept.methods.len() < kept.prune_at.max(FIRST_PRUNE) {
            return Vec::new();
        }
        let all = kept.methods.iter();
        let gone: Vec<Place> =
            all.filter(|(_, (m, is_alive))| !is_alive(&**m)).map(|m| m.0).collect();
        kept.prune_at = 2 * (kept.methods.len() - gone.len());
        gone
    }
}
