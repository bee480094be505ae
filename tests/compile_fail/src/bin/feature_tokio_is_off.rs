// So do those of `tokio`: also where `async` is on.
//@ features async
//~ the item is gated behind the `tokio` feature
//~ this method needs the feature `tokio` of sigwire
//~ cargo add sigwire --features tokio
use sigwire::{AsyncSignal, Spawned};
use std::time::Duration;

fn main() {
    let signal: AsyncSignal<u32> = AsyncSignal::new();
    let _ = signal.slot().timeout(Duration::ZERO).connect_fn(async |_: &u32| ());
}
