//! Captures, owners and signals that end while they are in use.

use loom::thread;
use std::sync::{Arc, Mutex};

use super::*;

#[test]
fn a_disconnected_slot_drops_what_it_captured_whoever_was_in_the_way() {
    loom::model(|| {
        let signal = Arc::new(Signal::default());
        let ended = Counter::default();
        let captured = Ends(ended.clone());
        let key = connect_fn(&signal, move |_| _ = &captured);
        connect_fn(&signal, |_| ());
        let emitter = {
            let signal = signal.clone();
            thread::spawn(move || signal.emit(&1))
        };
        assert!(signal.connection(key).disconnect());
        assert!((1..=2).contains(&emitter.join().unwrap()));
        assert_eq!(ended.get(), 1);
        assert_eq!(signal.emit(&1), 1);
    });
}

#[test]
fn two_emitters_find_a_dead_slot_and_it_is_pruned_once() {
    loom::model(|| {
        let signal = Arc::new(Signal::default());
        let key = connect(&signal, &Strong::new(()), |_, _| ());
        let emitter = {
            let signal = signal.clone();
            thread::spawn(move || signal.emit(&1))
        };
        assert_eq!(signal.emit(&1) + emitter.join().unwrap(), 0);
        assert_eq!(in_lists(&signal).0, 0);
        assert_eq!(signal.emit(&1), 0);
        assert_eq!(in_lists(&signal), (0, 0), "the next emission sweeps at the latest");
        assert!(!signal.connection(key).disconnect());
    });
}

/// How many slots the ledger and the list hold, dead ones included.
fn in_lists(signal: &Signal) -> (usize, usize) {
    let mut guard = signal.slots().versions.lock();
    let (list, ledger) = guard.parts();
    (ledger.connected() as usize, list.entries().len())
}

#[test]
fn a_connect_that_prunes_beside_an_emission_that_does_too_frees_the_dead_slot_once() {
    loom::model(|| {
        let signal = Arc::new(Signal::default());
        let ended = Counter::default();
        let captured = Ends(ended.clone());
        connect(&signal, &Strong::new(()), move |_, _| _ = &captured);
        connect_fn(&signal, |_| ());
        signal.slots().versions.lock().parts().1.prune_at = 2;
        let emitter = {
            let signal = signal.clone();
            thread::spawn(move || signal.emit(&1))
        };
        connect_fn(&signal, |_| ());
        assert_eq!(in_lists(&signal).0, 2, "it does not wait for the emission");
        assert!((1..=2).contains(&emitter.join().unwrap()));
        assert_eq!((ended.get(), in_lists(&signal)), (1, (2, 2)));
        assert_eq!(signal.emit(&1), 2);
    });
}

