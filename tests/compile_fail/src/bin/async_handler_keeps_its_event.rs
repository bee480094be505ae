// A handler cannot keep the event, or the owner, for longer than its future lives.
//~ borrowed data escapes outside of closure
use std::sync::{Arc, Mutex};

static KEPT: Mutex<Vec<&'static u32>> = Mutex::new(Vec::new());

fn main() {
    let moved: sigwire::AsyncSignal<u32> = sigwire::AsyncSignal::new();
    moved.connect(&Arc::new(1), |owner: &u32, event: &u32| {
        KEPT.lock().unwrap().extend([owner, event]);
        std::future::ready(())
    });
}
