// A stream keeps its events, so they must be `Clone`.
//~ the method `stream` exists
//~ doesn't satisfy `Click: Clone`
struct Click;

fn main() {
    let clicked: sigwire::Signal<Click> = sigwire::Signal::new();
    let _stream = clicked.stream(1, sigwire::Overflow::Latest);
}
