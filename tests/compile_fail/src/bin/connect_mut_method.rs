// `connect` lends the owner as `&T`: for a method that takes `&mut self` there is `connect_mut`.
//~ this is no method that a slot can call: `Fn(&Panel, &u32) -> ()` is needed
//~ this is no method that a slot can call: `Fn(&std::sync::Mutex<Panel>, &u32) -> ()` is needed
//~ for a method that takes `&mut self`, put the owner in a `Mutex`, a `RwLock` or, in `local`, a `RefCell`, and use `connect_mut`
use std::sync::{Arc, Mutex};

struct Panel(u32);
impl Panel {
    fn move_to(&mut self, to: &u32) {
        self.0 = *to;
    }
}

fn main() {
    let moved: sigwire::Signal<u32> = sigwire::Signal::new();
    let panel = Arc::new(Mutex::new(Panel(0)));
    moved.connect(&panel, Panel::move_to);
    moved.connect(&Arc::new(Panel(0)), Panel::move_to);
}
