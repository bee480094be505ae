//! Times all contenders. `BENCHMARKS.md` says how to read the figures.

#[path = "../../common/order.rs"]
mod order;

use std::hint::{black_box, spin_loop};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, SamplingMode, criterion_group, criterion_main,
};
use order::{Spacer, shuffled};
use peers::{Connected, Work, check, every, every_threaded};

type Group<'a> = BenchmarkGroup<'a, WallTime>;

fn emit(criterion: &mut Criterion) {
    let group = &mut group(criterion, "emit");
    for slots in [0, 1, 10, 1_000] {
        every!(emissions(group, slots));
    }
}

fn emissions<C: Work>(group: &mut Group<'_>, slots: usize) {
    measure::<C>(group, slots, |it, count| time(|| it.contender.emissions(count)));
}

fn connect_disconnect(criterion: &mut Criterion) {
    let group = &mut group(criterion, "connect, disconnect");
    for slots in [10, 10_000] {
        every!(connections(group, slots));
    }
}

fn connections<C: Work>(group: &mut Group<'_>, slots: usize) {
    measure::<C>(group, slots, |it, count| time(|| it.contender.connections(&it.extra, count)));
}

fn connect_emit_disconnect(criterion: &mut Criterion) {
    let group = &mut group(criterion, "connect, emit, disconnect");
    every!(turns(group, 1_000));
}

fn turns<C: Work>(group: &mut Group<'_>, slots: usize) {
    measure::<C>(group, slots, |it, count| time(|| it.contender.turns(&it.extra, count)));
}

fn two_threads(criterion: &mut Criterion) {
    let group = &mut group(criterion, "emit on two threads");
    for slots in [10, 1_000] {
        every_threaded!(emissions_together(group, slots));
    }
}

fn emissions_together<C: Work + Sync>(group: &mut Group<'_>, slots: usize) {
    measure::<C>(group, slots, |it, count| together(&it.contender, count));
}

/// The average time that one of two threads takes for its emissions.
fn together<C: Work + Sync>(contender: &C, count: u64) -> Duration {
    const THREADS: usize = 2;
    let (ready, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let emit = || {
        // `Barrier` would wake one thread well after the other, which would run alone until then.
        ready.fetch_add(1, Relaxed);
        while ready.load(Relaxed) < THREADS {
            spin_loop();
        }
        let time = time(|| contender.emissions(count));
        // The last thread must not run alone, either.
        done.fetch_add(1, Relaxed);
        while done.load(Relaxed) < THREADS {
            contender.emissions(1);
        }
        time
    };
    thread::scope(|scope| {
        let running = [scope.spawn(emit), scope.spawn(emit)];
        let times = running.map(|thread| thread.join().expect("emitting does not panic"));
        times.iter().sum::<Duration>() / THREADS as u32
    })
}

/// Signals that are visited in random order, each with owners of its own. Before the first is
/// visited again, the others have replaced it in the caches.
struct Cold<C: Work> {
    many: C::Many,
    order: Vec<u32>,
    next: usize,
    _owners: Owners<C>,
}

/// Apart from each other.
struct Owners<C: Work> {
    owners: Vec<C::Owner>,
    _spacers: Vec<Spacer>,
}

impl<C: Work> Owners<C> {
    fn new(count: usize) -> Self {
        let mut maker = C::new();
        let apart = |_| (maker.owner(), black_box(Box::new([0; 64])));
        let (owners, _spacers) = (0..count).map(apart).unzip();
        Owners { owners, _spacers }
    }
}

impl<C: Work> Cold<C> {
    fn new(signals: usize, slots: usize) -> Self {
        let owners = Owners::<C>::new(signals * slots);
        let mut many = C::with_room_for(signals);
        C::fill(&mut many);
        C::connect_each(&mut many, &owners.owners, slots);
        let order = shuffled(signals as u32);
        C::visit(&many, &order);
        Cold { many, order, next: 0, _owners: owners }
    }

    /// Continues where it ended last time.
    fn visit(&mut self, count: u64) -> Duration {
        let mut left = count as usize;
        let mut time = Duration::ZERO;
        while left > 0 {
            let end = self.order.len().min(self.next + left);
            let part = &self.order[self.next..end];
            time += self::time(|| C::visit(&self.many, part));
            left -= part.len();
            self.next = end % self.order.len();
        }
        time
    }
}

fn cold(criterion: &mut Criterion) {
    let group = &mut group(criterion, "cold emission");
    for slots in [1, 3] {
        every!(cold_emissions(group, slots));
    }
}

fn cold_emissions<C: Work>(group: &mut Group<'_>, slots: usize) {
    if !C::STANDS_ALONE {
        return;
    }
    let signals = if is_quick() { 1_000 } else { 200_000 };
    with::<C, _>(group, slots, || Cold::<C>::new(signals, slots), |it, count| it.visit(count));
}

fn first_connect(criterion: &mut Criterion) {
    every!(first_connects(&mut group(criterion, "first connect")));
}

/// Connects to new signals, each with an owner of its own. Making and dropping these is not timed.
fn first_connects<C: Work>(group: &mut Group<'_>) {
    const SIGNALS: usize = 1_000;
    if !C::STANDS_ALONE {
        return;
    }
    let owners = || Owners::<C>::new(SIGNALS);
    with::<C, _>(group, 1, owners, |Owners { owners, .. }, count| {
        let mut time = Duration::ZERO;
        let mut left = count as usize;
        while left > 0 {
            let now = left.min(SIGNALS);
            let mut many = C::with_room_for(now);
            C::fill(&mut many);
            time += self::time(|| C::connect_each(&mut many, &owners[..now], 1));
            left -= now;
        }
        time
    });
}

fn lifetime(criterion: &mut Criterion) {
    every!(lifetimes(&mut group(criterion, "new, connect, drop")));
}

fn lifetimes<C: Work>(group: &mut Group<'_>) {
    if !C::STANDS_ALONE {
        return;
    }
    let owner = || C::new().owner();
    with::<C, _>(group, 1, owner, |owner, count| time(|| C::lifetimes(owner, count)));
}

/// Flat sampling, so that all samples have the same length and weight.
fn group<'a>(criterion: &'a mut Criterion, name: &str) -> Group<'a> {
    let mut group = criterion.benchmark_group(name);
    group.sampling_mode(SamplingMode::Flat);
    group
}

fn measure<C: Work>(
    group: &mut Group<'_>,
    slots: usize,
    work: impl FnMut(&mut Connected<C>, u64) -> Duration,
) {
    let connected = || {
        // Not with 10,000 slots, for which some contenders take a second.
        check::<C>(slots.min(1_000));
        Connected::<C>::new(slots)
    };
    with::<C, _>(group, slots, connected, work);
}

fn with<C: Work, T>(
    group: &mut Group<'_>,
    slots: usize,
    setup: impl FnOnce() -> T,
    mut work: impl FnMut(&mut T, u64) -> Duration,
) {
    if !C::is_there() {
        println!("{} is not there: NOT MEASURED", C::NAME);
        return;
    }
    let mut prepared = setup();
    group.bench_function(BenchmarkId::new(C::NAME, slots), |bencher| {
        bencher.iter_custom(|count| work(&mut prepared, count));
    });
}

/// Whether this run only has to show that the benches work.
fn is_quick() -> bool {
    cfg!(debug_assertions)
}

fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

criterion_group!(
    benches,
    emit,
    connect_disconnect,
    connect_emit_disconnect,
    two_threads,
    cold,
    first_connect,
    lifetime
);
criterion_main!(benches);
