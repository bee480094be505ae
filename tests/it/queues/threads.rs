//! Queues and several threads.

use super::*;

#[test]
fn the_events_of_one_thread_stay_in_order_whoever_else_emits() {
    let signal = Arc::new(Signal::<(usize, u32)>::new());
    let queue = Arc::new(Queue::default());
    let seen = Arc::new(Mutex::new(vec![vec![]; 3]));
    signal.slot().on(&queue).connect_mut(&seen, |seen, (thread, n)| seen[*thread].push(*n));
    thread::scope(|scope| {
        for thread in 0..3 {
            let signal = &signal;
            scope.spawn(move || (0..2000).for_each(|n| _ = signal.emit(&(thread, n))));
        }
        let mut called = 0;
        while called < 6000 {
            called += queue.run().called;
        }
    });
    for seen in &*seen.lock().unwrap() {
        assert!(seen.iter().copied().eq(0..2000));
    }
}

#[test]
fn a_second_thread_that_runs_the_queue_meanwhile_is_refused() {
    let (signal, queue) = (Signal::<u32>::new(), Queue::default());
    let (message, messages) = mpsc::channel();
    let inside = Arc::new(Mutex::new(message));
    let (entered, entries) = mpsc::channel();
    let (out, let_out) = mpsc::channel::<()>();
    let gate = Mutex::new((entered, let_out));
    signal.slot().on(&queue).connect(&inside, move |_, _| {
        let gate = gate.lock().unwrap();
        gate.0.send(()).unwrap();
        gate.1.recv_timeout(Duration::from_secs(20)).unwrap();
    });
    signal.emit(&1);
    thread::scope(|scope| {
        scope.spawn(|| queue.run());
        entries.recv_timeout(Duration::from_secs(20)).unwrap();
        inside.lock().unwrap().send(panic_of(|| queue.run())).unwrap();
        out.send(()).unwrap();
    });
    let message = messages.try_recv().unwrap();
    assert!(message.contains("while another thread runs it"), "{message}");
    signal.emit(&1);
    out.send(()).unwrap();
    assert_eq!(queue.run().called, 1);
}
