// A method of another event's type.
//~ type mismatch in function arguments
use std::sync::Arc;

struct Owner;
impl Owner {
    async fn on(&self, _: &str) {}
}

fn main() {
    let moved: sigwire::AsyncSignal<u32> = sigwire::AsyncSignal::new();
    moved.connect(&Arc::new(Owner), Owner::on);
}
