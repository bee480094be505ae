// A method without a parameter for the event is wrapped in a closure.
//~ this is no method that a slot can call: `Fn(&Panel, &u32) -> ()` is needed
//~ use a closure: `|owner, _| owner.method()`
use std::sync::Arc;

struct Panel;
impl Panel {
    fn save(&self) {}
}

fn main() {
    let moved: sigwire::Signal<u32> = sigwire::Signal::new();
    let panel = Arc::new(Panel);
    moved.connect(&panel, Panel::save);
}
