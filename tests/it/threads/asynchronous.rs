//! Asynchronous signals on several threads, by an executor without locks.

use super::*;
use futures::executor::block_on;
use futures::future::poll_fn;
use futures::task::AtomicWaker;
use sigwire::{AsyncSignal, HazardArc};
use std::sync::atomic::AtomicBool;
use std::task::Poll;

async fn yield_once() {
    let mut again = false;
    poll_fn(|context| {
        if std::mem::replace(&mut again, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

async fn count(calls: &AtomicUsize, n: &usize) {
    yield_once().await;
    calls.fetch_add(*n, SeqCst);
}

#[test]
fn threads_emit_connect_and_disconnect_on_one_asynchronous_signal() {
    let signal: AsyncSignal<usize> = AsyncSignal::new();
    let lasting = HazardArc::new(AtomicUsize::new(0));
    signal.connect(&lasting, count);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..100 {
                    let (owner, tracked) = (Arc::new(AtomicUsize::new(0)), HazardArc::default());
                    let connection = signal.connect(&owner, count);
                    signal.connect(&tracked, count);
                    assert!(block_on(signal.emit(&1)) >= 3);
                    drop(owner);
                    assert!(block_on(signal.emit_concurrent(&1)) >= 2);
                    connection.disconnect();
                    assert!(block_on(signal.try_emit(&1)).unwrap() >= 2);
                }
            });
        }
    });
    assert_eq!(lasting.load(SeqCst), 900);
    signal.prune();
    assert_eq!(signal.slot_count(), 1);
}

#[test]
fn an_emission_wakes_up_for_each_handler_that_another_thread_wakes() {
    #[derive(Default)]
    struct Flag(AtomicBool, AtomicWaker);
    impl Flag {
        async fn wait(&self, _: &()) {
            poll_fn(|context| {
                self.1.register(context.waker());
                if self.0.load(SeqCst) { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
        }
        fn raise(&self) {
            self.0.store(true, SeqCst);
            self.1.wake();
        }
    }
    for _ in 0..100 {
        let signal: AsyncSignal<()> = AsyncSignal::new();
        let flags: Vec<Arc<Flag>> = (0..4).map(|_| Arc::default()).collect();
        for flag in &flags {
            signal.connect(flag, Flag::wait);
        }
        thread::scope(|scope| {
            scope.spawn(|| flags.iter().rev().for_each(|flag| flag.raise()));
            assert_eq!(block_on(signal.emit_concurrent(&())), 4);
            assert_eq!(block_on(signal.emit(&())), 4);
        });
    }
}
