//! Measures one emission, by the number of slots: both flavors, their hand-written loops, and the
//! `signals2` crate. Also measures an emission to 10 slots after many more were disconnected.

mod common;

use common::{Contender, Disconnect, Event, HandArc, HandRc, Signals2, TrackedSignal, loops};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};

fn emit(criterion: &mut Criterion) {
    for slots in [0, 1, 3, 10, 100, 1_000, 10_000] {
        let mut group = criterion.benchmark_group(format!("emit/{slots}"));
        if slots > 0 {
            group.throughput(Throughput::Elements(slots as u64));
        }

        let owners = HandArc::owners(slots);
        emissions::<HandArc>(&mut group, &owners);
        emissions::<sigwire::Signal<Event>>(&mut group, &owners);
        emissions::<Signals2>(&mut group, &owners);

        emissions::<TrackedSignal>(&mut group, &TrackedSignal::owners(slots));

        let signal = sigwire::Signal::connected(&owners);
        group.bench_function("sigwire call", |bencher| {
            bencher.iter_custom(|count| loops::time(|| loops::calls(&signal, count)));
        });

        let owners = HandRc::owners(slots);
        emissions::<HandRc>(&mut group, &owners);
        emissions::<sigwire::local::Signal<Event>>(&mut group, &owners);
    }
}

fn emissions<C: Contender>(group: &mut BenchmarkGroup<'_, WallTime>, owners: &[C::Owner]) {
    // `signals2` takes seconds to connect, so skip that for a bench that is filtered out.
    let mut contender = None;
    group.bench_function(C::NAME, |bencher| {
        let contender = contender.get_or_insert_with(|| C::connected(owners));
        bencher.iter_custom(|count| loops::time(|| loops::emissions(contender, count)));
    });
}

fn emit_after_disconnects(criterion: &mut Criterion) {
    for disconnects in [0, 1_000] {
        let mut group = criterion.benchmark_group(format!("emit, after disconnects/{disconnects}"));
        emissions_after::<sigwire::Signal<Event>>(&mut group, disconnects);
        emissions_after::<sigwire::local::Signal<Event>>(&mut group, disconnects);
    }
}

fn emissions_after<C>(group: &mut BenchmarkGroup<'_, WallTime>, disconnects: usize)
where
    C: Contender<Connection: Disconnect>,
{
    let owners = C::owners(10);
    let extra = C::Owner::default();
    let (before, after) = owners.split_at(5);
    let mut contender = C::connected(before);
    let extras: Vec<_> = (0..disconnects).map(|_| contender.connect(&extra)).collect();
    after.iter().for_each(|owner| _ = contender.connect(owner));
    extras.into_iter().for_each(Disconnect::end);
    group.bench_function(C::NAME, |bencher| {
        bencher.iter_custom(|count| loops::time(|| loops::emissions(&contender, count)));
    });
}

criterion_group!(benches, emit, emit_after_disconnects);
criterion_main!(benches);
