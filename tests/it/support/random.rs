//! What the tests of random operations share.

use std::panic;
use std::sync::Once;

/// A small generator (PCG, M. O'Neill 2014, in its 32-bit form).
#[derive(Clone)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5DEE_CE66);
        random.next();
        random
    }
    pub fn next(&mut self) -> usize {
        let old = self.0;
        self.0 = old.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let shifted = (((old >> 18) ^ old) >> 27) as u32;
        shifted.rotate_right((old >> 59) as u32) as usize
    }
    pub fn below(&mut self, n: usize) -> usize {
        self.next() % n
    }
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// What slots panic with; not reported by the panic hook.
pub struct Expected;

/// Says nothing of the panics that are meant to be.
fn quiet_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let loud = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !info.payload().is::<Expected>() {
                loud(info);
            }
        }));
    });
}

/// Runs the seeds that are `kept`, and then new ones until they made as many operations as the
/// variable `SIGWIRE_OPERATIONS` says, or `usual`; shows how far it is. `run` makes those of one
/// seed, and says how many they were.
pub fn for_seeds(name: &str, kept: &[u64], usual: usize, mut run: impl FnMut(u64) -> usize) {
    quiet_panics();
    for seed in kept {
        run(*seed);
    }
    let wanted = match std::env::var("SIGWIRE_OPERATIONS") {
        Ok(number) => number.parse().expect("SIGWIRE_OPERATIONS is a whole number"),
        Err(_) => usual,
    };
    let (mut made, mut shown) = (0, 0);
    for seed in 1.. {
        made += run(seed);
        if made * 100 / wanted > shown {
            shown = made * 100 / wanted;
            println!("{name}: {shown} %, {made} operations");
        }
        if made >= wanted {
            break;
        }
    }
}
