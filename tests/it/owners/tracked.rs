//! Owners that are tracked: when they are destroyed, on which thread, and what they are as
//! pointers. What signals do with them beside that is in the other files: each body there is
//! compiled for them too.

use crate::support::{AtEnd, Log, Noter, panic_of};
use sigwire::{HazardArc, Signal, WeakHazardArc, WeakMethod};
use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, ThreadId};

fn noter(log: &Log, name: &'static str) -> HazardArc<Noter> {
    HazardArc::new(Noter::new(log, name))
}

/// Where the last strong pointer of an object waits for a slot to drop it.
type Kept<T> = Mutex<Option<HazardArc<T>>>;

/// A signal whose slot of this priority drops what is kept.
fn dropper<T: Send + Sync + 'static>(signal: &Signal<u32>, priority: i32, kept: &Arc<Kept<T>>) {
    let kept = kept.clone();
    let drop_it = move |_: &u32| {
        let taken = kept.lock().unwrap().take();
        drop(taken);
    };
    signal.slot().priority(priority).connect_fn(drop_it).detach();
}

#[test]
fn an_owner_dropped_before_its_slot_is_reached_is_destroyed_there_and_not_called() {
    let log = Log::default();
    let signal = Signal::new();
    let kept = Arc::new(Mutex::new(Some(noter(&log, "a"))));
    dropper(&signal, 1, &kept);
    signal.connect(kept.lock().unwrap().as_ref().unwrap(), Noter::on);
    let b = noter(&log, "b");
    signal.connect(&b, Noter::on);
    assert_eq!(signal.emit(&1), 2);
    assert_eq!(log.take(), ["a dropped", "b 1"]);
}

#[test]
fn an_owner_dropped_after_its_call_is_destroyed_there_although_the_emission_goes_on() {
    let log = Log::default();
    let signal = Signal::new();
    let kept = Arc::new(Mutex::new(Some(noter(&log, "a"))));
    signal.connect(kept.lock().unwrap().as_ref().unwrap(), Noter::on);
    dropper(&signal, 0, &kept);
    let b = noter(&log, "b");
    signal.connect(&b, Noter::on);
    assert_eq!(signal.emit(&1), 3);
    assert_eq!(log.take(), ["a 1", "a dropped", "b 1"]);
}

struct DropsItself {
    noter: Noter,
    kept: Arc<Kept<DropsItself>>,
    panics: bool,
}

impl DropsItself {
    fn connected(log: &Log, signal: &Signal<u32>, panics: bool) -> WeakHazardArc<Self> {
        let kept = Arc::new(Mutex::new(None));
        let noter = Noter::new(log, "a");
        let owner = HazardArc::new(DropsItself { noter, kept: kept.clone(), panics });
        signal.connect(&owner, Self::on);
        let weak = HazardArc::downgrade(&owner);
        *kept.lock().unwrap() = Some(owner);
        weak
    }
    fn on(&self, n: &u32) {
        drop(self.kept.lock().unwrap().take());
        self.noter.log.add("not yet dropped");
        assert!(!self.panics, "as it is meant to");
        self.noter.on(n);
    }
}

#[test]
fn an_owner_that_drops_itself_is_destroyed_right_after_its_call() {
    let log = Log::default();
    let signal = Signal::new();
    let a = DropsItself::connected(&log, &signal, false);
    let b = noter(&log, "b");
    signal.connect(&b, Noter::on);
    assert_eq!(signal.emit(&1), 2);
    assert_eq!(log.take(), ["not yet dropped", "a 1", "a dropped", "b 1"]);
    assert!(a.upgrade().is_none());
    DropsItself::connected(&log, &signal, false);
    assert!(signal.call(&2).count() == 2);
    assert_eq!(log.take(), ["b 2", "not yet dropped", "a 2", "a dropped"]);
}

#[test]
fn an_owner_that_drops_itself_and_panics_is_destroyed_before_the_next_slot_is_called() {
    let log = Log::default();
    let signal = Signal::new();
    DropsItself::connected(&log, &signal, true);
    assert!(panic_of(|| signal.emit(&1)).contains("as it is meant to"));
    assert_eq!(log.take(), ["not yet dropped", "a dropped"]);
    DropsItself::connected(&log, &signal, true);
    let b = noter(&log, "b");
    signal.connect(&b, Noter::on);
    assert_eq!(signal.try_emit(&1).unwrap_err().failures().len(), 1);
    assert_eq!(log.take(), ["not yet dropped", "a dropped", "b 1"]);
}

