// An emission refers to its event.
//~ `event` does not live long enough
fn main() {
    let moved: sigwire::AsyncSignal<String> = sigwire::AsyncSignal::new();
    let emission = {
        let event = String::new();
        moved.emit(&event)
    };
    drop(emission);
}
