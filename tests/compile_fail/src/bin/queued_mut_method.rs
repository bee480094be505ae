// Methods are the same to slots in a queue.
//~ this is no method that a slot can call: `Fn(&Panel, &u32) -> ()` is needed
//~ and use `connect_mut`
//~ use a closure: `|owner, _| owner.method()`
use std::sync::Arc;

struct Panel;
impl Panel {
    fn move_to(&mut self, _: &u32) {}
    fn save(&self) {}
}

fn main() {
    let moved: sigwire::Signal<u32> = sigwire::Signal::new();
    let queue = sigwire::Queue::default();
    let panel = Arc::new(Panel);
    moved.slot().on(&queue).connect(&panel, Panel::move_to);
    moved.slot().on(&queue).connect(&panel, Panel::save);
}