#[test]
fn an_owner_dropped_in_an_inner_emission_is_destroyed_when_its_outer_call_ends() {
    struct Outer {
        noter: Noter,
        inner: Arc<Signal<u32>>,
    }
    let log = Log::default();
    let (outer, inner) = (Signal::new(), Arc::new(Signal::new()));
    let owner = HazardArc::new(Outer { noter: Noter::new(&log, "outer"), inner: inner.clone() });
    outer.connect(&owner, |owner: &Outer, n: &u32| {
        owner.inner.emit(n);
        owner.noter.on(n);
    });
    // In the inner emission too, so that both levels call tracked owners.
    inner.connect(&owner, |owner: &Outer, n: &u32| owner.noter.also(n));
    let kept = Arc::new(Mutex::new(Some(owner)));
    dropper(&inner, 0, &kept);
    let b = noter(&log, "b");
    inner.connect(&b, Noter::on);
    assert_eq!(outer.emit(&1), 1);
    assert_eq!(log.take(), ["outer also 1", "b 1", "outer 1", "outer dropped"]);
}

#[test]
fn emissions_nested_deeper_than_there_are_cells_destroy_owners_at_the_same_moments() {
    struct Nested {
        noter: Noter,
        signal: Arc<Signal<u32>>,
        kept: Arc<Kept<Nested>>,
    }
    impl Nested {
        fn on(&self, levels: &u32) {
            if *levels > 0 {
                self.signal.emit(&(levels - 1));
            } else {
                drop(self.kept.lock().unwrap().take());
            }
            self.noter.on(levels);
        }
    }
    let log = Log::default();
    for levels in [0, 5, 14, 15, 16, 17, 40] {
        let (signal, kept) = (Arc::new(Signal::new()), Arc::new(Mutex::new(None)));
        let noter = Noter::new(&log, "a");
        let owner = HazardArc::new(Nested { noter, signal: signal.clone(), kept: kept.clone() });
        signal.connect(&owner, Nested::on);
        *kept.lock().unwrap() = Some(owner);
        assert_eq!(signal.emit(&levels), 1);
        let mut expected: Vec<_> = (0..=levels).map(|level| format!("a {level}")).collect();
        expected.push("a dropped".to_owned());
        assert_eq!(log.take(), expected);
    }
}

#[test]
fn an_owner_dropped_on_another_thread_while_its_slot_runs_is_destroyed_by_the_emitting_thread() {
    struct Slow {
        running: mpsc::Sender<()>,
        go_on: Mutex<mpsc::Receiver<()>>,
        _at_end: AtEnd<Box<dyn FnMut() + Send + Sync>>,
    }
    let (running, is_running) = mpsc::channel();
    let (go, go_on) = mpsc::channel();
    let destroyed_by: Arc<Mutex<Option<ThreadId>>> = Arc::default();
    let seen = destroyed_by.clone();
    let at_end: Box<dyn FnMut() + Send + Sync> =
        Box::new(move || *seen.lock().unwrap() = Some(thread::current().id()));
    let slow = Slow { running, go_on: Mutex::new(go_on), _at_end: AtEnd(at_end) };
    let owner = HazardArc::new(slow);
    let signal: Signal<u32> = Signal::new();
    let connection = signal.connect(&owner, |slow: &Slow, _| {
        slow.running.send(()).unwrap();
        slow.go_on.lock().unwrap().recv().unwrap();
    });
    thread::scope(|scope| {
        let emitter = scope.spawn(|| {
            assert_eq!(signal.emit(&1), 1);
            (thread::current().id(), *destroyed_by.lock().unwrap())
        });
        is_running.recv().unwrap();
        drop(owner);
        assert!(!connection.is_connected(), "its owner is gone");
        assert_eq!(*destroyed_by.lock().unwrap(), None, "its method is running");
        go.send(()).unwrap();
        let (emitter, destroyed_by) = emitter.join().unwrap();
        assert_eq!(destroyed_by, Some(emitter));
    });
    assert_eq!(signal.emit(&1), 0);
}

