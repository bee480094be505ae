// A method of `connect_mut` is `async` in an asynchronous signal.
//~ this is no `async` method that a handler can be: `async Fn(&mut u32, &u32) -> ()` is needed
//~ for a method that is not `async`, use a closure: `async |owner, event| owner.method(event)`
use std::sync::Arc;

fn add(sum: &mut u32, n: &u32) {
    *sum += n;
}

fn main() {
    let moved: sigwire::AsyncSignal<u32> = sigwire::AsyncSignal::new();
    moved.connect_mut(&Arc::new(tokio::sync::Mutex::new(1_u32)), add);
}
