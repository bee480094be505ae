//! The two flavors, as what is public of them.

use super::slots::Slots;
use crate::raw::{Checked, Local, Primitives, WeakSlots};

/// A flavor: [`Shared`](crate::generic::Shared), which is thread-safe, or [`Local`], which stays on one
/// thread. Sealed: there are no others.
///
/// Generic code over both takes it as a type parameter:
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
    /// Forgets what the event is. The compiler checks for each flavor that its slots may be where its
    /// connections may.
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
