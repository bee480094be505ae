//! The part of a signal that can be published: connecting, but not emitting.

use core::fmt;

use super::owner::Owner;
use crate::raw::Flavor;
use crate::raw::Local;
use crate::slots::{Block, Connection};
use crate::slots::{OnceSlots, Slots, WeakSlots};

/// The part of a [`Signal`](crate::generic::Signal) to which everyone can connect. Publish
/// `&Source` and keep the `Signal` private: then everyone can connect, and only you can emit.
///
/// Generic over the flavor. Its everyday names are [`Source`](crate::Source) and
/// [`local::Source`](crate::local::Source).
///
/// ```
/// use sigwire::{Signal, Source};
///
/// #[derive(Default)]
/// pub struct Slider {
///     moved: Signal<f32>,
/// }
///
/// impl Slider {
///     pub fn moved(&self) -> &Source<f32> {
///         self.moved.source()
///     }
/// }
///
/// let slider = Slider::default();
/// let _guard = slider.moved().connect_fn(|to| println!("moved to {to}"));
/// assert_eq!(slider.moved().slot_count(), 1);
/// ```
pub struct Source<E: ?Sized + 'static, R: 'static, F: Flavor> {
    pub(crate) slots: OnceSlots<E, R, F>,
}

// One function for each flavor, since a generic one cannot be `const`: see `LazyStrong::new`.
macro_rules! new {
    ($flavor:ty) => {
        impl<E: ?Sized + 'static, R: 'static> Source<E, R, $flavor> {
            pub(super) const fn new() -> Self {
                Source { slots: OnceSlots::<E, R, $flavor>::new_const() }
            }
        }
    };
}
new!(Local);
#[cfg(feature = "std")]
new!(crate::raw::Shared);

impl<E: ?Sized + 'static, R: 'static, F: Flavor> Source<E, R, F> {
    /// As `new`, for any flavor, but not `const`.
    pub(super) fn empty() -> Self {
        Source { slots: OnceSlots::none_yet() }
    }

    /// How many slots are connected, including blocked ones. A slot whose owner is gone does not
    /// count, even if it is not pruned yet.
    ///
    /// # Cost
    /// Looks at all slots, under the signal's lock.
    pub fn slot_count(&self) -> usize {
        self.slots.get().map_or(0, |slots| slots.count())
    }

    /// Whether no slot is connected. Costs as much as [`slot_count`](Self::slot_count).
    pub fn is_empty(&self) -> bool {
        self.slot_count() == 0
    }

    /// Disconnects all slots, and returns how many there were.
    pub fn disconnect_all(&self) -> usize {
        self.slots.get().map_or(0, |slots| slots.disconnect_all())
    }

    /// Disconnects all slots of `owner`, and returns how many there were.
    ///
    /// # Cost
    /// Looks at all slots, under the signal's lock.
    pub fn disconnect_owner<O: Owner<F>>(&self, owner: &O) -> usize {
        self.slots.get().map_or(0, |slots| slots.disconnect_matching(owner.address(), None))
    }

    /// Disconnects all slots that call this method of `owner`, and returns how many there were. A
    /// method is identified by its type, so pass the same path that was connected. All `fn`
    /// pointers with the same signature count as one method, and so do all closures made by the
    /// same closure expression.
    ///
    /// # Cost
    /// Looks at all slots, under the signal's lock.
    pub fn disconnect_method<O: Owner<F>, M: 'static>(&self, owner: &O, method: M) -> usize {
        drop(method);
        let method = core::any::TypeId::of::<M>();
        self.slots.get().map_or(0, |slots| slots.disconnect_matching(owner.address(), Some(method)))
    }

    /// Removes the slots whose owners are gone, and returns how many there were. Emitting and
    /// connecting do this too, so you seldom need it.
    ///
    /// # Cost
    /// Looks at all slots, under the signal's lock.
    pub fn prune(&self) -> usize {
        self.slots.get().map_or(0, |slots| slots.prune())
    }

    /// Blocks all slots, including those connected later, until the returned [`Block`] is dropped.
    /// An emission that is already under way calls no further slots. Blocks count: after two calls,
    /// the signal is blocked until both results are dropped.
    ///
    /// # Cost
    /// The first block and the last release look at all slots, under the signal's lock. `block`
    /// allocates if nothing was ever connected.
    pub fn block(&self) -> Block<F> {
        self.slots();
        Block::one(self.table(), None)
    }

    /// Whether the signal is blocked.
    pub fn is_blocked(&self) -> bool {
        self.slots.get().is_some_and(|slots| slots.is_signal_blocked())
    }

    /// Does not wait for the lock. If the lock is held, the fields under it are left out.
    pub(super) fn debug(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut f = f.debug_struct(name);
        if let Some((slots, is_blocked)) =
            self.slots.get().map_or(Some((0, false)), |slots| slots.try_look())
        {
            f.field("slots", &slots).field("is_blocked", &is_blocked);
        }
        f.finish_non_exhaustive()
    }

    /// The slots; creates them if there are none yet.
    pub(crate) fn slots(&self) -> &Slots<E, R, F> {
        self.slots.get_or_init()
    }

    /// The slots, if anything was ever connected.
    #[cfg(feature = "async")]
    pub(crate) fn slots_if_any(&self) -> Option<&Slots<E, R, F>> {
        self.slots.get()
    }

    /// A strong reference to the slots, for an emission that may outlive the signal.
    #[cfg(feature = "tokio")]
    pub(crate) fn strong_slots(&self) -> Option<F::Strong<Slots<E, R, F>>> {
        self.slots.strong()
    }

    pub(crate) fn table(&self) -> WeakSlots<F> {
        WeakSlots::new(self.slots.downgrade())
    }

    pub(crate) fn connection(&self, key: crate::base::SlotKey) -> Connection<F> {
        self.slots.connection(key)
    }
}

/// Disconnects all slots.
impl<E: ?Sized + 'static, R: 'static, F: Flavor> Drop for Source<E, R, F> {
    fn drop(&mut self) {
        self.disconnect_all();
    }
}

impl<E: ?Sized + 'static, R: 'static, F: Flavor> fmt::Debug for Source<E, R, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.debug("Source", f)
    }
}
