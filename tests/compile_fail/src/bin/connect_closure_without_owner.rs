// A closure of `connect` gets the owner first.
//~ closure is expected to take 2 arguments, but it takes 1 argument
use std::sync::Arc;

struct Panel;

fn main() {
    let moved: sigwire::Signal<u32> = sigwire::Signal::new();
    let panel = Arc::new(Panel);
    moved.connect(&panel, |event| drop(event));
}
