//! What can be a handler.

use super::*;

both_flavors! {
    with helpers;

    tests! {
        async fn async_methods_by_their_path_are_called_with_the_owner_and_the_event() {
            struct Price(u32);
            impl Price {
                async fn of(&self, word: &str) -> String {
                    yield_once().await;
                    format!("{word}: {}", self.0)
                }
            }
            let asked: AsyncSignal<str, String> = AsyncSignal::new();
            let price = Strong::new(Price(30));
            asked.connect(&price, Price::of);
            assert_eq!(asked.call("tea").collect::<Vec<_>>().await, ["tea: 30"]);
            drop(price);
            assert_eq!(asked.emit("tea").await, 0);
        }

        async fn async_closures_with_the_owner_first_are_called() {
            let asked: AsyncSignal<str, usize> = AsyncSignal::new();
            let owner = Strong::new(vec![1, 2]);
            asked.connect(&owner, async |owner: &Vec<i32>, word: &str| {
                yield_once().await;
                owner.len() + word.len()
            });
            assert_eq!(asked.call("tea").collect::<Vec<_>>().await, [5]);
        }

        async fn closures_that_return_a_future_are_called_and_dropped_with_their_slot() {
            let signal: AsyncSignal<u32, u32> = AsyncSignal::new();
            let (owner, captured) = (Strong::new(1), Arc::new(10));
            let kept = Arc::downgrade(&captured);
            let connection =
                signal.connect(&owner, move |owner: &u32, n: &u32| ready(*owner + *n + *captured));
            assert_eq!(signal.call(&100).collect::<Vec<_>>().await, [111]);
            connection.disconnect();
            assert!(kept.upgrade().is_none());
        }

        async fn connect_fn_takes_async_closures_and_closures_that_return_futures() {
            let signal: AsyncSignal<str, usize> = AsyncSignal::new();
            let plus = 1;
            let first = signal.connect_fn(async |word: &str| {
                yield_once().await;
                word.len()
            });
            let second = signal.connect_fn(move |word: &str| {
                let length = word.len();
                async move { length + plus }
            });
            assert_eq!(signal.call("tea").collect::<Vec<_>>().await, [3, 4]);
            drop(first);
            assert_eq!(signal.call("tea").collect::<Vec<_>>().await, [4]);
            second.detach();
            assert_eq!(signal.emit("tea").await, 1);
        }

        async fn a_future_may_borrow_what_its_closure_captured_by_reference_counting() {
            let signal: AsyncSignal<u32, usize> = AsyncSignal::new();
            let words = Arc::new(vec!["a", "b"]);
            let _guard = signal.connect_fn(move |n: &u32| {
                let (words, n) = (words.clone(), *n as usize);
                async move {
                    yield_once().await;
                    words.len() + n
                }
            });
            assert_eq!(signal.call(&1).collect::<Vec<_>>().await, [3]);
        }

        async fn connect_sync_accepts_an_ordinary_method() {
            let log = Log::default();
            let signal = AsyncSignal::new();
            let worker = Worker::new(&log, "a");
            signal.connect_sync(&worker, Worker::at_once);
            for way in WAYS {
                assert_eq!(run(way, &signal, &1).await, 1);
                assert_eq!(log.take(), ["a 1"]);
            }
            assert_eq!(signal.disconnect_method(&worker, Worker::at_once), 1);
        }

        async fn connect_mut_waits_for_the_lock_without_blocking_the_thread() {
            struct Sum(u32);
            impl Sum {
                async fn add(&mut self, n: &u32) {
                    let before = self.0;
                    yield_once().await;
                    self.0 = before + n;
                }
            }
            let signal: AsyncSignal<u32> = AsyncSignal::new();
            let sum = Strong::new(AsyncMutex::new(Sum(0)));
            let connection = signal.connect_mut(&sum, Sum::add);
            let held = sum.lock().await;
            let mut emission = signal.emit(&2);
            for _ in 0..3 {
                assert!(poll!(&mut emission).is_pending());
            }
            drop(held);
            assert_eq!(emission.await, 1);
            // Side by side they would lose one another's addition, but for the lock.
            assert_eq!(join(signal.emit(&3), signal.emit_concurrent(&4)).await, (1, 1));
            assert_eq!(sum.lock().await.0, 9);
            assert_eq!(signal.disconnect_method(&sum, Sum::add), 1);
            assert!(!connection.is_connected());
        }

        async fn connect_mut_accepts_a_closure_that_captures() {
            let signal: AsyncSignal<u32> = AsyncSignal::new();
            let (sum, factor) = (Strong::new(AsyncMutex::new(0)), 10);
            signal.connect_mut(&sum, move |sum: &mut u32, n: &u32| {
                *sum += n * factor;
                ready(())
            });
            signal.emit(&2).await;
            assert_eq!(*sum.lock().await, 20);
        }

        async fn events_may_be_unsized() {
            let bytes: AsyncSignal<[u8], usize> = AsyncSignal::new();
            type Thing = dyn std::fmt::Debug + Send + Sync;
            let things: AsyncSignal<Thing, String> = AsyncSignal::new();
            let owner = Strong::new(1);
            bytes.connect(&owner, async |_: &usize, bytes: &[u8]| {
                yield_once().await;
                bytes.len()
            });
            things.connect(&owner, async |_: &usize, thing: &Thing| {
                yield_once().await;
                format!("{thing:?}")
            });
            assert_eq!(bytes.call(&[1, 2]).collect::<Vec<_>>().await, [2]);
            assert_eq!(things.call_concurrent(&Some(1)).collect::<Vec<_>>().await, ["Some(1)"]);
        }
    }
}

#[test]
fn a_local_handler_may_hold_what_is_not_send() {
    use std::{cell::Cell, rc::Rc};
    let signal: sigwire::local::AsyncSignal<Rc<Cell<u32>>> = Default::default();
    let owner = Rc::new(Cell::new(1));
    signal.connect(&owner, async |owner: &Cell<u32>, event: &Rc<Cell<u32>>| {
        let event = event.clone();
        yield_once().await;
        owner.set(owner.get() + event.get());
    });
    futures::executor::block_on(signal.emit_concurrent(&Rc::new(Cell::new(2))));
    assert_eq!(owner.get(), 3);
}
