//! Where the methods of a queue's handlers live.

use core::any::Any;
use core::cell::{Cell, RefCell};
use slotmap::SlotMap;
use std::rc::Rc;

use crate::connection::Connection;
use crate::family::{Family, Local, Shared};
use crate::method::WeakMethod;
use crate::raw::Liveness;

slotmap::new_key_type! {
    /// A connection's place in its queue, used again by others when that has ended. What it was until then
    /// names nothing, unless the same place was used another 2^31 times meanwhile.
    #[doc(hidden)]
    pub struct Place;

    /// Where the loop's side keeps a method, from the connect until it is let go.
    #[doc(hidden)]
    pub struct MethodKey;
}

/// Who a queue's handlers belong to: `Shared` to `Arc` owners, which any thread may look at; `Local` to
/// `Rc` owners, which only the loop's thread may. Sealed: these two are all there are.
///
/// Each handler's method is kept on the side of the queue that may touch it. The other side, which
/// emitting threads see, knows where that is only.
pub trait Home: Family {
    /// The loop's own side. What is in it never leaves the thread, if it must not.
    #[doc(hidden)]
    type Methods: Default;
    /// What any thread may have of a method.
    #[doc(hidden)]
    type Kept<E: 'static>: Clone + Send + Sync + 'static;
    /// Which of the methods in `Methods` it is.
    #[doc(hidden)]
    type Key: Copy + Send + Sync + 'static;
    /// Keeps a method. It drops nothing: the caller has the signal's lock.
    #[doc(hidden)]
    fn settle<E: 'static>(
        methods: &Self::Methods,
        method: WeakMethod<E, (), Self>,
        connection: &Connection<Shared>,
    ) -> Self::Kept<E>;
    #[doc(hidden)]
    fn key<E: 'static>(kept: &Self::Kept<E>) -> Self::Key;
    /// The same without what the method captured: it only says whether the owner is there.
    #[doc(hidden)]
    fn watch<E: 'static>(kept: &Self::Kept<E>) -> Self::Kept<E>;
    /// Calls the method, with `claim` before it once it is certain that there is one.
    #[doc(hidden)]
    fn call<E: 'static>(
        methods: &Self::Methods,
        kept: &Self::Kept<E>,
        event: &E,
        claim: impl FnOnce(),
    ) -> Option<()>;
    /// Whether the owner is there, asked on the loop's thread.
    #[doc(hidden)]
    fn is_alive<E: 'static>(methods: &Self::Methods, kept: &Self::Kept<E>) -> bool;
    /// Whether the owner is gone for good and only the loop's thread can tell.
    #[doc(hidden)]
    fn is_gone<E: 'static>(methods: &Self::Methods, kept: &Self::Kept<E>) -> bool;
    /// What any thread knows of the owner. Where that is nothing, it counts as alive.
    #[doc(hidden)]
    fn liveness<E: 'static>(watch: &Self::Kept<E>) -> Liveness;
    /// Whether the methods of ended connections wait in `Methods` to be let go by the loop's thread.
    #[doc(hidden)]
    const LETS_GO: bool;
    #[doc(hidden)]
    fn let_go(methods: &Self::Methods, ended: Vec<Self::Key>);
    /// Now and then, as more and more are connected: the connections whose owners are gone for good.
    #[doc(hidden)]
    fn gone(methods: &Self::Methods) -> Vec<Connection<Shared>>;
}

impl Home for Shared {
    type Methods = ();
    type Kept<E: 'static> = WeakMethod<E, (), Shared>;
    type Key = ();
    fn settle<E: 'static>(
        (): &(),
        method: WeakMethod<E, (), Shared>,
        _: &Connection<Shared>,
    ) -> WeakMethod<E, (), Shared> {
        method
    }
    fn key<E: 'static>(_: &Self::Kept<E>) {}
    fn watch<E: 'static>(kept: &WeakMethod<E, (), Shared>) -> WeakMethod<E, (), Shared> {
        WeakMethod { handle: kept.handle.clone(), anchor: None }
    }
    #[inline]
    fn call<E: 'static>(
        (): &(),
        kept: &Self::Kept<E>,
        event: &E,
        claim: impl FnOnce(),
    ) -> Option<()> {
        claim();
        kept.call(event)
    }
    fn is_alive<E: 'static>((): &(), kept: &Self::Kept<E>) -> bool {
        kept.is_alive()
    }
    fn is_gone<E: 'static>((): &(), _: &Self::Kept<E>) -> bool {
        false
    }
    #[inline]
    fn liveness<E: 'static>(watch: &Self::Kept<E>) -> Liveness {
        watch.handle.liveness()
    }
    const LETS_GO: bool = false;
    fn let_go((): &(), _: Vec<()>) {}
    fn gone((): &()) -> Vec<Connection<Shared>> {
        Vec::new()
    }
}

