//! When a queue wakes its loop.

use super::*;

both_homes! {
    #[test]
    fn wake_is_called_once_until_a_run_begins() {
        let (count, wake) = wakes();
        let (signal, queue) = (Signal::<u32>::new(), Queue::new(wake));
        let owner = Strong::new(());
        signal.slot().on(&queue).connect(&owner, |_, _| ());
        emit_all(&signal, 0..10);
        assert_eq!(count.load(SeqCst), 1);
        queue.run();
        assert_eq!(count.load(SeqCst), 1);
        emit_all(&signal, 0..10);
        assert_eq!(count.load(SeqCst), 2);
        queue.run_max(4);
        assert_eq!(count.load(SeqCst), 3, "a run that leaves events wakes its loop for them");
        queue.run();
        assert_eq!(count.load(SeqCst), 3);
    }

    #[test]
    fn a_handler_that_emits_into_its_own_queue_wakes_the_loop_once() {
        let (count, wake) = wakes();
        let (signal, queue) = (Arc::new(Signal::<u32>::new()), Queue::new(wake));
        let emits = Strong::new(Arc::downgrade(&signal));
        signal.slot().on(&queue).connect(&emits, |signal, n| {
            (0..*n).for_each(|_| _ = signal.upgrade().unwrap().emit(&0));
        });
        signal.emit(&3);
        queue.run();
        assert_eq!((count.load(SeqCst), queue.len()), (2, 3));
    }

    #[test]
    fn wake_is_called_under_no_lock() {
        let signal = Arc::new(Signal::<u32>::new());
        let inner = Arc::downgrade(&signal);
        let queue = Queue::new(move || {
            let signal = inner.upgrade().unwrap();
            assert_eq!(signal.slot_count(), 1);
            signal.emit(&7);
        });
        let owner = Strong::new(());
        signal.slot().on(&queue).connect(&owner, |_, _| ());
        signal.emit(&1);
        assert_eq!(queue.run().called, 2);
    }
}
