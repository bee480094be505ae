// The events of a thread-safe stream may be taken on another thread, so they must be `Send`.
//~ the method `next_event` exists
//~ `Rc<u32>: Send`
use std::rc::Rc;

fn main() {
    let clicked: sigwire::Signal<Rc<u32>> = sigwire::Signal::new();
    let _next = clicked.next_event();
}
