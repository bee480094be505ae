// An emission cannot outlive its signal.
//~ `moved` does not live long enough
fn main() {
    let mut emission = {
        let moved: sigwire::Signal<u32> = sigwire::Signal::new();
        moved.call(&1)
    };
    emission.next();
}
