// Queues serve thread-safe signals; their owners may be `Rc` all the same.
//~ a slot of a `local` signal cannot wait in a queue
//~ use a `sigwire::Signal`: with a `LocalQueue` it takes owners in an `Rc`
use std::rc::Rc;

fn main() {
    let clicked: sigwire::local::Signal<u32> = sigwire::local::Signal::new();
    let queue = sigwire::LocalQueue::default();
    clicked.slot().on(&queue).connect(&Rc::new(()), |_, _| ());
}
