//! How deep emissions are nested, so that runaway recursion ends in a panic instead of a stack
//! overflow.

use core::marker::PhantomData;

/// The deepest nesting of emissions. At this depth, a thread with a 2 MiB stack still has 8 KiB for
/// each level.
pub(crate) const MAX_DEPTH: usize = 256;

#[cfg(feature = "std")]
std::thread_local! {
    /// Has no destructor, so it can be used while its thread ends. Its address identifies the
    /// thread.
    static DEPTH: core::cell::Cell<usize> = const { core::cell::Cell::new(0) };
}

#[cfg(feature = "std")]
#[inline]
pub(crate) fn this_thread() -> usize {
    DEPTH.with(|depth| core::ptr::from_ref(depth).addr())
}

/// One level of nesting. Ends when this is dropped.
pub(crate) struct Depth(PhantomData<*const ()>);

impl Depth {
    /// Begins a level of nesting. With `std`, all emissions on this thread count. Without it, only
    /// those of one signal do, and `on_this_signal` returns their number.
    ///
    /// # Panics
    /// If the emissions are nested [`MAX_DEPTH`] deep already.
    #[inline]
    #[track_caller]
    pub(crate) fn enter(_on_this_signal: impl FnOnce() -> usize) -> Self {
        #[cfg(feature = "std")]
        let depth = DEPTH.with(|here| {
            // A single access to the thread-local: each is many calls in an unoptimized build.
            let depth = here.get();
            if depth < MAX_DEPTH {
                here.set(depth + 1);
            }
            depth
        });
        #[cfg(not(feature = "std"))]
        let depth = _on_this_signal();
        if depth >= MAX_DEPTH {
            runaway(depth);
        }
        Depth(PhantomData)
    }
}

#[cfg(feature = "std")]
impl Drop for Depth {
    #[inline]
    fn drop(&mut self) {
        // Levels may end in any order: only their number counts.
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
