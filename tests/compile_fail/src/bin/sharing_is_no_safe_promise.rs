// Safe code cannot say of a type that is not `Send` that a thread-safe signal may hold it.
//~ the trait `MaybeSendSync<Shared>` requires an `unsafe impl` declaration
use sigwire::generic::{MaybeSendSync, Shared};

trait Evil: Fn(&(), &u32) {}

impl MaybeSendSync<Shared> for &'static dyn Evil {}

fn main() {}
