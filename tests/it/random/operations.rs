//! Random sequences of operations, at the top and inside slots, on a signal and on an obviously
//! correct model of one: both must do the same.
//!
//! With `SIGWIRE_OPERATIONS=100000000` it makes that many in each flavor. A seed that failed is
//! told, and is kept below.

use crate::support::random::{Expected, Random, for_seeds};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};

/// Seeds that failed once.
const KEPT: [u64; 1] = [0];
const OPERATIONS_EACH: usize = 60;
const OWNERS: usize = 5;
const DEEPEST: usize = 3;
/// More slots are not connected in one run: emissions in slots in emissions take long with many.
const MOST_SLOTS: usize = 80;

/// How the slot of a connection is known: by what it says when it is called.
type Label = usize;

/// The label of the method path of an owner.
fn path_of(owner: usize) -> Label {
    1_000_000 + owner
}

#[derive(Clone, Copy, Debug)]
struct Options {
    priority: i32,
    times: Option<usize>,
    unique: bool,
}

#[derive(Clone, Copy, Debug)]
enum Operation {
    ConnectPath(usize, Options),
    ConnectWeak(usize, Options),
    ConnectClosure(usize, Options),
    ConnectGuarded(Options),
    Disconnect(usize),
    DisconnectAndWait(usize),
    DisconnectOwner(usize),
    DisconnectPath(usize),
    DisconnectAll,
    DropGuard(usize),
    Block(usize),
    BlockAll,
    Unblock(usize),
    DropOwner(usize),
    Prune,
    Emit(usize),
    TryEmit(usize),
    /// Calls this many slots, with an operation after each.
    Call(usize, usize),
    Sum(usize),
    Panic,
    Nothing,
}

fn operation(random: &mut Random, in_slot: bool) -> Operation {
    use Operation::*;
    let owner = random.below(OWNERS);
    let which = random.next();
    let options = Options {
        priority: if random.one_in(3) { random.below(3) as i32 - 1 } else { 0 },
        times: random.one_in(4).then(|| 1 + random.below(3)),
        unique: random.one_in(6),
    };
    if in_slot && random.one_in(2) {
        return Nothing;
    }
    match random.below(40) {
        0..6 => ConnectPath(owner, options),
        6 => ConnectWeak(owner, options),
        7..12 => ConnectClosure(owner, options),
        12..14 => ConnectGuarded(options),
        14..19 => Disconnect(which),
        19 => DisconnectAndWait(which),
        20 => DisconnectOwner(owner),
        21 => DisconnectPath(owner),
        22 if random.one_in(3) => DisconnectAll,
        22..24 => DropGuard(which),
        24..26 => Block(which),
        26 => BlockAll,
        27..31 => Unblock(which),
        31 => DropOwner(owner),
        32 => Prune,
        33 => TryEmit(which % 1000),
        34 => Call(which % 1000, random.below(6)),
        35 => Sum(which % 1000),
        36 if in_slot => Panic,
        _ => Emit(which % 1000),
    }
}

/// What a slot does when it is called: the same in both worlds.
fn action(label: Label, event: usize, depth: usize) -> Operation {
    if depth >= DEEPEST {
        return Operation::Nothing;
    }
    operation(&mut Random::new((label * 7919 + event * 31 + depth) as u64), true)
}

/// What is seen of a world, in order.
#[derive(Debug, PartialEq, Clone)]
enum Seen {
    Called(Label, usize),
    Ended(usize),
    Said(&'static str, usize),
}

/// The model of a signal: a list, searched from the start for everything.
#[derive(Default)]
struct Model {
    slots: Vec<ModelSlot>,
    owners: BTreeMap<usize, ModelOwner>,
    /// The owner in each place, by number.
    places: Vec<usize>,
    made_owners: usize,
    made: usize,
    guards: Vec<usize>,
    blocks: Vec<Option<usize>>,
    seen: Vec<Seen>,
    depth: usize,
    running: Vec<usize>,
    /// Whether the call of a method path is an owner while it lasts, as that of a closure is.
    a_call_is_an_owner: bool,
}

#[derive(Debug)]
struct ModelSlot {
    label: Label,
    owner: Option<usize>,
    is_path: bool,
    priority: i32,
    left: Option<usize>,
    connected: bool,
}

#[derive(Default)]
struct ModelOwner {
    kept: bool,
    calls: usize,
    /// Those of them that are owners while they last.
    counted_calls: usize,
}

impl Model {
    fn new(a_call_is_an_owner: bool) -> Self {
        let mut model = Model { a_call_is_an_owner, ..Model::default() };
        for place in 0..OWNERS {
            model.places.push(0);
            model.new_owner(place);
        }
        model
    }

