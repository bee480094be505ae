// An `Rc` cannot own a slot of a thread-safe signal.
//~ `Rc<{integer}>` cannot own a slot of this signal
//~ a thread-safe `Signal` takes `&Arc<T>` where `T: Send + Sync + 'static`
use std::rc::Rc;

fn main() {
    let moved: sigwire::Signal<u32> = sigwire::Signal::new();
    moved.connect(&Rc::new(0), |_: &u32, _| ());
}
