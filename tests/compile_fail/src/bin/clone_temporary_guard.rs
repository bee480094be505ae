// The guard would end within the statement, and with it the slot.
//~ a `ScopedConnection` cannot be cloned: its slot ends with it
//~ for a slot that lives as long as its signal, write `.detach()`
fn main() {
    let moved: sigwire::Signal<u32> = sigwire::Signal::new();
    let _connection = moved.connect_fn(|_| ()).clone();
}
