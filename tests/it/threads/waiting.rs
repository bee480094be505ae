//! `disconnect_and_wait` for a call on another thread.

use super::{Gate, LONG, gate};
use sigwire::Signal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

#[test]
fn disconnect_and_wait_returns_only_when_the_call_on_the_other_thread_has() {
    for captures in [false, true] {
        let signal: Signal<u32> = Signal::new();
        let (gate, entries, out) = gate();
        let done = Arc::new(AtomicBool::new(false));
        let both = Arc::new((gate, done.clone()));
        let pass = |gate: &Gate, done: &AtomicBool, n: &u32| {
            gate.pass(n);
            thread::sleep(Duration::from_millis(20));
            done.store(true, SeqCst);
        };
        let connection = if captures {
            let done = done.clone();
            signal.connect(&both, move |both, n| pass(&both.0, &done, n))
        } else {
            signal.connect(&both, move |both, n| pass(&both.0, &both.1, n))
        };
        thread::scope(|scope| {
            let emitting = scope.spawn(|| signal.emit(&1));
            entries.recv_timeout(LONG).unwrap();
            let waiting = scope.spawn(|| {
                let result = connection.disconnect_and_wait();
                (result, done.load(SeqCst))
            });
            while connection.is_connected() {
                thread::yield_now();
            }
            thread::sleep(Duration::from_millis(10));
            assert!(!waiting.is_finished(), "the call is still under way");
            out.send(()).unwrap();
            assert_eq!(waiting.join().unwrap(), (Ok(true), true));
            assert_eq!(emitting.join().unwrap(), 1);
        });
    }
}

#[test]
fn disconnect_and_wait_waits_for_a_call_even_if_the_slot_was_disconnected_before() {
    let signal: Signal<u32> = Signal::new();
    let (gate, entries, out) = gate();
    let connection = signal.connect(&gate, Gate::pass);
    thread::scope(|scope| {
        scope.spawn(|| signal.emit(&1));
        entries.recv_timeout(LONG).unwrap();
        assert!(connection.disconnect());
        // The list changes meanwhile, and the emission runs on over the former one.
        signal.connect(&Arc::new(()), |_, _| ());
        let waiting = scope.spawn(|| connection.disconnect_and_wait());
        thread::sleep(Duration::from_millis(10));
        assert!(!waiting.is_finished());
        out.send(()).unwrap();
        assert_eq!(waiting.join().unwrap(), Ok(false));
    });
}

#[test]
fn disconnect_and_wait_waits_for_a_call_out_of_an_emission_that_is_driven_by_hand() {
    let signal: Signal<u32> = Signal::new();
    let (gate, entries, out) = gate();
    let connection = signal.connect(&gate, Gate::pass);
    thread::scope(|scope| {
        let driving = scope.spawn(|| {
            let mut emission = signal.call(&1);
            // The version the emission shares is not the current one any more.
            signal.connect(&Arc::new(()), |_, _| ());
            emission.next()
        });
        entries.recv_timeout(LONG).unwrap();
        let waiting = scope.spawn(|| connection.disconnect_and_wait());
        thread::sleep(Duration::from_millis(10));
        assert!(!waiting.is_finished());
        out.send(()).unwrap();
        assert_eq!(waiting.join().unwrap(), Ok(true));
        assert_eq!(driving.join().unwrap(), Some(()));
    });
}

#[test]
fn disconnect_and_wait_does_not_wait_for_other_slots_of_a_running_emission() {
    let signal: Signal<u32> = Signal::new();
    let owner = Arc::new(());
    let before = signal.connect(&owner, |_, _| ());
    let (gate, entries, out) = gate();
    signal.connect(&gate, Gate::pass);
    let after = signal.connect(&owner, |_, _| panic!("it was disconnected"));
    thread::scope(|scope| {
        let emitting = scope.spawn(|| signal.emit(&1));
        entries.recv_timeout(LONG).unwrap();
        assert_eq!(before.disconnect_and_wait(), Ok(true));
        assert_eq!(after.disconnect_and_wait(), Ok(true));
        assert!(!emitting.is_finished());
        out.send(()).unwrap();
        assert_eq!(emitting.join().unwrap(), 2);
    });
}
