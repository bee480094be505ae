// An emission is `Send` when its event can be shared between threads.
//~ `Cell<u32>` cannot be shared between threads safely
use std::cell::Cell;

fn send<T: Send>(_: T) {}

fn main() {
    let moved: sigwire::AsyncSignal<Cell<u32>> = sigwire::AsyncSignal::new();
    send(moved.emit(&Cell::new(1)));
}
