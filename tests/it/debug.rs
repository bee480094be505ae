//! `Debug` of every public type: what it says, and that it may be written by a writer which uses,
//! at each part of the text, what is written.

use std::fmt::{Debug, Write};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Runs the test on a thread of its own, and fails when that waits for a lock it has.
fn not_for_ever(test: fn()) {
    let (done, is_done) = mpsc::channel();
    let test = thread::spawn(move || {
        test();
        _ = done.send(());
    });
    let waited = is_done.recv_timeout(Duration::from_secs(20));
    assert_ne!(waited, Err(mpsc::RecvTimeoutError::Timeout), "it waits for itself");
    if let Err(panic) = test.join() {
        std::panic::resume_unwind(panic);
    }
}

/// Acts before it writes.
struct Writer<'a> {
    act: &'a mut dyn FnMut(),
    text: String,
}

impl Write for Writer<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        (self.act)();
        self.text.push_str(text);
        Ok(())
    }
}

/// Writes the value in both forms; each must begin with its name.
fn check(name: &str, value: &dyn Debug, act: &mut dyn FnMut()) {
    for is_long in [false, true] {
        let mut writer = Writer { act, text: String::new() };
        let written = match is_long {
            false => write!(writer, "{value:?}"),
            true => write!(writer, "{value:#?}"),
        };
        assert!(written.is_ok() && writer.text.starts_with(name), "{name}: {}", writer.text);
    }
}

