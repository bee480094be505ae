//! Random operations on asynchronous signals, in each flavor: emissions of each kind are begun,
//! polled and dropped half way, owners and slots come and go, at the top and from inside handlers
//! and destructors. Handlers check that they do not move, and that what they borrow from is there;
//! some panic. In the end nothing is left.
//!
//! With `SIGWIRE_OPERATIONS=1000000` it makes that many in each flavor.

use crate::support::random::{Expected, Random, for_seeds};
use futures::{Stream, StreamExt};
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::{mem, thread};

const OPERATIONS: usize = 250;
const MOST_EMISSIONS: usize = 12;
const DEEPEST: usize = 3;

thread_local! {
    static RANDOM: RefCell<Random> = RefCell::new(Random::new(0));
    /// How many handlers, owners, captures and results there are.
    static ALIVE: Cell<isize> = const { Cell::new(0) };
    /// One operation.
    static OPERATE: RefCell<Option<Rc<dyn Fn()>>> = const { RefCell::new(None) };
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

fn below(n: usize) -> usize {
    RANDOM.with_borrow_mut(|random| random.below(n))
}

fn is_on() -> bool {
    OPERATE.with_borrow(Option::is_some)
}

/// One of those, out of the list.
fn take_one<T>(all: &RefCell<Vec<T>>) -> Option<T> {
    let mut all = all.borrow_mut();
    let count = all.len();
    (count > 0).then(|| all.swap_remove(below(count)))
}

fn perhaps_panic() {
    if is_on() && !thread::panicking() && below(40) == 0 {
        panic_any(Expected);
    }
}

/// Lets no panic through but those that are not meant.
fn caught(run: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(run)) {
        if !payload.is::<Expected>() {
            resume_unwind(payload);
        }
    }
}

/// What handlers and destructors do.
fn act() {
    let operate = OPERATE.with_borrow(Clone::clone);
    let Some(operate) = operate else { return };
    if thread::panicking() || DEPTH.get() == DEEPEST || below(5) > 0 {
        return;
    }
    DEPTH.set(DEPTH.get() + 1);
    caught(|| operate());
    DEPTH.set(DEPTH.get() - 1);
}

/// Is counted, and acts when it ends.
struct Alive;

impl Alive {
    fn new() -> Self {
        ALIVE.set(ALIVE.get() + 1);
        Alive
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        ALIVE.set(ALIVE.get() - 1);
        act();
    }
}

const WORD: u32 = 77;

/// Whoever reads it after its end sees that, if it can be seen.
struct Word(Box<u32>);

impl Word {
    fn new() -> Self {
        Word(Box::new(WORD))
    }
    fn check(&self) {
        assert_eq!(*self.0, WORD);
    }
}

impl Drop for Word {
    fn drop(&mut self) {
        *self.0 = 0;
    }
}

