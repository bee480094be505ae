//! Random operations from several threads on shared signals, at the top and inside slots. What must
//! hold at any time is checked in the slots and after each operation; the rest when all is quiet.
//!
//! With `SIGWIRE_OPERATIONS=20000000` it makes that many, those in slots not counted. A seed that
//! failed is told, and is kept below: it gives each thread the same choices again, but not the same
//! meeting of threads.
//!
//! Planted once, and seen here: a gate that is not asked, a `once` claim that is not taken, a
//! former list that is not told to ask, a block or a disconnect that does not mark its entry, a
//! call that is not begun, a wait that does not wait, a lane taken twice, versions freed though
//! held, owners let go too early, captures dropped under the lock, places not renumbered. Not seen,
//! but by `src/models`: dead slots not pruned, and an owner held under the lock.

use crate::support::random::{Expected, Random, for_seeds};
use sigwire::{
    Block, Connection, ConnectionSet, HazardArc, ScopedConnection, Signal, SlotOptions, WeakMethod,
};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, Once, OnceLock, TryLockError};
use std::time::Duration;
use std::{mem, ops, process, thread};

/// Seeds that failed once.
const KEPT: [u64; 1] = [0];
const THREADS: usize = 4;
const OPERATIONS_EACH: usize = 300;
const SIGNALS: usize = 2;
const OWNERS: usize = 4;
const DEEPEST: usize = 3;
/// More slots are not connected at once: emissions in slots in emissions take long with many.
const MOST_SLOTS: usize = 24;

/// Does the same with either kind of owner.
macro_rules! of {
    ($any:expr, $owner:ident => $do:expr) => {
        match $any {
            AnyOwner::Counted($owner) => $do,
            AnyOwner::HazardArc($owner) => $do,
        }
    };
}

/// With this event slots do nothing but count.
const QUIET: usize = 0;
/// With this one slots also do an operation, now and then.
const LIVELY: usize = 1;

/// Orders what is done: a step that ended before another began has the lower number.
fn now() -> usize {
    static CLOCK: AtomicUsize = AtomicUsize::new(1);
    CLOCK.fetch_add(1, SeqCst)
}

static WRONG: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Noted, not panicked: slots panic on purpose, too.
fn check(holds: bool, what: &str) {
    if !holds {
        lock(&WRONG).push(what.to_owned());
    }
}

/// By trying: that is inlined, so that ThreadSanitizer sees it. Waiting lies in the precompiled
/// standard library, and is not seen.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    loop {
        match mutex.try_lock() {
            Ok(guard) => return guard,
            Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => thread::yield_now(),
        }
    }
}

/// How often something is blocked, and since when it certainly was all the time.
#[derive(Default)]
struct Silence {
    blocks: AtomicUsize,
    since: AtomicUsize,
}

impl Silence {
    /// After the block was made.
    fn begin(&self) {
        if self.blocks.fetch_add(1, SeqCst) == 0 {
            self.since.store(now(), SeqCst);
        }
    }
    /// Before the block is dropped.
    fn end(&self) {
        if self.blocks.fetch_sub(1, SeqCst) == 1 {
            self.since.store(0, SeqCst);
        }
    }
}

/// What is known of one slot.
struct Record {
    kind: Kind,
    owner: Option<Arc<Life>>,
    /// The most calls it may get.
    most: usize,
    /// Unset while it is being connected.
    connection: OnceLock<Connection>,
    /// When a disconnect had returned; 0 before.
    off: AtomicUsize,
    /// While it was being connected many slots were disconnected, this one perhaps among them.
    unsure: AtomicBool,
    /// A `disconnect_and_wait` returned.
    waited: AtomicBool,
    /// Disconnects that said that they were it.
    ended_by: AtomicUsize,
    silence: Arc<Silence>,
    calls: AtomicUsize,
    inside: AtomicUsize,
    captures_ended: AtomicUsize,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// It captures what tells its calls from those of others.
    MaybeSendSync,
    /// A method path, any number of times.
    Path,
    /// A method path, with `unique`.
    Sole,
}