    fn new_owner(&mut self, place: usize) {
        self.made_owners += 1;
        self.places[place] = self.made_owners;
        self.owners.insert(self.made_owners, ModelOwner { kept: true, ..ModelOwner::default() });
    }

    fn is_alive(&self, slot: usize) -> bool {
        self.slots[slot].owner.is_none_or(|owner| {
            self.owners.get(&owner).is_some_and(|owner| owner.kept || owner.counted_calls > 0)
        })
    }

    fn is_connected(&self, slot: usize) -> bool {
        self.slots[slot].connected && self.is_alive(slot)
    }

    fn let_go(&mut self, owner: usize) {
        if self.owners.get(&owner).is_some_and(|o| !o.kept && o.calls == 0) {
            self.owners.remove(&owner);
            self.seen.push(Seen::Ended(owner));
        }
    }

    fn connect(&mut self, owner: Option<usize>, is_path: bool, options: Options) {
        let owner = owner.map(|place| self.places[place]);
        let stands = |slot: &usize| self.slots[*slot].is_path && self.slots[*slot].owner == owner;
        let standing = self.order().into_iter().find(stands);
        if let (true, true, Some(standing)) = (options.unique, is_path, standing) {
            self.seen.push(Seen::Said("stands", standing));
            return;
        }
        let label = if is_path { path_of(owner.unwrap()) } else { self.made };
        self.made += 1;
        self.slots.push(ModelSlot {
            label,
            owner,
            is_path,
            priority: options.priority,
            left: options.times,
            connected: true,
        });
    }

    fn disconnect(&mut self, slot: usize) -> bool {
        let was = self.is_connected(slot);
        self.slots[slot].connected = false;
        was
    }

    fn disconnect_if(&mut self, matches: impl Fn(&ModelSlot) -> bool) -> usize {
        let all: Vec<usize> = (0..self.slots.len()).filter(|i| matches(&self.slots[*i])).collect();
        all.into_iter().filter(|slot| self.disconnect(*slot)).count()
    }

    fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> =
            (0..self.slots.len()).filter(|slot| self.slots[*slot].connected).collect();
        order.sort_by_key(|slot| -self.slots[*slot].priority);
        order
    }

    /// `None`: not called. `Some(false)`: it panicked.
    fn visit(&mut self, slot: usize, event: usize) -> Option<bool> {
        let blocked = self.blocks.iter().any(|b| b.is_none() || *b == Some(slot));
        if !self.is_connected(slot) || blocked {
            return None;
        }
        if let Some(left) = &mut self.slots[slot].left {
            *left -= 1;
            self.slots[slot].connected = *left > 0;
        }
        let (label, owner) = (self.slots[slot].label, self.slots[slot].owner);
        let counts = usize::from(self.a_call_is_an_owner || !self.slots[slot].is_path);
        if let Some(owner) = owner.and_then(|owner| self.owners.get_mut(&owner)) {
            owner.calls += 1;
            owner.counted_calls += counts;
        }
        self.seen.push(Seen::Called(label, event));
        self.depth += 1;
        self.running.push(slot);
        let went_well = self.run(action(label, event, self.depth));
        self.running.pop();
        self.depth -= 1;
        if let Some(owner) = owner {
            let of_owner = self.owners.get_mut(&owner).unwrap();
            of_owner.calls -= 1;
            of_owner.counted_calls -= counts;
            self.let_go(owner);
        }
        Some(went_well)
    }