both_flavors! {
    #[test]
    fn debug_says_what_there_is_and_needs_nothing_of_events_and_closures() {
        let signal: Signal<u32> = Signal::new();
        let owner = Strong::new(());
        let connection = signal.slot().name("resize").connect(&owner, |_, _| ());
        let debugs = [
            format!("{signal:?}"),
            format!("{:?}", signal.source()),
            format!("{connection:?}"),
            format!("{:?}", connection.clone().scoped().detach()),
            format!("{:?}", signal.connect_fn(|_| ())),
            format!("{:?}", connection.block()),
            format!("{:?}", signal.block()),
            format!("{:?}", ConnectionSet::from_iter([connection.clone()])),
            format!("{:?}", WeakMethod::<u32>::new(&owner, |_: &(), _: &u32| ())),
            format!("{:?}", signal.slot().priority(3)),
            format!("{:?}", signal.call(&1)),
        ];
        assert_eq!(debugs[0], "Signal { slots: 1, is_blocked: false, .. }");
        assert_eq!(debugs[1], "Source { slots: 1, is_blocked: false, .. }");
        assert!(debugs[2].contains("resize"), "{}", debugs[2]);
        let method = WeakMethod::<u32>::new(&noter(&Log::default(), "a"), Noter::on);
        assert!(format!("{method:?}").contains("Noter::on"));
        let bound = WeakMethod::<u32>::new(&owner, |_: &(), _: &u32| ()).upgrade().unwrap();
        assert!(format!("{bound:?}").starts_with("BoundMethod"));
    }

    /// A signal with slots of all kinds, and what can be done to it.
    struct Scene {
        signal: Std<Signal<u32>>,
        owner: Strong<u32>,
    }

    type Make = fn(&Scene) -> Box<dyn Debug>;

    impl Scene {
        fn new() -> Self {
            let (signal, owner) = (Std::new(Signal::new()), Strong::new(1));
            signal.slot().name("first").connect(&owner, |_, _| ());
            signal.connect_fn(|_| ()).detach();
            Scene { signal, owner }
        }

        fn act(&self) {
            let connection = self.signal.slot().name("acting").connect(&self.owner, |_, _| ());
            assert!(self.signal.emit(&1) > 0 || self.signal.is_blocked());
            assert_eq!(format!("{connection:?}").contains("acting"), connection.disconnect());
            drop(self.signal.connect_fn(|_| ()));
            drop(self.signal.block());
            _ = self.signal.call(&1).count();
            _ = format!("{:?}", self.signal);
        }
    }

    #[test]
    fn debug_of_what_belongs_to_a_signal_may_be_written_by_what_uses_it() {
        not_for_ever(|| {
            let scene = Scene::new();
            let Scene { signal, owner } = &scene;
            let act = &mut || scene.act();
            check("Signal", &**signal, act);
            check("Source", signal.source(), act);
            check("SlotOptions", &signal.slot().name("named").times(3), act);
            let connection = signal.slot().name("named").connect(owner, |_, _| ());
            check("Connection", &connection, act);
            check("ScopedConnection", &connection.clone().scoped(), act);
            let connection = signal.connect(owner, |_, _| ());
            let set: ConnectionSet = [connection.clone(), connection.clone()].into_iter().collect();
            check("{", &set, act);
            check("Block", &set.block(), act);
            check("Block", &signal.block(), act);
            let weak = WeakMethod::<u32>::new(owner, |_, _| ());
            signal.connect_weak(weak.clone());
            check("WeakMethod", &weak, act);
            check("BoundMethod", &weak.upgrade().unwrap(), act);
            let mut emission = signal.call(&1);
            check("Emission", &emission, act);
            emission.next();
            check("Emission", &emission, act);
            drop(emission);
            let panics = signal.connect_fn(|_| panic!("meant to"));
            let error = signal.try_emit(&1).unwrap_err();
            drop(panics);
            check("EmitError", &error, act);
            check("SlotFailure", &error.failures()[0], act);
            let wait: sigwire::WaitError = {
                let (in_slot, own) =
                    (Std::new(Exclusive::new(None)), Std::new(Exclusive::new(None)));
                let (result, connection) = (in_slot.clone(), own.clone());
                let guard = signal.connect_fn(move |_| {
                    let own: Option<Connection> = with(&connection, |own| own.take());
                    let waited = own.map(|own| own.disconnect_and_wait());
                    with(&result, |result| *result = result.take().or(waited));
                });
                with(&own, |own| *own = Some((*guard).clone()));
                signal.emit(&1);
                with(&in_slot, |result| result.take()).unwrap().unwrap_err()
            };
            check("WaitError", &wait, act);
        });
    }

    #[test]
    fn debug_of_what_outlives_a_signal_may_be_written_by_what_drops_it() {
        not_for_ever(|| {
            // The part of the text at which the signal and the owner are dropped.
            for last in 0..12 {
                let make: [Make; 7] = [
                    |scene| {
                        Box::new(scene.signal.slot().name("n").connect(&scene.owner, |_, _| ()))
                    },
                    |scene| Box::new(scene.signal.connect_fn(|_| ())),
                    |scene| {
                        let connection = scene.signal.connect(&scene.owner, |_, _| ());
                        Box::new([connection].into_iter().collect::<ConnectionSet>())
                    },
                    |scene| Box::new(scene.signal.block()),
                    |scene| Box::new(WeakMethod::<u32>::new(&scene.owner, |_, _| ())),
                    |scene| Box::new(WeakMethod::<u32>::new(&scene.owner, |_, _| ()).upgrade()),
                    |scene| {
                        let _panics = scene.signal.connect_fn(|_| panic!("meant to"));
                        Box::new(scene.signal.try_emit(&1).unwrap_err())
                    },
                ];
                for make in make {
                    let mut scene = Some(Scene::new());
                    let value = make(scene.as_ref().unwrap());
                    let mut parts = 0;
                    check("", &value, &mut || {
                        if let Some(scene) = &scene {
                            scene.act();
                        }
                        if parts == last {
                            scene = None;
                        }
                        parts += 1;
                    });
                }
            }
        });
    }

    #[cfg(feature = "async")]
    mod asynchronous {
        use super::*;
        use sigwire::{Lagged, Overflow, Backpressure};
        use std::future::Future;
        use std::pin::Pin;
        use std::task::{Context, Waker};

        fn poll(future: impl Future) -> bool {
            let mut future = std::pin::pin!(future);
            future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready()
        }

        #[test]
        fn debug_of_a_stream_may_be_written_by_what_emits_to_it_and_ends_it() {
            not_for_ever(|| {
                for overflow in [Overflow::DropOldest, Overflow::DropNewest, Overflow::Latest] {
                    for last in 0..40 {
                        let mut signal = Some(Signal::<u32>::new());
                        let it = signal.as_ref().unwrap();
                        let stream = it.stream(2, overflow);
                        let next = it.next_event();
                        it.emit(&1);
                        let owner = Strong::new(1);
                        let mut parts = 0;
                        let mut act = || {
                            if let Some(signal) = &signal {
                                let connection = signal.connect(&owner, |_, _| ());
                                assert!(signal.emit(&1) > 0);
                                assert!(connection.disconnect());
                                drop((signal.stream(2, overflow), signal.next_event()));
                            }
                            parts += 1;
                            if parts == last {
                                signal = None;
                            }
                            if parts == last / 2 {
                                stream.connection().disconnect();
                            }
                            _ = (stream.missed(), format!("{stream:?}"));
                        };
                        check("EventStream", &stream, &mut act);
                        check("NextEvent", &next, &mut act);
                    }
                }
            });
        }

        #[test]
        fn debug_of_a_stream_that_is_waited_for_may_be_written_by_what_waits_for_it() {
            not_for_ever(|| {
                let signal: AsyncSignal<u32> = AsyncSignal::new();
                let stream = signal.stream(1, Backpressure);
                assert!(poll(signal.emit(&1)));
                let mut kept = Box::pin(signal.emit(&2));
                assert!(!poll(kept.as_mut()));
                check("EventStream", &stream, &mut || {
                    assert!(!poll(signal.emit(&3)));
                    assert!(!poll(kept.as_mut()));
                });
                assert!(stream.missed() > 20);
            });
        }

        #[test]
        fn debug_of_what_belongs_to_an_asynchronous_signal_may_be_written_by_what_uses_it() {
            not_for_ever(|| {
                let signal: AsyncSignal<u32> = AsyncSignal::new();
                let owner = Strong::new(1);
                signal.connect(&owner, async |_: &u32, _: &u32| ());
                signal.connect(&owner, async |_: &u32, _: &u32| std::future::pending().await);
                let act = &mut || {
                    let connection = signal.connect_sync(&owner, |_, _| ());
                    assert!(!poll(signal.emit(&1)) && !poll(signal.emit_concurrent(&1)));
                    assert!(!poll(signal.try_emit(&1)));
                    assert!(connection.disconnect());
                    drop(signal.connect_fn(async |_: &u32| ()));
                    _ = format!("{signal:?}");
                };
                check("AsyncSignal", &signal, act);
                check("AsyncSource", signal.source(), act);
                check("AsyncSlotOptions", &signal.slot().name("named"), act);
                let mut emit = signal.emit(&1);
                let mut concurrent = signal.emit_concurrent(&1);
                let (mut call, mut together) = (signal.call(&1), signal.call_concurrent(&1));
                let mut try_emit = signal.try_emit(&1);
                for _ in 0..2 {
                    check("Emit", &emit, act);
                    check("EmitConcurrent", &concurrent, act);
                    check("AsyncEmission", &call, act);
                    check("ConcurrentEmission", &together, act);
                    check("TryEmit", &try_emit, act);
                    assert!(!poll(&mut emit) && !poll(&mut concurrent) && !poll(&mut try_emit));
                    _ = futures::FutureExt::now_or_never(futures::StreamExt::next(&mut call));
                    _ = futures::FutureExt::now_or_never(futures::StreamExt::next(&mut together));
                }
                let alone: AsyncSignal<u32> = AsyncSignal::new();
                alone.connect_sync(&owner, |_, _| panic!("meant to"));
                let mut error = alone.try_emit(&1);
                let mut context = Context::from_waker(Waker::noop());
                let std::task::Poll::Ready(Err(error)) = Pin::new(&mut error).poll(&mut context)
                else {
                    panic!("it panicked at once");
                };
                let act = &mut || {
                    let connection = alone.connect(&owner, async |_: &u32, _: &u32| ());
                    assert!(poll(alone.try_emit(&1)) && connection.disconnect());
                };
                check("EmitError", &error, act);
                check("SlotFailure", &error.failures()[0], act);
                check("Panicked", error.failures()[0].failure(), act);
                // Values without anything behind them.
                check("Lagged", &Lagged(1), act);
                check("Backpressure", &Backpressure, act);
                check("Latest", &Overflow::Latest, act);
                check("Backpressure", &sigwire::generic::WhenFull::from(Backpressure), act);
            });
        }
    }
}

