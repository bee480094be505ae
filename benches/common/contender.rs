//! The contenders: the hand-written loop, this crate, and the `signals2` crate.

use std::hint::black_box;
use std::rc::{self, Rc};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{self, Arc};

use signals2::{Connect1, Emit1};
use sigwire::HazardArc;
use sigwire::generic::{Connection, Flavor, Local, Shared};

pub(crate) type Event = u64;

/// An owner whose method is one store, so that mainly the call is measured. Both flavors use it,
/// because a relaxed store costs the same as a plain one.
#[derive(Default)]
pub(crate) struct Sink(AtomicU64);

impl Sink {
    pub(super) fn on_event(&self, event: &Event) {
        self.0.store(*event, Ordering::Relaxed);
    }
}

pub(crate) trait Method: Send + Sync {
    fn call(&self, event: &Event);
}

impl Method for Sink {
    fn call(&self, event: &Event) {
        self.on_event(event);
    }
}

pub(crate) trait Contender: Default {
    const NAME: &'static str;
    /// A pointer to a [`Sink`]. `Default` allocates a new one.
    type Owner: Default;
    type Connection;

    fn connect(&mut self, owner: &Self::Owner) -> Self::Connection;
    fn emit(&self, event: &Event);

    fn owners(count: usize) -> Vec<Self::Owner> {
        (0..count).map(|_| Self::Owner::default()).collect()
    }

    fn connected(owners: &[Self::Owner]) -> Self {
        let mut contender = Self::default();
        for owner in owners {
            contender.connect(owner);
        }
        contender
    }
}

/// A [`Contender`]'s connection, unless the contender is hand-written.
pub(crate) trait Disconnect {
    fn end(self);
}

impl<F: Flavor> Disconnect for Connection<F> {
    #[inline(always)]
    fn end(self) {
        black_box(self.disconnect());
    }
}

impl Disconnect for signals2::Connection {
    #[inline(always)]
    fn end(self) {
        self.disconnect();
    }
}

pub(crate) type HandArc = Vec<sync::Weak<dyn Method>>;
pub(crate) type HandRc = Vec<rc::Weak<dyn Method>>;

macro_rules! flavor {
    ($pointer:ident, $hand:ty, $hand_name:literal, $signal:ty, $flavor:ty, $name:literal) => {
        impl Contender for $hand {
            const NAME: &'static str = $hand_name;
            type Owner = $pointer<Sink>;
            type Connection = ();

            #[inline(always)]
            fn connect(&mut self, owner: &Self::Owner) {
                self.push($pointer::<Sink>::downgrade(owner));
            }

            #[inline(always)]
            fn emit(&self, event: &Event) {
                for weak in self {
                    if let Some(owner) = weak.upgrade() {
                        owner.call(event);
                    }
                }
            }
        }

        impl Contender for $signal {
            const NAME: &'static str = $name;
            type Owner = $pointer<Sink>;
            type Connection = Connection<$flavor>;

            #[inline(always)]
            fn connect(&mut self, owner: &Self::Owner) -> Self::Connection {
                sigwire::generic::Source::connect(self, owner, Sink::on_event)
            }

            // `emit` returns the count, so the compiler must not remove it here.
            #[inline(always)]
            fn emit(&self, event: &Event) {
                black_box(sigwire::generic::Signal::emit(self, event));
            }
        }
    };
}

flavor!(Arc, HandArc, "hand-written Arc", sigwire::Signal<Event>, Shared, "sigwire");
flavor!(Rc, HandRc, "hand-written Rc", sigwire::local::Signal<Event>, Local, "sigwire local");

/// The thread-safe signal with [`HazardArc`] owners.
#[derive(Default)]
pub(crate) struct TrackedSignal(sigwire::Signal<Event>);

impl Contender for TrackedSignal {
    const NAME: &'static str = "sigwire, tracked owners";
    type Owner = HazardArc<Sink>;
    type Connection = sigwire::Connection;

    #[inline(always)]
    fn connect(&mut self, owner: &Self::Owner) -> Self::Connection {
        sigwire::Source::connect(&self.0, owner, Sink::on_event)
    }

    #[inline(always)]
    fn emit(&self, event: &Event) {
        black_box(self.0.emit(event));
    }
}

/// It does not track owners, so its closures upgrade them.
pub(crate) type Signals2 = signals2::Signal<(Event,)>;

impl Contender for Signals2 {
    const NAME: &'static str = "signals2";
    type Owner = Arc<Sink>;
    type Connection = signals2::Connection;

    fn connect(&mut self, owner: &Self::Owner) -> Self::Connection {
        let weak = Arc::downgrade(owner);
        Connect1::connect(self, move |event| {
            if let Some(owner) = weak.upgrade() {
                owner.on_event(&event);
            }
        })
    }

    #[inline(always)]
    fn emit(&self, event: &Event) {
        black_box(Emit1::emit(self, *event));
    }
}
