// `connect_mut` waits for tokio's mutex, not for that of the standard library.
//~ are actually distinct types
//~ tokio::sync::mutex::Mutex
use std::sync::{Arc, Mutex};

async fn add(sum: &mut u32, n: &u32) {
    *sum += n;
}

fn main() {
    let moved: sigwire::AsyncSignal<u32> = sigwire::AsyncSignal::new();
    moved.connect_mut(&Arc::new(Mutex::new(1)), add);
}
