//! The work that is measured: the same loops for all contenders. For the C++ libraries, the loops
//! are in `cpp/contender.hpp`, so that no call between the languages is measured.

use std::hint::black_box;

use crate::contender::{Contender, Native};

pub trait Work: Contender {
    /// Connects a slot that stays connected.
    fn connect_one(&mut self, owner: &Self::Owner);

    /// Emits 1, 2, 3 and so on.
    fn emissions(&self, count: u64);

    /// Connects a slot and disconnects it.
    fn connections(&mut self, owner: &Self::Owner, count: u64);

    /// Connects a slot, emits, and disconnects it.
    fn turns(&mut self, owner: &Self::Owner, count: u64);

    /// Makes a signal, connects a slot to it, and drops it.
    fn lifetimes(owner: &Self::Owner, count: u64);

    /// Many signals, side by side.
    type Many;

    fn with_room_for(count: usize) -> Self::Many;

    /// Makes as many signals as there is room for.
    fn fill(many: &mut Self::Many);

    /// Connects `slots` slots to each signal: the slots of the first signal to the first owners,
    /// and so on.
    fn connect_each(many: &mut Self::Many, owners: &[Self::Owner], slots: usize);

    /// Emits once on each signal that `order` names. The event is the signal's number.
    fn visit(many: &Self::Many, order: &[u32]);
}

impl<N: Native> Work for N {
    fn connect_one(&mut self, owner: &Self::Owner) {
        self.connect(owner);
    }

    #[inline(never)]
    fn emissions(&self, count: u64) {
        for event in 1..=count {
            black_box(self).emit(black_box(&event));
        }
    }

    #[inline(never)]
    fn connections(&mut self, owner: &Self::Owner, count: u64) {
        for _ in 0..count {
            let connection = black_box(&mut *self).connect(black_box(owner));
            self.disconnect(connection);
        }
    }

    #[inline(never)]
    fn turns(&mut self, owner: &Self::Owner, count: u64) {
        for event in 1..=count {
            let connection = black_box(&mut *self).connect(black_box(owner));
            black_box(&*self).emit(black_box(&event));
            self.disconnect(connection);
        }
    }

    #[inline(never)]
    fn lifetimes(owner: &Self::Owner, count: u64) {
        for _ in 0..count {
            let mut contender = black_box(N::new());
            contender.connect(black_box(owner));
            drop(black_box(contender));
        }
    }

    type Many = Vec<N>;

    fn with_room_for(count: usize) -> Self::Many {
        Vec::with_capacity(count)
    }

    fn fill(many: &mut Self::Many) {
        many.resize_with(many.capacity(), N::new);
    }

    #[inline(never)]
    fn connect_each(many: &mut Self::Many, owners: &[Self::Owner], slots: usize) {
        for (contender, owners) in many.iter_mut().zip(owners.chunks(slots)) {
            for owner in owners {
                black_box(&mut *contender).connect(black_box(owner));
            }
        }
    }

    #[inline(never)]
    fn visit(many: &Self::Many, order: &[u32]) {
        for &index in order {
            black_box(&many[index as usize]).emit(black_box(&u64::from(index)));
        }
    }
}

/// A contender in the state in which it is measured.
pub struct Connected<C: Work> {
    pub contender: C,
    /// The owners of the standing slots, one for each.
    pub owners: Vec<C::Owner>,
    /// The owner of the slot that comes and goes.
    pub extra: C::Owner,
}

impl<C: Work> Connected<C> {
    pub fn new(slots: usize) -> Self {
        let mut contender = C::new();
        let owners: Vec<_> = (0..slots).map(|_| contender.owner()).collect();
        let extra = contender.owner();
        owners.iter().for_each(|owner| contender.connect_one(owner));
        Connected { contender, owners, extra }
    }
}