impl Record {
    fn off(&self) {
        _ = self.off.compare_exchange(0, now(), SeqCst, SeqCst);
    }
    fn connection(&self) -> &Connection {
        self.connection.get().expect("what is being connected is not looked at")
    }
    /// Counted, then told off.
    fn disconnected(&self, was: bool) {
        self.off();
        let before = self.ended_by.fetch_add(was.into(), SeqCst);
        check(!was || before == 0, "a slot was disconnected twice");
        check(!self.connection().is_connected(), "a slot was connected after it was disconnected");
    }
}

/// What is known of one owner.
#[derive(Default)]
struct Life {
    inside: AtomicUsize,
    ended: AtomicUsize,
}

struct Owner(Arc<Life>);

impl Drop for Owner {
    fn drop(&mut self) {
        check(self.0.inside.load(SeqCst) == 0, "an owner ended while its method ran");
        self.0.ended.fetch_add(1, SeqCst);
        use_a_signal();
    }
}

impl Owner {
    fn path(&self, event: &usize) -> usize {
        called(None, Some(&self.0), *event, || ())
    }
    fn sole(&self, event: &usize) -> usize {
        called(None, Some(&self.0), *event, || ())
    }
}

/// A pointer to an owner, of either kind: all signals have both.
#[derive(Clone)]
enum AnyOwner {
    Counted(Arc<Owner>),
    HazardArc(HazardArc<Owner>),
}

impl ops::Deref for AnyOwner {
    type Target = Owner;
    fn deref(&self) -> &Owner {
        of!(self, owner => owner)
    }
}

/// What slots capture.
struct Captured(Arc<Record>);

impl Captured {
    fn called(&self, event: usize) -> usize {
        self.called_and(event, || ())
    }
    fn called_and(&self, event: usize, act: impl FnOnce()) -> usize {
        called(Some(&self.0), self.0.owner.as_deref(), event, act)
    }
}

impl Drop for Captured {
    fn drop(&mut self) {
        check(self.0.inside.load(SeqCst) == 0, "captures ended while their slot ran");
        self.0.captures_ended.fetch_add(1, SeqCst);
        use_a_signal();
    }
}

/// As destructors may. It would hang if they were run under a lock.
fn use_a_signal() {
    if ME.with_borrow(Option::is_some) && me(|me| me.random.one_in(4)) {
        let hub = me(|me| me.world.hubs[0].clone());
        let count = lock(&hub).signal.slot_count();
        check(count < 1000, "slots are counted wrongly");
    }
}

type Records = Arc<Mutex<Vec<Arc<Record>>>>;

/// A signal, and what is known of it.
#[derive(Default)]
struct Hub {
    signal: Signal<usize, usize>,
    records: Records,
    silence: Arc<Silence>,
}

#[derive(Default)]
struct World {
    hubs: [Arc<Mutex<Arc<Hub>>>; SIGNALS],
    /// Of signals that ended, or end with the emissions that still hold them.
    former: Mutex<Vec<Records>>,
    places: Mutex<Vec<AnyOwner>>,
    lives: Mutex<Vec<Arc<Life>>>,
    /// Atomic, but not counted in one step: two calls that meet are found out.
    exclusive: Arc<Mutex<AtomicUsize>>,
    exclusive_calls: AtomicUsize,
}

/// A thread.
struct Me {
    world: Arc<World>,
    random: Random,
    /// When the last step of this thread ended.
    last: usize,
    emissions: Vec<Level>,
    /// The slots this thread is inside of.
    inside: Vec<*const Record>,
    kept: Kept,
}

#[derive(Default)]
struct Kept {
    guards: Vec<(ScopedConnection, Arc<Record>)>,
    blocks: Vec<(Block, Arc<Silence>)>,
}

/// What one emission did.
struct Level {
    hub: Arc<Hub>,
    calls: usize,
    panics: usize,
}

thread_local! {
    static ME: RefCell<Option<Me>> = const { RefCell::new(None) };
}

fn me<R>(look: impl FnOnce(&mut Me) -> R) -> R {
    ME.with_borrow_mut(|me| look(me.as_mut().expect("the thread takes part")))
}

fn below(n: usize) -> usize {
    me(|me| me.random.below(n))
}