macro_rules! queue {
    ($name:ident, $queue:ty, $($owner:ident)::+) => {
        #[test]
        fn $name() {
            not_for_ever(|| {
                let signal: sigwire::Signal<u32> = sigwire::Signal::new();
                let queue = <$queue>::default();
                let owner = std::$($owner)::+::new(1);
                let connection = signal.slot().on(&queue).connect(&owner, |_, _| ());
                signal.emit(&1);
                let act = &mut || {
                    let slot = signal.slot().on(&queue).debounce(Duration::from_secs(100));
                    let acting = slot.connect(&owner, |_, _| ());
                    assert_eq!(signal.emit(&1), 2);
                    queue.flush(&connection);
                    queue.cancel(&acting);
                    assert!(acting.disconnect());
                    drop(signal.slot().on(&queue).connect_fn(|_| ()));
                    signal.emit(&1);
                    _ = (queue.run(), queue.len(), format!("{queue:?}"));
                    signal.emit(&1);
                };
                check("Queue", &queue, act);
                check("Drive", &queue.drive(), act);
                check("QueuedSlot", &signal.slot().on(&queue).latest(), act);
                check("RunReport", &queue.run(), act);
                check("Both", &sigwire::Edges::Both, act);
                check("Connection", &connection, act);
                // What of a queue outlives it.
                let mut queue = Some(queue);
                check("Connection", &connection, &mut || {
                    signal.emit(&1);
                    queue = None;
                });
            });
        }
    };
}
queue!(debug_of_a_queue_may_be_written_by_what_emits_to_it_and_runs_it, sigwire::Queue, sync::Arc);
queue!(debug_of_a_local_queue_may_be_written_so_too, sigwire::LocalQueue, rc::Rc);

