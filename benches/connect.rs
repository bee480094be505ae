//! Measures connecting and disconnecting, by the number of other slots, and the whole life of a
//! signal, from its construction to its drop.

mod common;

use common::{Contender, Disconnect, Event, HandArc, HandRc, Signals2, loops};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};

type Group<'a> = BenchmarkGroup<'a, WallTime>;

fn connect_disconnect(criterion: &mut Criterion) {
    for slots in [0, 10, 1_000, 10_000] {
        let mut group = criterion.benchmark_group(format!("connect, disconnect/beside {slots}"));
        connections::<sigwire::Signal<Event>>(&mut group, slots);
        connections::<Signals2>(&mut group, slots);
        connections::<sigwire::local::Signal<Event>>(&mut group, slots);
    }
}

fn connections<C>(group: &mut Group<'_>, slots: usize)
where
    C: Contender<Connection: Disconnect>,
{
    let owners = C::owners(slots);
    let extra = C::Owner::default();
    let mut contender = None;
    group.bench_function(C::NAME, |bencher| {
        let contender = contender.get_or_insert_with(|| C::connected(&owners));
        bencher.iter_custom(|count| loops::time(|| loops::connections(contender, &extra, count)));
    });
}

fn connect_emit_disconnect(criterion: &mut Criterion) {
    let slots = 1_000;
    let mut group = criterion.benchmark_group(format!("connect, emit, disconnect/beside {slots}"));
    turns::<sigwire::Signal<Event>>(&mut group, slots);
    turns::<Signals2>(&mut group, slots);
    turns::<sigwire::local::Signal<Event>>(&mut group, slots);
}

fn turns<C>(group: &mut Group<'_>, slots: usize)
where
    C: Contender<Connection: Disconnect>,
{
    let owners = C::owners(slots);
    let extra = C::Owner::default();
    let mut contender = C::connected(&owners);
    group.bench_function(format!("{}, emission alone", C::NAME), |bencher| {
        bencher.iter_custom(|count| loops::time(|| loops::emissions(&contender, count)));
    });
    group.bench_function(C::NAME, |bencher| {
        bencher.iter_custom(|count| loops::time(|| loops::turns(&mut contender, &extra, count)));
    });
}

fn construct_connect_drop(criterion: &mut Criterion) {
    for slots in [0, 1, 10, 1_000, 10_000] {
        let mut group = criterion.benchmark_group(format!("construct, connect, drop/{slots}"));
        lives::<HandArc>(&mut group, slots);
        lives::<sigwire::Signal<Event>>(&mut group, slots);
        // `signals2` copies all slots for each connect: 10,000 would take a second each time.
        if slots <= 1_000 {
            lives::<Signals2>(&mut group, slots);
        }
        lives::<HandRc>(&mut group, slots);
        lives::<sigwire::local::Signal<Event>>(&mut group, slots);
    }
}

fn lives<C: Contender>(group: &mut Group<'_>, slots: usize) {
    let owners = C::owners(slots);
    group.bench_function(C::NAME, |bencher| bencher.iter(|| C::connected(&owners)));
}

criterion_group!(benches, connect_disconnect, connect_emit_disconnect, construct_connect_drop);
criterion_main!(benches);
