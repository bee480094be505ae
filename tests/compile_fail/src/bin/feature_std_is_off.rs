// The thread-safe types need `std`.
//@ features
//~ the item is gated behind the `std` feature
use sigwire::Signal;

fn main() {
    let _: Signal<u32> = Signal::new();
}
