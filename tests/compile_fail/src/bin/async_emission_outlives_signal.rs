// An emission refers to its signal.
//~ cannot move out of `moved` because it is borrowed
fn main() {
    let moved: sigwire::AsyncSignal<u32> = sigwire::AsyncSignal::new();
    let emission = moved.emit_concurrent(&1);
    drop(moved);
    drop(emission);
}
