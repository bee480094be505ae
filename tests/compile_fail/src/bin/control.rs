// This one compiles: it shows that the others fail for their own reasons.
fn main() {
    let moved: sigwire::Signal<u32> = sigwire::Signal::new();
    assert_eq!(moved.emit(&1), 0);
}
