// A method of another event's type.
//~ this is no `async` method that a handler can be: `async Fn(&Owner, &u32) -> ()` is needed
//~ 'b str
use std::sync::Arc;

struct Owner;
impl Owner {
    async fn on(&self, _: &str) {}
}

fn main() {
    let moved: sigwire::AsyncSignal<u32> = sigwire::AsyncSignal::new();
    moved.connect(&Arc::new(Owner), Owner::on);
}
