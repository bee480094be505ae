//! `Rc` owners, and what other threads end: it is let go of on the thread of the loop.

use super::*;

#[test]
fn any_thread_emits_and_the_handlers_of_rc_owners_run_on_their_own() {
    let signal = Arc::new(Signal::<u32>::new());
    let (woken, wakes) = mpsc::channel();
    let queue = LocalQueue::new(move || woken.send(()).unwrap());
    let here = thread::current().id();
    let sum = Rc::new(Cell::new(0));
    signal.slot().on(&queue).connect(&sum, move |sum, n| {
        assert_eq!(thread::current().id(), here);
        sum.set(sum.get() + n);
    });
    let emitters: Vec<_> = (0..4)
        .map(|_| {
            let signal = signal.clone();
            thread::spawn(move || emit_all(&signal, 0..1000))
        })
        .collect();
    let mut called = 0;
    while called < 4000 {
        wakes.recv_timeout(Duration::from_secs(20)).expect("woken while there is something to run");
        called += queue.run().called;
    }
    assert_eq!(sum.get(), 4 * (0..1000).sum::<u32>());
    emitters.into_iter().for_each(|emitter| emitter.join().unwrap());
    assert_eq!(queue.run().called, 0);
}

/// An owner, and what it captured, that must not leave its thread: dropping it elsewhere panics.
struct Bound(thread::ThreadId);
impl Bound {
    fn new() -> Self {
        Bound(thread::current().id())
    }
    fn on(&self, _: &u32) {
        assert_eq!(thread::current().id(), self.0);
    }
}
impl Drop for Bound {
    fn drop(&mut self) {
        assert_eq!(thread::current().id(), self.0, "dropped on its own thread");
    }
}

#[test]
fn what_is_disconnected_on_another_thread_is_let_go_on_the_loops() {
    let signal = Arc::new(Signal::<u32>::new());
    let queue = LocalQueue::default();
    let owner = Rc::new(Bound::new());
    let captured = Rc::new(Bound::new());
    let held = captured.clone();
    let connection = signal.slot().on(&queue).connect(&owner, move |owner, n| {
        owner.on(n);
        held.on(n);
    });
    signal.slot().on(&queue).connect(&owner, Bound::on);
    signal.emit(&1);
    assert_eq!(queue.run().called, 2);
    assert_eq!((Rc::weak_count(&owner), Rc::strong_count(&captured)), (2, 2));
    let emitting = signal.clone();
    thread::spawn(move || {
        emitting.emit(&2);
        connection.disconnect();
        drop(connection);
        emitting.disconnect_all();
    })
    .join()
    .unwrap();
    assert_eq!(
        (Rc::weak_count(&owner), Rc::strong_count(&captured)),
        (2, 2),
        "not touched from there"
    );
    assert_eq!(queue.run().called, 0);
    assert_eq!((Rc::weak_count(&owner), Rc::strong_count(&captured)), (0, 1));
}

#[test]
fn a_run_lets_go_of_the_captures_of_what_ended_in_it() {
    let (signal, queue) = (Signal::<u32>::new(), LocalQueue::default());
    let (owner, captured) = (Rc::new(()), Rc::new(()));
    let [once, ended] = [captured.clone(), captured.clone()];
    let other = signal.slot().on(&queue).connect(&owner, move |_, _| _ = &ended);
    signal.slot().once().priority(1).on(&queue).connect(&owner, move |_, _| {
        other.disconnect();
        _ = &once;
    });
    signal.emit(&1);
    assert_eq!(queue.run().called, 1);
    assert_eq!((Rc::weak_count(&owner), Rc::strong_count(&captured)), (0, 1));
}

#[test]
fn a_loop_is_woken_once_to_let_go_of_what_ended_outside_of_a_run() {
    let (count, wake) = wakes();
    let (signal, queue) = (Signal::<u32>::new(), LocalQueue::new(wake));
    let owner = Rc::new(());
    signal.slot().on(&queue).connect(&owner, |_, _| ());
    signal.slot().on(&queue).connect(&owner, |_, _| ());
    thread::scope(|scope| scope.spawn(|| signal.disconnect_all()).join().unwrap());
    assert_eq!(count.load(SeqCst), 1);
    queue.run();
    assert_eq!((Rc::weak_count(&owner), count.load(SeqCst)), (0, 1));
    signal.slot().once().on(&queue).connect(&owner, |_, _| ());
    emit_all(&signal, [1]);
    queue.run();
    assert_eq!((Rc::weak_count(&owner), count.load(SeqCst)), (0, 2), "not for what the run let go");
}