/// Takes part with the choices that `seed` gives.
fn with_me<R>(world: &Arc<World>, seed: u64, run: impl FnOnce() -> R) -> (R, Kept) {
    let (emissions, inside) = (Vec::new(), Vec::new());
    let (random, kept) = (Random::new(seed), Kept::default());
    let me = Me { world: world.clone(), random, last: now(), emissions, inside, kept };
    ME.set(Some(me));
    let result = run();
    let me = ME.take().expect("it was set just now");
    (result, me.kept)
}

/// What all slots do. Method paths do not know their record.
fn called(
    record: Option<&Arc<Record>>,
    owner: Option<&Life>,
    event: usize,
    act: impl FnOnce(),
) -> usize {
    struct Inside<'a>(Option<&'a Record>, Option<&'a Life>);
    impl Drop for Inside<'_> {
        fn drop(&mut self) {
            if let Some(record) = self.0 {
                record.inside.fetch_sub(1, SeqCst);
                me(|me| me.inside.pop());
            }
            if let Some(owner) = self.1 {
                owner.inside.fetch_sub(1, SeqCst);
            }
            me(|me| me.last = now());
        }
    }
    let (last, silence) = me(|me| {
        let level = me.emissions.last_mut().expect("slots run in emissions");
        level.calls += 1;
        (me.last, level.hub.silence.clone())
    });
    // The visit of this slot began after `last`.
    let came_before = |moment: &AtomicUsize| (1..last).contains(&moment.load(SeqCst));
    check(!came_before(&silence.since), "a call began though its signal was blocked");
    if let Some(owner) = owner {
        owner.inside.fetch_add(1, SeqCst);
        check(owner.ended.load(SeqCst) == 0, "a method ran after its owner had ended");
    }
    if let Some(record) = record {
        me(|me| me.inside.push(Arc::as_ptr(record)));
        record.inside.fetch_add(1, SeqCst);
        check(record.calls.fetch_add(1, SeqCst) < record.most, "called more often than it may be");
        check(!record.waited.load(SeqCst), "a call ran though it had been waited for");
        check(!came_before(&record.off), "a call began after a disconnect had returned");
        check(!came_before(&record.silence.since), "a call began though its slot was blocked");
        check(record.captures_ended.load(SeqCst) == 0, "a call ran after its captures had ended");
    }
    let _inside = Inside(record.map(|record| &**record), owner);
    if event == LIVELY {
        if below(8) == 0 {
            // So that threads meet inside slots, too.
            thread::yield_now();
        }
        act();
        let depth = me(|me| me.emissions.len());
        if depth <= DEEPEST && below(4) == 0 {
            operate();
        }
        if below(40) == 0 {
            me(|me| me.emissions.last_mut().expect("it is still on").panics += 1);
            panic_any(Expected);
        }
    }
    1
}

/// One emission, or one step of one. It leaves the panics of slots to the caller.
fn emission<R>(hub: &Arc<Hub>, run: impl FnOnce() -> R) -> (thread::Result<R>, Level) {
    me(|me| {
        me.last = now();
        me.emissions.push(Level { hub: hub.clone(), calls: 0, panics: 0 });
    });
    let result = catch_unwind(AssertUnwindSafe(run));
    let level = me(|me| {
        me.last = now();
        me.emissions.pop().expect("it was pushed above")
    });
    if let Err(payload) = result {
        if !payload.is::<Expected>() {
            resume_unwind(payload);
        }
        check(level.panics == 1, "an emission ends with the first panic");
        return (Err(payload), level);
    }
    (result, level)
}

fn emit(hub: &Arc<Hub>) {
    let (called, level) = emission(hub, || hub.signal.emit(&LIVELY));
    check(called.is_err() || called.is_ok_and(|n| n == level.calls), "emit counted wrongly");
}

fn sum(hub: &Arc<Hub>) {
    let (called, level) = emission(hub, || hub.signal.call(&LIVELY).sum::<usize>());
    check(called.is_err() || called.is_ok_and(|n| n == level.calls), "results got lost");
}

