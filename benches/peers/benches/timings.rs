//! How long everyone takes. `BENCHMARKS.md` says how to read it.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, SamplingMode, criterion_group, criterion_main,
};
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

/// The time one of two threads takes for its emissions, on average.
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
        // Nor may the last one run alone.
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

/// Flat, so that all samples are of the same length and weigh the same.
fn group<'a>(criterion: &'a mut Criterion, name: &str) -> Group<'a> {
    let mut group = criterion.benchmark_group(name);
    group.sampling_mode(SamplingMode::Flat);
    group
}

fn measure<C: Work>(
    group: &mut Group<'_>,
    slots: usize,
    mut work: impl FnMut(&mut Connected<C>, u64) -> Duration,
) {
    if !C::is_there() {
        println!("{} is not there: NOT MEASURED", C::NAME);
        return;
    }
    // Not with 10,000, which a few take a second for.
    check::<C>(slots.min(1_000));
    let mut connected = Connected::<C>::new(slots);
    group.bench_function(BenchmarkId::new(C::NAME, slots), |bencher| {
        bencher.iter_custom(|count| work(&mut connected, count));
    });
}

fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

criterion_group!(benches, emit, connect_disconnect, connect_emit_disconnect, two_threads);
criterion_main!(benches);