#[test]
fn the_wake_for_what_ended_is_called_under_no_lock() {
    let signal = Arc::new(Signal::<u32>::new());
    let (count, counts) = wakes();
    let uses = Arc::downgrade(&signal);
    let queue = LocalQueue::new(move || {
        counts();
        // Takes the locks of the signal and, through the slot that stays, of the queue.
        let Some(signal) = uses.upgrade() else { return };
        assert!(signal.emit(&1) + signal.prune() + signal.slot_count() > 0);
    });
    let (owner, stays) = (Rc::new(()), Rc::new(()));
    signal.slot().on(&queue).connect(&stays, |_, _| ());
    let ends: [fn(Connection); 3] = [
        |connection| assert!(connection.disconnect()),
        |connection| drop(connection.scoped()),
        |connection| assert_eq!(connection.disconnect_and_wait(), Ok(true)),
    ];
    for (i, end) in ends.into_iter().enumerate() {
        let connection = signal.slot().on(&queue).connect(&owner, |_, _| ());
        end(connection);
        assert_eq!(count.load(SeqCst), i + 1);
        queue.run();
    }
    drop(signal);
    assert_eq!(count.load(SeqCst), 4);
}

#[test]
fn a_local_queue_that_ends_lets_go_of_what_was_disconnected_elsewhere() {
    let signal = Arc::new(Signal::<u32>::new());
    let owner = Rc::new(Bound::new());
    let queue = LocalQueue::default();
    signal.slot().on(&queue).connect(&owner, Bound::on);
    signal.slot().on(&queue).connect(&owner, Bound::on);
    let connection = signal.slot().on(&queue).connect(&owner, Bound::on);
    thread::scope(|scope| scope.spawn(|| connection.disconnect()).join().unwrap());
    drop(queue);
    assert_eq!(Rc::weak_count(&owner), 0);
    assert_eq!(signal.emit(&1), 0);
}

#[test]
fn captures_whose_drop_panics_do_not_keep_those_of_other_slots() {
    let (signal, queue) = (Signal::<u32>::new(), LocalQueue::default());
    let (owner, captured) = (Rc::new(()), Rc::new(()));
    for i in 0..5 {
        let held = captured.clone();
        let panics = AtEnd(Box::new(move || {
            drop(held.clone());
            assert!(i != 0, "a drop too much");
        }) as Box<dyn FnMut()>);
        signal.slot().on(&queue).connect(&owner, move |_, _| panics.touch());
    }
    thread::scope(|scope| scope.spawn(|| signal.disconnect_all()).join().unwrap());
    assert!(panic_of(|| queue.run()).contains("a drop too much"));
    assert_eq!((Rc::weak_count(&owner), Rc::strong_count(&captured)), (0, 1));
    assert_eq!(queue.run().called, 0);
}

/// Connects a slot whose capture is `at_end`, and one that ends it as a connect lets go of this
/// one.
fn ends_inside_a_connect(
    signal: &Signal<u32>,
    queue: &LocalQueue,
    owner: &Rc<()>,
    at_end: AtEnd<impl FnMut() + 'static>,
) {
    let inner = signal.slot().on(queue).connect(owner, move |_, _| at_end.touch()).scoped();
    let outer = signal.slot().on(queue).connect(owner, move |_, _| _ = &inner);
    outer.disconnect();
}

#[test]
fn a_connect_drops_no_capture_under_a_lock_though_another_slot_ends_as_it_begins() {
    let (done, is_done) = mpsc::channel();
    let test = thread::spawn(move || {
        let signals: Rc<[Signal<u32>; 2]> = Rc::default();
        let (queue, owner) = (Rc::new(LocalQueue::default()), Rc::new(()));
        let ended = Rc::new(Cell::new(false));
        let (uses, noted) = ((signals.clone(), queue.clone(), owner.clone()), ended.clone());
        let at_end = AtEnd(move || {
            let (signals, queue, owner) = &uses;
            assert!(signals[0].slot_count() + signals[0].prune() > 0);
            signals[0].emit(&1);
            signals[1].slot().on(queue).connect(owner, |_, _| ());
            noted.set(true);
        });
        ends_inside_a_connect(&signals[0], &queue, &owner, at_end);
        let connection = signals[0].slot().on(&queue).connect(&owner, |_, _| ());
        queue.run();
        assert!(ended.get() && connection.is_connected());
        assert_eq!(signals[1].slot_count(), 1);
        done.send(()).unwrap();
    });
    let waited = is_done.recv_timeout(Duration::from_secs(20));
    assert_ne!(waited, Err(mpsc::RecvTimeoutError::Timeout), "a lock is waited for for ever");
    test.join().unwrap();
}

