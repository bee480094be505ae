// A single-threaded signal stays on its thread.
//~ cannot be shared between threads safely
fn main() {
    let moved: sigwire::local::Signal<u32> = sigwire::local::Signal::new();
    std::thread::scope(|scope| {
        scope.spawn(|| moved.emit(&1));
    });
}
