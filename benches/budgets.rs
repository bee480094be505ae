//! Measures this crate's performance and compares it with its budgets, in one table. Run it with
//! `cargo bench --bench budgets`. Add part of a cell's name to measure only matching cells.
//!
//! Budgets that are ratios apply to the median of paired rounds, so they hold on any machine.
//! Budgets in nanoseconds depend on the machine, so a reference measurement is printed next to
//! them.

mod common;

use std::collections::VecDeque;
use std::sync::Mutex;

use common::heap::{Counting, heap};
use common::paired::compare;
use common::queued::{self, ChannelLoop, LocalLoop, Loop, SharedLoop};
use common::table::{Table, multiple, nanoseconds};
use common::{Contender, Event, HandArc, HandRc, TrackedSignal, loops};
use sigwire::generic::{Connection, Flavor, Local, Shared, Signal};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The budgets that differ between flavors.
struct Budgets {
    flavor: &'static str,
    /// A number of slots, and the maximum ratio of their emission to the hand-written loop.
    emit: [(usize, f64); 3],
    turn: f64,
}

fn main() {
    let mut table = Table::new();
    flavor::<Shared, HandArc>(
        &mut table,
        &Budgets { flavor: "thread-safe", emit: [(1, 2.0), (10, 1.3), (1_000, 1.15)], turn: 1.5 },
    );
    tracked(&mut table);
    flavor::<Local, HandRc>(
        &mut table,
        &Budgets { flavor: "local", emit: [(1, 1.6), (10, 1.3), (1_000, 1.2)], turn: 1.3 },
    );
    queues(&mut table);
}

fn flavor<F, Hand>(table: &mut Table, budgets: &Budgets)
where
    F: Flavor,
    Hand: Contender,
    Signal<Event, (), F>: Contender<Owner = Hand::Owner, Connection = Connection<F>>,
{
    table.flavor = budgets.flavor;
    emit_without_slots::<F, Hand>(table);
    for (slots, most) in budgets.emit {
        emit::<F, Hand>(table, slots, most);
    }
    connect_disconnect::<F>(table);
    turn::<F>(table, budgets.turn);
    memory::<F>(table);
}

fn emit_without_slots<F, Hand>(table: &mut Table)
where
    F: Flavor,
    Hand: Contender,
    Signal<Event, (), F>: Contender<Connection = Connection<F>>,
{
    let beside_an_empty_vec = |signal: Signal<Event, (), F>| {
        let hand = Hand::default();
        let paired = compare(
            1,
            |count| loops::emissions(&signal, count),
            |count| loops::emissions(&hand, count),
        );
        nanoseconds(paired, "an empty Vec")
    };
    table.cell("emit, 0 slots, never connected", 2.0, "ns", || {
        beside_an_empty_vec(Signal::default())
    });
    table.cell("emit, 0 slots, all disconnected", 2.0, "ns", || {
        let mut signal = Signal::default();
        signal.connect(&Default::default()).disconnect();
        beside_an_empty_vec(signal)
    });
}

fn emit<F, Hand>(table: &mut Table, slots: usize, most: f64)
where
    F: Flavor,
    Hand: Contender,
    Signal<Event, (), F>: Contender<Owner = Hand::Owner>,
{
    let plural = if slots == 1 { "" } else { "s" };
    table.cell(&format!("emit, {slots} slot{plural}"), most, "x", || {
        let owners = Hand::owners(slots);
        let signal = Signal::connected(&owners);
        let hand = Hand::connected(&owners);
        multiple(compare(
            1,
            |count| loops::emissions(&signal, count),
            |count| loops::emissions(&hand, count),
        ))
    });
}

/// The hand-written loop counts references, which `HazardArc` owners are meant to avoid.
fn tracked(table: &mut Table) {
    for (slots, most) in [(1, 2.5), (10, 1.1), (1_000, 0.85)] {
        let name = format!("emit, tracked owners: {slots}");
        table.cell(&name, most, "x", || {
            let (tracked, counted) = (TrackedSignal::owners(slots), HandArc::owners(slots));
            let signal = TrackedSignal::connected(&tracked);
            let hand = HandArc::connected(&counted);
            multiple(compare(
                1,
                |count| loops::emissions(&signal, count),
                |count| loops::emissions(&hand, count),
            ))
        });
    }
}

/// Queues events for a loop and runs them, on one thread.
fn queues(table: &mut Table) {
    table.flavor = "queue";
    queue::<SharedLoop>(table);
    queue::<LocalLoop>(table);
}

