// Nobody can say of a type that is not `Send` that a thread-safe signal may hold it.
//~ `Captures` is a "sealed trait"
//~ the trait `Sync` is not implemented for `(dyn Evil + 'static)`
use sigwire::generic::{Captures, Shared};

trait Evil: Fn(&(), &u32) {}

impl Captures<Shared> for &'static dyn Evil {}

fn main() {}
