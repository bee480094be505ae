// A closure that captures an `Rc` cannot be connected to a thread-safe signal.
//~ what this closure captures cannot be used by several threads
//~ capture no `Rc`, `Cell` or `RefCell`
//~ use a `sigwire::local::Signal`, which takes anything
//~ due to 1 previous error
use std::rc::Rc;

fn main() {
    let moved: sigwire::Signal<u32> = sigwire::Signal::new();
    let count = Rc::new(1);
    let _guard = moved.connect_fn(move |_| drop(count.clone()));
}