#[test]
fn debug_of_a_tracked_value_may_be_written_by_what_drops_its_other_owners() {
    not_for_ever(|| {
        let signal: sigwire::Signal<u32> = sigwire::Signal::new();
        let owner = sigwire::HazardArc::new(7);
        signal.connect(&owner, |_, _| ());
        let weak = sigwire::HazardArc::downgrade(&owner);
        let mut other = Some(owner.clone());
        check("7", &owner, &mut || {
            assert_eq!(signal.emit(&1), 1);
            other = None;
            drop(weak.upgrade());
        });
        let mut owner = Some(owner);
        check("(WeakHazardArc)", &weak, &mut || {
            owner = None;
            assert_eq!(signal.emit(&1), 0);
        });
    });
}

#[cfg(feature = "tokio")]
#[test]
fn debug_of_a_spawned_handler_may_be_written_by_what_spawns_more() {
    not_for_ever(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let signal: sigwire::AsyncSignal<u32> = sigwire::AsyncSignal::new();
            let owner = std::sync::Arc::new(1);
            signal.connect(&owner, async |_: &u32, _: &u32| ());
            let spawned = signal.emit_spawned(std::sync::Arc::new(1));
            check("Spawned", &spawned[0], &mut || {
                let connection = signal.connect_sync(&owner, |_, _| ());
                assert_eq!(signal.emit_spawned(std::sync::Arc::new(1)).len(), 2);
                assert!(connection.disconnect());
            });
        });
    });
}