fn queue<L: Loop>(table: &mut Table) {
    for (owners, batch) in [(1, 100), (10, 100), (1, 1)] {
        let measure = || {
            let (queue, channel) = (L::with_owners(owners), ChannelLoop::with_owners(owners));
            // A turn cannot be split.
            compare(
                10 * batch * owners as u64,
                |count| queued::turns(&queue, batch, count),
                |count| queued::turns(&channel, batch, count),
            )
        };
        let plural = if owners == 1 { "" } else { "s" };
        let name = format!("{}, {owners} owner{plural}, {batch} a run", L::NAME);
        if batch > 1 {
            table.cell(&name, 40.0, "ns", || nanoseconds(measure(), ChannelLoop::NAME));
        }
        let most = if batch == 1 { 1.2 } else { 1.0 };
        table.cell(&format!("{name}, beside mpsc"), most, "x", || multiple(measure()));
    }
}

fn connect_disconnect<F>(table: &mut Table)
where
    F: Flavor,
    Signal<Event, (), F>: Contender<Connection = Connection<F>>,
{
    const SLOTS: usize = 10_000;
    let owners = Signal::<Event, (), F>::owners(SLOTS);
    let owner = &owners[0];
    let mutex = Mutex::new(0);

    table.cell("connect + disconnect, 10000 slots", 100.0, "ns", || {
        let mut signal = Signal::connected(&owners);
        let paired = compare(
            1,
            |count| loops::connections(&mut signal, owner, count),
            |count| loops::locks(&mutex, count),
        );
        nanoseconds(paired, "Mutex lock + unlock")
    });
    table.cell("connect + disconnect oldest, 10000 slots", 100.0, "ns", || {
        let mut signal = Signal::default();
        let mut standing: VecDeque<_> = owners.iter().map(|o| signal.connect(o)).collect();
        // Enough to replace each slot more than once per round.
        let paired = compare(
            3 * SLOTS as u64,
            |count| loops::rotations(&mut signal, owner, &mut standing, count),
            |count| loops::locks(&mutex, count),
        );
        nanoseconds(paired, "Mutex lock + unlock")
    });
    // Cache misses alone make the larger number somewhat slower.
    table.cell("connect + disconnect, 10000 slots beside 10", 1.5, "x", || {
        let mut many = Signal::connected(&owners);
        let mut few = Signal::connected(&owners[..10]);
        multiple(compare(
            1,
            |count| loops::connections(&mut many, owner, count),
            |count| loops::connections(&mut few, owner, count),
        ))
    });
}

fn turn<F>(table: &mut Table, most: f64)
where
    F: Flavor,
    Signal<Event, (), F>: Contender<Connection = Connection<F>>,
{
    let name = "connect, emit, disconnect, 1000 slots, beside emit";
    table.cell(name, most, "x", || {
        let owners = Signal::<Event, (), F>::owners(1_000);
        let alone = Signal::connected(&owners);
        let mut signal = Signal::connected(&owners);
        multiple(compare(
            1,
            |count| loops::turns(&mut signal, &owners[0], count),
            |count| loops::emissions(&alone, count),
        ))
    });
}

fn memory<F>(table: &mut Table)
where
    F: Flavor,
    Signal<Event, (), F>: Contender<Connection = Connection<F>>,
{
    const SLOTS: usize = 10_000;
    let owners = Signal::<Event, (), F>::owners(SLOTS);

    table.cell("size of a signal", size_of::<usize>() as f64, "B", || {
        (size_of::<Signal<Event, (), F>>() as f64, String::new())
    });
    table.cell("allocations, unconnected signal", 0.0, "", || {
        let (heap, ()) = heap(|| loops::emissions(&Signal::<Event, (), F>::default(), 1));
        (heap.allocations as f64, String::new())
    });
    table.cell("allocations, 1000 emit + 1000 call", 0.0, "", || {
        let signal = Signal::connected(&owners[..100]);
        let (heap, ()) = heap(|| {
            loops::emissions(&signal, 1_000);
            loops::calls(&signal, 1_000);
        });
        (heap.allocations as f64, "100 slots".to_owned())
    });
    table.cell("allocations, 1000 connect + disconnect", 0.0, "", || {
        let mut signal = Signal::connected(&owners);
        // The first connect may have to grow the lists.
        loops::connections(&mut signal, &owners[0], 1);
        let (heap, ()) = heap(|| loops::connections(&mut signal, &owners[0], 1_000));
        (heap.allocations as f64, "10000 slots".to_owned())
    });
    // Only a few lists grow, and each doubles 14 times.
    table.cell("allocations, 10000 connect from empty", 100.0, "", || {
        let (heap, _signal) = heap(|| Signal::connected(&owners));
        (heap.allocations as f64, String::new())
    });
    table.cell("heap per connection, 10000 slots", 64.0, "B", || {
        let (heap, _signal) = heap(|| Signal::connected(&owners));
        let each = heap.bytes as f64 / SLOTS as f64;
        (each, format!("{} B in all", heap.bytes))
    });
}
