// `connect_mut` lends what is in the lock.
//~ this is no method that a slot can call: `Fn(&mut Panel, &u32) -> ()` is needed
//~ use a closure: `|owner, _| owner.method()`
//~ for an `async` method, use an `AsyncSignal`, and tokio's `Mutex` around the owner
use std::sync::{Arc, Mutex};

struct Panel;
impl Panel {
    fn save(&mut self) {}
    async fn load(&mut self, _: &u32) {}
}

fn main() {
    let moved: sigwire::Signal<u32> = sigwire::Signal::new();
    let panel = Arc::new(Mutex::new(Panel));
    moved.connect_mut(&panel, Panel::save);
    moved.connect_mut(&panel, Panel::load);
}
