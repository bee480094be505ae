//! Measures events that are queued for a loop and run, in time per handler call, and compares them
//! with a hand-written channel of boxed closures.

mod common;

use common::loops::time;
use common::queued::{ChannelLoop, LocalLoop, Loop, SharedLoop, across, turns};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};

fn one_thread(criterion: &mut Criterion) {
    for owners in [1, 10] {
        for batch in [1, 100, 10_000] {
            let name = format!("queue and run/{owners} owners, {batch} events a run");
            let mut group = criterion.benchmark_group(name);
            here::<SharedLoop>(&mut group, owners, batch);
            here::<LocalLoop>(&mut group, owners, batch);
            here::<ChannelLoop>(&mut group, owners, batch);
        }
    }
}

fn here<L: Loop>(group: &mut BenchmarkGroup<'_, WallTime>, owners: usize, batch: u64) {
    let both = L::with_owners(owners);
    group.bench_function(L::NAME, |bencher| {
        bencher.iter_custom(|count| time(|| turns(&both, batch, count)));
    });
}

fn two_threads(criterion: &mut Criterion) {
    for owners in [1, 10] {
        let name = format!("queue on one thread, run on another/{owners} owners");
        let mut group = criterion.benchmark_group(name);
        there::<SharedLoop>(&mut group, owners);
        there::<LocalLoop>(&mut group, owners);
        there::<ChannelLoop>(&mut group, owners);
    }
}

fn there<L: Loop>(group: &mut BenchmarkGroup<'_, WallTime>, owners: usize) {
    let (queue, emitter) = L::with_owners(owners);
    let mut emitter = Some(emitter);
    group.bench_function(L::NAME, |bencher| {
        bencher.iter_custom(|count| {
            let taken = emitter.take().expect("it comes back");
            time(|| emitter = Some(across(&queue, taken, owners as u64, count)))
        });
    });
}

criterion_group!(benches, one_thread, two_threads);
criterion_main!(benches);
