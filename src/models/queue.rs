//! Events that wait for a loop, while other threads emit, disconnect and end.
//!
//! The queue's lock is loom's. The signals are of the shipped flavor, whose atomics and lock loom
//! does not see. That is sound: loom switches threads only at the queue's lock, and only a connect
//! takes that lock while it holds the signal's. The other files here model the signals.

use loom::sync::Notify;
use loom::thread;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use super::{Counter, Modelled};
use crate::raw::Flavor;
use crate::{LocalQueue, Overflow, Queue, Signal};

/// What a loop waits for. Loom reports a lost wake, since the loop then waits for ever.
#[derive(Clone)]
struct TaskWaker(Arc<Notify>);

impl TaskWaker {
    fn new() -> Self {
        TaskWaker(Arc::new(Notify::new()))
    }
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.0.notify();
    }
}

type Seen = Arc<Mutex<Vec<u32>>>;

/// A signal with one handler in this queue, which records its events.
fn noting(queue: &Queue, is_latest: bool) -> (Arc<Signal<u32>>, Seen, crate::Connection) {
    let (signal, seen) = (Arc::new(Signal::new()), Seen::default());
    let slot = signal.slot().on(queue);
    let slot = if is_latest { slot.latest() } else { slot };
    let connection = slot.connect_mut(&seen, |seen, n| seen.push(*n));
    (signal, seen, connection)
}

fn emitter(signal: &Arc<Signal<u32>>, events: &'static [u32]) -> thread::JoinHandle<()> {
    let signal = signal.clone();
    thread::spawn(move || events.iter().for_each(|event| _ = signal.emit(event)))
}

fn take(seen: &Seen) -> Vec<u32> {
    std::mem::take(&mut seen.lock().unwrap())
}

#[test]
fn a_loop_that_runs_when_it_is_woken_misses_no_event_and_keeps_their_order() {
    loom::model(|| {
        let bell = TaskWaker::new();
        let rung = bell.clone();
        let queue = Queue::new(move || rung.0.notify());
        let (signal, seen, _) = noting(&queue, false);
        let emitters = [emitter(&signal, &[1, 2]), emitter(&signal, &[11])];
        let mut called = 0;
        while called < 3 {
            bell.0.wait();
            called += queue.run().called;
        }
        emitters.into_iter().for_each(|emitter| emitter.join().unwrap());
        let mut seen = take(&seen);
        seen.retain(|n| *n < 10);
        assert_eq!((called, seen), (3, vec![1, 2]));
        assert!(queue.is_empty());
    });
}

#[test]
fn a_loop_that_runs_one_event_at_a_time_is_woken_for_the_rest() {
    loom::model(|| {
        let bell = TaskWaker::new();
        let rung = bell.clone();
        let queue = Queue::new(move || rung.0.notify());
        let (signal, seen, _) = noting(&queue, false);
        let emitter = emitter(&signal, &[1, 2]);
        let mut called = 0;
        while called < 2 {
            bell.0.wait();
            called += queue.run_max(1).called;
        }
        emitter.join().unwrap();
        assert_eq!(take(&seen), [1, 2]);
    });
}

#[test]
fn a_task_that_drives_the_queue_misses_no_event() {
    loom::model(|| {
        let queue = Queue::default();
        let (signal, seen, _) = noting(&queue, false);
        let emitters = [emitter(&signal, &[1, 2]), emitter(&signal, &[11])];
        let bell = Arc::new(TaskWaker::new());
        let waker = Waker::from(bell.clone());
        let mut called = 0;
        while called < 3 {
            let mut drive = pin!(queue.drive());
            called += loop {
                match drive.as_mut().poll(&mut Context::from_waker(&waker)) {
                    Poll::Ready(ran) => break ran.called,
                    Poll::Pending => bell.0.wait(),
                }
            };
        }
        emitters.into_iter().for_each(|emitter| emitter.join().unwrap());
        assert_eq!(take(&seen).len(), 3);
    });
}

