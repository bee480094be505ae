//! How deep emissions are nested, so that runaway recursion ends in a panic and not in an
//! overflowing stack.

use core::marker::PhantomData;

/// The deepest nesting of emissions. At this depth a thread with a 2 MiB stack still has 8 KiB for
/// each level.
pub(crate) const DEEPEST: usize = 256;

#[cfg(feature = "std")]
std::thread_local! {
    /// Has no destructor, so it can be used while a thread ends. Its address names the thread.
    static DEPTH: core::cell::Cell<usize> = const { core::cell::Cell::new(0) };
}

#[cfg(feature = "std")]
#[inline]
pub(crate) fn this_thread() -> usize {
    DEPTH.with(|depth| core::ptr::from_ref(depth).addr())
}

/// One level of nesting, until it is dropped.
pub(crate) struct Depth(PhantomData<*const ()>);

impl Depth {
    /// With `std` all emissions on this thread count; without, those of the one signal, which
    /// `on_this_signal` counts.
    ///
    /// # Panics
    /// At [`DEEPEST`] levels.
    #[inline]
    #[track_caller]
    pub(crate) fn enter(_on_this_signal: impl FnOnce() -> usize) -> Self {
        #[cfg(feature = "std")]
        let depth = DEPTH.with(|here| {
            // One look at what is the thread's, which is many calls where nothing is optimised.
            let depth = here.get();
            if depth < DEEPEST {
                here.set(depth + 1);
            }
            depth
        });
        #[cfg(not(feature = "std"))]
        let depth = _on_this_signal();
        if depth >= DEEPEST {
            runaway(depth);
        }
        Depth(PhantomData)
    }
}

#[cfg(feature = "std")]
impl Drop for Depth {
    #[inline]
    fn drop(&mut self) {
        // However they are nested: it is their number that counts.
        DEPTH.with(|here| here.set(here.get() - 1));
    }
}

#[cold]
#[inline(never)]
#[track_caller]
fn runaway(depth: usize) -> ! {
    panic!(
        "emissions are nested {depth} deep: slots keep emitting into one another \
         (break the cycle, or let the slot return before it emits again)"
    )
}
