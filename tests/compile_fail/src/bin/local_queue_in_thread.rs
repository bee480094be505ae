// A queue of `Rc` owners stays on their thread.
//~ cannot be shared between threads safely
fn main() {
    let queue = sigwire::LocalQueue::default();
    std::thread::scope(|scope| _ = scope.spawn(|| queue.run()));
}
