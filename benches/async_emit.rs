//! Compares emissions of asynchronous signals with hand-written code: a loop that awaits one method
//! after another, the same with boxed futures, `join_all`, and `FuturesUnordered`. Run it with
//! `cargo bench --features async --bench async_emit`. Add part of a cell's name to measure only
//! matching cells.
//!
//! Handlers are ready at once, or at the second poll. The same loop polls all futures.

mod common;

use std::future::Future;
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};

use common::Event;
use common::heap::{Counting, heap};
use common::paired::compare;
use common::table::{Table, multiple};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// An owner whose method is one store.
#[derive(Default)]
struct Sink<const WAITS: bool>(AtomicU64);

impl<const WAITS: bool> Sink<WAITS> {
    async fn on_event(&self, event: &Event) {
        if WAITS {
            WaitOnce(false).await;
        }
        self.0.store(*event, Relaxed);
    }
}

/// Wakes its task at its first poll, and is ready at the second.
struct WaitOnce(bool);

impl Future for WaitOnce {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Whether the task was woken.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }
    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Relaxed);
    }
}

#[inline(never)]
fn emissions(emit: &impl AsyncFn(&Event), count: u64) {
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(woken.clone());
    let mut context = Context::from_waker(&waker);
    for event in 1..=count {
        let mut emission = pin!(black_box(emit)(black_box(&event)));
        while emission.as_mut().poll(&mut context).is_pending() {
            assert!(woken.0.swap(false, Relaxed), "an emission waits for nothing");
        }
    }
}

/// Has no budget; shown for comparison only.
const NO_BUDGET: f64 = f64::INFINITY;

