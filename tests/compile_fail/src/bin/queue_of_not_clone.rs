// A queue keeps its events, so they must be `Clone`.
//~ a queue cannot keep events of `Click`
//~ `Click` is not `Clone + Send`
//~ consider annotating `Click` with `#[derive(Clone)]`
use std::sync::Arc;

struct Click;

fn main() {
    let clicked: sigwire::Signal<Click> = sigwire::Signal::new();
    let queue = sigwire::Queue::default();
    clicked.slot().on(&queue).connect(&Arc::new(()), |_, _| ());
}
