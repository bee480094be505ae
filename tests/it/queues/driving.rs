//! Tasks that drive a queue.

use super::*;

both_homes! {
    #[test]
    fn an_async_task_drives_the_queue() {
        let (log, signal, queue) = (Log::default(), Signal::<u32>::new(), Queue::default());
        let a = noter(&log, "a");
        signal.slot().on(&queue).connect(&a, Noter::on);
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(woken.clone());
        let mut context = Context::from_waker(&waker);
        for round in 1..4 {
            let mut drive = pin!(queue.drive());
            assert!(drive.as_mut().poll(&mut context).is_pending());
            emit_all(&signal, [1, 2]);
            assert_eq!(woken.0.load(SeqCst), round, "woken once");
            let Poll::Ready(ran) = drive.as_mut().poll(&mut context) else { panic!("not ready") };
            assert_eq!(ran.called, 2);
        }
        emit_all(&signal, [3]);
        let Poll::Ready(ran) = pin!(queue.drive()).poll(&mut context) else { panic!("not ready") };
        assert_eq!(ran.called, 1);
    }

    #[test]
    fn a_driven_queue_that_found_nothing_is_woken_again() {
        let (signal, queue) = (Signal::<u32>::new(), Queue::default());
        let owner = Strong::new(());
        let connection = signal.slot().on(&queue).connect(&owner, |_, _| ());
        emit_all(&signal, [1]);
        connection.disconnect();
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(woken.clone());
        let mut drive = pin!(queue.drive());
        assert!(drive.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        signal.slot().on(&queue).connect(&owner, |_, _| ());
        emit_all(&signal, [2]);
        assert_eq!(woken.0.load(SeqCst), 1);
    }

    #[test]
    fn a_driven_queue_that_feeds_itself_lets_other_tasks_have_their_turn() {
        let (signal, queue) = (Arc::new(Signal::<u32>::new()), Queue::default());
        let emits = Strong::new(Arc::downgrade(&signal));
        signal.slot().on(&queue).connect(&emits, |signal, n| _ = signal.upgrade().unwrap().emit(n));
        signal.emit(&1);
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(woken.clone());
        let mut context = Context::from_waker(&waker);
        assert!(pin!(queue.drive()).poll(&mut context).is_ready());
        let mut drive = pin!(queue.drive());
        assert!(drive.as_mut().poll(&mut context).is_pending());
        assert_eq!(woken.0.load(SeqCst), 1);
        assert!(drive.as_mut().poll(&mut context).is_ready());
    }
}

#[test]
fn a_task_that_drives_a_local_queue_is_woken_to_let_go_of_what_ended() {
    let (signal, queue) = (Signal::<u32>::new(), LocalQueue::default());
    let owner = Rc::new(());
    signal.slot().on(&queue).connect(&owner, |_, _| ());
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(woken.clone());
    let mut context = Context::from_waker(&waker);
    let mut drive = pin!(queue.drive());
    assert!(drive.as_mut().poll(&mut context).is_pending());
    thread::scope(|scope| scope.spawn(|| signal.disconnect_all()).join().unwrap());
    assert_eq!(woken.0.load(SeqCst), 1);
    _ = drive.as_mut().poll(&mut context);
    assert_eq!(Rc::weak_count(&owner), 0);
}
