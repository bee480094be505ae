//! `bevy_ecs` observers. An owner is an entity with a component, and its observer stands on the same
//! entity, so that they go together.

use std::cell::RefCell;

use bevy_ecs::prelude::{Entity, Observer, On, Query, World};

use crate::contender::{Contender, Native};
use crate::sink::{Event, Sink};

/// To trigger an event takes the whole world; borrowing it costs nothing beside that.
pub struct Observers(RefCell<World>);

#[derive(bevy_ecs::event::Event)]
struct Announced(Event);

fn on_announced(event: On<'_, '_, Announced>, sinks: Query<'_, '_, &Sink>) {
    if let Ok(sink) = sinks.get(event.observer()) {
        sink.on_event(&event.event().0);
    }
}

impl Contender for Observers {
    const NAME: &'static str = "bevy_ecs observers";
    const THREAD_SAFE: bool = false;
    const TRACKS_OWNERS: bool = true;
    /// All events of a program are in one world.
    const STANDS_ALONE: bool = false;
    type Owner = Entity;

    fn new() -> Self {
        Observers(RefCell::new(World::new()))
    }

    fn owner(&mut self) -> Self::Owner {
        self.0.get_mut().spawn(Sink::default()).id()
    }

    fn total(&self, owner: &Self::Owner) -> u64 {
        self.0.borrow().get::<Sink>(*owner).expect("it is alive").total()
    }

    fn release(&mut self, owner: Self::Owner) {
        self.0.get_mut().despawn(owner);
    }
}

impl Native for Observers {
    type Connection = Entity;

    fn connect(&mut self, owner: &Self::Owner) -> Self::Connection {
        self.0.get_mut().entity_mut(*owner).insert(Observer::new(on_announced)).id()
    }

    fn disconnect(&mut self, connection: Self::Connection) {
        self.0.get_mut().entity_mut(connection).remove::<Observer>();
    }

    fn emit(&self, event: &Event) {
        self.0.borrow_mut().trigger(Announced(*event));
    }
}