#[test]
fn a_connect_is_done_whole_though_a_capture_that_ends_as_it_begins_panics() {
    let (signal, queue, owner) = (Signal::<u32>::new(), LocalQueue::default(), Rc::new(()));
    let at_end = AtEnd(|| panic!("the capture's own"));
    ends_inside_a_connect(&signal, &queue, &owner, at_end);
    let connection = signal.slot().on(&queue).connect(&owner, |_, _| ());
    assert_eq!(signal.emit(&1), 1);
    assert_eq!(panic_of(|| queue.run()), "the capture's own");
    assert_eq!((signal.emit(&2), queue.run().called), (1, 1));
    assert!(connection.disconnect() && signal.is_empty());
    assert!(format!("{queue:?}").contains("connections: 0"));
}

#[test]
fn a_signal_that_ends_on_another_thread_leaves_rc_owners_alone() {
    let signal = Signal::<u32>::new();
    let owner = Rc::new(Bound::new());
    let queue = LocalQueue::default();
    signal.slot().on(&queue).connect(&owner, Bound::on);
    signal.emit(&1);
    thread::spawn(move || drop(signal)).join().unwrap();
    assert_eq!(queue.run().called, 0);
    assert_eq!(Rc::weak_count(&owner), 0);
}

#[test]
fn rc_owners_that_come_and_go_are_pruned_though_nobody_emits() {
    let signal = Signal::<u32>::new();
    let queue = LocalQueue::default();
    let stays = Rc::new(());
    signal.slot().on(&queue).connect(&stays, |_, _| ());
    for _ in 0..10_000 {
        signal.slot().on(&queue).connect(&Rc::new(()), |_, _| ());
    }
    assert!(signal.slot_count() < 40, "{}", signal.slot_count());
    assert!(signal.emit(&1) >= 1);
    assert_eq!(queue.run().called, 1);
}

#[test]
fn a_connect_prunes_all_whose_owner_is_gone_though_an_event_panics_as_it_is_dropped() {
    #[derive(Clone)]
    struct Loud(Arc<AtomicUsize>);
    impl Drop for Loud {
        fn drop(&mut self) {
            assert_ne!(self.0.fetch_add(1, SeqCst), 2, "the event's own");
        }
    }
    let (signal, queue) = (Signal::<Loud>::new(), LocalQueue::default());
    let owners: Vec<_> = (0..16).map(|_| Rc::new(())).collect();
    owners.iter().for_each(|owner| _ = signal.slot().on(&queue).connect(owner, |_, _| ()));
    let dropped = Arc::new(AtomicUsize::new(0));
    assert_eq!(signal.emit(&Loud(dropped.clone())), 16);
    drop(owners);
    let connects = || signal.slot().on(&queue).connect(&Rc::new(()), |_, _| ());
    assert!(panic_of(connects).contains("the event's own"));
    assert_eq!((dropped.load(SeqCst), queue.len(), signal.slot_count()), (17, 0, 0));
}

#[test]
fn a_throttled_slot_whose_rc_owner_is_gone_ends_with_its_next_event_although_that_is_held_back() {
    let (signal, queue, log) = (Signal::<u32>::new(), LocalQueue::default(), Log::default());
    let owner = Rc::new(Noter::new(&log, "a"));
    signal.slot().on(&queue).throttle(10 * MS).connect(&owner, Noter::on);
    let start = Instant::now();
    emit_all(&signal, [1]);
    queue.run_at(start);
    drop(owner);
    emit_all(&signal, [2]);
    assert_eq!(queue.run_at(start).called, 0);
    assert_eq!((signal.emit(&3), queue.next_deadline()), (0, None));
}
