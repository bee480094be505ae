// `connect_mut` needs an owner it can lock.
//~ `connect_mut` cannot borrow a `Panel` mutably
//~ `connect_mut` takes `&Arc<Mutex<T>>` or `&Arc<RwLock<T>>`
//~ is none of the locks and cells that `connect_mut` takes
//~ those of tokio the feature `tokio`
use std::sync::Arc;

struct Panel(u32);

fn main() {
    let moved: sigwire::Signal<u32> = sigwire::Signal::new();
    moved.connect_mut(&Arc::new(Panel(0)), |panel, to| panel.0 = *to);
}
