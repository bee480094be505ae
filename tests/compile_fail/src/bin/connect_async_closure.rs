// So does an `async` closure.
//~ this is no method that a slot can call: `Fn(&Panel, &u32) -> ()` is needed
//~ for an `async` method, use an `AsyncSignal`
use std::sync::Arc;

struct Panel;

fn main() {
    let moved: sigwire::Signal<u32> = sigwire::Signal::new();
    let panel = Arc::new(Panel);
    moved.connect(&panel, async |_, _| ());
}
