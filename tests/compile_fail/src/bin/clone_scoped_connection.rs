// A guard cannot be cloned: two guards would end one connection.
//~ a `ScopedConnection` cannot be cloned: its slot ends with it
//~ for a handle beside the guard, write `Connection::clone(&guard)`
fn main() {
    let moved: sigwire::Signal<u32> = sigwire::Signal::new();
    let guard = moved.connect_fn(|_| ());
    let copy: sigwire::ScopedConnection = guard.clone();
}
