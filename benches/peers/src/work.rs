//! The work that is measured: the same loops for everyone. For the C++ libraries they are in
//! `cpp/contender.hpp`, so that no call between the languages is measured.

use std::hint::black_box;

use crate::contender::{Contender, Native};

pub trait Work: Contender {
    /// Connects a slot that stands from now on.
    fn connect_one(&mut self, owner: &Self::Owner);

    /// Emits 1, 2, 3 and so on.
    fn emissions(&self, count: u64);

    /// Connects a slot and disconnects it.
    fn connections(&mut self, owner: &Self::Owner, count: u64);

    /// Connects a slot, emits, and disconnects it.
    fn turns(&mut self, owner: &Self::Owner, count: u64);
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
}

/// A contender in the state that it is measured in.
pub struct Connected<C: Work> {
    pub contender: C,
    /// Those of the standing slots, one each.
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