/// What a handler holds while it waits.
trait Body: Default + Send + Sync {}
#[derive(Default)]
struct Small;
#[derive(Default)]
#[repr(align(64))]
struct Aligned(#[allow(dead_code)] u8);
#[derive(Default)]
#[repr(align(256))]
struct MoreAligned(#[allow(dead_code)] u8);
struct Large(#[allow(dead_code)] [u8; 5000]);
impl Default for Large {
    fn default() -> Self {
        Large([1; 5000])
    }
}
impl Body for Small {}
impl Body for Aligned {}
impl Body for MoreAligned {}
impl Body for Large {}

struct Worker {
    word: Word,
    _alive: Alive,
}

impl Worker {
    fn new() -> Self {
        Worker { word: Word::new(), _alive: Alive::new() }
    }

    async fn handle<B: Body>(&self, event: &Word) -> Alive {
        perhaps_panic();
        let (_alive, body) = (Alive::new(), B::default());
        let place = (&raw const body).addr();
        for _ in 0..below(4) {
            act();
            yield_once().await;
            assert_eq!((&raw const body).addr(), place, "a future has moved");
            assert_eq!(place % align_of::<B>(), 0);
            self.word.check();
            event.check();
            perhaps_panic();
        }
        Alive::new()
    }

    fn handle_at_once(&self, event: &Word) -> Alive {
        act();
        perhaps_panic();
        self.word.check();
        event.check();
        Alive::new()
    }
}

async fn yield_once() {
    let mut yielded = false;
    poll_fn(|_| if mem::replace(&mut yielded, true) { Poll::Ready(()) } else { Poll::Pending })
        .await;
}

async fn drain(results: impl Stream<Item = Alive>) {
    let mut results = pin!(results);
    while results.next().await.is_some() {
        if below(2) == 0 {
            yield_once().await;
        }
    }
}

both_flavors! {
    struct World {
        signal: Std<AsyncSignal<Word, Alive>>,
        event: Std<Word>,
        owners: RefCell<Vec<Strong<Worker>>>,
        connections: RefCell<Vec<Connection>>,
        emissions: RefCell<Vec<Pin<Box<dyn Future<Output = ()>>>>>,
    }

    impl World {
        fn new() -> Self {
            World {
                signal: Std::default(),
                event: Std::new(Word::new()),
                owners: RefCell::default(),
                connections: RefCell::default(),
                emissions: RefCell::default(),
            }
        }

        fn connect(&self) {
            let owner = match &**self.owners.borrow() {
                [] => return,
                owners => owners[below(owners.len())].clone(),
            };
            let slot = self.signal.slot().priority(below(3) as i32);
            let slot = if below(4) == 0 { slot.times(1 + below(2)) } else { slot };
            let slot = if below(6) == 0 { slot.name("named") } else { slot };
            let captured = Strong::new(Worker::new());
            let connection = match below(8) {
                0 => slot.connect(&owner, |_: &Worker, _: &Word| {
                    perhaps_panic();
                    async { Alive::new() }
                }),
                1 => slot.connect(&owner, Worker::handle::<Small>),
                2 => slot.connect(&owner, Worker::handle::<Aligned>),
                3 => slot.connect(&owner, Worker::handle::<MoreAligned>),
                4 => slot.connect(&owner, Worker::handle::<Large>),
                5 => slot.connect_sync(&owner, Worker::handle_at_once),
                6 => slot.connect_sync(&owner, move |owner, event| {
                    captured.word.check();
                    owner.handle_at_once(event)
                }),
                _ => slot
                    .connect_fn(move |_: &Word| {
                        let captured = captured.clone();
                        async move {
                            act();
                            yield_once().await;
                            captured.word.check();
                            Alive::new()
                        }
                    })
                    .detach(),
            };
            self.connections.borrow_mut().push(connection);
        }

        fn emit(&self) {
            if self.emissions.borrow().len() == MOST_EMISSIONS {
                return;
            }
            let (signal, event) = (self.signal.clone(), self.event.clone());
            let way = below(5);
            let emission = async move {
                match way {
                    0 => _ = signal.emit(&event).await,
                    1 => _ = signal.emit_concurrent(&event).await,
                    2 => _ = signal.try_emit(&event).await,
                    3 => drain(signal.call(&event)).await,
                    _ => drain(signal.call_concurrent(&event)).await,
                }
            };
            self.emissions.borrow_mut().push(Box::pin(emission));
        }

        fn poll(&self) {
            let Some(mut emission) = take_one(&self.emissions) else { return };
            let polled = emission.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            if polled.is_pending() {
                self.emissions.borrow_mut().push(emission);
            }
        }

        fn operate(&self) {
            match below(14) {
                0 | 1 => self.owners.borrow_mut().push(Strong::new(Worker::new())),
                2 => {
                    let owner = take_one(&self.owners);
                    drop(owner);
                }
                3 | 4 => self.connect(),
                5 => {
                    let connection = take_one(&self.connections);
                    connection.map(|connection| connection.disconnect());
                }
                6..9 => self.emit(),
                9..12 => self.poll(),
                12 => {
                    let emission = take_one(&self.emissions);
                    drop(emission);
                }
                _ => match below(16) {
                    0 => _ = self.signal.disconnect_all(),
                    1..9 => _ = self.signal.prune(),
                    _ => {
                        let block = self.signal.block();
                        act();
                        drop(block);
                    }
                },
            }
        }
    }

    fn run(seed: u64) -> usize {
        RANDOM.set(Random::new(seed));
        let world = Rc::new(World::new());
        let operating = world.clone();
        OPERATE.set(Some(Rc::new(move || operating.operate())));
        (0..OPERATIONS).for_each(|_| caught(|| world.operate()));
        OPERATE.set(None);
        let world = Rc::into_inner(world).expect("nobody operates any more");
        drop(world.emissions.take());
        drop(world.owners.take());
        world.signal.prune();
        drop(world.event);
        drop(world.signal);
        assert_eq!(ALIVE.get(), 0, "seed {seed}: something is left");
        OPERATIONS
    }

    #[test]
    fn whatever_is_begun_polled_and_dropped_emissions_leave_nothing_behind() {
        for_seeds(module_path!(), &[], 50_000, run);
    }
}
