//! Measures signals as typical programs use them: many signals, with one to three slots each, that
//! are rarely emitted. Compares them with their budgets in one table; the budgets for one hot
//! signal are in `budgets.rs`. Run it with `cargo bench --bench shapes`. Add part of a cell's name
//! to measure only matching cells. `-- --test` uses few signals, to test that the bench works.
//!
//! The comparison is hand-written code: `RwLock<Vec<Weak<dyn Method>>>`, or
//! `Vec<rc::Weak<dyn Method>>` where one thread is enough.

mod common;

use std::cell::RefCell;
use std::hint::black_box;
use std::sync::{Arc, RwLock};

use common::heap::{Counting, Heap, heap};
use common::order::{Spacer, shuffled};
use common::paired::{ROUNDS, alternate, compare};
use common::table::{Table, multiple, nanoseconds};
use common::{Contender, Event, HandArc, HandRc, Signals2, loops};
use sigwire::generic::{Connection, Flavor, Local, Shared, Source};
use sigwire::{LocalQueue, Queue};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

type Signal<F> = sigwire::generic::Signal<Event, (), F>;

/// Hand-written, for several threads.
#[derive(Default)]
struct Locked(RwLock<HandArc>);

impl Contender for Locked {
    const NAME: &'static str = "RwLock<Vec>";
    type Owner = <HandArc as Contender>::Owner;
    type Connection = ();

    fn connect(&mut self, owner: &Self::Owner) {
        self.0.write().expect("not poisoned").connect(owner);
    }

    #[inline(always)]
    fn emit(&self, event: &Event) {
        self.0.read().expect("not poisoned").emit(event);
    }
}

/// Hand-written, for one thread, mutable through a shared reference.
#[derive(Default)]
struct Celled(RefCell<HandRc>);

impl Contender for Celled {
    const NAME: &'static str = "RefCell<Vec>";
    type Owner = <HandRc as Contender>::Owner;
    type Connection = ();

    fn connect(&mut self, owner: &Self::Owner) {
        self.0.borrow_mut().connect(owner);
    }

    #[inline(always)]
    fn emit(&self, event: &Event) {
        self.0.borrow().emit(event);
    }
}

/// How much is measured.
struct Scale {
    /// The number of signals of a cold emission: more than fit into the caches.
    cold: usize,
    /// How often each of the two compared sets of signals is visited.
    passes: usize,
    /// The number of signals over which memory and connect time are averaged.
    each: usize,
    /// The number of slots of a signal with many.
    slots: usize,
}

/// The budgets that differ between flavors.
struct Budgets {
    flavor: &'static str,
    /// A number of method slots, and the maximum bytes of a signal with that many.
    heap: [(usize, f64); 3],
    cold: f64,
}

fn main() {
    let mut table = Table::new();
    let is_test = std::env::args().any(|arg| arg == "--test");
    let scale = match is_test {
        false => Scale { cold: 200_000, passes: 11, each: 1_000, slots: 10_000 },
        true => Scale { cold: 1_000, passes: 3, each: 100, slots: 1_000 },
    };
    let none = f64::INFINITY;
    first_connect_in_new_memory::<Signal<Shared>, Locked>(&mut table, &scale, "thread-safe", 200.0);
    first_connect_in_new_memory::<Signal<Local>, HandRc>(&mut table, &scale, "local", 200.0);
    first_connect_in_new_memory::<Signals2, Locked>(&mut table, &scale, Signals2::NAME, none);
    let budgets =
        Budgets { flavor: "thread-safe", heap: [(1, 256.0), (3, 384.0), (10, 1_000.0)], cold: 2.5 };
    flavor::<Shared, Locked>(&mut table, &scale, &budgets);
    queued_slot(&table, &scale);
    let budgets =
        Budgets { flavor: "local", heap: [(1, 160.0), (3, 288.0), (10, 840.0)], cold: 3.0 };
    flavor::<Local, HandRc>(&mut table, &scale, &budgets);
    others(&mut table, &scale);
}

