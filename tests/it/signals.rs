//! The signal itself: its end, its moves, and as a static.

use sigwire::Signal;
use std::sync::{Arc, Mutex};
use std::thread;

both_flavors! {
    #[test]
    fn when_the_signal_is_dropped_its_connections_are_not_connected_and_its_closures_dropped() {
        let log = Log::default();
        let signal: Signal<u32> = Signal::new();
        let owner = Strong::new(());
        let connection = signal.connect(&owner, |_, _| ());
        let captured = Noter::new(&log, "captured");
        let scoped = signal.connect_fn(move |n| captured.on(n));
        let block = signal.block();
        let second = connection.block();
        assert!(connection.is_connected());
        drop(signal);
        assert_eq!(log.take(), ["captured dropped"]);
        assert!(!connection.is_connected());
        assert!(!connection.is_blocked());
        assert!(!connection.disconnect());
        assert_eq!(connection.disconnect_and_wait(), Ok(false));
        assert!(!scoped.is_connected());
        drop((block, second, connection.block()));
    }

    #[test]
    fn connections_stay_valid_when_the_signal_is_moved() {
        let owner = Strong::new(());
        let signal: Signal<u32> = Signal::new();
        let connection = signal.connect(&owner, |_, _| ());
        let mut signals = vec![Signal::new(), signal];
        signals.swap(0, 1);
        let moved = Box::new(signals.remove(0));
        assert_eq!(moved.emit(&0), 1);
        assert!(connection.is_connected());
        assert!(connection.disconnect());
        assert_eq!(moved.emit(&0), 0);
    }

    #[test]
    fn a_slot_may_drop_the_pointer_to_the_signal_that_emits() {
        let log = Log::default();
        struct Holder {
            signal: Signal<u32>,
            _end: Noter,
        }
        let holder =
            Strong::new(Holder { signal: Signal::new(), _end: Noter::new(&log, "holder") });
        let cell = Strong::new(Exclusive::new(Some(holder.clone())));
        holder.signal.connect_mut(&cell, |cell, _| *cell = None);
        let after = noter(&log, "after");
        holder.signal.connect(&after, Noter::on);
        assert_eq!(Strong::strong_count(&holder), 2);
        assert_eq!(holder.signal.emit(&1), 2);
        assert_eq!(Strong::strong_count(&holder), 1);
        assert_eq!(log.take(), ["after 1"]);
        drop(holder);
        assert_eq!(log.take(), ["holder dropped"]);
    }
}

#[test]
fn one_signal_serves_the_whole_process_as_a_static() {
    static QUIT: Signal<str> = Signal::new();
    let heard = Arc::new(Mutex::new(vec![]));
    QUIT.connect_mut(&heard, |heard, reason| heard.push(reason.to_owned()));
    thread::spawn(|| QUIT.emit("done")).join().unwrap();
    assert_eq!(*heard.lock().unwrap(), ["done"]);
    drop(heard);
    assert_eq!(QUIT.emit("again"), 0);
}
