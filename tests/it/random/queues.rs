//! Random operations on a queue, beside a model of it that is as plain as what the docs say.

use crate::support::random::{Expected, Random, for_seeds};
use sigwire::{Connection, Edges, Overflow, Queue, Signal};
use std::collections::{BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Plain,
    Latest,
    /// Debounced for no time at all, at its leading edge: called with the first event of each run.
    Leading,
}
use Kind::*;

const KINDS: [Kind; 6] = [Plain, Latest, Leading, Plain, Leading, Latest];

/// Events that are this number times anything make their handler panic.
const PANICS: u32 = 11;

#[derive(Default)]
struct Model {
    /// Whose event it is, and which.
    waiting: VecDeque<(usize, u32)>,
    called: Vec<(usize, u32)>,
    /// The connections whose window is open.
    open: BTreeSet<usize>,
    limit: Option<(usize, Overflow)>,
    lost: u64,
    lost_told: u64,
}

impl Model {
    fn emit(&mut self, slot: usize, event: u32) {
        let is_latest = KINDS[slot] == Latest || matches!(self.limit, Some((_, Overflow::Latest)));
        let standing = self.waiting.iter_mut().rfind(|(of, _)| *of == slot);
        if let (true, Some(standing)) = (is_latest, standing) {
            standing.1 = event;
            self.lost += 1;
            return;
        }
        self.waiting.push_back((slot, event));
        let Some((capacity, overflow)) = self.limit else { return };
        if self.waiting.len() > capacity {
            self.lost += 1;
            match overflow {
                Overflow::DropNewest => _ = self.waiting.pop_back(),
                _ => _ = self.waiting.pop_front(),
            }
        }
    }

    fn bound(&mut self, capacity: usize, overflow: Overflow) {
        self.limit = Some((capacity, overflow));
        let before = self.waiting.len();
        if overflow == Overflow::Latest {
            let all = std::mem::take(&mut self.waiting);
            for (slot, event) in all {
                match self.waiting.iter_mut().find(|(of, _)| *of == slot) {
                    Some(standing) => standing.1 = event,
                    None => self.waiting.push_back((slot, event)),
                }
            }
        }
        while self.waiting.len() > capacity {
            match overflow {
                Overflow::DropNewest => _ = self.waiting.pop_back(),
                _ => _ = self.waiting.pop_front(),
            }
        }
        self.lost += (before - self.waiting.len()) as u64;
    }

    /// Whether it came to the end.
    fn call(&mut self, slot: usize, event: u32) -> bool {
        if KINDS[slot] == Leading && !self.open.insert(slot) {
            return true;
        }
        self.called.push((slot, event));
        event % PANICS != 0
    }

    /// None when a handler panics.
    fn run(&mut self, most: usize) -> Option<u64> {
        if most > 0 {
            self.open.clear();
        }
        for _ in 0..most {
            let Some((slot, event)) = self.waiting.pop_front() else {
                self.open.clear();
                break;
            };
            if !self.call(slot, event) {
                return None;
            }
        }
        let lost = self.lost - self.lost_told;
        self.lost_told = self.lost;
        Some(lost)
    }

    fn take(&mut self, slot: usize) -> Vec<u32> {
        let taken = self.waiting.iter().filter(|(of, _)| *of == slot).map(|(_, event)| *event);
        let taken = taken.collect();
        self.waiting.retain(|(of, _)| *of != slot);
        taken
    }

    fn flush(&mut self, slot: usize) {
        self.open.remove(&slot);
        let count = self.waiting.iter().filter(|(of, _)| *of == slot).count();
        for _ in 0..count {
            let at = self.waiting.iter().position(|(of, _)| *of == slot).expect("it was counted");
            let (_, event) = self.waiting.remove(at).expect("it was found");
            if !self.call(slot, event) {
                return;
            }
        }
        self.open.remove(&slot);
    }

    fn cancel(&mut self, slot: usize) -> bool {
        self.open.remove(&slot);
        !self.take(slot).is_empty()
    }
}

#[test]
fn a_queue_does_what_its_model_does() {
    for_seeds("queue", &[], 60_000, |seed| {
        let mut random = Random::new(seed);
        let mut model = Model::default();
        let mut queue = Queue::default();
        let signals: [Signal<u32>; KINDS.len()] = Default::default();
        let owner = Arc::new(());
        let called = Arc::new(Mutex::new(vec![]));
        let connect = |queue: &Queue, slot: usize| -> Connection {
            let called = called.clone();
            let options = signals[slot].slot().on(queue);
            let options = match KINDS[slot] {
                Plain => options,
                Latest => options.latest(),
                Leading => options.debounce(Duration::ZERO).edges(Edges::Leading),
            };
            options.connect(&owner, move |_, event| {
                called.lock().unwrap().push((slot, *event));
                if event % PANICS == 0 {
                    panic_any(Expected);
                }
            })
        };
        let mut connections: Vec<_> = (0..KINDS.len()).map(|slot| connect(&queue, slot)).collect();
        let operations = 200;
        // Some queues fill, some are empty mostly.
        let of = 16 + random.below(100);
        for event in 1..=operations {
            let slot = random.below(KINDS.len());
            match random.below(of) {
                0 => {
                    model.take(slot);
                    model.open.remove(&slot);
                    assert!(connections[slot].disconnect());
                    connections[slot] = connect(&queue, slot);
                }
                1..=3 => {
                    let is_paced = KINDS[slot] == Leading;
                    let had_some = is_paced && model.cancel(slot);
                    assert_eq!(queue.cancel(&connections[slot]), had_some);
                }
                4..=6 => {
                    if KINDS[slot] == Leading {
                        model.flush(slot);
                    }
                    _ = catch_unwind(AssertUnwindSafe(|| queue.flush(&connections[slot])));
                }
                7..=9 => {
                    let most = if random.one_in(3) { usize::MAX } else { random.below(6) };
                    let lost = model.run(most);
                    let ran = catch_unwind(AssertUnwindSafe(|| queue.run_max(most)));
                    assert_eq!(ran.as_ref().ok().map(|ran| ran.lost), lost, "seed {seed}");
                }
                10 if random.one_in(10) => {
                    let overflows = [Overflow::DropOldest, Overflow::DropNewest, Overflow::Latest];
                    let (capacity, overflow) = (1 + random.below(12), overflows[random.below(3)]);
                    model.bound(capacity, overflow);
                    queue = queue.bounded(capacity, overflow);
                }
                _ => {
                    model.emit(slot, event);
                    assert_eq!(signals[slot].emit(&event), 1);
                }
            }
            assert_eq!(
                (queue.len(), queue.lost()),
                (model.waiting.len(), model.lost),
                "seed {seed}"
            );
            assert_eq!(*called.lock().unwrap(), model.called, "seed {seed}, at {event}");
        }
        operations as usize
    });
}
