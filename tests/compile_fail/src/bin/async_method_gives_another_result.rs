// A method that returns something else than the signal's handlers do.
//~ to be a future that resolves to `u64`, but it resolves to `u32`
use std::sync::Arc;

struct Owner;
impl Owner {
    async fn on(&self, n: &u32) -> u32 {
        *n
    }
}

fn main() {
    let asked: sigwire::AsyncSignal<u32, u64> = sigwire::AsyncSignal::new();
    asked.connect(&Arc::new(Owner), Owner::on);
}