    /// False when it panics.
    fn run(&mut self, operation: Operation) -> bool {
        use Operation::*;
        let slots = self.slots.len();
        let pick = |which: usize| (slots > 0).then(|| which % slots);
        match operation {
            ConnectPath(..) | ConnectWeak(..) | ConnectClosure(..) | ConnectGuarded(_)
                if self.made >= MOST_SLOTS => {}
            ConnectPath(owner, options) | ConnectWeak(owner, options) => {
                self.connect(Some(owner), true, options);
            }
            ConnectClosure(owner, options) => {
                self.connect(Some(owner), false, Options { unique: false, ..options });
            }
            ConnectGuarded(options) => {
                self.connect(None, false, options);
                self.guards.push(self.slots.len() - 1);
            }
            Disconnect(which) => {
                if let Some(slot) = pick(which) {
                    let was = self.disconnect(slot);
                    self.seen.push(Seen::Said("disconnected", was.into()));
                }
            }
            DisconnectAndWait(which) => {
                if let Some(slot) = pick(which) {
                    let was = self.disconnect(slot);
                    let what = if self.running.contains(&slot) { "inside" } else { "waited" };
                    self.seen.push(Seen::Said(what, was.into()));
                }
            }
            DisconnectOwner(place) => {
                let owner = Some(self.places[place]);
                let count = self.disconnect_if(|slot| slot.owner == owner);
                self.seen.push(Seen::Said("of owner", count));
            }
            DisconnectPath(place) => {
                let owner = Some(self.places[place]);
                let count = self.disconnect_if(|slot| slot.owner == owner && slot.is_path);
                self.seen.push(Seen::Said("of path", count));
            }
            DisconnectAll => {
                let count = self.disconnect_if(|_| true);
                self.seen.push(Seen::Said("all", count));
            }
            DropGuard(which) => {
                if !self.guards.is_empty() {
                    let slot = self.guards.swap_remove(which % self.guards.len());
                    self.disconnect(slot);
                }
            }
            Block(which) => {
                if let Some(slot) = pick(which) {
                    // Blocking what is not in the signal any more blocks nothing.
                    self.blocks.push(Some(slot));
                }
            }
            BlockAll => self.blocks.push(None),
            Unblock(which) => {
                if !self.blocks.is_empty() {
                    self.blocks.swap_remove(which % self.blocks.len());
                }
            }
            DropOwner(place) => {
                let owner = self.places[place];
                self.owners.get_mut(&owner).unwrap().kept = false;
                self.new_owner(place);
                self.let_go(owner);
            }
            Prune | Nothing => {}
            Emit(event) | Sum(event) => {
                let mut called = 0;
                for slot in self.order() {
                    match self.visit(slot, event) {
                        None => {}
                        Some(true) => called += 1,
                        Some(false) => {
                            self.seen.push(Seen::Said("panicked", 0));
                            return true;
                        }
                    }
                }
                let what = if matches!(operation, Emit(_)) { "emitted" } else { "summed" };
                self.seen.push(Seen::Said(what, called));
            }
            TryEmit(event) => {
                let results: Vec<bool> =
                    self.order().into_iter().filter_map(|slot| self.visit(slot, event)).collect();
                let panics = results.iter().filter(|went_well| !**went_well).count();
                self.seen.push(Seen::Said("tried", results.len() * 1000 + panics));
            }
            Call(event, most) => {
                let mut order = self.order().into_iter();
                for turn in 0..most {
                    match order.find_map(|slot| self.visit(slot, event)) {
                        None => self.seen.push(Seen::Said("no more", turn)),
                        Some(true) => {}
                        Some(false) => self.seen.push(Seen::Said("panicked", turn)),
                    }
                    let between = action(turn, event, self.depth + 1);
                    if !self.run(between) {
                        self.seen.push(Seen::Said("panicked between", turn));
                    }
                }
            }
            Panic => return false,
        }
        true
    }
}

