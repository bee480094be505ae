// A method that returns something else than the signal's handlers do.
//~ this is no `async` method that a handler can be: `async Fn(&Owner, &u32) -> u64` is needed
//~ impl Future<Output = u32>
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
