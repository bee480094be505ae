//! The measured loops. None is inlined, so that all measurements of one kind run the same code, and
//! the compiler knows nothing about their arguments.

use std::collections::VecDeque;
use std::hint::black_box;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sigwire::generic::{Flavor, Signal};

use super::{Contender, Disconnect, Event};

pub(crate) fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

#[inline(never)]
pub(crate) fn emissions<C: Contender>(contender: &C, count: u64) {
    for event in 0..count {
        black_box(contender).emit(black_box(&event));
    }
}

#[inline(never)]
pub(crate) fn calls<F: Flavor>(signal: &Signal<Event, (), F>, count: u64) {
    for event in 0..count {
        black_box(black_box(signal).call(black_box(&event)).count());
    }
}

/// Connects a slot and disconnects it.
#[inline(never)]
pub(crate) fn connections<C>(contender: &mut C, owner: &C::Owner, count: u64)
where
    C: Contender<Connection: Disconnect>,
{
    for _ in 0..count {
        black_box(&mut *contender).connect(black_box(owner)).end();
    }
}

/// Connects a slot and disconnects the oldest one.
#[inline(never)]
pub(crate) fn rotations<C>(
    contender: &mut C,
    owner: &C::Owner,
    standing: &mut VecDeque<C::Connection>,
    count: u64,
) where
    C: Contender<Connection: Disconnect>,
{
    for _ in 0..count {
        standing.push_back(black_box(&mut *contender).connect(black_box(owner)));
        standing.pop_front().expect("one was pushed").end();
    }
}

/// Connects a slot, emits, and disconnects it.
#[inline(never)]
pub(crate) fn turns<C>(contender: &mut C, owner: &C::Owner, count: u64)
where
    C: Contender<Connection: Disconnect>,
{
    for event in 0..count {
        let connection = black_box(&mut *contender).connect(black_box(owner));
        black_box(&*contender).emit(black_box(&event));
        connection.end();
    }
}

/// The reference for budgets in nanoseconds: taking an uncontended lock.
#[inline(never)]
pub(crate) fn locks(mutex: &Mutex<u64>, count: u64) {
    for _ in 0..count {
        *black_box(mutex).lock().unwrap_or_else(PoisonError::into_inner) += 1;
    }
}