fn try_emit(hub: &Arc<Hub>) {
    let (result, level) = emission(hub, || hub.signal.try_emit(&LIVELY));
    let (called, panics) = match result {
        Ok(Ok(called)) => (called, 0),
        Ok(Err(error)) => (error.called(), error.failures().len()),
        Err(_) => (usize::MAX, usize::MAX),
    };
    check((called, panics) == (level.calls, level.panics), "try_emit counted wrongly");
}

/// Calls some slots, with operations between them.
fn call_some(hub: &Arc<Hub>) {
    let mut driven = hub.signal.call(&LIVELY);
    for _ in 0..below(5) {
        let (result, level) = emission(hub, || driven.next());
        let expected = usize::from(!matches!(result, Ok(None)));
        check(level.calls == expected, "a step of an emission calls one slot");
        let depth = me(|me| me.emissions.len());
        if depth < DEEPEST && below(3) == 0 {
            operate();
        }
    }
}

/// Any owner that is there now.
fn an_owner() -> AnyOwner {
    me(|me| {
        let place = me.random.below(OWNERS);
        lock(&me.world.places)[place].clone()
    })
}

fn a_hub() -> Arc<Hub> {
    me(|me| {
        let which = me.random.below(SIGNALS);
        lock(&me.world.hubs[which]).clone()
    })
}

/// Any slot that was ever connected.
fn a_record(hub: &Hub) -> Option<Arc<Record>> {
    let records = lock(&hub.records);
    if records.is_empty() {
        return None;
    }
    let record = records[below(records.len())].clone();
    record.connection.get().is_some().then_some(record)
}

/// Notes the slot before it is connected, so that whoever disconnects many knows of it.
fn note(hub: &Hub, kind: Kind, owner: Option<&Owner>, most: usize) -> Arc<Record> {
    let record = Arc::new(Record {
        kind,
        owner: owner.map(|owner| owner.0.clone()),
        most,
        connection: OnceLock::new(),
        off: AtomicUsize::new(0),
        unsure: AtomicBool::new(false),
        waited: AtomicBool::new(false),
        ended_by: AtomicUsize::new(0),
        silence: Arc::default(),
        calls: AtomicUsize::new(0),
        inside: AtomicUsize::new(0),
        captures_ended: AtomicUsize::new(0),
    });
    lock(&hub.records).push(record.clone());
    record
}

/// With `unique` it may be the connection of a slot that is known already.
fn noted(hub: &Hub, record: &Arc<Record>, connection: Connection) {
    let mut records = lock(&hub.records);
    if records.iter().any(|other| other.connection.get() == Some(&connection)) {
        check(record.kind == Kind::Sole, "a new slot has the connection of another");
        records.retain(|other| !Arc::ptr_eq(other, record));
    } else {
        record.connection.set(connection).expect("it is set once");
    }
}