both_flavors! {
    /// The same over a real signal.
    struct Real {
        places: Vec<Strong<Owner>>,
        made_owners: usize,
        made: usize,
        connections: Vec<Connection>,
        guards: Vec<ScopedConnection>,
        blocks: Vec<Block>,
        seen: Vec<Seen>,
        depth: usize,
    }

    struct Owner(usize);

    impl Drop for Owner {
        fn drop(&mut self) {
            // After a failure owners are left to the end of the thread.
            let _ = REAL.try_with(|real| real.borrow_mut().seen.push(Seen::Ended(self.0)));
        }
    }

    impl Owner {
        fn path(&self, event: &usize) -> usize {
            called(path_of(self.0), *event)
        }
    }

    thread_local! {
        static REAL: RefCell<Real> = const { RefCell::new(Real {
            places: vec![],
            made_owners: 0,
            made: 0,
            connections: vec![],
            guards: vec![],
            blocks: vec![],
            seen: vec![],
            depth: 0,
        }) };
        static SIGNAL: RefCell<Option<std::rc::Rc<Signal<usize, usize>>>> =
            const { RefCell::new(None) };
    }

    fn real<R>(look: impl FnOnce(&mut Real) -> R) -> R {
        REAL.with(|real| look(&mut real.borrow_mut()))
    }

    fn see(seen: Seen) {
        real(|real| real.seen.push(seen));
    }

    fn signal() -> std::rc::Rc<Signal<usize, usize>> {
        SIGNAL.with(|signal| signal.borrow().clone().expect("a run has a signal"))
    }

    /// What all slots do.
    fn called(label: Label, event: usize) -> usize {
        see(Seen::Called(label, event));
        let depth = real(|real| {
            real.depth += 1;
            real.depth
        });
        let result = catch_unwind(|| run(action(label, event, depth)));
        real(|real| real.depth -= 1);
        if let Err(payload) = result {
            std::panic::resume_unwind(payload);
        }
        1
    }

    fn new_owner(place: usize) {
        let former = real(|real| {
            real.made_owners += 1;
            let owner = Strong::new(Owner(real.made_owners));
            if place == real.places.len() {
                real.places.push(owner);
                None
            } else {
                Some(std::mem::replace(&mut real.places[place], owner))
            }
        });
        drop(former);
    }

    fn connected(connection: Connection, unique: bool) {
        real(|real| {
            let standing = real.connections.iter().position(|other| *other == connection);
            if let (true, Some(standing)) = (unique, standing) {
                real.seen.push(Seen::Said("stands", standing));
            } else {
                assert!(standing.is_none(), "a connection that there was already");
                real.made += 1;
                real.connections.push(connection);
            }
        });
    }

    fn run(operation: Operation) {
        use Operation::*;
        let signal = signal();
        let owner = |place: usize| real(|real| real.places[place].clone());
        let pick = |which: usize| {
            real(|real| {
                let count = real.connections.len();
                (count > 0).then(|| real.connections[which % count].clone())
            })
        };
        let slot = |options: Options| {
            let slot = signal.slot().priority(options.priority);
            match options.times {
                Some(times) => slot.times(times),
                None => slot,
            }
        };
        let made = real(|real| real.made);
        match operation {
            ConnectPath(..) | ConnectWeak(..) | ConnectClosure(..) | ConnectGuarded(_)
                if made >= MOST_SLOTS => {}
            ConnectPath(place, options) => {
                let slot = slot(options);
                let slot = if options.unique { slot.unique() } else { slot };
                connected(slot.connect(&owner(place), Owner::path), options.unique);
            }
            ConnectWeak(place, options) => {
                let slot = slot(options);
                let slot = if options.unique { slot.unique() } else { slot };
                let method = WeakMethod::new(&owner(place), Owner::path);
                connected(slot.connect_weak(method), options.unique);
            }
            ConnectClosure(place, options) => {
                let label = real(|real| real.made);
                let connection =
                    slot(options).connect(&owner(place), move |_, event| called(label, *event));
                connected(connection, false);
            }
            ConnectGuarded(options) => {
                let label = real(|real| real.made);
                let guard = slot(options).connect_fn(move |event| called(label, *event));
                connected((*guard).clone(), false);
                real(|real| real.guards.push(guard));
            }
            Disconnect(which) => {
                if let Some(connection) = pick(which) {
                    let was = connection.disconnect();
                    see(Seen::Said("disconnected", was.into()));
                }
            }
            DisconnectAndWait(which) => {
                if let Some(connection) = pick(which) {
                    see(match connection.disconnect_and_wait() {
                        Ok(was) => Seen::Said("waited", was.into()),
                        Err(error) => Seen::Said("inside", error.was_connected.into()),
                    });
                }
            }
            DisconnectOwner(place) => {
                let count = signal.disconnect_owner(&owner(place));
                see(Seen::Said("of owner", count));
            }
            DisconnectPath(place) => {
                let count = signal.disconnect_method(&owner(place), Owner::path);
                see(Seen::Said("of path", count));
            }
            DisconnectAll => {
                let count = signal.disconnect_all();
                see(Seen::Said("all", count));
            }
            DropGuard(which) => {
                let guard = real(|real| {
                    let count = real.guards.len();
                    (count > 0).then(|| real.guards.swap_remove(which % count))
                });
                drop(guard);
            }
            Block(which) => {
                if let Some(connection) = pick(which) {
                    let block = connection.block();
                    real(|real| real.blocks.push(block));
                }
            }
            BlockAll => {
                let block = signal.block();
                real(|real| real.blocks.push(block));
            }
            Unblock(which) => {
                let block = real(|real| {
                    let count = real.blocks.len();
                    (count > 0).then(|| real.blocks.swap_remove(which % count))
                });
                drop(block);
            }
            DropOwner(place) => new_owner(place),
            Prune => _ = signal.prune(),
            Nothing => {}
            Emit(event) => see(match catch_unwind(AssertUnwindSafe(|| signal.emit(&event))) {
                Ok(called) => Seen::Said("emitted", called),
                Err(_) => Seen::Said("panicked", 0),
            }),
            TryEmit(event) => see(match signal.try_emit(&event) {
                Ok(called) => Seen::Said("tried", called * 1000),
                Err(error) => Seen::Said("tried", error.called() * 1000 + error.failures().len()),
            }),
            Call(event, most) => {
                let mut emission = signal.call(&event);
                for turn in 0..most {
                    match catch_unwind(AssertUnwindSafe(|| emission.next())) {
                        Ok(Some(_)) => {}
                        Ok(None) => see(Seen::Said("no more", turn)),
                        Err(_) => see(Seen::Said("panicked", turn)),
                    }
                    let between = action(turn, event, real(|real| real.depth) + 1);
                    if catch_unwind(|| run(between)).is_err() {
                        see(Seen::Said("panicked between", turn));
                    }
                }
            }
            Sum(event) => {
                let sum = catch_unwind(AssertUnwindSafe(|| signal.call(&event).sum::<usize>()));
                see(match sum {
                    Ok(sum) => Seen::Said("summed", sum),
                    Err(_) => Seen::Said("panicked", 0),
                });
            }
            Panic => panic_any(Expected),
        }
    }

    /// One run; returns how many operations it made, those in slots not counted.
    fn compare(seed: u64) -> usize {
        SIGNAL.with(|signal| *signal.borrow_mut() = Some(Default::default()));
        real(|real| (real.made_owners, real.made, real.depth) = (0, 0, 0));
        (0..OWNERS).for_each(new_owner);
        let mut model = Model::new(A_CALL_IS_AN_OWNER);
        let mut random = Random::new(seed);
        for step in 0..OPERATIONS_EACH {
            let operation = operation(&mut random, false);
            run(operation);
            assert!(model.run(operation), "no operation panics at the top");
            let seen = real(|real| std::mem::take(&mut real.seen));
            let expected = std::mem::take(&mut model.seen);
            assert_eq!(seen, expected, "seed {seed}, step {step}: {operation:?}");
            let connections = real(|real| real.connections.clone());
            let connected: Vec<bool> = connections.iter().map(Connection::is_connected).collect();
            let expected: Vec<bool> =
                (0..model.slots.len()).map(|i| model.is_connected(i)).collect();
            assert_eq!(connected, expected, "seed {seed}, step {step}: {operation:?}");
            let count = expected.iter().filter(|connected| **connected).count();
            assert_eq!(signal().slot_count(), count, "seed {seed}, step {step}: {operation:?}");
        }
        let alive: BTreeSet<usize> = model.owners.keys().copied().collect();
        let (places, rest) = real(|real| {
            let rest = (
                std::mem::take(&mut real.guards),
                std::mem::take(&mut real.blocks),
                std::mem::take(&mut real.connections),
            );
            (std::mem::take(&mut real.places), rest)
        });
        drop(rest);
        drop(SIGNAL.with(|signal| signal.borrow_mut().take()));
        drop(places);
        let ended: BTreeSet<usize> = real(|real| std::mem::take(&mut real.seen))
            .into_iter()
            .map(|seen| match seen {
                Seen::Ended(owner) => owner,
                other => panic!("seed {seed}: {other:?} after the end"),
            })
            .collect();
        assert_eq!(ended, alive, "seed {seed}: owners that ended at the end");
        OPERATIONS_EACH
    }

    #[test]
    fn a_signal_does_what_its_model_does() {
        for_seeds(module_path!(), &KEPT, 60_000, compare);
    }
}
