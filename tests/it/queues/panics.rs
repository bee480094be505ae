//! What the users of a queue give it panics, each at each of its calls: what a queue promises holds
//! afterwards.

use crate::support::{AtEnd, panic_of};
use sigwire::generic::QueuedSlot;
use sigwire::{Connection, Edges, Overflow, Signal};
use std::collections::BTreeSet;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicU32, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, RawWaker, RawWakerVTable, Waker};
use std::thread;
use std::time::{Duration, Instant};

/// What panics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum At {
    Wake,
    WakeEnd,
    WakerWake,
    WakerClone,
    WakerEnd,
    EventClone,
    EventEnd,
    Handler,
    CaptureEnd,
    OwnerEnd,
}

const ALL: [At; 10] = [
    At::Wake,
    At::WakeEnd,
    At::WakerWake,
    At::WakerClone,
    At::WakerEnd,
    At::EventClone,
    At::EventEnd,
    At::Handler,
    At::CaptureEnd,
    At::OwnerEnd,
];

/// Panics at one call of one of them, and notes what happens.
struct Fuse {
    at: At,
    /// How many calls until then; 0 means never.
    left: AtomicUsize,
    has_blown: AtomicBool,
    /// What was made and not yet dropped.
    live: AtomicIsize,
    sent: AtomicU32,
    /// Which slot was called with which event, by the order in which they were sent.
    called: Mutex<Vec<(u32, u32)>>,
    wake_told: AtomicBool,
    waker_told: AtomicBool,
    inside: Mutex<Option<Box<dyn FnMut() + Send>>>,
}

/// The panic of a fuse, whatever it is in.
struct Blown;

/// The payload of a panic that panics as it is dropped.
struct Bomb;

impl Bomb {
    fn goes_off() {
        resume_unwind(Box::new(Bomb));
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        resume_unwind(Box::new("the payload's own"));
    }
}

/// A waker that drops a bomb while this is set.
struct Bomber(Arc<AtomicBool>);

impl std::task::Wake for Bomber {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }
    fn wake_by_ref(self: &Arc<Self>) {
        if self.0.load(SeqCst) {
            Bomb::goes_off();
        }
    }
}

impl Fuse {
    fn touch(&self, at: At) {
        if self.at == at && self.left.load(SeqCst) > 0 && self.left.fetch_sub(1, SeqCst) == 1 {
            self.has_blown.store(true, SeqCst);
            // As `panic!`, without a message for each of some thousands.
            resume_unwind(Box::new(Blown));
        }
    }
}

/// Something that counts while it lives, and touches the fuse as it ends.
struct Ends(Arc<Fuse>, At);
impl Ends {
    fn new(fuse: &Arc<Fuse>, at: At) -> Self {
        fuse.live.fetch_add(1, SeqCst);
        Ends(fuse.clone(), at)
    }
}
impl Drop for Ends {
    fn drop(&mut self) {
        self.0.live.fetch_sub(1, SeqCst);
        self.0.touch(self.1);
    }
}

/// What is emitted; its clones know in which order they were made.
struct Event(Arc<Fuse>, Option<(u32, Ends)>);
impl Event {
    fn new(fuse: &Arc<Fuse>) -> Self {
        Event(fuse.clone(), None)
    }
}
impl Clone for Event {
    fn clone(&self) -> Self {
        self.0.touch(At::EventClone);
        let ends = Ends::new(&self.0, At::EventEnd);
        Event(self.0.clone(), Some((self.0.sent.fetch_add(1, SeqCst), ends)))
    }
}