fn connect(hub: &Arc<Hub>) {
    if hub.signal.slot_count() >= MOST_SLOTS {
        return;
    }
    let owner = an_owner();
    let priority = below(3) as i32 - 1;
    let slot = hub.signal.slot().priority(priority);
    let with_captures = |owner: Option<&Owner>, slot| -> (SlotOptions<'_, _, _>, _) {
        let times = below(8);
        let most = if times < 3 { times + 1 } else { usize::MAX };
        let record = note(hub, Kind::MaybeSendSync, owner, most);
        let slot: SlotOptions<'_, usize, usize> = slot;
        let slot = match times {
            0 => slot.once(),
            1 | 2 => slot.times(most),
            3 => slot.name("named"),
            _ => slot,
        };
        (slot, record)
    };
    let (connection, record) = match below(10) {
        0 => {
            let record = note(hub, Kind::Path, Some(&owner), usize::MAX);
            (of!(&owner, owner => slot.connect(owner, Owner::path)), record)
        }
        1 | 2 => {
            let record = note(hub, Kind::Sole, Some(&owner), usize::MAX);
            (of!(&owner, owner => slot.unique().connect(owner, Owner::sole)), record)
        }
        3 => {
            let record = note(hub, Kind::Path, Some(&owner), usize::MAX);
            let connection = match &owner {
                AnyOwner::Counted(owner) => slot.connect(&Arc::downgrade(owner), Owner::path),
                AnyOwner::HazardArc(owner) => {
                    slot.connect(&HazardArc::downgrade(owner), Owner::path)
                }
            };
            (connection, record)
        }
        4 => {
            let (slot, record) = with_captures(Some(&owner), slot);
            let captured = Captured(record.clone());
            let method = move |_: &Owner, n: &usize| captured.called(*n);
            (slot.connect_weak(of!(&owner, owner => WeakMethod::new(owner, method))), record)
        }
        5 => {
            let (slot, record) = with_captures(None, slot);
            let captured = Captured(record.clone());
            let guard = slot.connect_fn(move |n| captured.called(*n));
            let connection = (*guard).clone();
            me(|me| me.kept.guards.push((guard, record.clone())));
            (connection, record)
        }
        6 => {
            let (slot, record) = with_captures(Some(&owner), slot);
            let captured = Captured(record.clone());
            let method = move |_: &Owner, connection: &Connection, n: &usize| {
                captured.called_and(*n, || {
                    if below(4) == 0 {
                        let was = connection.disconnect();
                        captured.0.off();
                        captured.0.ended_by.fetch_add(was.into(), SeqCst);
                    }
                })
            };
            (of!(&owner, owner => slot.connect_extended(owner, method)), record)
        }
        7 => {
            // Its method acts on nothing else: otherwise two such slots could wait for each other.
            let world = me(|me| me.world.clone());
            let (slot, record) = with_captures(None, slot);
            let captured = Captured(record.clone());
            let method = move |calls: &mut AtomicUsize, _: &usize| {
                calls.store(calls.load(SeqCst) + 1, SeqCst);
                me(|me| me.world.exclusive_calls.fetch_add(1, SeqCst));
                captured.called(QUIET)
            };
            (slot.connect_mut(&world.exclusive, method), record)
        }
        _ => {
            let (slot, record) = with_captures(Some(&owner), slot);
            let captured = Captured(record.clone());
            let method = move |_: &Owner, n: &usize| captured.called(*n);
            (of!(&owner, owner => slot.connect(owner, method)), record)
        }
    };
    noted(hub, &record, connection);
}

/// Disconnects all slots that `hits`.
fn disconnect_many(
    hub: &Hub,
    hits: impl Fn(&Record) -> bool,
    disconnect: impl FnOnce(&Signal<usize, usize>) -> usize,
) {
    let mut certain = lock(&hub.records).clone();
    certain.retain(|record| hits(record) && record.connection.get().is_some());
    disconnect(&hub.signal);
    for record in &certain {
        record.off();
        check(!record.connection().is_connected(), "one of many slots was not disconnected");
    }
    for record in lock(&hub.records).iter().filter(|record| hits(record)) {
        record.unsure.store(true, SeqCst);
    }
}

fn disconnect(hub: &Hub) {
    let Some(record) = a_record(hub) else { return };
    match below(5) {
        0 => {
            let is_inside = me(|me| me.inside.contains(&Arc::as_ptr(&record)));
            let is_in_a_slot = me(|me| !me.emissions.is_empty());
            if record.kind != Kind::MaybeSendSync || is_in_a_slot && !is_inside {
                // Two slots that wait for each other would wait for ever.
                return;
            }
            match record.connection().disconnect_and_wait() {
                Ok(was) => {
                    record.waited.store(true, SeqCst);
                    check(!is_inside, "a slot waited for its own end");
                    check(record.inside.load(SeqCst) == 0, "a call was under way after the wait");
                    record.disconnected(was);
                }
                Err(error) => {
                    check(is_inside, "refused to wait for a slot it was not inside of");
                    record.disconnected(error.was_connected);
                }
            }
        }
        1 => {
            let mut set = ConnectionSet::new();
            set.add(record.connection().clone());
            record.disconnected(set.disconnect_all() == 1);
        }
        _ => record.disconnected(record.connection().disconnect()),
    }
}

fn block(hub: &Hub) {
    let Some(record) = a_record(hub) else { return };
    let (block, silence) = if below(30) == 0 {
        (hub.signal.block(), &hub.silence)
    } else {
        (record.connection().block(), &record.silence)
    };
    silence.begin();
    me(|me| me.kept.blocks.push((block, silence.clone())));
}