#[test]
fn a_driven_queue_whose_events_were_taken_back_is_woken_for_the_next() {
    loom::model(|| {
        let queue = Queue::default();
        let (taken_back, _owner, connection) = noting(&queue, false);
        let (signal, seen, _) = noting(&queue, false);
        let emitting = thread::spawn(move || {
            taken_back.emit(&1);
            connection.disconnect();
            signal.emit(&2);
            signal // not dropped here, since that would take its event back
        });
        let bell = Arc::new(TaskWaker::new());
        let waker = Waker::from(bell.clone());
        while take(&seen).is_empty() {
            let mut drive = pin!(queue.drive());
            while drive.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
                bell.0.wait();
            }
        }
        emitting.join().unwrap();
    });
}

#[test]
fn no_call_starts_once_the_loops_thread_has_disconnected() {
    loom::model(|| {
        let queue = Queue::default();
        let (signal, seen, connection) = noting(&queue, false);
        let emitter = emitter(&signal, &[1, 2]);
        queue.run();
        assert!(connection.disconnect());
        let before = take(&seen);
        assert_eq!(queue.run().called, 0);
        emitter.join().unwrap();
        assert_eq!(queue.run().called, 0);
        assert!(take(&seen).is_empty() && before.len() <= 2 && queue.is_empty());
    });
}

#[test]
fn no_call_starts_once_the_loop_knows_of_a_disconnect_elsewhere() {
    loom::model(|| {
        let queue = Queue::default();
        let (signal, seen, connection) = noting(&queue, false);
        let emitter = emitter(&signal, &[1, 2]);
        let ending = thread::spawn(move || connection.disconnect());
        queue.run();
        assert!(ending.join().unwrap());
        take(&seen);
        queue.run();
        emitter.join().unwrap();
        queue.run();
        assert!(take(&seen).is_empty() && queue.is_empty());
    });
}

#[test]
fn events_are_lost_only_as_the_policy_says_and_each_lost_one_is_counted() {
    for overflow in [Overflow::DropOldest, Overflow::DropNewest, Overflow::Latest] {
        loom::model(move || {
            let queue = Queue::default().bounded(1, overflow);
            let (signal, seen, _) = noting(&queue, false);
            let emitter = emitter(&signal, &[1, 2, 3]);
            let first = queue.run();
            emitter.join().unwrap();
            let second = queue.run();
            let seen = take(&seen);
            assert_eq!(seen.len(), first.called + second.called);
            assert_eq!(seen.len() + (first.lost + second.lost) as usize, 3);
            assert!(seen.is_sorted());
            let kept =
                if overflow == Overflow::DropNewest { seen[0] == 1 } else { seen.ends_with(&[3]) };
            assert!(kept, "{overflow:?} {seen:?}");
        });
    }
}

#[test]
fn the_last_of_the_latest_is_delivered_though_another_connection_uses_the_queue() {
    loom::model(|| {
        let queue = Queue::default();
        let (moved, positions, _) = noting(&queue, true);
        let (clicked, clicks, _) = noting(&queue, false);
        let emitters = [emitter(&moved, &[1, 2]), emitter(&clicked, &[11])];
        let first = queue.run();
        emitters.into_iter().for_each(|emitter| emitter.join().unwrap());
        let second = queue.run();
        let positions = take(&positions);
        assert_eq!((positions.last(), take(&clicks)), (Some(&2), vec![11]));
        assert_eq!(positions.len() as u64 + first.lost + second.lost, 2);
    });
}

#[test]
fn an_event_that_takes_the_place_of_one_whose_turn_in_a_run_comes_is_delivered_or_waits() {
    loom::model(|| {
        let queue = Queue::default();
        let (clicked, clicks, _) = noting(&queue, false);
        let (moved, positions, _) = noting(&queue, true);
        clicked.emit(&11);
        moved.emit(&1);
        let emitter = emitter(&moved, &[2, 3]);
        let first = queue.run();
        emitter.join().unwrap();
        let second = queue.run();
        let positions = take(&positions);
        assert_eq!((positions.last(), take(&clicks)), (Some(&3), vec![11]));
        assert!(positions.is_sorted() && queue.is_empty());
        assert_eq!(positions.len() as u64 + first.lost + second.lost, 3);
    });
}

