//! Several threads on one signal.

#[cfg(feature = "async")]
mod asynchronous;
mod ending;
mod many;
mod stress;
mod waiting;

use crate::support::{Log, Noter};
use sigwire::{Connection, Signal};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

/// How long to wait for what must come.
const LONG: Duration = Duration::from_secs(20);

/// A slot that says when it is entered, and stays inside until it is let out.
struct Gate {
    entered: Mutex<Sender<u32>>,
    let_out: Mutex<Receiver<()>>,
}

/// The gate, what it says, and how to let one call out of it.
fn gate() -> (Arc<Gate>, Receiver<u32>, Sender<()>) {
    let (entered, entries) = channel();
    let (out, let_out) = channel();
    (Arc::new(Gate { entered: Mutex::new(entered), let_out: Mutex::new(let_out) }), entries, out)
}

impl Gate {
    fn pass(&self, n: &u32) {
        self.entered.lock().unwrap().send(*n).unwrap();
        self.let_out.lock().unwrap().recv_timeout(LONG).unwrap();
    }
}

#[test]
fn two_threads_run_the_slots_of_one_signal_in_parallel() {
    let signal: Signal<u32> = Signal::new();
    let meeting = Arc::new(Barrier::new(2));
    signal.connect(&meeting, |meeting, _| _ = meeting.wait());
    // Neither call returns before both are inside.
    thread::scope(|scope| {
        let other = scope.spawn(|| signal.emit(&1));
        assert_eq!(signal.emit(&2), 1);
        assert_eq!(other.join().unwrap(), 1);
    });
}

#[test]
fn a_slow_slot_delays_neither_connect_nor_disconnect_nor_emit_on_another_thread() {
    let signal: Signal<u32> = Signal::new();
    let (gate, entries, out) = gate();
    let slow = signal.connect(&gate, Gate::pass);
    let owner = Arc::new(AtomicUsize::new(0));
    thread::scope(|scope| {
        let slow_thread = scope.spawn(|| signal.emit(&1));
        assert_eq!(entries.recv_timeout(LONG), Ok(1));
        let connections: Vec<Connection> = (0..100)
            .map(|_| signal.connect(&owner, |calls, _| _ = calls.fetch_add(1, SeqCst)))
            .collect();
        let quiet = slow.block();
        assert_eq!(signal.emit(&2), 100);
        assert_eq!(signal.call(&2).count(), 100);
        drop(quiet);
        assert!(connections.iter().all(Connection::disconnect));
        assert_eq!((signal.slot_count(), signal.prune()), (1, 0));
        assert!(slow.disconnect());
        assert_eq!(signal.emit(&3), 0);
        assert!(!slow_thread.is_finished());
        out.send(()).unwrap();
        assert_eq!(slow_thread.join().unwrap(), 1, "what came later was not called");
    });
    assert_eq!(owner.load(SeqCst), 200);
    assert_eq!(Arc::weak_count(&owner), 0, "what was disconnected meanwhile is tidied away");
}

#[test]
fn the_captures_of_a_running_slot_are_dropped_when_its_call_returns_and_not_before() {
    let log = Log::default();
    let signal: Signal<u32> = Signal::new();
    let (gate, entries, out) = gate();
    let captured = Noter::new(&log, "captured");
    let connection = signal.connect(&gate, move |gate, n| {
        gate.pass(n);
        captured.on(n);
    });
    thread::scope(|scope| {
        let emitting = scope.spawn(|| signal.emit(&1));
        entries.recv_timeout(LONG).unwrap();
        assert!(connection.disconnect());
        assert_eq!(signal.emit(&2), 0);
        assert!(log.take().is_empty());
        out.send(()).unwrap();
        emitting.join().unwrap();
    });
    assert_eq!(log.take(), ["captured 1", "captured dropped"]);
}

#[test]
fn a_slow_slot_does_not_delay_the_drop_of_other_slots_captures() {
    let log = Log::default();
    let signal: Signal<u32> = Signal::new();
    let (gate, entries, out) = gate();
    signal.connect(&gate, Gate::pass);
    let captured = Noter::new(&log, "captured");
    let other = signal.connect_fn(move |n| captured.on(n));
    thread::scope(|scope| {
        let emitting = scope.spawn(|| signal.emit(&1));
        entries.recv_timeout(LONG).unwrap();
        drop(other);
        assert_eq!(log.take(), ["captured dropped"]);
        out.send(()).unwrap();
        assert_eq!(emitting.join().unwrap(), 1);
    });
}
