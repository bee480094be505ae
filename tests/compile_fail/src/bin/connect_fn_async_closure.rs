// An `async` closure goes to an `AsyncSignal`, without an owner too.
//~ this is no closure that a slot can call: `Fn(&u32) -> ()` is needed
//~ for an `async` closure, use an `AsyncSignal`
fn main() {
    let moved: sigwire::Signal<u32> = sigwire::Signal::new();
    let _guard = moved.connect_fn(async |_| ());
}
