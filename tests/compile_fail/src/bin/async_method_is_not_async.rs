// A method that is not `async` is no handler, but there is `connect_sync`.
//~ this is no `async` method that a handler can be: `async Fn(&Owner, &u32) -> ()` is needed
//~ for a method that is not `async`, use `connect_sync`
use std::sync::Arc;

struct Owner;
impl Owner {
    fn on(&self, _: &u32) {}
}

fn main() {
    let moved: sigwire::AsyncSignal<u32> = sigwire::AsyncSignal::new();
    moved.connect(&Arc::new(Owner), Owner::on);
}
