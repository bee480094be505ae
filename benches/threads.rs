//! Measures an emission while several threads emit on the same signal, and, for comparison, an
//! emission by a single thread.

mod common;

use std::hint::spin_loop;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use common::{Contender, Event, HandArc, Signals2, TrackedSignal, loops};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, SamplingMode, criterion_group, criterion_main};

fn emit(criterion: &mut Criterion) {
    for slots in [1, 10, 1_000] {
        let owners = HandArc::owners(slots);
        let tracked = TrackedSignal::owners(slots);
        for (threads, name) in [(1, "one thread"), (2, "two threads")] {
            let mut group = criterion.benchmark_group(format!("emit on {name}/{slots}"));
            group.sampling_mode(SamplingMode::Flat);
            emissions::<HandArc>(&mut group, &owners, threads);
            emissions::<sigwire::Signal<Event>>(&mut group, &owners, threads);
            emissions::<TrackedSignal>(&mut group, &tracked, threads);
            emissions::<Signals2>(&mut group, &owners, threads);
        }
    }
}

fn emissions<C>(group: &mut BenchmarkGroup<'_, WallTime>, owners: &[C::Owner], threads: usize)
where
    C: Contender + Sync,
{
    let contender = C::connected(owners);
    group.bench_function(C::NAME, |bencher| {
        bencher.iter_custom(|count| emissions_together(&contender, threads, count));
    });
}

/// The time that a thread takes for its emissions, averaged over the threads.
fn emissions_together<C: Contender + Sync>(contender: &C, threads: usize, count: u64) -> Duration {
    let (ready, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    // Not a `Barrier`: it wakes the threads one after another, so the first would run alone.
    let start_together = || {
        ready.fetch_add(1, Ordering::Relaxed);
        while ready.load(Ordering::Relaxed) < threads {
            spin_loop();
        }
    };
    // The last thread must not run alone either.
    let stay_till_the_end = || {
        done.fetch_add(1, Ordering::Relaxed);
        while done.load(Ordering::Relaxed) < threads {
            loops::emissions(contender, 1);
        }
    };
    let emit = || {
        start_together();
        let time = loops::time(|| loops::emissions(contender, count));
        stay_till_the_end();
        time
    };
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(emit)).collect();
        let times =
            running.into_iter().map(|thread| thread.join().expect("emitting does not panic"));
        times.sum::<Duration>() / threads as u32
    })
}

criterion_group!(benches, emit);
criterion_main!(benches);