fn unblock() {
    let block = me(|me| {
        let count = me.kept.blocks.len();
        (count > 0).then(|| me.kept.blocks.swap_remove(me.random.below(count)))
    });
    if let Some((block, silence)) = block {
        silence.end();
        drop(block);
    }
}

fn drop_a_guard() {
    let guard = me(|me| {
        let count = me.kept.guards.len();
        (count > 0).then(|| me.kept.guards.swap_remove(me.random.below(count)))
    });
    if let Some((guard, record)) = guard {
        if below(6) == 0 {
            guard.detach();
        } else {
            drop(guard);
            record.off();
        }
    }
}

fn new_owner(world: &World, place: usize) {
    let life = Arc::<Life>::default();
    lock(&world.lives).push(life.clone());
    let owner = Owner(life);
    let owner = if place % 2 == 0 {
        AnyOwner::Counted(Arc::new(owner))
    } else {
        AnyOwner::HazardArc(HazardArc::new(owner))
    };
    let mut places = lock(&world.places);
    if place == places.len() {
        places.push(owner);
    } else {
        let former = mem::replace(&mut places[place], owner);
        drop(places);
        drop(former);
    }
}

/// A new signal takes the place of one that ends with its last emission.
fn end_a_signal() {
    let (world, which) = me(|me| (me.world.clone(), me.random.below(SIGNALS)));
    let former = mem::take(&mut *lock(&world.hubs[which]));
    lock(&world.former).push(former.records.clone());
}

/// One operation.
fn operate() {
    let hub = &a_hub();
    match below(50) {
        0..13 => connect(hub),
        13..19 => disconnect(hub),
        19 => {
            let any = an_owner();
            let of_owner = |record: &Record| {
                record.owner.as_ref().is_some_and(|owner| Arc::ptr_eq(owner, &any.0))
            };
            let of_path = |record: &Record| of_owner(record) && record.kind == Kind::Path;
            if below(2) == 0 {
                disconnect_many(
                    hub,
                    of_owner,
                    |signal| of!(&any, owner => signal.disconnect_owner(owner)),
                );
            } else {
                disconnect_many(
                    hub,
                    of_path,
                    |signal| of!(&any, owner => signal.disconnect_method(owner, Owner::path)),
                );
            }
        }
        20 if below(4) == 0 => disconnect_many(hub, |_| true, |signal| signal.disconnect_all()),
        20..22 => drop_a_guard(),
        22..25 => block(hub),
        25..29 => unblock(),
        29 | 30 => {
            let (world, place) = me(|me| (me.world.clone(), me.random.below(OWNERS)));
            new_owner(&world, place);
        }
        31 => _ = hub.signal.prune(),
        32 => check(format!("{:?}", hub.signal).contains("Signal"), "Debug says what it is"),
        33 if below(8) == 0 => end_a_signal(),
        33..35 => try_emit(hub),
        35..37 => call_some(hub),
        37 => sum(hub),
        _ => emit(hub),
    }
}

/// Checks what must hold of a signal when no thread uses it.
fn check_quiet(hub: &Arc<Hub>, world: &World) {
    let alive: Vec<*const Life> =
        lock(&world.places).iter().map(|owner| Arc::as_ptr(&owner.0)).collect();
    let mut sole = BTreeMap::new();
    let (mut connected, mut to_call) = (0, 0);
    for record in lock(&hub.records).iter() {
        let is_connected = record.connection().is_connected();
        let may_be = record.calls.load(SeqCst) < record.most
            && record.owner.as_ref().is_none_or(|owner| alive.contains(&Arc::as_ptr(owner)));
        if !may_be || record.off.load(SeqCst) > 0 {
            check(!is_connected, "a slot is connected that cannot be");
        } else if !record.unsure.load(SeqCst) {
            check(is_connected, "a slot got lost");
        }
        let is_blocked = is_connected && record.silence.blocks.load(SeqCst) > 0;
        if is_connected {
            check(record.connection().is_blocked() == is_blocked, "blocks are counted wrongly");
        }
        connected += usize::from(is_connected);
        to_call += usize::from(is_connected && !is_blocked);
        if let (Kind::Sole, true, Some(owner)) = (record.kind, is_connected, &record.owner) {
            let already = sole.insert(Arc::as_ptr(owner), ());
            check(already.is_none(), "a unique slot is there twice");
        }
    }
    let is_silent = hub.silence.blocks.load(SeqCst) > 0;
    check(hub.signal.is_blocked() == is_silent, "blocks of the signal are counted wrongly");
    check(hub.signal.slot_count() == connected, "slots are counted wrongly");
    let expected = if is_silent { 0 } else { to_call };
    let (called, level) = emission(hub, || hub.signal.emit(&QUIET));
    check(called.is_ok_and(|n| n == expected), "not all, or other slots were called");
    check(level.calls == expected, "emit counted wrongly when all was quiet");
    hub.signal.prune();
    check_captures(&hub.records);
}

