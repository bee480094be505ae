// A handler in a queue runs after `emit` has returned, so nobody could get what it returns.
//~ a slot that returns `bool` cannot wait in a queue
//~ to get an answer later, put a channel's sender into the event
use std::sync::Arc;

fn main() {
    let asked: sigwire::Signal<u32, bool> = sigwire::Signal::new();
    let queue = sigwire::Queue::default();
    asked.slot().on(&queue).connect(&Arc::new(()), |_, _| true);
}
