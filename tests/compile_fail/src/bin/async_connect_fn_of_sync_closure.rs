// A closure of an asynchronous signal is `async`.
//~ this is no `async` closure that a handler can be: `async Fn(&u32) -> ()` is needed
//~ for a closure that does not wait, write `async` all the same: `async |event| ..`
fn main() {
    let moved: sigwire::AsyncSignal<u32> = sigwire::AsyncSignal::new();
    let _guard = moved.connect_fn(|n| println!("{n}"));
}
