// A handler of a thread-safe signal whose future holds an `Rc` across an `.await`.
//~ future returned by `on` is not `Send`
//~ has type `Rc<u32>` which is not `Send`
//~ await occurs here
use std::rc::Rc;
use std::sync::Arc;

struct Owner;
impl Owner {
    async fn on(&self, n: &u32) {
        let held = Rc::new(*n);
        std::future::ready(()).await;
        drop(held);
    }
}

fn main() {
    let moved: sigwire::AsyncSignal<u32> = sigwire::AsyncSignal::new();
    moved.connect(&Arc::new(Owner), Owner::on);
}