/// They end with their slots, and once.
fn check_captures(records: &Records) {
    for record in lock(records).iter().filter(|record| record.kind == Kind::MaybeSendSync) {
        let ended = record.captures_ended.load(SeqCst);
        let expected = usize::from(!record.connection().is_connected());
        check(ended == expected, "captures did not end once with their slot");
        check(record.inside.load(SeqCst) == 0, "a call never ended");
    }
}

/// One run of all threads, on signals of their own; returns how many operations they made, those in
/// slots not counted.
fn run(seed: u64) -> usize {
    watch(seed);
    let world = Arc::new(World::default());
    (0..OWNERS).for_each(|place| new_owner(&world, place));
    let kept: Vec<Kept> = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS as u64)
            .map(|thread| {
                let world = &world;
                let operations = || (0..OPERATIONS_EACH).for_each(|_| operate());
                scope.spawn(move || with_me(world, seed * 16 + thread, operations).1)
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("threads do not panic")).collect()
    });
    with_me(&world, seed, || {
        let hubs = world.hubs.each_ref().map(|hub| lock(hub).clone());
        hubs.iter().for_each(|hub| check_quiet(hub, &world));
        for kept in kept {
            for (block, silence) in kept.blocks {
                silence.end();
                drop(block);
            }
            for (guard, record) in kept.guards {
                drop(guard);
                record.off();
            }
        }
        hubs.iter().for_each(|hub| check_quiet(hub, &world));
        check(
            lock(&world.exclusive).load(SeqCst) == world.exclusive_calls.load(SeqCst),
            "two calls met in an owner that is borrowed mutably",
        );
        let all: Vec<Records> = {
            let former = mem::take(&mut *lock(&world.former));
            former.into_iter().chain(hubs.iter().map(|hub| hub.records.clone())).collect()
        };
        drop(hubs);
        for hub in &world.hubs {
            let last = mem::take(&mut *lock(hub));
            drop(last);
        }
        for records in &all {
            let gone = lock(records).iter().all(|record| !record.connection().is_connected());
            check(gone, "a connection outlived its signal");
            check_captures(records);
        }
        let owners = mem::take(&mut *lock(&world.places));
        drop(owners);
        let lives = mem::take(&mut *lock(&world.lives));
        let once = lives.iter().all(|life| life.ended.load(SeqCst) == 1);
        check(once, "an owner did not end once");
    });
    let wrong = mem::take(&mut *lock(&WRONG));
    assert!(wrong.is_empty(), "seed {seed}: {wrong:#?}");
    THREADS * OPERATIONS_EACH
}

/// Ends the process, and tells the seed, when nothing moves on for a minute.
fn watch(seed: u64) {
    static SEED: AtomicU64 = AtomicU64::new(0);
    static ONCE: Once = Once::new();
    SEED.store(seed, SeqCst);
    ONCE.call_once(|| {
        _ = thread::spawn(|| {
            let mut before = u64::MAX;
            loop {
                let seed = SEED.load(SeqCst);
                if mem::replace(&mut before, seed) == seed {
                    eprintln!("seed {seed}: the threads wait for each other");
                    process::abort();
                }
                thread::sleep(Duration::from_secs(60));
            }
        });
    });
}

#[test]
fn whatever_several_threads_do_at_once_the_signals_keep_their_promises() {
    for_seeds(module_path!(), &KEPT, 200_000, run);
}