fn waker(fuse: &Arc<Fuse>) -> Waker {
    fn raw(ends: Arc<Ends>) -> RawWaker {
        RawWaker::new(Arc::into_raw(ends).cast(), &TABLE)
    }
    /// # Safety
    /// `data` is that of a `raw` which nobody uses afterwards.
    unsafe fn last(data: *const ()) -> Arc<Ends> {
        // SAFETY: it came from `into_raw` there, and is turned back once.
        unsafe { Arc::from_raw(data.cast()) }
    }
    /// # Safety
    /// `data` is that of a `raw` which is used afterwards.
    unsafe fn one(data: *const ()) -> ManuallyDrop<Arc<Ends>> {
        // SAFETY: this one is not dropped.
        ManuallyDrop::new(unsafe { last(data) })
    }
    fn wake(ends: impl Deref<Target = Arc<Ends>>) {
        ends.0.touch(At::WakerWake);
        ends.0.waker_told.store(true, SeqCst);
    }
    const TABLE: RawWakerVTable = RawWakerVTable::new(
        |data| {
            // SAFETY: a clone takes a reference.
            let ends = unsafe { one(data) };
            ends.0.touch(At::WakerClone);
            raw(Arc::new(Ends::new(&ends.0, At::WakerEnd)))
        },
        // SAFETY: to wake takes the waker.
        |data| wake(&unsafe { last(data) }),
        // SAFETY: this takes a reference.
        |data| wake(unsafe { one(data) }),
        // SAFETY: a drop is the last.
        |data| drop(unsafe { last(data) }),
    );
    // SAFETY: the table does what it must.
    unsafe { Waker::from_raw(raw(Arc::new(Ends::new(fuse, At::WakerEnd)))) }
}

/// What may be said of what was sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It was delivered in the order in which it was sent, or counted as lost.
    InOrder,
    /// It was delivered in the order of each slot, or counted as lost.
    InOrderOfSlot,
    /// Some of it was taken back, or passed over; in the order of each slot.
    Partly,
}
use Fate::*;

/// Does a step of a program that goes on after a panic. Returns whether there was none.
fn goes_on(step: impl FnOnce()) -> bool {
    match catch_unwind(AssertUnwindSafe(step)) {
        Ok(()) => true,
        Err(panic) if panic.is::<Blown>() => false,
        Err(panic) => resume_unwind(panic),
    }
}

/// The connection of a slot whose signal is gone.
fn never() -> Connection {
    Signal::<u32>::new().connect(&Arc::new(()), |_, _| ())
}

