// A method that asks for an event that lives for ever would get one that does not.
//~ this is no `async` method that a handler can be:
//~ fn(&'static Owner, &'static String)
use std::sync::{Arc, Mutex};

static KEPT: Mutex<Option<&'static String>> = Mutex::new(None);

struct Owner;
impl Owner {
    async fn on(&'static self, event: &'static String) {
        *KEPT.lock().unwrap() = Some(event);
    }
}

fn main() {
    let moved: sigwire::AsyncSignal<String> = sigwire::AsyncSignal::new();
    moved.connect(&Arc::new(Owner), Owner::on);
}
