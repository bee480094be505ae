//! Destructors that use the signal: of owners, captures and results. None runs under a lock.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

/// How long to wait for what must come.
const LONG: Duration = Duration::from_secs(20);

/// Runs it on a thread of its own, so that a deadlock is a failed test and not one without end.
fn in_time(run: impl FnOnce() + Send + 'static) {
    let (done, ended) = channel();
    let running = thread::spawn(move || {
        // Also when it panics: then the sender is dropped.
        run();
        done.send(()).unwrap();
    });
    let ended = ended.recv_timeout(LONG);
    assert_ne!(ended, Err(std::sync::mpsc::RecvTimeoutError::Timeout), "it is stuck");
    if let Err(panic) = running.join() {
        std::panic::resume_unwind(panic);
    }
}

both_flavors! {
    #[test]
    fn a_destructor_may_use_the_signal_that_drops_it() {
        // An owner, dropped by the emission; a closure, dropped by each kind of disconnecting.
        let signal: Strong<Signal<u32>> = Strong::new(Signal::new());
        let log = Log::default();
        let busy = |name: &'static str| {
            let (log, signal) = (log.clone(), Strong::downgrade(&signal));
            AtEnd(move || {
                let signal = signal.upgrade().unwrap();
                let owner = Strong::new(());
                let connection = signal.connect(&owner, |_, _| ());
                signal.slot().connect_fn(|_| ()).disconnect();
                let alive = signal.emit(&0);
                assert!(connection.disconnect());
                assert_eq!(signal.prune(), 0);
                log.add(format!("{name}: {alive}"));
            })
        };
        let captured = busy("by its connection");
        signal.connect_fn(move |_| captured.touch()).disconnect();
        let captured = busy("by disconnect_all");
        signal.connect_fn(move |_| captured.touch()).detach();
        assert_eq!(signal.disconnect_all(), 1);
        let captured = busy("by prune");
        signal.connect(&Strong::new(()), move |_, _| captured.touch());
        assert_eq!(signal.prune(), 1);
        let captured = busy("by an emission");
        signal.connect(&Strong::new(()), move |_, _| captured.touch());
        assert_eq!(signal.emit(&0), 0);
        let captured = busy("by its last call");
        signal.slot().once().connect_fn(move |_| captured.touch()).detach();
        assert_eq!(signal.emit(&0), 1);
        let owner = Strong::new(());
        let captured = busy("by its owner's end");
        signal.connect(&owner, move |_, _| captured.touch());
        assert_eq!(signal.disconnect_owner(&owner), 1);
        assert_eq!(
            log.take(),
            [
                "by its connection: 1",
                "by disconnect_all: 1",
                "by prune: 1",
                "by an emission: 1",
                "by its last call: 1",
                "by its owner's end: 1",
            ]
        );
    }

    #[test]
    fn an_owner_dropped_by_the_emission_may_query_and_disconnect_the_signal() {
        struct Widget {
            signal: Weak<Signal<u32>>,
            connections: Exclusive<Vec<Connection>>,
            counted: std::sync::Arc<AtomicUsize>,
        }
        impl Drop for Widget {
            fn drop(&mut self) {
                let signal = self.signal.upgrade().unwrap();
                self.counted.store(100 + signal.slot_count(), Relaxed);
                with(&self.connections, |connections| {
                    connections.iter().for_each(|connection| _ = connection.disconnect());
                });
            }
        }
        let counted = std::sync::Arc::new(AtomicUsize::new(0));
        let signal: Strong<Signal<u32>> = Strong::new(Signal::new());
        let widget = Strong::new(Widget {
            signal: Strong::downgrade(&signal),
            connections: Exclusive::new(vec![]),
            counted: counted.clone(),
        });
        let holder = Strong::new(Exclusive::new(Some(widget.clone())));
        let in_slot = Strong::downgrade(&holder);
        let own = signal.connect(&widget, move |_, _| {
            with(&in_slot.upgrade().unwrap(), |widget| *widget = None);
        });
        let other = signal.connect_fn(|_| panic!("the widget disconnected it")).detach();
        with(&widget.connections, |connections| connections.extend([own, other]));
        drop(widget);
        assert_eq!(signal.emit(&0), 1);
        assert_eq!(counted.load(Relaxed), 101);
        assert!(signal.is_empty());
    }

    #[test]
    fn a_destructor_of_a_result_may_use_the_signal() {
        struct Result(Weak<Signal<u32, Result>>, Log);
        impl Drop for Result {
            fn drop(&mut self) {
                self.1.add(format!("{} slots", self.0.upgrade().unwrap().disconnect_all()));
            }
        }
        let log = Log::default();
        let signal: Strong<Signal<u32, Result>> = Strong::new(Signal::new());
        let owner = Strong::new((Strong::downgrade(&signal), log.clone()));
        for _ in 0..3 {
            signal.connect(&owner, |owner, _| Result(owner.0.clone(), owner.1.clone()));
        }
        assert_eq!(signal.emit(&0), 1);
        assert_eq!(log.take(), ["3 slots"]);
    }

    #[test]
    fn connecting_from_a_destructor_works_also_of_an_owner_that_an_emission_drops() {
        let log = Log::default();
        let signal: Strong<Signal<u32>> = Strong::new(Signal::new());
        let heir = noter(&log, "heir");
        let (to, heir_of) = (Strong::downgrade(&signal), heir.clone());
        let owner = Strong::new(AtEnd(move || {
            to.upgrade().unwrap().connect(&heir_of, Noter::on);
        }));
        let testator = Strong::new(Exclusive::new(Some(owner.clone())));
        let cell = Strong::downgrade(&testator);
        signal.connect(&owner, move |_, _| {
            let last = with(&cell.upgrade().unwrap(), Option::take);
            drop(last);
        });
        drop(owner);
        assert_eq!(signal.emit(&1), 1);
        assert_eq!(signal.emit(&2), 1);
        assert_eq!(log.take(), ["heir 2"]);
        signal.disconnect_all();
    }

    #[test]
    fn a_method_that_captures_nothing_but_must_be_dropped_is_dropped_once() {
        let log = Log::default();
        let signal: Signal<u32> = Signal::new();
        thread_local! {
            static ENDS: Cell<u32> = const { Cell::new(0) };
        }
        struct Token;
        impl Drop for Token {
            fn drop(&mut self) {
                ENDS.set(ENDS.get() + 1);
            }
        }
        let (owner, token) = (noter(&log, "owner"), Token);
        let connection = signal.connect(&owner, move |owner, n| {
            let _token = &token;
            owner.on(n);
        });
        signal.emit(&1);
        assert_eq!(ENDS.get(), 0);
        connection.disconnect();
        assert_eq!(ENDS.get(), 1);
    }

    /// Owns two slots. Its destructor asks the signal how many there are, and disconnects its own
    /// and one of others.
    struct Listener {
        signal: Weak<Signal<()>>,
        name: &'static str,
        own: Exclusive<Vec<Connection>>,
        others: Exclusive<Option<Connection>>,
        log: Log,
    }

    impl Listener {
        fn new(signal: &Strong<Signal<()>>, log: &Log, name: &'static str) -> Strong<Listener> {
            let listener = Strong::new(Listener {
                signal: Strong::downgrade(signal),
                name,
                own: Exclusive::new(vec![]),
                others: Exclusive::new(None),
                log: log.clone(),
            });
            let capture = 0;
            let own = [
                signal.connect(&listener, Listener::on),
                signal.connect(&listener, move |listener, _| _ = (listener, capture)),
            ];
            with(&listener.own, |list| list.extend(own));
            listener
        }
        fn on(&self, _: &()) {
            self.log.add(self.name);
        }
    }

    impl Drop for Listener {
        fn drop(&mut self) {
            let signal = self.signal.upgrade().unwrap();
            let own = with(&self.own, std::mem::take);
            assert!(!own.iter().any(Connection::is_connected), "their owner is gone");
            own.iter().for_each(|connection| _ = connection.disconnect());
            let others = with(&self.others, Option::take);
            let ended = others.is_some_and(|connection| connection.disconnect());
            let (name, left) = (self.name, signal.slot_count());
            self.log.add(format!("{name} saw {left} slots, ended one: {ended}"));
        }
    }

    // From boost::signals2, test/deadlock_regression_test.cpp.
    #[test]
    fn an_owner_that_a_slot_drops_may_query_and_disconnect_the_same_signal_as_it_dies() {
        let log = Log::default();
        let signal: Strong<Signal<()>> = Strong::new(Signal::new());
        let held = Strong::new(Exclusive::new(vec![]));
        signal.connect(&held, |held, _| drop(with(held, std::mem::take)));
        let listeners = ["a", "b", "c"].map(|name| Listener::new(&signal, &log, name));
        let last = signal.connect(&held, |_, _| panic!("the listener a disconnected it"));
        with(&listeners[0].others, |others| *others = Some(last));
        with(&held, |held| held.extend(listeners));
        assert_eq!(signal.slot_count(), 8);
        assert_eq!(signal.emit(&()), 1);
        assert_eq!(
            log.take(),
            [
                "a saw 5 slots, ended one: true",
                "b saw 3 slots, ended one: false",
                "c saw 1 slots, ended one: false",
            ]
        );
        assert_eq!(signal.emit(&()), 1);
    }

    // From boost::signals2, test/deadlock_regression_test.cpp.
    #[test]
    fn a_slot_that_drops_its_own_owner_has_it_query_and_disconnect_the_signal_after_the_call() {
        let log = Log::default();
        let signal: Strong<Signal<()>> = Strong::new(Signal::new());
        let held = Strong::new(Exclusive::new(None::<Strong<Listener>>));
        let listener = Listener::new(&signal, &log, "self");
        let in_slot = Strong::downgrade(&held);
        let own_slot = signal.slot().priority(1).connect(&listener, move |listener, _| {
            drop(with(&in_slot.upgrade().unwrap(), Option::take));
            listener.log.add("the call goes on");
        });
        let other = signal.connect(&held, |_, _| panic!("the destructor disconnected it"));
        with(&listener.others, |others| *others = Some(other));
        with(&held, |held| *held = Some(listener));
        assert_eq!(signal.emit(&()), 1);
        assert_eq!(log.take(), ["the call goes on", "self saw 0 slots, ended one: true"]);
        assert!(!own_slot.is_connected());
    }

    // From boost::signals2, test/deadlock_regression_test.cpp.
    #[test]
    fn a_closure_that_held_the_last_reference_to_an_owner_lets_go_of_it_outside_the_signals_lock() {
        in_time(|| {
            let log = Log::default();
            let signal: Strong<Signal<()>> = Strong::new(Signal::new());
            let listener = Listener::new(&signal, &log, "captured");
            let other = signal.slot().priority(-1).connect_fn(|_| panic!("disconnected")).detach();
            with(&listener.others, |others| *others = Some(other));
            let holding = signal.slot().priority(-2).connect_fn(move |_| _ = &listener).detach();
            let ending = Strong::new(holding);
            signal.slot().priority(1).connect(&ending, |holding, _| assert!(holding.disconnect()));
            assert_eq!(signal.emit(&()), 1);
            assert_eq!(log.take(), ["captured saw 1 slots, ended one: true"]);
        });
    }

    // Boost takes a lock type as a parameter, and tests with one that fails on recursion. Here the
    // lock is not the user's, and does not bear recursion either (a deadlock; a panic in `local`):
    // so no operation may find it taken, wherever it is called from.

    pub(super) type Probed = Signal<u32, Option<Probe>>;

    /// Uses the signal when it is dropped.
    pub(super) struct Probe {
        signal: Weak<Probed>,
        use_it: fn(Strong<Probed>),
        place: &'static str,
        log: Log,
    }

    impl Probe {
        fn run(&self, place: &'static str) {
            (self.use_it)(self.signal.upgrade().unwrap());
            self.log.add(place);
        }
        fn again(&self, place: &'static str) -> Probe {
            Probe { signal: self.signal.clone(), place, log: self.log.clone(), ..*self }
        }
        fn touch(&self) {}
    }

    impl Drop for Probe {
        fn drop(&mut self) {
            self.run(self.place);
        }
    }

    fn nothing<O>(_: &O, _: &u32) -> Option<Probe> {
        None
    }

    /// Every operation there is. Its emissions are of the event 1, which the slots around it
    /// ignore.
    pub(super) fn use_everything(signal: Strong<Probed>) {
        let standing = signal.slot_count();
        let owner = Strong::new(());
        let connection = signal.slot().priority(1).name("probe").connect(&owner, nothing);
        assert_eq!(signal.slot().unique().connect(&owner, nothing::<()>), connection);
        let guard = signal.connect_fn(|_| None);
        let extended = signal.connect_extended(&owner, |_, connection, _| {
            connection.disconnect();
            None
        });
        assert_eq!(signal.slot_count(), standing + 3);
        assert!(!signal.is_empty() && connection.is_connected());
        assert!(format!("{signal:?} {connection:?} {guard:?}").contains("probe"));
        let blocks = (signal.block(), connection.block());
        assert!(signal.is_blocked() && connection.is_blocked());
        assert_eq!(signal.emit(&1), 0);
        drop(blocks);
        signal.slot().once().connect_fn(|_| None).detach();
        assert!(signal.emit(&1) >= 4);
        assert!(!extended.is_connected());
        assert!(signal.try_emit(&1).unwrap() >= 2);
        assert!(signal.call(&1).count() >= 2);
        assert_eq!(signal.disconnect_method(&owner, nothing::<()>), 1);
        assert_eq!(signal.disconnect_owner(&owner), 0);
        assert_eq!(guard.disconnect_and_wait(), Ok(true));
        let weak = WeakMethod::new(&owner, nothing::<()>);
        assert!(signal.connect_weak(weak).is_connected());
        drop(owner);
        assert!(signal.prune() >= 1);
        assert_eq!(signal.slot_count(), standing);
    }

    /// Uses the signal by `use_it` from wherever a signal runs somebody else's code.
    pub(super) fn from_everywhere(use_it: fn(Strong<Probed>)) {
        let log = Log::default();
        let signal: Strong<Probed> = Strong::new(Signal::new());
        let weak = Strong::downgrade(&signal);
        let probe = Probe { signal: weak, use_it, place: "an owner", log: log.clone() };
        let probe = Strong::new(probe);

        let slot = signal.connect(&probe, |probe, n| {
            (*n == 0).then(|| {
                probe.run("a slot");
                probe.again("a result")
            })
        });
        assert_eq!(signal.emit(&0), 1);
        assert_eq!(log.take(), ["a slot", "a result"]);
        signal.connect(&probe, nothing);
        for result in signal.call(&0) {
            probe.run("between two results");
            drop(result);
        }
        let expected = ["a slot", "between two results", "a result", "between two results"];
        assert_eq!(log.take(), expected);
        assert!(signal.try_emit(&0).is_ok());
        assert_eq!(log.take(), ["a slot", "a result"]);
        slot.disconnect();

        let captured = probe.again("a closure, by its guard");
        drop(signal.connect_fn(move |_| {
            captured.touch();
            None
        }));
        let captured = probe.again("a closure, by its last call");
        signal
            .slot()
            .once()
            .connect_fn(move |_| {
                captured.touch();
                None
            })
            .detach();
        signal.emit(&0);
        let captured = probe.again("a closure, by its dead owner, in an emission");
        signal.connect(&Strong::new(()), move |_, _| {
            captured.touch();
            None
        });
        signal.emit(&0);
        let captured = probe.again("a closure, by prune");
        signal.connect(&Strong::new(()), move |_, _| {
            captured.touch();
            None
        });
        signal.prune();
        let captured = probe.again("a closure, by its owner");
        signal.connect(&probe, move |_, _| {
            captured.touch();
            None
        });
        signal.disconnect_owner(&probe);
        let captured = probe.again("a closure, by disconnect_all");
        signal
            .slot()
            .connect_fn(move |_| {
                captured.touch();
                None
            })
            .detach();
        signal.disconnect_all();
        let captured = probe.again("a closure that unique did not need");
        let standing = |captured: Probe| {
            signal.slot().unique().connect(&probe, move |_, _| {
                captured.touch();
                None
            })
        };
        let first = standing(probe.again("the closure that stood"));
        assert_eq!(standing(captured), first);
        first.disconnect();
        assert_eq!(
            log.take(),
            [
                "a closure, by its guard",
                "a closure, by its last call",
                "a closure, by its dead owner, in an emission",
                "a closure, by prune",
                "a closure, by its owner",
                "a closure, by disconnect_all",
                "a closure that unique did not need",
                "the closure that stood",
            ]
        );

        let last = Strong::new(Exclusive::new(None));
        let in_slot = Strong::downgrade(&last);
        signal.connect(&probe, move |_, n| {
            if *n == 0 {
                drop(with(&in_slot.upgrade().unwrap(), Option::take));
            }
            None
        });
        with(&last, |last| *last = Some(probe));
        assert_eq!(signal.emit(&0), 1);
        assert_eq!(log.take(), ["an owner"]);
    }

    // From boost::signals2, test/threading_models_test.cpp.
    #[test]
    fn no_operation_finds_the_signals_lock_taken_wherever_the_signal_runs_somebody_elses_code() {
        in_time(|| from_everywhere(use_everything));
    }
}

// From boost::signals2, test/threading_models_test.cpp.
#[test]
fn another_thread_may_use_the_signal_while_it_runs_somebody_elses_code() {
    // Whoever runs waits for the other thread: a lock held meanwhile would be in its way.
    in_time(|| {
        threaded::from_everywhere(|signal| in_time(|| threaded::use_everything(signal)));
    });
}
