// `Signal::emit` returns how many slots it called, and a slot of a `Signal<E>` returns nothing.
//~ this is no method that a slot can call:
//~ for a method that takes or returns another type, use a closure that converts
//~ { owner.method(event); }
use std::sync::Arc;

fn main() {
    let moved: sigwire::Signal<u32> = sigwire::Signal::new();
    let relayed: Arc<sigwire::Signal<u32>> = Arc::default();
    moved.connect(&relayed, sigwire::Signal::emit);
}