both_homes! {
    struct World {
        fuse: Arc<Fuse>,
        queue: Option<Queue>,
        signals: Vec<Arc<Signal<Event>>>,
        owners: Vec<Option<Strong<Ends>>>,
        connections: Vec<Connection>,
        is_driven: bool,
        most: usize,
    }

    type Slot<'a> = QueuedSlot<'a, Event, QueueFlavor>;

    impl World {
        fn new(at: At, left: usize) -> Self {
            let fuse = Arc::new(Fuse {
                at,
                left: AtomicUsize::new(left),
                has_blown: AtomicBool::new(false),
                live: AtomicIsize::new(0),
                sent: AtomicU32::new(0),
                called: Mutex::default(),
                wake_told: AtomicBool::new(false),
                waker_told: AtomicBool::new(false),
                inside: Mutex::default(),
            });
            let tells = Ends::new(&fuse, At::WakeEnd);
            let queue = Some(Queue::new(move || {
                tells.0.touch(At::Wake);
                tells.0.wake_told.store(true, SeqCst);
            }));
            let (signals, owners, connections) = (vec![], vec![], vec![]);
            World { fuse, queue, signals, owners, connections, is_driven: false, most: usize::MAX }
        }

        fn bound(&mut self, capacity: usize, overflow: Overflow) {
            let queue = self.queue.take().unwrap();
            goes_on(|| self.queue = Some(queue.bounded(capacity, overflow)));
        }

        /// A signal of its own, and an owner.
        fn connect(&mut self, with: impl FnOnce(Slot<'_>) -> Slot<'_>) -> usize {
            self.signals.push(Arc::new(Signal::new()));
            self.owners.push(Some(Strong::new(Ends::new(&self.fuse, At::OwnerEnd))));
            self.connections.push(never());
            let number = self.signals.len() - 1;
            self.connect_again(number, None, with);
            number
        }

        fn connect_again(
            &mut self,
            number: usize,
            times: Option<usize>,
            with: impl FnOnce(Slot<'_>) -> Slot<'_>,
        ) {
            let Some(queue) = &self.queue else { return };
            let Some(owner) = &self.owners[number] else { return };
            let captured = Ends::new(&self.fuse, At::CaptureEnd);
            let slot = self.signals[number].slot();
            let slot = with(match times {
                Some(times) => slot.times(times).on(queue),
                None => slot.on(queue),
            });
            let mut connection = never();
            goes_on(|| {
                connection = slot.connect(owner, move |_, event: &Event| {
                    let (sent, _) = event.1.as_ref().unwrap();
                    captured.0.called.lock().unwrap().push((number as u32, *sent));
                    let inside = captured.0.inside.lock().unwrap().take();
                    inside.into_iter().for_each(|mut inside| inside());
                    captured.0.touch(At::Handler);
                })
            });
            self.connections[number] = connection;
        }

        fn emit(&self, numbers: &[usize]) {
            for number in numbers {
                goes_on(|| _ = self.signals[*number].emit(&Event::new(&self.fuse)));
            }
        }

        /// And `wake` panics.
        fn emit_loudly(&self, number: usize) {
            let event = Event::new(&self.fuse);
            let emits = || _ = self.signals[number].emit(&event);
            assert!(catch_unwind(AssertUnwindSafe(emits)).is_err());
        }

        /// The loop runs as long as it is told to.
        fn turn(&self) {
            let Some(queue) = &self.queue else { return };
            if !self.is_driven {
                while self.fuse.wake_told.swap(false, SeqCst) {
                    goes_on(|| _ = queue.run_max(self.most));
                }
                return;
            }
            while self.fuse.waker_told.swap(false, SeqCst) {
                self.poll();
            }
        }

        /// A task that drives the queue, and polls again after a panic, which it knows of.
        fn poll(&self) {
            let Some(queue) = &self.queue else { return };
            let mut waker = None;
            while waker.is_none() {
                goes_on(|| waker = Some(self::waker(&self.fuse)));
            }
            let waker = waker.unwrap();
            for _ in 0..100 {
                let mut is_over = false;
                goes_on(|| {
                    let mut drive = pin!(queue.drive());
                    is_over = drive.as_mut().poll(&mut Context::from_waker(&waker)).is_pending();
                });
                if is_over {
                    goes_on(|| drop(waker));
                    return;
                }
            }
            panic!("the queue never is empty");
        }

        /// Whether nobody has to be told any more, since nothing waits.
        fn is_done(&self) -> bool {
            self.queue.as_ref().is_none_or(|queue| queue.is_empty())
        }
    }

    type Scenario = fn(&mut World) -> Fate;

    const SCENARIOS: &[(&str, Scenario)] = &[
        ("run", |world| {
            let (a, b) = (world.connect(|slot| slot), world.connect(|slot| slot));
            for _ in 0..2 {
                world.emit(&[a, b, b, a]);
                world.turn();
            }
            InOrder
        }),
        ("run, one signal", |world| {
            let a = world.connect(|slot| slot);
            world.connect_again(a, None, |slot| slot);
            world.emit(&[a, a, a]);
            world.turn();
            InOrderOfSlot
        }),
        ("run_max", |world| {
            world.most = 2;
            let (a, b) = (world.connect(|slot| slot), world.connect(|slot| slot));
            world.emit(&[a, b, a, b, a]);
            world.turn();
            InOrder
        }),
        ("run_until", |world| {
            let (a, b) = (world.connect(|slot| slot), world.connect(|slot| slot));
            world.emit(&[a, b, a]);
            let until = Instant::now() + Duration::from_secs(1000);
            goes_on(|| _ = world.queue.as_ref().unwrap().run_until(until));
            goes_on(|| _ = world.queue.as_ref().unwrap().run_until(Instant::now()));
            world.emit(&[a, b]);
            world.turn();
            InOrder
        }),
        ("many events", |world| {
            let (a, b) = (world.connect(|slot| slot), world.connect(|slot| slot));
            (0..70).for_each(|_| world.emit(&[a, b]));
            world.turn();
            InOrder
        }),
        ("a handler emits", |world| {
            let (a, b) = (world.connect(|slot| slot), world.connect(|slot| slot));
            let (signal, event) = (world.signals[a].clone(), Event::new(&world.fuse));
            *world.fuse.inside.lock().unwrap() = Some(Box::new(move || {
                signal.emit(&event);
                signal.emit(&event);
            }));
            world.emit(&[a, b]);
            world.turn();
            world.fuse.inside.lock().unwrap().take();
            InOrder
        }),
        ("drive", |world| {
            world.is_driven = true;
            let (a, b) = (world.connect(|slot| slot), world.connect(|slot| slot.latest()));
            world.poll();
            for _ in 0..3 {
                world.emit(&[a, a, b]);
                world.turn();
            }
            // Another task takes over, before and after it is told.
            world.poll();
            world.emit(&[a]);
            world.poll();
            world.turn();
            InOrder
        }),
        ("drive, a handler emits", |world| {
            world.is_driven = true;
            let a = world.connect(|slot| slot);
            let (signal, event) = (world.signals[a].clone(), Event::new(&world.fuse));
            *world.fuse.inside.lock().unwrap() = Some(Box::new(move || _ = signal.emit(&event)));
            world.poll();
            world.emit(&[a, a]);
            world.turn();
            world.fuse.inside.lock().unwrap().take();
            InOrder
        }),
        ("drive, disconnect", |world| {
            world.is_driven = true;
            let (a, b) = (world.connect(|slot| slot), world.connect(|slot| slot));
            world.poll();
            world.emit(&[a]);
            goes_on(|| _ = world.connections[a].disconnect());
            world.turn();
            world.emit(&[b]);
            world.turn();
            Partly
        }),
        ("bounded, drop oldest", |world| {
            world.bound(2, Overflow::DropOldest);
            let (a, b) = (world.connect(|slot| slot), world.connect(|slot| slot));
            world.emit(&[a, b, b, a, a]);
            world.turn();
            InOrder
        }),
        ("bounded, drop newest", |world| {
            world.bound(2, Overflow::DropNewest);
            let (a, b) = (world.connect(|slot| slot), world.connect(|slot| slot));
            world.emit(&[a, b, b, a, a]);
            world.turn();
            InOrder
        }),
        ("bounded, latest", |world| {
            world.bound(1, Overflow::Latest);
            let (a, b) = (world.connect(|slot| slot), world.connect(|slot| slot));
            world.emit(&[a, b, b, a, a]);
            world.turn();
            InOrderOfSlot
        }),
        ("bounded later", |world| {
            for overflow in [Overflow::DropOldest, Overflow::DropNewest, Overflow::Latest] {
                if world.queue.is_some() {
                    let (a, b) = (world.connect(|slot| slot), world.connect(|slot| slot));
                    world.emit(&[a, b, b, a, a]);
                    world.bound(2, overflow);
                    world.turn();
                }
            }
            if world.queue.is_some() { InOrderOfSlot } else { Partly }
        }),
        ("latest", |world| {
            let (a, b) = (world.connect(|slot| slot), world.connect(|slot| slot.latest()));
            for _ in 0..2 {
                world.emit(&[b, a, b, b]);
                world.turn();
            }
            InOrderOfSlot
        }),
        ("latest, a connection ends before its turn", |world| {
            let (a, b) = (world.connect(|slot| slot), world.connect(|slot| slot.latest()));
            let ends = world.connections[a].clone();
            *world.fuse.inside.lock().unwrap() = Some(Box::new(move || _ = ends.disconnect()));
            world.emit(&[a, a, b]);
            world.turn();
            world.fuse.inside.lock().unwrap().take();
            world.emit(&[b]);
            world.turn();
            Partly
        }),
        ("once and times", |world| {
            let (a, b) = (world.connect(|slot| slot), world.connect(|slot| slot));
            for (i, times) in [1, 2].into_iter().enumerate() {
                goes_on(|| _ = world.connections[i].disconnect());
                world.connect_again(i, Some(times), |slot| slot);
            }
            world.emit(&[a, b, b, a, b, a]);
            world.turn();
            Partly
        }),
        ("debounce", |world| {
            let a = world.connect(|slot| slot.debounce(Duration::ZERO).edges(Edges::Both));
            let b = world.connect(|slot| slot.debounce(Duration::ZERO));
            world.emit(&[a, a, b, b, a]);
            world.turn();
            world.emit(&[a, b]);
            world.turn();
            goes_on(|| _ = world.queue.as_ref().unwrap().run());
            Partly
        }),
        ("throttle", |world| {
            let a = world.connect(|slot| slot.throttle(Duration::from_secs(1)));
            let start = Instant::now();
            for second in 0..3 {
                world.emit(&[a, a, a]);
                let now = start + Duration::from_secs(second);
                goes_on(|| _ = world.queue.as_ref().unwrap().run_at(now));
                goes_on(|| _ = world.queue.as_ref().unwrap().run_at(now));
            }
            Partly
        }),
        ("flush", |world| {
            let a = world.connect(|slot| slot.throttle(Duration::from_secs(1)));
            let b = world.connect(|slot| slot);
            for _ in 0..2 {
                world.emit(&[a, b, a, b, a]);
                goes_on(|| _ = world.queue.as_ref().unwrap().flush(&world.connections[a]));
            }
            world.turn();
            goes_on(|| _ = world.queue.as_ref().unwrap().flush(&world.connections[a]));
            Partly
        }),
        ("cancel", |world| {
            let a = world.connect(|slot| slot.throttle(Duration::from_secs(1)));
            let b = world.connect(|slot| slot);
            world.emit(&[a, b, a]);
            world.turn();
            world.emit(&[a, b, a]);
            goes_on(|| _ = world.queue.as_ref().unwrap().cancel(&world.connections[a]));
            world.emit(&[a, b, a]);
            world.turn();
            Partly
        }),
        ("disconnect", |world| {
            let (a, b) = (world.connect(|slot| slot), world.connect(|slot| slot));
            world.emit(&[a, b, a, b]);
            goes_on(|| _ = world.connections[a].disconnect());
            world.turn();
            world.emit(&[b]);
            world.turn();
            Partly
        }),
        ("disconnect all elsewhere", |world| {
            let (a, b) = (world.connect(|slot| slot), world.connect(|slot| slot));
            world.connect_again(a, None, |slot| slot);
            world.emit(&[a, b, a, b]);
            let signal = world.signals[a].clone();
            let ending = thread::spawn(move || goes_on(|| _ = signal.disconnect_all()));
            ending.join().unwrap();
            world.emit(&[b]);
            world.turn();
            Partly
        }),
        ("an owner ends while its event waits", |world| {
            let (a, b) = (world.connect(|slot| slot), world.connect(|slot| slot));
            world.emit(&[a, b, a, b]);
            let owner = world.owners[a].take();
            goes_on(|| drop(owner));
            world.turn();
            world.emit(&[a, b]);
            world.turn();
            Partly
        }),
        ("connecting lets go", |world| {
            for _ in 0..20 {
                let a = world.connect(|slot| slot);
                let owner = world.owners[a].take();
                goes_on(|| drop(owner));
            }
            let b = world.connect(|slot| slot);
            if !world.connections[b].is_connected() {
                world.connect_again(b, None, |slot| slot);
            }
            world.emit(&[b]);
            world.turn();
            InOrder
        }),
        ("the signal ends", |world| {
            let (a, b) = (world.connect(|slot| slot), world.connect(|slot| slot));
            world.emit(&[a, b, a, b]);
            let signal = std::mem::take(&mut world.signals[a]);
            goes_on(|| drop(signal));
            world.turn();
            world.emit(&[b]);
            world.turn();
            Partly
        }),
        ("the queue ends", |world| {
            let a = world.connect(|slot| slot);
            let b = world.connect(|slot| slot.throttle(Duration::from_secs(1)));
            world.poll();
            world.emit(&[a, b, a, b]);
            world.turn();
            world.emit(&[a, b, a, b]);
            world.poll();
            world.emit(&[b]);
            let queue = world.queue.take();
            goes_on(|| drop(queue));
            world.emit(&[a, b]);
            Partly
        }),
    ];

    fn check(name: &str, scenario: Scenario, at: At, left: usize) -> bool {
        let mut world = World::new(at, left);
        let fate = scenario(&mut world);
        let case = format!("{name}, {at:?} {left}");
        // Of what tells only the one that panicked may not have told.
        let tells = if world.is_driven { At::WakerWake } else { At::Wake };
        assert!(at == tells || world.is_done(), "{case}: nobody was told of what waits");
        // The next event tells, and comes up.
        if world.queue.is_some() {
            let last = world.connect(|slot| slot);
            if !world.connections[last].is_connected() {
                world.connect_again(last, None, |slot| slot);
            }
            loop {
                let had_blown = world.fuse.has_blown.load(SeqCst);
                world.emit(&[last]);
                world.turn();
                if world.fuse.has_blown.load(SeqCst) == had_blown {
                    break;
                }
            }
            assert!(world.is_done(), "{case}: the next event told nobody");
            let called = world.fuse.called.lock().unwrap();
            assert!(called.iter().any(|(number, _)| *number == last as u32), "{case}: {called:?}");
        }
        let called = std::mem::take(&mut *world.fuse.called.lock().unwrap());
        let lost = world.queue.as_ref().map_or(0, Queue::lost);
        let events: Vec<_> = called.iter().map(|(_, sent)| *sent).collect();
        assert_eq!(
            events.iter().collect::<BTreeSet<_>>().len(),
            events.len(),
            "{case}: twice {called:?}"
        );
        let sent = u64::from(world.fuse.sent.load(SeqCst));
        if fate != Partly {
            assert_eq!(called.len() as u64 + lost, sent, "{case}: {called:?}");
        }
        if fate == InOrder {
            assert!(events.is_sorted(), "{case}: {called:?}");
        }
        for number in 0..world.signals.len() as u32 {
            let own = called.iter().filter(|it| it.0 == number);
            assert!(own.is_sorted(), "{case}: {called:?}");
        }
        let World { fuse, queue, signals, owners, connections, .. } = world;
        goes_on(|| drop(queue));
        goes_on(|| drop(owners));
        goes_on(|| drop(signals));
        assert!(connections.iter().all(|connection| !connection.is_connected()));
        assert_eq!((fuse.live.load(SeqCst), Arc::strong_count(&fuse)), (0, 1), "{case}: live");
        fuse.has_blown.load(SeqCst)
    }

    #[test]
    fn whatever_panics_at_whichever_call_the_events_come_in_order_and_the_loop_is_told() {
        for at in ALL {
            let mut blown = 0;
            for (name, scenario) in SCENARIOS {
                blown += (1..).take_while(|left| check(name, *scenario, at, *left)).count();
            }
            assert!(blown > 0, "{at:?} is never called");
        }
    }

    #[test]
    fn a_task_that_drives_a_queue_is_woken_though_wake_panics_each_time() {
        let mut world = World::new(At::Handler, 0);
        let fuse = world.fuse.clone();
        world.queue = Some(Queue::new(|| resume_unwind(Box::new(Blown))));
        let a = world.connect(|slot| slot);
        world.is_driven = true;
        for _ in 0..3 {
            world.poll();
            let signal = &world.signals[a];
            assert!(
                !goes_on(|| _ = signal.emit(&Event::new(&fuse))),
                "the panic goes to who emits"
            );
            world.turn();
        }
        assert_eq!((fuse.called.lock().unwrap().len(), world.is_done()), (3, true));
    }

    #[test]
    fn a_waker_that_panics_is_told_again_also_when_wake_panics_as_well() {
        let mut world = World::new(At::WakerWake, 1);
        world.queue = Some(Queue::new(|| resume_unwind(Box::new(Blown))));
        let a = world.connect(|slot| slot);
        world.is_driven = true;
        world.poll();
        world.emit(&[a]);
        world.turn();
        assert!(!world.is_done());
        world.emit(&[a]);
        world.turn();
        assert!(world.is_done());
    }

    #[test]
    fn a_handlers_last_call_is_made_though_it_panics_to_drop_what_waits_for_it() {
        let mut world = World::new(At::EventEnd, 1);
        let a = world.connect(|slot| slot);
        world.connections[a].disconnect();
        world.connect_again(a, Some(1), |slot| slot);
        world.emit(&[a, a]);
        let queue = world.queue.as_ref().unwrap();
        assert!(!goes_on(|| _ = queue.run_max(1)));
        assert_eq!(*world.fuse.called.lock().unwrap(), [(a as u32, 0)]);
        assert!(!world.connections[a].is_connected());
    }

    #[test]
    fn an_emission_or_a_disconnect_in_which_wake_and_a_drop_panic_goes_on_with_the_first_panic() {
        for overflow in [Overflow::DropOldest, Overflow::DropNewest, Overflow::Latest] {
            let mut world = World::new(At::EventEnd, 1);
            world.queue = Some(Queue::new(|| panic!("from wake")));
            world.bound(1, overflow);
            let a = world.connect(|slot| slot);
            let message = |step: &dyn Fn()| {
                let panic = catch_unwind(AssertUnwindSafe(step)).unwrap_err();
                *panic.downcast::<&str>().unwrap()
            };
            for _ in 0..2 {
                // The second time an event is dropped as well.
                let event = Event::new(&world.fuse);
                assert_eq!(message(&|| _ = world.signals[a].emit(&event)), "from wake");
            }
            assert!(world.fuse.has_blown.load(SeqCst), "{overflow:?}");
            let queue = world.queue.as_ref().unwrap();
            assert_eq!((queue.run().called, queue.lost()), (1, 1));
            // And again, as the connection ends.
            world.emit_loudly(a);
            world.fuse.left.store(1, SeqCst);
            let ended = catch_unwind(AssertUnwindSafe(|| world.connections[a].disconnect()));
            assert!(ended.is_err() && queue.is_empty() && !world.connections[a].is_connected());
        }
    }

    #[test]
    fn a_run_lets_go_of_an_ended_connection_though_one_of_its_events_panics_as_it_is_dropped() {
        let mut world = World::new(At::EventEnd, 2);
        let a = world.connect(|slot| slot);
        let own = world.connections[a].clone();
        *world.fuse.inside.lock().unwrap() = Some(Box::new(move || {
            own.disconnect();
            panic!("the handler's own");
        }));
        world.emit(&[a, a]);
        let queue = world.queue.as_ref().unwrap();
        let panic = catch_unwind(AssertUnwindSafe(|| queue.run())).unwrap_err();
        assert_eq!(*panic.downcast::<&str>().unwrap(), "the handler's own");
        assert!(world.fuse.has_blown.load(SeqCst));
        assert_eq!(Strong::weak_count(world.owners[a].as_ref().unwrap()), 0);
        assert_eq!(world.fuse.called.lock().unwrap().len(), 1);
    }

    #[test]
    fn what_was_lost_is_told_by_the_next_run_when_one_panics_as_it_ends() {
        let mut world = World::new(At::Wake, 2);
        world.bound(2, Overflow::DropOldest);
        let a = world.connect(|slot| slot);
        world.emit(&[a, a, a]);
        let queue = world.queue.as_ref().unwrap();
        assert!(!goes_on(|| _ = queue.run_max(1)), "it has an event left, and tells so");
        let ran = queue.run();
        assert_eq!((ran.called, ran.lost), (1, 1));
        assert_eq!(queue.run().lost, 0);
    }

    #[test]
    fn a_handlers_panic_goes_to_the_run_though_what_the_run_does_last_panics_too() {
        let mut world = World::new(At::Handler, 0);
        world.queue = Some(Queue::new(|| resume_unwind(Box::new(Blown))));
        let a = world.connect(|slot| slot);
        *world.fuse.inside.lock().unwrap() = Some(Box::new(|| panic!("the handler's own")));
        world.emit(&[a, a]);
        let queue = world.queue.as_ref().unwrap();
        let panic = catch_unwind(AssertUnwindSafe(|| queue.run())).unwrap_err();
        assert_eq!(*panic.downcast::<&str>().unwrap(), "the handler's own");
        assert_eq!(queue.run().called, 1);
    }

    #[test]
    fn a_run_goes_on_with_the_first_panic_though_the_seconds_payload_panics_as_it_is_dropped() {
        let is_armed = Arc::new(AtomicBool::new(false));
        let armed = is_armed.clone();
        let queue = Queue::new(move || {
            if armed.load(SeqCst) {
                Bomb::goes_off();
            }
        });
        let (signal, owner, captured) = (Signal::<u32>::new(), Strong::new(()), Strong::new(()));
        let held = captured.clone();
        let other = signal.slot().priority(-1).on(&queue).connect(&owner, move |_, _| _ = &held);
        signal.slot().on(&queue).connect(&owner, move |_, _| {
            other.disconnect();
            panic!("the handler's own");
        });
        signal.emit(&1);
        signal.emit(&2);
        is_armed.store(true, SeqCst);
        assert_eq!(panic_of(|| queue.run()), "the handler's own");
        is_armed.store(false, SeqCst);
        assert_eq!(Strong::strong_count(&captured), 1, "what the run does last is done");
    }

    #[test]
    fn an_emission_goes_on_with_the_panic_of_wake_though_that_of_a_waker_panics_as_it_is_dropped() {
        let is_armed = Arc::new(AtomicBool::new(true));
        let armed = is_armed.clone();
        let queue = Queue::new(move || assert!(!armed.load(SeqCst), "from wake"));
        let (signal, owner) = (Signal::<u32>::new(), Strong::new(()));
        signal.slot().on(&queue).connect(&owner, |_, _| ());
        let waker = Waker::from(Arc::new(Bomber(is_armed.clone())));
        let is_pending = pin!(queue.drive()).poll(&mut Context::from_waker(&waker)).is_pending();
        assert!(is_pending);
        assert_eq!(panic_of(|| signal.emit(&1)), "from wake");
        is_armed.store(false, SeqCst);
    }

    #[test]
    fn the_last_call_goes_on_with_the_panic_of_what_waited_for_it_before_the_handlers_own() {
        let mut world = World::new(At::EventEnd, 1);
        let a = world.connect(|slot| slot);
        world.connections[a].disconnect();
        world.connect_again(a, Some(1), |slot| slot);
        *world.fuse.inside.lock().unwrap() = Some(Box::new(|| panic!("the handler's own")));
        world.emit(&[a, a]);
        let queue = world.queue.as_ref().unwrap();
        let panic = catch_unwind(AssertUnwindSafe(|| queue.run_max(1))).unwrap_err();
        assert!(panic.is::<Blown>());
        assert_eq!(world.fuse.called.lock().unwrap().len(), 1);
    }
}

#[test]
fn a_latest_slot_is_called_with_what_is_emitted_as_an_ended_connection_is_let_go_before_its_turn() {
    let (queue, ends, moved) =
        (sigwire::Queue::default(), Signal::<u32>::new(), Arc::new(Signal::new()));
    let (owner, seen) = (Arc::new(()), Arc::new(Mutex::new(vec![])));
    let emits = Arc::downgrade(&moved);
    let at_end = AtEnd(move || _ = emits.upgrade().map(|moved| moved.emit(&2)));
    let own = Arc::new(Mutex::new(None::<Connection>));
    let known = own.clone();
    let connection = ends.slot().on(&queue).connect(&owner, move |_, _| {
        at_end.touch();
        known.lock().unwrap().take().unwrap().disconnect();
    });
    *own.lock().unwrap() = Some(connection);
    let slot = moved.slot().on(&queue).latest();
    slot.connect_mut(&seen, |seen: &mut Vec<u32>, n| seen.push(*n));
    ends.emit(&0);
    moved.emit(&1);
    assert_eq!((queue.run().called, queue.lost(), queue.len()), (2, 1, 0));
    assert_eq!(*seen.lock().unwrap(), [2]);
}
