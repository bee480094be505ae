// Nor can one that implements the trait itself: none can.
//~ borrowed data escapes outside of method
use sigwire::generic::AsyncMethod;
use std::sync::{Arc, Mutex};

struct Keeps(Mutex<Vec<&'static u32>>);

impl<'a> AsyncMethod<'a, u32, u32, ()> for Keeps {
    type Future = std::future::Ready<()>;
    fn start(&self, owner: &'a u32, event: &'a u32) -> Self::Future {
        self.0.lock().unwrap().extend([owner, event]);
        std::future::ready(())
    }
}

fn main() {
    let moved: sigwire::AsyncSignal<u32> = sigwire::AsyncSignal::new();
    moved.connect(&Arc::new(1), Keeps(Mutex::default()));
}