macro_rules! flavor {
    ($flavor:ident, $Pointer:path, $Weak:path, $Signal:path, $($Send:ident +)?) => {
        mod $flavor {
            use super::*;
            use futures::future::join_all;
            use futures::stream::{FuturesUnordered, StreamExt};
            use $Pointer as Pointer;
            use $Signal as Signal;
            use $Weak as Weak;

            async fn await_each<const WAITS: bool>(owners: &[Weak<Sink<WAITS>>], event: &Event) {
                for weak in owners {
                    if let Some(owner) = weak.upgrade() {
                        owner.on_event(event).await;
                    }
                }
            }

            type Boxed<'a> = Pin<Box<dyn Future<Output = ()> + $($Send +)? 'a>>;

            trait Method {
                fn start(self: Pointer<Self>, event: &Event) -> Boxed<'_>;
            }

            impl<const WAITS: bool> Method for Sink<WAITS> {
                fn start(self: Pointer<Self>, event: &Event) -> Boxed<'_> {
                    Box::pin(async move { self.on_event(event).await })
                }
            }

            fn boxed<'a>(
                methods: &'a [Weak<dyn Method>],
                event: &'a Event,
            ) -> impl Iterator<Item = Boxed<'a>> {
                methods.iter().filter_map(|weak| Some(weak.upgrade()?.start(event)))
            }

            async fn await_each_boxed(methods: &[Weak<dyn Method>], event: &Event) {
                for handler in boxed(methods, event) {
                    handler.await;
                }
            }

            async fn join(methods: &[Weak<dyn Method>], event: &Event) {
                join_all(boxed(methods, event)).await;
            }

            async fn unordered(methods: &[Weak<dyn Method>], event: &Event) {
                let mut handlers: FuturesUnordered<_> = boxed(methods, event).collect();
                while handlers.next().await.is_some() {}
            }

            struct Contenders<const WAITS: bool> {
                owners: Vec<Pointer<Sink<WAITS>>>,
                weak: Vec<Weak<Sink<WAITS>>>,
                methods: Vec<Weak<dyn Method>>,
                signal: Signal<Event>,
            }

            impl<const WAITS: bool> Contenders<WAITS> {
                fn new(handlers: usize) -> Self {
                    let owners: Vec<_> = (0..handlers).map(|_| Pointer::default()).collect();
                    let signal = Signal::new();
                    for owner in &owners {
                        signal.connect(owner, Sink::<WAITS>::on_event);
                    }
                    Contenders {
                        weak: owners.iter().map(Pointer::downgrade).collect(),
                        methods: owners
                            .iter()
                            .map(|owner| Pointer::<Sink<WAITS>>::downgrade(owner) as _)
                            .collect(),
                        signal,
                        owners,
                    }
                }

                /// Calls every owner.
                fn check(&self, emit: &impl AsyncFn(&Event)) {
                    self.owners.iter().for_each(|owner| owner.0.store(0, Relaxed));
                    emissions(emit, 3);
                    assert!(self.owners.iter().all(|owner| owner.0.load(Relaxed) == 3));
                }

                fn beside(
                    &self,
                    table: &Table,
                    name: &str,
                    most: f64,
                    signal: impl AsyncFn(&Event),
                    by_hand: impl AsyncFn(&Event),
                ) {
                    let when = if WAITS { "waits once" } else { "ready" };
                    table.cell(&format!("{name}, {when}: {}", self.owners.len()), most, "x", || {
                        self.check(&signal);
                        self.check(&by_hand);
                        multiple(compare(
                            1,
                            |count| emissions(&signal, count),
                            |count| emissions(&by_hand, count),
                        ))
                    });
                }

                fn measure(&self, table: &Table) {
                    let Contenders { owners, weak, methods, signal } = self;
                    // `emit` returns the count, so the compiler must not remove it here.
                    let emit = async |event: &Event| _ = black_box(signal.emit(event).await);
                    let emit_concurrent =
                        async |event: &Event| _ = black_box(signal.emit_concurrent(event).await);

                    let most = match (WAITS, owners.len()) {
                        (_, 1) => NO_BUDGET,
                        (false, _) => 1.5,
                        (true, _) => 1.7,
                    };
                    self.beside(table, "emit / loop", most, emit, async |event: &Event| {
                        await_each(weak, event).await
                    });
                    self.beside(table, "emit / boxed loop", NO_BUDGET, emit, async |event: &Event| {
                        await_each_boxed(methods, event).await
                    });
                    // With many futures, `join_all` also gives each its own waker.
                    let most = match (WAITS, owners.len()) {
                        (true, 1 | 10) => 1.5,
                        (true, _) => 1.0,
                        (false, _) => 0.5,
                    };
                    let name = "emit_concurrent / join_all";
                    self.beside(table, name, most, emit_concurrent, async |event: &Event| {
                        join(methods, event).await
                    });
                    let most = if WAITS { 1.0 } else { NO_BUDGET };
                    let name = "emit_concurrent / FuturesUnordered";
                    self.beside(table, name, most, emit_concurrent, async |event: &Event| {
                        unordered(methods, event).await
                    });
                }
            }

            fn allocations<const WAITS: bool>(
                table: &Table,
                name: &str,
                most: f64,
                emit: impl AsyncFn(&Signal<Event>, &Event),
            ) {
                let name = format!("allocations of {name}, 1000 handlers");
                table.cell(&name, most, "", || {
                    let contenders = Contenders::<WAITS>::new(1_000);
                    let emit = async |event: &Event| emit(&contenders.signal, event).await;
                    // Both counts include the allocations for the waker.
                    let (once, ()) = heap(|| emissions(&emit, 1));
                    let (eleven_times, ()) = heap(|| emissions(&emit, 11));
                    ((eleven_times.allocations - once.allocations) as f64 / 10.0, String::new())
                });
            }

            pub(super) fn run(table: &mut Table, flavor: &'static str) {
                table.flavor = flavor;
                for handlers in [1, 10, 100, 1_000] {
                    Contenders::<false>::new(handlers).measure(table);
                }
                for handlers in [1, 10, 100, 1_000] {
                    Contenders::<true>::new(handlers).measure(table);
                }
                let emit = async |signal: &Signal<Event>, event: &Event| _ = signal.emit(event).await;
                let emit_concurrent = async |signal: &Signal<Event>, event: &Event| {
                    signal.emit_concurrent(event).await;
                };
                allocations::<false>(table, "emit, ready", 1.0, emit);
                allocations::<true>(table, "emit, waits once", 1.0, emit);
                allocations::<false>(table, "emit_concurrent, ready", 1.0, emit_concurrent);
                allocations::<true>(table, "emit_concurrent, waits once", 2_004.0, emit_concurrent);
            }
        }
    };
}

flavor!(shared, std::sync::Arc, std::sync::Weak, sigwire::AsyncSignal, Send+);
flavor!(local, std::rc::Rc, std::rc::Weak, sigwire::local::AsyncSignal,);

fn main() {
    let mut table = Table::new();
    shared::run(&mut table, "thread-safe");
    local::run(&mut table, "local");
}