#[test]
fn a_destructor_may_emit_connect_and_disconnect_on_the_same_signal() {
    struct Last {
        signal: Arc<Signal<u32>>,
        other: HazardArc<Noter>,
    }
    impl Drop for Last {
        fn drop(&mut self) {
            self.signal.connect(&self.other, Noter::also);
            self.signal.emit(&9);
            self.signal.disconnect_all();
        }
    }
    let log = Log::default();
    let signal = Arc::new(Signal::new());
    let other = noter(&log, "b");
    signal.connect(&other, Noter::on);
    let last = HazardArc::new(Last { signal: signal.clone(), other: other.clone() });
    let kept = Arc::new(Mutex::new(Some(last)));
    signal.connect(kept.lock().unwrap().as_ref().unwrap(), |_, _| ());
    dropper(&signal, 0, &kept);
    let c = noter(&log, "c");
    signal.connect(&c, Noter::on);
    assert_eq!(signal.emit(&1), 3, "b, the one that dies, and the one that drops it");
    assert_eq!(log.take(), ["b 1", "b 9", "c 9", "b also 9"]);
    assert!(signal.is_empty());
}

#[test]
fn an_owner_that_was_never_complete_is_never_destroyed_and_never_called() {
    let log = Log::default();
    let signal: Signal<u32> = Signal::new();
    let message = panic_of(|| {
        HazardArc::<Noter>::new_cyclic(|weak| {
            signal.connect(weak, Noter::on);
            assert!(weak.upgrade().is_none());
            assert_eq!(signal.emit(&1), 0);
            panic!("it cannot be made")
        })
    });
    assert_eq!(message, "it cannot be made");
    assert_eq!(signal.emit(&2), 0);
    assert_eq!(log.take(), [""; 0]);
}

#[test]
fn slots_of_an_owner_that_will_never_be_complete_are_pruned() {
    let signal: Signal<u32> = Signal::new();
    let queue = sigwire::Queue::default();
    let captured = 7;
    let never_made = || {
        panic_of(|| {
            HazardArc::<u32>::new_cyclic(|weak| {
                signal.connect(weak, |_, _| ());
                signal.connect(weak, move |_, _| _ = captured);
                signal.slot().once().connect(weak, |_, _| ());
                signal.slot().on(&queue).connect(weak, |_, _| ());
                assert_eq!(signal.slot_count(), 4);
                panic!("it cannot be made")
            })
        })
    };
    never_made();
    assert_eq!((signal.slot_count(), signal.prune()), (0, 4));
    never_made();
    assert_eq!(signal.emit(&1), 0);
    assert_eq!(signal.prune(), 0, "the emission pruned them");
}

#[test]
fn an_owner_that_is_gone_connects_nothing_through_a_weak_pointer() {
    let signal: Signal<u32> = Signal::new();
    let weak = HazardArc::downgrade(&HazardArc::new(1));
    let captured = 7;
    let connections =
        [signal.connect(&weak, |_, _| ()), signal.connect(&weak, move |_, _| _ = captured)];
    assert!(connections.iter().all(|connection| !connection.is_connected()));
    assert_eq!((signal.emit(&1), signal.prune()), (0, 0));
}

#[test]
fn an_owner_that_connects_itself_while_it_is_made_is_called_once_it_is_complete() {
    let log = Log::default();
    let signal: Signal<u32> = Signal::new();
    let owner = HazardArc::new_cyclic(|weak| {
        signal.connect(weak, Noter::on);
        assert_eq!(signal.emit(&1), 0);
        Noter::new(&log, "a")
    });
    assert_eq!(signal.emit(&2), 1);
    drop(owner);
    assert_eq!(signal.emit(&3), 0);
    assert_eq!(log.take(), ["a 2", "a dropped"]);
}

#[test]
fn a_thread_that_is_ending_still_calls_tracked_owners() {
    type Action = Box<dyn FnMut()>;
    thread_local! {
        static AT_END: RefCell<Option<AtEnd<Action>>> = const { RefCell::new(None) };
    }
    let signal: Arc<Signal<u32>> = Arc::default();
    let owner = HazardArc::new(AtomicUsize::new(0));
    signal.connect(&owner, |calls, _| _ = calls.fetch_add(1, SeqCst));
    let emitting = signal.clone();
    let emit_at_end = move || {
        // Made before the first emission, so that it ends after what that one makes.
        AT_END.with(|at_end| {
            let emitting = emitting.clone();
            *at_end.borrow_mut() = Some(AtEnd(Box::new(move || _ = emitting.emit(&1))));
        });
        emitting.emit(&1);
    };
    thread::spawn(emit_at_end).join().unwrap();
    assert_eq!(owner.load(SeqCst), 2);
    drop(owner);
    assert_eq!(signal.emit(&1), 0);
}

