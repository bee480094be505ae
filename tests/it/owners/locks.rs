//! The locks of other crates that `connect_mut` takes: the promises are those of std's.
#![cfg(any(feature = "lock_api", all(feature = "tokio", not(sigwire_tsan))))]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use sigwire::Signal;

struct Panel {
    sum: u32,
}

impl Panel {
    fn add(&mut self, n: &u32) {
        self.sum += n;
    }
}

fn message(run: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(run)).expect_err("it was to panic");
    payload
        .downcast_ref::<String>()
        .cloned()
        .unwrap_or_else(|| payload.downcast_ref::<&str>().expect("the message is text").to_string())
}

/// Runs it on a thread of its own: a deadlock fails the test instead of ending it never.
fn in_time<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || send.send(run()));
    receive
        .recv_timeout(Duration::from_secs(20))
        .expect("it was to end: this is a deadlock, or a panic")
}

macro_rules! of_lock {
    ($name:ident, $lock:ty, $locked:ident) => {
        mod $name {
            use super::*;
            type Lock<T> = $lock;

            #[test]
            fn a_slot_changes_what_is_in_the_lock_and_lets_go_of_it() {
                let moved: Signal<u32> = Signal::new();
                let panel = Arc::new(Lock::new(Panel { sum: 0 }));
                let connection = moved.connect_mut(&panel, Panel::add);
                moved.slot().priority(1).connect_mut(&panel, |panel, n| panel.sum += 10 * n);
                assert_eq!(moved.emit(&2), 2);
                assert_eq!($locked(&panel), 22);
                assert!(connection.disconnect());
                moved.emit(&1);
                assert_eq!($locked(&panel), 32);
                drop(panel);
                assert_eq!(moved.emit(&1), 0);
            }

            #[test]
            fn a_slot_further_up_that_holds_the_lock_is_a_panic_that_names_the_owner() {
                let message = in_time(|| {
                    let moved: Arc<Signal<u32>> = Arc::default();
                    let panel = Arc::new(Lock::new(Panel { sum: 0 }));
                    // Weakly: otherwise the signal would keep itself.
                    let inner = Arc::downgrade(&moved);
                    moved.connect_mut(&panel, move |panel, n| {
                        panel.sum += n;
                        inner.upgrade().unwrap().emit(n);
                    });
                    let message = message(|| _ = moved.emit(&1));
                    // Whoever asks later finds it free.
                    assert_eq!($locked(&panel), 1);
                    message
                });
                assert!(
                    message.contains("Panel` cannot run because its owner is already borrowed"),
                    "{message}"
                );
            }

            #[test]
            fn a_lock_that_another_thread_holds_is_waited_for() {
                in_time(|| {
                    let moved: Arc<Signal<u32>> = Arc::default();
                    let panel = Arc::new(Lock::new(Panel { sum: 0 }));
                    let (entered, wait_entered) = mpsc::channel();
                    let entered = std::sync::Mutex::new(entered);
                    moved.connect_mut(&panel, move |panel, n| {
                        let _ = entered.lock().unwrap().send(());
                        std::thread::sleep(Duration::from_millis(20));
                        panel.sum += n;
                    });
                    let other = moved.clone();
                    let emitting = std::thread::spawn(move || other.emit(&1));
                    wait_entered.recv().unwrap();
                    assert_eq!(moved.emit(&2), 1);
                    emitting.join().unwrap();
                    assert_eq!($locked(&panel), 3);
                });
            }

            #[test]
            fn a_slot_that_panics_leaves_the_lock_free() {
                let moved: Signal<u32> = Signal::new();
                let panel = Arc::new(Lock::new(Panel { sum: 0 }));
                moved.connect_mut(&panel, |panel, n| {
                    panel.sum += n;
                    assert_ne!(*n, 1, "on purpose");
                });
                assert!(message(|| _ = moved.emit(&1)).contains("on purpose"));
                assert_eq!(moved.emit(&2), 1);
                assert_eq!($locked(&panel), 3);
            }

            #[test]
            fn it_serves_local_signals_and_queues_too() {
                let moved: sigwire::local::Signal<u32> = sigwire::local::Signal::new();
                let panel = std::rc::Rc::new(Lock::new(Panel { sum: 0 }));
                moved.connect_mut(&panel, Panel::add);
                assert_eq!(moved.emit(&2), 1);
                assert_eq!($locked(&panel), 2);

                let moved: Signal<u32> = Signal::new();
                let (queue, panel) =
                    (sigwire::Queue::default(), Arc::new(Lock::new(Panel { sum: 0 })));
                moved.slot().on(&queue).connect_mut(&panel, Panel::add);
                moved.emit(&3);
                assert_eq!(queue.run().called, 1);
                assert_eq!($locked(&panel), 3);
            }

            #[test]
            fn what_is_in_it_may_be_unsized() {
                let moved: Signal<u32> = Signal::new();
                let numbers: Arc<Lock<[u32]>> = Arc::new(Lock::new([1, 2]));
                moved.connect_mut(&numbers, |numbers, n| numbers.iter_mut().for_each(|m| *m += n));
                assert_eq!(moved.emit(&1), 1);
            }
        }
    };
}

