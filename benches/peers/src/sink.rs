//! The owners of all contenders, and the event.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use bevy_ecs::component::Component;

pub(crate) type Event = u64;

/// An owner whose method is one addition, so that the dispatch is measured. The addition is a load
/// and a store, since an atomic addition would cost as much as many dispatches.
///
/// `cpp/contender.hpp` has the same in C++.
#[derive(Component)]
pub struct Sink(AtomicU64);

/// How many sinks there are, including those in C++.
#[unsafe(no_mangle)]
pub(crate) static PEERS_SINKS_ALIVE: AtomicUsize = AtomicUsize::new(0);

impl Sink {
    pub(crate) fn on_event(&self, event: &Event) {
        self.0.store(self.total().wrapping_add(*event), Relaxed);
    }

    pub(crate) fn total(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

impl Default for Sink {
    fn default() -> Self {
        PEERS_SINKS_ALIVE.fetch_add(1, Relaxed);
        Sink(AtomicU64::new(0))
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        PEERS_SINKS_ALIVE.fetch_sub(1, Relaxed);
    }
}
