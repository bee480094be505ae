// A `Signal<String>` gives `&String`, and a path to a method that takes `&str` does not fit it.
//~ this is no method that a slot can call: `Fn(&Panel, &String) -> ()` is needed
//~ for a method that takes or returns another type, use a closure that converts
use std::sync::Arc;

struct Panel;
impl Panel {
    fn rename(&self, _: &str) {}
}

fn main() {
    let renamed: sigwire::Signal<String> = sigwire::Signal::new();
    renamed.connect(&Arc::new(Panel), Panel::rename);
}
