// A closure that captures an `Rc` cannot be connected to a thread-safe signal.
//~ `Rc<i32>` cannot be sent between threads safely
//~ to implement `MaybeSendSync<Shared>`
use std::rc::Rc;

fn main() {
    let moved: sigwire::Signal<u32> = sigwire::Signal::new();
    let count = Rc::new(1);
    let _guard = moved.connect_fn(move |_| drop(count.clone()));
}