fn flavor<F, Hand>(table: &mut Table, scale: &Scale, budgets: &Budgets)
where
    F: Flavor,
    Hand: Contender,
    Signal<F>: Closures<Owner = Hand::Owner, Connection = Connection<F>>,
{
    table.flavor = budgets.flavor;
    for (slots, most) in budgets.heap {
        heap_of_a_signal::<Signal<F>>(table, scale, slots, most);
    }
    closures::<Signal<F>>(table, scale);
    heap_of_a_slot::<Signal<F>>(table, scale, 64.0);
    kept_by_a_connection::<Signal<F>>(table, scale);
    for slots in [1, 3] {
        cold::<Signal<F>, Hand>(table, scale, slots, budgets.cold);
    }
    first_connect::<Signal<F>, Hand>(table, scale, 200.0);
    lifetime::<Signal<F>>(table, 1.0);
}

/// The hand-written code, measured in the same way.
fn others(table: &mut Table, scale: &Scale) {
    fn other<C: Contender, Hand: Contender>(table: &mut Table, scale: &Scale) {
        const NO_BUDGET: f64 = f64::INFINITY;
        table.flavor = C::NAME;
        for slots in [1, 3, 10] {
            heap_of_a_signal::<C>(table, scale, slots, NO_BUDGET);
        }
        // `signals2` copies its list for each connect.
        heap_of_a_slot::<C>(table, &Scale { slots: 1_000, ..*scale }, NO_BUDGET);
        for slots in [1, 3] {
            cold::<C, Hand>(table, scale, slots, NO_BUDGET);
        }
        first_connect::<C, Hand>(table, scale, NO_BUDGET);
        lifetime::<C>(table, NO_BUDGET);
    }
    other::<Locked, Locked>(table, scale);
    other::<HandRc, HandRc>(table, scale);
    other::<Celled, HandRc>(table, scale);
    other::<Signals2, Locked>(table, scale);
    kept_by_a_connection::<Signals2>(table, scale);
}

fn heap_of_a_signal<C: Contender>(table: &Table, scale: &Scale, slots: usize, most: f64) {
    let measured = || {
        let owners = C::owners(slots);
        let mut signals = Vec::with_capacity(scale.each);
        heap(|| signals.extend((0..scale.each).map(|_| C::connected(&owners)))).0
    };
    let plural = if slots == 1 { "" } else { "s" };
    table.cell(&format!("heap of a signal, {slots} slot{plural}"), most, "B", || {
        let (bytes, allocations) = each(measured(), scale.each);
        (bytes, format!("{allocations:.2} allocations"))
    });
    if slots == 1 {
        let most = if most.is_finite() { 2.0 } else { most };
        table.cell("allocations of a signal, 1 slot", most, "", || {
            (each(measured(), scale.each).1, String::new())
        });
    }
}

/// Slots that capture something, which is stored apart from the signal's list.
trait Closures: Contender {
    fn connect_closure(&self, captured: u64);
    fn connect_capturing(&self, owner: &Self::Owner, captured: u64);
}

macro_rules! closures {
    ($signal:ty) => {
        impl Closures for $signal {
            fn connect_closure(&self, captured: u64) {
                self.connect_fn(move |_| _ = black_box(captured)).detach();
            }

            fn connect_capturing(&self, owner: &Self::Owner, captured: u64) {
                Source::connect(self, owner, move |_, _| _ = black_box(captured));
            }
        }
    };
}

closures!(sigwire::Signal<Event>);
closures!(sigwire::local::Signal<Event>);

fn closures<C: Closures>(table: &Table, scale: &Scale) {
    // A full list grows for the next slot, so the result depends on the number of slots.
    for slots in [1, 3, 10] {
        let owners = C::owners(slots);
        let beside = format!("beside {slots}");
        one_more(table, scale, &format!("closure more, {beside}"), 128.0, &owners, |signal: &C| {
            signal.connect_closure(7);
        });
        let name = format!("capturing method more, {beside}");
        one_more(table, scale, &name, 128.0, &owners, |signal: &C| {
            signal.connect_capturing(&owners[0], 7);
        });
    }
}

