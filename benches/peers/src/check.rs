//! That a contender does what it is measured for.

use std::sync::atomic::Ordering::Relaxed;

use crate::sink::PEERS_SINKS_ALIVE;
use crate::work::{Connected, Work};

/// # Panics
///
/// If a slot is not called exactly when it should be, or an owner lives or dies otherwise than
/// [`TRACKS_OWNERS`](crate::Contender::TRACKS_OWNERS) says.
pub fn check<C: Work>(slots: usize) {
    let Connected { mut contender, mut owners, extra } = Connected::<C>::new(slots);
    let total = |contender: &C, owners: &[C::Owner]| -> u64 {
        owners.iter().map(|owner| contender.total(owner)).sum()
    };

    contender.emissions(1);
    assert_eq!(total(&contender, &owners), slots as u64, "{}: emission", C::NAME);

    contender.connections(&extra, 2);
    contender.emissions(1);
    assert_eq!(contender.total(&extra), 0, "{}: called after disconnecting", C::NAME);

    contender.turns(&extra, 2);
    assert_eq!(contender.total(&extra), 1 + 2, "{}: connected while emitting", C::NAME);
    assert_eq!(total(&contender, &owners), (1 + 1 + 1 + 2) * slots as u64, "{}: turns", C::NAME);

    if C::TRACKS_OWNERS && slots > 0 {
        let alive = PEERS_SINKS_ALIVE.load(Relaxed);
        contender.release(owners.swap_remove(slots / 2));
        assert_eq!(PEERS_SINKS_ALIVE.load(Relaxed), alive - 1, "{}: keeps its owner", C::NAME);
        let before = total(&contender, &owners);
        contender.emissions(1);
        let called = total(&contender, &owners) - before;
        assert_eq!(called, slots as u64 - 1, "{}: emission without one owner", C::NAME);
    }
}