/// An event that counts how often it is made and dropped.
struct Counted(Counter, Counter);

impl Clone for Counted {
    fn clone(&self) -> Self {
        self.0.add(1);
        Counted(self.0.clone(), self.1.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.add(1);
    }
}

#[test]
fn a_queue_that_ends_beside_an_emission_and_a_disconnect_drops_every_event_once() {
    loom::model(|| {
        let (made, dropped) = (Counter::default(), Counter::default());
        let queue = Queue::default();
        let signal: Arc<Signal<Counted>> = Arc::new(Signal::new());
        let owner = Arc::new(());
        let connection = signal.slot().on(&queue).connect(&owner, |_, _: &Counted| ());
        let emitting = {
            let (signal, event) = (signal.clone(), Counted(made.clone(), dropped.clone()));
            thread::spawn(move || (0..2).for_each(|_| _ = signal.emit(&event)))
        };
        let disconnecting = {
            let connection = connection.clone();
            thread::spawn(move || connection.disconnect())
        };
        queue.run_max(1);
        drop(queue);
        assert!(!connection.is_connected());
        emitting.join().unwrap();
        disconnecting.join().unwrap();
        // The event that was emitted is not a clone, so it was not counted in `made`.
        assert_eq!(dropped.get(), made.get() + 1);
        assert_eq!((signal.slot_count(), Arc::weak_count(&owner)), (0, 0));
    });
}

/// Has to be dropped on the thread that made it.
struct Bound(usize, Counter);

impl Drop for Bound {
    fn drop(&mut self) {
        assert_eq!(Modelled::this_thread(), self.0);
        self.1.add(1);
    }
}

#[test]
fn what_a_local_queue_was_given_ends_on_its_thread_whoever_disconnects() {
    loom::model(|| {
        let ended = Counter::default();
        let queue = LocalQueue::default();
        let signal: Arc<Signal<u32>> = Arc::new(Signal::new());
        let owner = Rc::new(());
        let bound = Bound(Modelled::this_thread(), ended.clone());
        let connection = signal.slot().on(&queue).connect(&owner, move |_, _| _ = &bound);
        let emitting = emitter(&signal, &[1]);
        let ending = thread::spawn(move || connection.disconnect());
        assert!(queue.run().called <= 1);
        // Its place in the queue may be used again before what was there is dropped. (By another
        // signal: see the head of this file.)
        let other: Signal<u32> = Signal::new();
        let again = other.slot().on(&queue).connect(&owner, |_, _| ());
        emitting.join().unwrap();
        assert!(ending.join().unwrap());
        assert!(queue.run().called <= 1);
        assert_eq!((ended.get(), Rc::weak_count(&owner)), (1, 1));
        assert!(again.is_connected());
        drop(queue);
        assert_eq!(Rc::weak_count(&owner), 0);
    });
}

#[test]
fn a_loop_that_runs_when_it_is_woken_drops_what_ended_elsewhere() {
    loom::model(|| {
        let bell = TaskWaker::new();
        let rung = bell.clone();
        let queue = LocalQueue::new(move || rung.0.notify());
        let signal: Arc<Signal<u32>> = Arc::new(Signal::new());
        let owner = Rc::new(());
        let connection = signal.slot().on(&queue).connect(&owner, |_, _| ());
        let emitting = emitter(&signal, &[1]);
        let ending = thread::spawn(move || connection.disconnect());
        while Rc::weak_count(&owner) > 0 {
            bell.0.wait();
            queue.run();
        }
        emitting.join().unwrap();
        assert!(ending.join().unwrap());
    });
}
