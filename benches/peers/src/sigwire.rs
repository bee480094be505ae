//! This crate, in both flavors, and with `HazardArc` owners.

use std::hint::black_box;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;

use sigwire::HazardArc as TrackedPointer;

use crate::contender::{Contender, Native};
use crate::sink::{Event, Sink};

pub type Shared = sigwire::Signal<Event>;
pub type SingleThreaded = sigwire::local::Signal<Event>;

/// The thread-safe flavor with [`sigwire::HazardArc`] owners.
#[derive(Default)]
pub struct HazardArc(Shared);

impl Deref for HazardArc {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.0
    }
}

macro_rules! flavor {
    ($signal:ty, $pointer:ident, $connection:ty, $name:literal, $thread_safe:literal) => {
        impl Contender for $signal {
            const NAME: &'static str = $name;
            const THREAD_SAFE: bool = $thread_safe;
            const TRACKS_OWNERS: bool = true;
            type Owner = $pointer<Sink>;

            fn new() -> Self {
                Self::default()
            }

            fn owner(&mut self) -> Self::Owner {
                Default::default()
            }

            fn total(&self, owner: &Self::Owner) -> u64 {
                owner.total()
            }
        }

        impl Native for $signal {
            type Connection = $connection;

            fn connect(&mut self, owner: &Self::Owner) -> Self::Connection {
                sigwire::generic::Source::connect(self, owner, Sink::on_event)
            }

            fn disconnect(&mut self, connection: Self::Connection) {
                connection.disconnect();
            }

            // The count is part of what `emit` promises, so it must not be optimized away here.
            fn emit(&self, event: &Event) {
                black_box(sigwire::generic::Signal::emit(self, event));
            }
        }
    };
}

flavor!(Shared, Arc, sigwire::Connection, "sigwire", true);
flavor!(SingleThreaded, Rc, sigwire::local::Connection, "sigwire::local", false);
flavor!(HazardArc, TrackedPointer, sigwire::Connection, "sigwire, tracked owners", true);