#[test]
fn a_tracked_pointer_counts_as_an_arc_does() {
    let log = Log::default();
    let owner = noter(&log, "a");
    let weak = HazardArc::downgrade(&owner);
    let other = owner.clone();
    assert_eq!((HazardArc::strong_count(&owner), HazardArc::weak_count(&owner)), (2, 1));
    assert!(HazardArc::ptr_eq(&owner, &other) && weak.ptr_eq(&weak.clone()));
    drop(owner);
    assert!(HazardArc::ptr_eq(&weak.upgrade().unwrap(), &other));
    assert_eq!(log.take(), [""; 0]);
    drop(other);
    assert_eq!(log.take(), ["a dropped"]);
    assert!(weak.upgrade().is_none());
    assert_eq!(format!("{:?} {weak:?}", HazardArc::new(5)), "5 (WeakHazardArc)");
    assert_eq!(*HazardArc::<u8>::default() + *HazardArc::from(3_u8).as_ref(), 3);
}

#[test]
fn a_weak_method_called_inside_a_slot_leaves_the_slot_s_owner_in_its_call() {
    struct Caller {
        noter: Noter,
        other: WeakMethod<u32>,
        kept: Arc<Kept<Caller>>,
    }
    let log = Log::default();
    let signal: Signal<u32> = Signal::new();
    let (b, kept) = (noter(&log, "b"), Arc::new(Mutex::new(None)));
    let other = WeakMethod::new(&b, Noter::on);
    let caller = HazardArc::new(Caller { noter: Noter::new(&log, "a"), other, kept: kept.clone() });
    signal.connect(&caller, |caller: &Caller, n| {
        assert_eq!(caller.other.call(n), Some(()));
        let last = caller.kept.lock().unwrap().take();
        drop(last);
        caller.noter.on(n);
    });
    *kept.lock().unwrap() = Some(caller);
    assert_eq!(signal.emit(&1), 1);
    assert_eq!(log.take(), ["b 1", "a 1", "a dropped"]);
}

/// AddressSanitizer saw that the outer emission's cell was forgotten.
#[test]
fn an_emission_of_the_other_flavor_in_between_does_not_hide_what_the_outer_one_called() {
    let log = Log::default();
    let inner: Arc<Signal<u32>> = Arc::default();
    let b = noter(&log, "b");
    inner.connect(&b, Noter::on);
    for round in 0..3 {
        let outer: Signal<u32> = Signal::new();
        let a = noter(&log, "a");
        let inside = inner.clone();
        outer.connect(&a, |a: &Noter, n| a.on(n));
        outer
            .connect_fn(move |n| {
                let between: sigwire::local::Signal<u32> = sigwire::local::Signal::new();
                let inside = inside.clone();
                let _guard = between.connect_fn(move |n| _ = inside.emit(n));
                between.emit(n);
            })
            .detach();
        outer.connect(&b, |b: &Noter, n| b.also(n));
        assert_eq!(outer.emit(&round), 3);
        assert_eq!(
            log.take(),
            [format!("a {round}"), format!("b {round}"), format!("b also {round}")]
        );
        drop(a);
        assert_eq!(log.take(), ["a dropped"]);
    }
}

/// The same, with the outer call itself around it, and other memory in the place of what it called.
#[test]
fn a_local_emission_between_two_thread_safe_ones_leaves_nothing_behind() {
    thread_local! {
        static BETWEEN: sigwire::local::Signal<u32> = const { sigwire::local::Signal::new() };
    }
    let calls = HazardArc::new(AtomicUsize::new(0));
    let count = |calls: &AtomicUsize, _: &u32| _ = calls.fetch_add(1, SeqCst);
    let inner: Arc<Signal<u32>> = Arc::default();
    inner.connect(&calls, count);
    BETWEEN.with(|between| between.connect_fn(move |n| _ = inner.emit(n)).detach());
    {
        let outer: Signal<u32> = Signal::new();
        let caller = HazardArc::new([7_u64; 4]);
        outer.connect(&caller, |_, n: &u32| _ = BETWEEN.with(|between| between.emit(n)));
        assert_eq!(outer.emit(&1), 1);
    }
    let _in_its_place: Vec<Box<[u8; 64]>> = (0..64).map(|_| Box::new([0x41; 64])).collect();
    let again: Signal<u32> = Signal::new();
    again.connect(&calls, count);
    assert_eq!(again.emit(&1), 1);
    assert_eq!(calls.load(SeqCst), 2);
}
