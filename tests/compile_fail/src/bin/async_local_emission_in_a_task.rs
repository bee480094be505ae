// Emissions of local signals stay on their thread.
//~ cannot be sent between threads safely
fn send<T: Send>(_: T) {}

fn main() {
    let moved: sigwire::local::AsyncSignal<u32> = sigwire::local::AsyncSignal::new();
    send(moved.emit(&1));
}