/// The methods of `Rc` owners, on the loop's thread. Nobody's code runs while they are borrowed.
#[doc(hidden)]
#[derive(Default)]
pub struct Methods(RefCell<Settled>);

#[derive(Default)]
struct Settled {
    /// Nothing but `let_go` takes one out.
    methods: SlotMap<MethodKey, Entry>,
    /// The number of methods at which the next connect looks for owners that are gone.
    prune_at: usize,
    /// How many methods were looked at for that.
    #[cfg(test)]
    looked_at: usize,
}

struct Entry {
    /// A `Method` of an event that it knows.
    method: Rc<dyn Any>,
    is_gone: fn(&dyn Any) -> bool,
    connection: Connection<Shared>,
}

struct Method<E: 'static> {
    method: WeakMethod<E, (), Local>,
    /// The owner was connected through a weak pointer and has not been seen yet.
    is_incomplete: Cell<bool>,
}

impl<E: 'static> Method<E> {
    fn is_gone(&self) -> bool {
        let is_alive = self.method.is_alive();
        if is_alive {
            self.is_incomplete.set(false);
        }
        !is_alive && !self.is_incomplete.get()
    }
}

fn is_gone<E: 'static>(method: &dyn Any) -> bool {
    method.downcast_ref::<Method<E>>().is_some_and(Method::is_gone)
}

impl Methods {
    fn get<E: 'static>(&self, key: MethodKey) -> Option<Rc<Method<E>>> {
        let method = self.0.borrow().methods.get(key)?.method.clone();
        Some(method.downcast().expect("a key has one method, and that one event"))
    }
}

impl Home for Local {
    type Methods = Methods;
    type Kept<E: 'static> = MethodKey;
    type Key = MethodKey;
    fn settle<E: 'static>(
        methods: &Methods,
        method: WeakMethod<E, (), Local>,
        connection: &Connection<Shared>,
    ) -> MethodKey {
        let is_incomplete = Cell::new(method.handle.liveness() == Liveness::Absent);
        let method = Rc::new(Method { method, is_incomplete });
        let entry = Entry { method, is_gone: is_gone::<E>, connection: connection.clone() };
        methods.0.borrow_mut().methods.insert(entry)
    }
    fn key<E: 'static>(kept: &MethodKey) -> MethodKey {
        *kept
    }
    fn watch<E: 'static>(kept: &MethodKey) -> MethodKey {
        *kept
    }
    fn call<E: 'static>(
        methods: &Methods,
        kept: &MethodKey,
        event: &E,
        claim: impl FnOnce(),
    ) -> Option<()> {
        let method = methods.get::<E>(*kept)?;
        claim();
        if method.is_incomplete.get() {
            method.is_gone();
        }
        method.method.call(event)
    }
    fn is_alive<E: 'static>(methods: &Methods, kept: &MethodKey) -> bool {
        methods.get::<E>(*kept).is_some_and(|it| it.method.is_alive())
    }
    fn is_gone<E: 'static>(methods: &Methods, kept: &MethodKey) -> bool {
        methods.get::<E>(*kept).is_none_or(|it| it.is_gone())
    }
    fn liveness<E: 'static>(_: &MethodKey) -> Liveness {
        Liveness::Alive
    }
    const LETS_GO: bool = true;
    fn let_go(methods: &Methods, ended: Vec<MethodKey>) {
        let mut settled = methods.0.borrow_mut();
        let let_go: Vec<_> =
            ended.into_iter().filter_map(|key| settled.methods.remove(key)).collect();
        drop(settled);
        // All of them, also if one panics.
        drop(let_go);
    }
    fn gone(methods: &Methods) -> Vec<Connection<Shared>> {
        const FIRST_PRUNE: usize = 16;
        let mut settled = methods.0.borrow_mut();
        let count = settled.methods.len();
        if count < settled.prune_at.max(FIRST_PRUNE) {
            return Vec::new();
        }
        #[cfg(test)]
        {
            settled.looked_at += count;
        }
        let all = settled.methods.values();
        let gone = all.filter(|it| (it.is_gone)(&*it.method));
        let gone: Vec<_> = gone.map(|it| it.connection.clone()).collect();
        settled.prune_at = 2 * (count - gone.len());
        gone
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
        let looked_at = || queue.methods.0.borrow().looked_at;
        assert!((count / 2..2 * count).contains(&looked_at()), "{}", looked_at());
        assert_eq!((signal.emit(&()), queue.run().called), (count, count));
        drop(owner);
        for _ in 0..count {
            signal.slot().on(&queue).connect(&Rc::new(()), |_, _| ());
        }
        assert!(signal.slot_count() < count / 2, "those seen complete are pruned");
    }
}
