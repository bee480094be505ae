// A future that is no `async fn`'s, and cannot be sent.
//~ to implement `MaybeSend<Shared>`
//~ `Rc<u32>` cannot be sent between threads safely
use std::rc::Rc;
use std::sync::Arc;

fn main() {
    let asked: sigwire::AsyncSignal<u32, Rc<u32>> = sigwire::AsyncSignal::new();
    asked.connect(&Arc::new(1), |_: &i32, n: &u32| std::future::ready(Rc::new(*n)));
}
