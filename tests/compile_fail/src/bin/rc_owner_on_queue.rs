// A queue that any thread may run takes no `Rc`, and the error says which queue does.
//~ `Rc<{integer}>` cannot own a slot of this signal
//~ for `Rc` owners of handlers that wait for a loop, use `on` with a `LocalQueue`
use std::rc::Rc;

fn main() {
    let moved: sigwire::Signal<u32> = sigwire::Signal::new();
    let queue = sigwire::Queue::default();
    moved.slot().on(&queue).connect(&Rc::new(0), |_: &u32, _| ());
}
