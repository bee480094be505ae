//! One emission, by number of slots: both flavours, each beside the loop one would write by hand,
//! and the `signals2` crate.

mod common;

use common::{Contender, Event, HandArc, HandRc, Signals2, loops};
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
    // Connecting takes `signals2` seconds, so not for a bench that is filtered out.
    let mut contender = None;
    group.bench_function(C::NAME, |bencher| {
        let contender = contender.get_or_insert_with(|| C::connected(owners));
        bencher.iter_custom(|count| loops::time(|| loops::emissions(contender, count)));
    });
}

criterion_group!(benches, emit);
criterion_main!(benches);