/// What happened, in order: loom runs one step of its threads after the other.
type Log = Arc<Mutex<Vec<(&'static str, usize)>>>;

fn note(log: &Log, what: &'static str) {
    log.lock().unwrap().push((what, Modelled::this_thread()));
}

/// Uses its signal in its destructor, as owners may.
struct Owner {
    log: Log,
    inside: UnsafeCell<()>,
    signal: Arc<Signal>,
}

impl Owner {
    fn new(log: &Log, signal: &Arc<Signal>) -> Strong<Self> {
        let inside = UnsafeCell::new(());
        Strong::new(Owner { log: log.clone(), inside, signal: signal.clone() })
    }

    fn on(&self, _: &u32) {
        self.inside.with(|_| note(&self.log, "called"));
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.inside.with_mut(|_| note(&self.log, "ended"));
        assert!(self.signal.slot_count() <= 1);
    }
}

/// Drops the last strong pointer outside of an emission while the emission runs.
fn last_drop(connect: fn(&Signal, &Strong<Owner>) -> SlotKey) {
    let after_its_call = Counter::default();
    let seen = after_its_call.clone();
    loom::model(move || {
        let signal = Arc::new(Signal::default());
        let log = Log::default();
        let owner = Owner::new(&log, &signal);
        let key = connect(&signal, &owner);
        let after = log.clone();
        connect_fn(&signal, move |_| note(&after, "next"));
        let emitter = {
            let signal = signal.clone();
            thread::spawn(move || (signal.emit(&1), Modelled::this_thread()))
        };
        drop(owner);
        let (called, emitting) = emitter.join().unwrap();
        let log = std::mem::take(&mut *log.lock().unwrap());
        assert_eq!(log.iter().filter(|(what, _)| *what == "ended").count(), 1);
        let here = log.into_iter().filter(|(_, thread)| *thread == emitting);
        match here.map(|(what, _)| what).collect::<Vec<_>>()[..] {
            ["next"] => assert_eq!(called, 1),
            ["called", "next"] => assert_eq!(called, 2),
            ["called", "ended", "next"] => {
                assert_eq!(called, 2);
                seen.add(1);
            }
            ref other => panic!("{other:?}"),
        }
        assert_eq!(signal.emit(&1), 1);
        assert_eq!(in_lists(&signal), (1, 1), "the dead slot is pruned");
        assert!(!signal.connection(key).disconnect());
    });
    assert!(after_its_call.get() > 0, "the emission held the last reference in one of the orders");
}

#[test]
fn an_owner_ends_once_and_not_in_its_call_but_right_after_it_if_that_held_the_last_reference() {
    last_drop(|signal, owner| connect(signal, owner, Owner::on));
}

#[test]
fn so_does_an_owner_whose_method_captures() {
    last_drop(|signal, owner| {
        let captured = Box::new(0);
        connect(signal, owner, move |owner, event| owner.on(&(event + *captured)))
    });
}

#[test]
fn a_destructor_that_uses_the_signal_runs_under_no_lock_whoever_looks_after_the_owner() {
    loom::model(|| {
        let signal = Arc::new(Signal::default());
        let log = Log::default();
        let owner = Owner::new(&log, &signal);
        connect(&signal, &owner, Owner::on);
        // What the method captured ends with the slot, and uses the signal too.
        let captured = Owner::new(&log, &signal);
        connect(&signal, &owner, move |owner, event| {
            owner.on(event);
            captured.on(event);
        });
        let dropping = thread::spawn(move || drop(owner));
        let pruned = signal.prune();
        let key = connect_fn(&signal, |_| ());
        dropping.join().unwrap();
        assert_eq!(pruned + signal.prune(), 2);
        assert!(signal.connection(key).disconnect());
        let log = std::mem::take(&mut *log.lock().unwrap());
        assert_eq!(log.iter().filter(|(what, _)| *what == "ended").count(), 2);
    });
}

#[test]
fn a_signal_ends_at_once_with_all_its_slots_though_a_connection_asks_after_one() {
    loom::model(|| {
        let signal = Signal::default();
        let ended = Counter::default();
        let captured = Ends(ended.clone());
        let connection = signal.connection(connect_fn(&signal, move |_| _ = &captured));
        let ending = thread::spawn(move || {
            drop(signal);
            assert_eq!(ended.get(), 1);
        });
        let was = connection.is_connected();
        drop(connection.block());
        assert!(was || !connection.is_connected(), "what is gone does not come back");
        ending.join().unwrap();
        assert!(!connection.is_connected() && !connection.disconnect());
    });
}

#[test]
fn a_slot_disconnected_beside_the_end_of_its_signal_is_gone_and_its_captures_end_once() {
    loom::model(|| {
        let signal = Signal::default();
        let ended = Counter::default();
        let captured = Ends(ended.clone());
        let connection = signal.connection(connect_fn(&signal, move |_| _ = &captured));
        let ending = thread::spawn(move || drop(signal));
        connection.disconnect();
        assert!(!connection.is_connected());
        ending.join().unwrap();
        assert_eq!(ended.get(), 1);
    });
}

#[test]
fn a_signal_that_ends_after_its_emission_on_either_side_leaves_no_call_behind_a_wait() {
    loom::model(|| {
        let signal = Strong::new(Signal::default());
        let (touched, calls) = (Exclusive::new(), Counter::default());
        let owner = Strong::new((touched.clone(), calls.clone()));
        let key = connect(&signal, &owner, |(touched, calls), _| {
            touched.touch();
            calls.add(1);
        });
        let ended = Counter::default();
        let captured = Ends(ended.clone());
        connect_fn(&signal, move |_| _ = &captured);
        let connection = signal.connection(key);
        let emitter = {
            let signal = signal.clone();
            thread::spawn(move || signal.emit(&1))
        };
        drop(signal);
        let waited = connection.disconnect_and_wait();
        assert!(waited.is_ok() && !connection.is_connected());
        touched.touch();
        let called = calls.get();
        assert_eq!(emitter.join().unwrap(), 1 + called);
        assert_eq!(ended.get(), 1);
    });
}
