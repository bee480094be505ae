// The compiler infers the types of an `async` closure, but not of one that returns a future.
//~ for a closure that returns a future, write the types: `|owner: &T, event: &E| async move { .. }`
use std::sync::Arc;

fn main() {
    let moved: sigwire::AsyncSignal<u32> = sigwire::AsyncSignal::new();
    moved.connect(&Arc::new(1), |_, _| async {});
}