#[cfg(feature = "lock_api")]
mod of_lock_api {
    use super::*;

    fn in_mutex<R: lock_api::RawMutex>(panel: &lock_api::Mutex<R, Panel>) -> u32 {
        panel.try_lock().expect("it is free").sum
    }
    fn in_rwlock<R: lock_api::RawRwLock>(panel: &lock_api::RwLock<R, Panel>) -> u32 {
        panel.try_read().expect("it is free").sum
    }
    use parking_lot::lock_api;

    of_lock!(mutex, parking_lot::Mutex<T>, in_mutex);
    of_lock!(fair_mutex, parking_lot::FairMutex<T>, in_mutex);
    of_lock!(rwlock, parking_lot::RwLock<T>, in_rwlock);
}

// ThreadSanitizer does not see the locks of the standard library, which tokio's runtime uses.
#[cfg(all(feature = "tokio", not(sigwire_tsan)))]
mod of_tokio {
    use super::*;
    use tokio::sync::{Mutex, RwLock};

    fn in_mutex(panel: &Mutex<Panel>) -> u32 {
        panel.try_lock().expect("it is free").sum
    }
    fn in_rwlock(panel: &RwLock<Panel>) -> u32 {
        panel.try_read().expect("it is free").sum
    }

    of_lock!(mutex, Mutex<T>, in_mutex);
    of_lock!(rwlock, RwLock<T>, in_rwlock);

    #[tokio::test]
    async fn in_a_runtime_a_free_lock_is_taken_and_one_that_is_held_is_refused_with_a_reason() {
        let moved: Signal<u32> = Signal::new();
        let panel = Arc::new(Mutex::new(Panel { sum: 0 }));
        moved.connect_mut(&panel, Panel::add);
        assert_eq!(moved.emit(&1), 1);
        let held = panel.lock().await;
        let message = message(|| _ = moved.emit(&1));
        assert!(message.contains("Cannot block the current thread"), "{message}");
        drop(held);
        assert_eq!(moved.emit(&1), 1);
        assert_eq!(in_mutex(&panel), 2);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_blocks_elsewhere_waits_for_a_lock_that_a_task_holds() {
        let moved: Arc<Signal<u32>> = Arc::default();
        let panel = Arc::new(RwLock::new(Panel { sum: 0 }));
        moved.connect_mut(&panel, Panel::add);
        let held = panel.read().await;
        let emitting = tokio::task::spawn_blocking({
            let moved = moved.clone();
            move || moved.emit(&1)
        });
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!emitting.is_finished());
        drop(held);
        assert_eq!(emitting.await.unwrap(), 1);
        assert_eq!(in_rwlock(&panel), 1);
    }
}
