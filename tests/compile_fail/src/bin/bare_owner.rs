// An owner without a pointer cannot own a slot: nothing could tell when it ends.
//~ `Panel` cannot own a slot of this signal
//~ for an owner that is changed by its slots, use `connect_mut`
struct Panel;

fn main() {
    let moved: sigwire::Signal<u32> = sigwire::Signal::new();
    moved.connect(&Panel, |_, _| ());
}
