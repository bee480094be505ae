// A guard cannot be cloned: two guards would end one connection.
//~ expected struct `ScopedConnection<Shared>`
fn main() {
    let moved: sigwire::Signal<u32> = sigwire::Signal::new();
    let guard = moved.connect_fn(|_| ());
    let copy: sigwire::ScopedConnection = guard.clone();
}