/// The memory that one more connected slot takes in each signal.
fn one_more<C: Contender>(
    table: &Table,
    scale: &Scale,
    name: &str,
    most: f64,
    owners: &[C::Owner],
    connect: impl Fn(&C),
) {
    table.cell(&format!("heap, one {name}"), most, "B", || {
        let signals: Vec<C> = (0..scale.each).map(|_| C::connected(owners)).collect();
        let (heap, ()) = heap(|| signals.iter().for_each(connect));
        let (bytes, allocations) = each(heap, scale.each);
        (bytes, format!("{allocations:.2} allocations"))
    });
}

fn queued_slot(table: &Table, scale: &Scale) {
    type Shared = sigwire::Signal<Event>;
    for slots in [1, 3, 10] {
        let owners = Shared::owners(slots);
        let (queue, name) = (Queue::default(), format!("queued slot more, beside {slots}"));
        one_more(table, scale, &name, 400.0, &owners, |signal: &Shared| {
            signal.slot().on(&queue).connect(&owners[0], |_, _| ());
        });
        let (queue, owner) = (LocalQueue::default(), std::rc::Rc::new(()));
        let name = format!("slot more in a LocalQueue, beside {slots}");
        one_more(table, scale, &name, 400.0, &owners, |signal: &Shared| {
            signal.slot().on(&queue).connect(&owner, |_, _| ());
        });
    }
}

fn heap_of_a_slot<C: Contender>(table: &Table, scale: &Scale, most: f64) {
    table.cell(&format!("heap of each of {} slots", scale.slots), most, "B", || {
        let owners = C::owners(scale.slots);
        let (heap, _signal) = heap(|| C::connected(&owners));
        (each(heap, scale.slots).0, format!("{} B in all", heap.bytes))
    });
}

fn kept_by_a_connection<C: Contender>(table: &Table, scale: &Scale) {
    table.cell("heap that a connection keeps, no signal", f64::INFINITY, "B", || {
        let owner = C::Owner::default();
        let mut connections = Vec::with_capacity(scale.each);
        let (heap, ()) =
            heap(|| connections.extend((0..scale.each).map(|_| C::default().connect(&owner))));
        (each(heap, scale.each).0, format!("and {} B inline", size_of::<C::Connection>()))
    });
}

fn each(heap: Heap, count: usize) -> (f64, f64) {
    (heap.bytes as f64 / count as f64, heap.allocations as f64 / count as f64)
}

/// Signals that are visited in random order, each with its own owners. By the time a signal is
/// visited again, the others have displaced it from the caches.
struct Cold<C: Contender> {
    signals: Vec<C>,
    order: Vec<u32>,
    next: usize,
    _owners: Vec<(C::Owner, Spacer)>,
}

impl<C: Contender> Cold<C> {
    fn new(signals: usize, slots: usize) -> Self {
        let owners: Vec<(C::Owner, Spacer)> = (0..signals * slots)
            .map(|_| (C::Owner::default(), black_box(Box::new([0; 64]))))
            .collect();
        let connected = |owners: &[(C::Owner, Spacer)]| {
            let mut signal = C::default();
            for (owner, _) in owners {
                signal.connect(owner);
            }
            signal
        };
        Cold {
            signals: owners.chunks(slots).map(connected).collect(),
            order: shuffled(signals as u32),
            next: 0,
            _owners: owners,
        }
    }

    #[inline(never)]
    fn emit(&mut self, count: u64) {
        for event in 0..count {
            let signal = &self.signals[self.order[self.next] as usize];
            black_box(signal).emit(black_box(&event));
            self.next = if self.next + 1 == self.order.len() { 0 } else { self.next + 1 };
        }
    }

    /// Nanoseconds per signal for a second visit of all.
    fn second_pass(&mut self) -> f64 {
        let signals = self.signals.len() as u64;
        self.emit(signals);
        loops::time(|| self.emit(signals)).as_nanos() as f64 / signals as f64
    }
}

