//! Signals that end while other threads use them, and emissions of threads that are ending.

use crate::support::{Log, Noter};
use sigwire::Signal;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

#[test]
fn a_signal_dropped_on_one_thread_while_connections_are_used_on_others_is_gone_for_good() {
    for _ in 0..500 {
        let log = Log::default();
        let signal: Signal<u32> = Signal::new();
        let captured = Noter::new(&log, "captured");
        let connection = signal.connect_fn(move |n| captured.on(n)).detach();
        let start = Barrier::new(2);
        thread::scope(|scope| {
            let user = scope.spawn(|| {
                start.wait();
                drop(connection.block());
                connection.is_connected();
                connection.is_blocked();
            });
            start.wait();
            drop(signal);
            assert!(!connection.is_connected());
            assert_eq!(log.take(), ["captured dropped"]);
            user.join().unwrap();
        });
    }
}

#[test]
fn signals_may_be_emitted_while_a_thread_ends() {
    static ENDED: Signal<u32> = Signal::new();
    struct AtThreadEnd;
    impl Drop for AtThreadEnd {
        fn drop(&mut self) {
            ENDED.emit(&1);
        }
    }
    thread_local! {
        static END: AtThreadEnd = const { AtThreadEnd };
    }
    let count = Arc::new(Mutex::new(0));
    ENDED.connect_mut(&count, |count, n| *count += n);
    thread::spawn(|| {
        END.with(|_| ());
        ENDED.emit(&10);
    })
    .join()
    .unwrap();
    assert_eq!(*count.lock().unwrap(), 11);
}
