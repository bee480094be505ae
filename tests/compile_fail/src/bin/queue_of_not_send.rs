// A queue takes events from any thread, so they must be `Send`.
//~ a queue cannot keep events of `Rc<u32>`
//~ its type must be `Clone` and `Send`, or in an `Arc`
use std::rc::Rc;
use std::sync::Arc;

fn main() {
    let clicked: sigwire::Signal<Rc<u32>> = sigwire::Signal::new();
    let queue = sigwire::Queue::default();
    clicked.slot().on(&queue).connect(&Arc::new(()), |_, _| ());
}
