//! Checks that a contender does the work it is measured for.

use std::sync::atomic::Ordering::Relaxed;

use crate::sink::PEERS_SINKS_ALIVE;
use crate::work::{Connected, Work};

/// # Panics
///
/// If a slot is not called exactly when it should be, or an owner lives or dies otherwise than
/// [`TRACKS_OWNERS`](crate::Contender::TRACKS_OWNERS) says.
pub fn check<C: Work>(slots: usize) {
    let Connected { mut contender, mut owners, extra } = Connected::<C>::new(slots);
    let each_has = |contender: &C, owners: &[C::Owner], total| {
        owners.iter().all(|owner| contender.total(owner) == total)
    };

    contender.emissions(1);
    assert!(each_has(&contender, &owners, 1), "{}: emission", C::NAME);

    contender.connections(&extra, 2);
    contender.emissions(1);
    assert_eq!(contender.total(&extra), 0, "{}: called after disconnecting", C::NAME);

    contender.turns(&extra, 2);
    assert_eq!(contender.total(&extra), 1 + 2, "{}: connected while emitting", C::NAME);
    assert!(each_has(&contender, &owners, 1 + 1 + 1 + 2), "{}: emission in turns", C::NAME);

    if C::TRACKS_OWNERS && slots > 0 {
        let alive = PEERS_SINKS_ALIVE.load(Relaxed);
        contender.release(owners.swap_remove(slots / 2));
        assert_eq!(PEERS_SINKS_ALIVE.load(Relaxed), alive - 1, "{}: keeps its owner", C::NAME);
        contender.emissions(1);
        assert!(each_has(&contender, &owners, 6), "{}: emission without one owner", C::NAME);
    }
    if C::STANDS_ALONE {
        check_many::<C>();
    }
}

fn check_many<C: Work>() {
    let mut maker = C::new();
    let owners: Vec<_> = (0..6).map(|_| maker.owner()).collect();
    let mut many = C::with_room_for(3);
    C::fill(&mut many);
    C::connect_each(&mut many, &owners, 2);
    C::visit(&many, &[2, 1, 2]);
    let totals: Vec<_> = owners.iter().map(|owner| maker.total(owner)).collect();
    // The event is the number of the signal.
    assert_eq!(totals, [0, 0, 1, 1, 4, 4], "{}: one of many", C::NAME);
    drop(many);

    C::lifetimes(&owners[0], 2);
    assert_eq!(maker.total(&owners[0]), 0, "{}: called by what never emits", C::NAME);
}
