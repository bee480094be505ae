//! The public trait of the two flavors.

use super::slots::Slots;
use crate::raw::{Checked, Local, Primitives, WeakSlots};

/// One of the two flavors: [`Shared`](crate::generic::Shared), which is thread-safe, or [`Local`],
/// which stays on one thread.
///
/// The trait is sealed: there are no other flavors.
///
/// Code that is generic over both takes it as a type parameter:
///
/// ```
/// use sigwire::generic::{Flavor, Signal};
///
/// fn emit_twice<F: Flavor>(signal: &Signal<u32, (), F>) -> usize {
///     signal.emit(&1) + signal.emit(&2)
/// }
/// assert_eq!(emit_twice(&sigwire::Signal::new()), 0);
/// assert_eq!(emit_twice(&sigwire::local::Signal::new()), 0);
/// ```
pub trait Flavor: Primitives {
    /// Erases the event type. Each flavor implements this itself, so that the compiler checks that
    /// its slots are `Send` and `Sync` wherever its connections are.
    #[doc(hidden)]
    fn weak_slots<E: ?Sized + 'static, R: 'static>(
        slots: Self::Weak<Slots<E, R, Self>>,
    ) -> WeakSlots<Self>;
}

macro_rules! flavor {
    ($flavor:ty) => {
        impl Flavor for $flavor {
            fn weak_slots<E: ?Sized + 'static, R: 'static>(
                slots: Self::Weak<Slots<E, R, Self>>,
            ) -> WeakSlots<Self> {
                WeakSlots::new(Checked::new(slots))
            }
        }
    };
}
flavor!(Local);
#[cfg(feature = "std")]
flavor!(crate::raw::Shared);
