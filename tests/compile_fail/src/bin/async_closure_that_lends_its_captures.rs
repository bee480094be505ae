// An async closure whose future would borrow from the closure itself.
//~ async closure does not implement `Fn` because it captures state from its environment
//~ // clone captures: see docs
use std::sync::Arc;

fn main() {
    let moved: sigwire::AsyncSignal<u32> = sigwire::AsyncSignal::new();
    let words = String::new();
    moved.connect(&Arc::new(1), async move |_: &i32, _: &u32| drop(words.len()));
}
