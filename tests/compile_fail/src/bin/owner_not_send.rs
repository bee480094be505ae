// An owner that is not `Send + Sync` cannot be connected to a thread-safe signal.
//~ `Cell<u32>` cannot be shared between threads safely
//~ required for `Arc<Panel>` to implement `Owner<
use std::cell::Cell;
use std::sync::Arc;

struct Panel(Cell<u32>);

fn main() {
    let moved: sigwire::Signal<u32> = sigwire::Signal::new();
    moved.connect(&Arc::new(Panel(Cell::new(0))), |panel, to| panel.0.set(*to));
}
