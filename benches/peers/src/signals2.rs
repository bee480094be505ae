//! The `signals2` crate. It tracks no owners, so its closures upgrade them.

use std::hint::black_box;
use std::sync::Arc;

use signals2::{Connect1, Connection, Emit1};

use crate::contender::{Contender, Native};
use crate::sink::{Event, Sink};

pub type Signals2 = signals2::Signal<(Event,)>;

impl Contender for Signals2 {
    const NAME: &'static str = "signals2";
    const THREAD_SAFE: bool = true;
    const TRACKS_OWNERS: bool = true;
    type Owner = Arc<Sink>;

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

impl Native for Signals2 {
    type Connection = Connection;

    fn connect(&mut self, owner: &Self::Owner) -> Self::Connection {
        let weak = Arc::downgrade(owner);
        Connect1::connect(self, move |event| {
            if let Some(owner) = weak.upgrade() {
                owner.on_event(&event);
            }
        })
    }

    fn disconnect(&mut self, connection: Self::Connection) {
        connection.disconnect();
    }

    fn emit(&self, event: &Event) {
        black_box(Emit1::emit(self, *event));
    }
}
