// Without the feature, its types and its methods name it.
//@ features std
//~ the item is gated behind the `
//~ `AsyncSignal` in the root
//~ this method needs the feature `async` of sigwire
//~ cargo add sigwire --features async
use sigwire::AsyncSignal;
use sigwire::{Overflow, Signal};

fn main() {
    let signal: Signal<u32> = Signal::new();
    let _ = signal.stream(8, Overflow::Latest).next();
    let _ = signal.source().next_event();
}