fn cold<C: Contender, Hand: Contender>(table: &Table, scale: &Scale, slots: usize, most: f64) {
    let plural = if slots == 1 { "" } else { "s" };
    let name = format!("cold emission, {slots} slot{plural}");
    // The two sets alternate, so each displaces the other from the caches.
    table.cell(&name, most, "x", || {
        let mut measured = Cold::<C>::new(scale.cold, slots);
        let mut hand = Cold::<Hand>::new(scale.cold, slots);
        // All rounds together visit each signal more than once.
        let at_least = scale.cold as u64 / 100;
        multiple(compare(at_least, |count| measured.emit(count), |count| hand.emit(count)))
    });
    // Here each set runs twice in a row, so whatever of it fits into the caches is still there.
    table.cell(&format!("{name}, over and over"), most, "x", || {
        let mut measured = Cold::<C>::new(scale.cold, slots);
        let mut hand = Cold::<Hand>::new(scale.cold, slots);
        multiple(alternate(scale.passes, || measured.second_pass(), || hand.second_pass()))
    });
}

fn first_connect<C, Hand>(table: &Table, scale: &Scale, most: f64)
where
    C: Contender,
    Hand: Contender,
{
    table.cell("first connect", most, "ns", || {
        let mut measured = FirstConnects::<C>::new(scale.each, drop);
        let mut hand = FirstConnects::<Hand>::new(scale.each, drop);
        let paired = alternate(ROUNDS, || measured.nanoseconds_each(), || hand.nanoseconds_each());
        nanoseconds(paired, Hand::NAME)
    });
}

/// Connects in memory that the process has never used and the system must still provide, as in a
/// program that starts. Must run before anything large is freed, and frees no memory itself.
fn first_connect_in_new_memory<C: Contender, Hand: Contender>(
    table: &mut Table,
    scale: &Scale,
    flavor: &'static str,
    most: f64,
) {
    table.flavor = flavor;
    table.cell("first connect, in new memory", most, "ns", || {
        let count = scale.each / 4;
        let mut measured = FirstConnects::<C>::new(count, std::mem::forget);
        let mut hand = FirstConnects::<Hand>::new(count, std::mem::forget);
        let paired = alternate(ROUNDS, || measured.nanoseconds_each(), || hand.nanoseconds_each());
        nanoseconds(paired, Hand::NAME)
    });
}

/// Connects to new signals, each with its own owner. Creating and dropping them is not timed.
struct FirstConnects<C: Contender> {
    owners: Vec<C::Owner>,
    signals: Vec<C>,
    end: fn(Vec<C>),
}

impl<C: Contender> FirstConnects<C> {
    fn new(count: usize, end: fn(Vec<C>)) -> Self {
        FirstConnects { owners: C::owners(count), signals: Vec::new(), end }
    }

    fn nanoseconds_each(&mut self) -> f64 {
        (self.end)(std::mem::take(&mut self.signals));
        self.signals.extend(self.owners.iter().map(|_| C::default()));
        let time = loops::time(|| connect_each(&mut self.signals, &self.owners));
        time.as_nanos() as f64 / self.owners.len() as f64
    }
}

#[inline(never)]
fn connect_each<C: Contender>(signals: &mut [C], owners: &[C::Owner]) {
    for (signal, owner) in signals.iter_mut().zip(owners) {
        black_box(black_box(signal).connect(black_box(owner)));
    }
}

/// The whole life of a signal with one slot, from its construction to its drop.
fn lifetime<C: Contender>(table: &Table, most: f64) {
    table.cell("new, connect, drop, beside signals2", most, "x", || {
        let (owner, other_owner) = (C::Owner::default(), Arc::default());
        multiple(compare(
            1,
            |count| lifetimes::<C>(&owner, count),
            |count| lifetimes::<Signals2>(&other_owner, count),
        ))
    });
}

#[inline(never)]
fn lifetimes<C: Contender>(owner: &C::Owner, count: u64) {
    for _ in 0..count {
        let mut signal = black_box(C::default());
        black_box(signal.connect(black_box(owner)));
        drop(black_box(signal));
    }
}
