// What is behind a handler's owner holds no event of one emission until the next.
//~ this is no `async` method that a handler can be: `async Fn(&Owner<'a>, &String) -> ()` is needed
use std::sync::{Arc, Mutex};

struct Owner<'a>(Mutex<Option<&'a String>>);
impl<'a> Owner<'a> {
    async fn on(&'a self, event: &'a String) {
        *self.0.lock().unwrap() = Some(event);
    }
}

fn connect<'a>(moved: &sigwire::AsyncSignal<String>, owner: &Arc<Owner<'a>>) {
    moved.connect(owner, Owner::on);
}

fn main() {
    connect(&sigwire::AsyncSignal::new(), &Arc::new(Owner(Mutex::new(None))));
}
