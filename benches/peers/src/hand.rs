//! The hand-written loop, with which all contenders are compared.

use std::rc::{self, Rc};
use std::sync::{self, Arc, RwLock};

use crate::contender::{Contender, Native};
use crate::sink::{Event, Sink};

pub trait Method: Send + Sync {
    fn call(&self, event: &Event);
}

impl Method for Sink {
    fn call(&self, event: &Event) {
        self.on_event(event);
    }
}

pub type HandArc = Vec<sync::Weak<dyn Method>>;
pub type HandRc = Vec<rc::Weak<dyn Method>>;

macro_rules! hand_written {
    ($hand:ty, $pointer:ident, $weak:ty, $name:literal, $thread_safe:literal) => {
        impl Contender for $hand {
            const NAME: &'static str = $name;
            const THREAD_SAFE: bool = $thread_safe;
            const TRACKS_OWNERS: bool = true;
            type Owner = $pointer<Sink>;

            fn new() -> Self {
                Vec::new()
            }

            fn owner(&mut self) -> Self::Owner {
                Default::default()
            }

            fn total(&self, owner: &Self::Owner) -> u64 {
                owner.total()
            }
        }

        impl Native for $hand {
            type Connection = $weak;

            fn connect(&mut self, owner: &Self::Owner) -> Self::Connection {
                let weak: $weak = $pointer::<Sink>::downgrade(owner);
                self.push(weak.clone());
                weak
            }

            // The newest slot is found at once, which is its best case.
            fn disconnect(&mut self, connection: Self::Connection) {
                let index = self.iter().rposition(|weak| weak.ptr_eq(&connection));
                self.remove(index.expect("it stands"));
            }

            fn emit(&self, event: &Event) {
                for weak in self {
                    if let Some(owner) = weak.upgrade() {
                        owner.call(event);
                    }
                }
            }
        }
    };
}

hand_written!(HandArc, Arc, sync::Weak<dyn Method>, "hand-written loop, Arc", true);
hand_written!(HandRc, Rc, rc::Weak<dyn Method>, "hand-written loop, Rc", false);

/// The same loop for a list that can change through a shared reference, as a signal can.
pub struct HandLocked(RwLock<HandArc>);

impl Contender for HandLocked {
    const NAME: &'static str = "hand-written loop, RwLock";
    const THREAD_SAFE: bool = true;
    const TRACKS_OWNERS: bool = true;
    type Owner = Arc<Sink>;

    fn new() -> Self {
        HandLocked(RwLock::new(Vec::new()))
    }

    fn owner(&mut self) -> Self::Owner {
        Default::default()
    }

    fn total(&self, owner: &Self::Owner) -> u64 {
        owner.total()
    }
}

impl Native for HandLocked {
    type Connection = sync::Weak<dyn Method>;

    fn connect(&mut self, owner: &Self::Owner) -> Self::Connection {
        self.0.write().expect("not poisoned").connect(owner)
    }

    fn disconnect(&mut self, connection: Self::Connection) {
        self.0.write().expect("not poisoned").disconnect(connection);
    }

    fn emit(&self, event: &Event) {
        self.0.read().expect("not poisoned").emit(event);
    }
}
