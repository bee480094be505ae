// An event that goes to other threads must be one that can be shared.
//~ emit_spawned
//~ trait bounds were not satisfied
use std::cell::Cell;
use std::sync::Arc;

fn main() {
    let moved: sigwire::AsyncSignal<Cell<u32>> = sigwire::AsyncSignal::new();
    moved.emit_spawned(Arc::new(Cell::new(1)));
}
