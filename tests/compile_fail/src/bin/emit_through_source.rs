// A `Source` cannot emit.
//~ no method named `emit` found for reference `&Source<u32, (), Shared>`
//~ method `emit` is available on `&Signal<u32, (), Shared>`
fn main() {
    let moved: sigwire::Signal<u32> = sigwire::Signal::new();
    moved.source().emit(&1);
}
