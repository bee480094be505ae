//! When a consumer is woken, and what its waker may do.

use super::*;

both_flavors! {
    with helpers;

    #[test]
    fn a_waker_that_panics_at_the_last_event_may_panic_at_the_end_too() {
        struct Panics;
        impl Wake for Panics {
            fn wake(self: Arc<Self>) {
                panic!("in a waker");
            }
        }
        let signal: Signal<u32> = Signal::new();
        let mut next = signal.next_event();
        let waker = Waker::from(Arc::new(Panics));
        assert!(Pin::new(&mut next).poll(&mut Context::from_waker(&waker)).is_pending());
        assert!(panic_of(|| signal.emit(&1)).contains("in a waker"));
        assert_eq!(block_on(next), Some(1));
    }

    #[test]
    fn a_consumer_that_waits_is_woken_by_an_emission_and_by_the_end_of_the_signal() {
        under_each_executor(async || {
            let signal: Signal<u32> = Signal::new();
            let mut stream = signal.stream(1, Overflow::DropOldest);
            let mut events = Vec::new();
            let consumer = async {
                while let Some(event) = stream.next().await {
                    events.push(event);
                }
            };
            let emitter = async {
                for n in 1..=3 {
                    signal.emit(&n);
                    yield_once().await;
                }
                drop(signal);
            };
            join(consumer, emitter).await;
            assert_eq!(events, [1, 2, 3].map(Ok));
        });
    }

    #[test]
    fn a_consumer_is_woken_once_however_many_events_come() {
        let signal: Signal<u32> = Signal::new();
        let mut stream = signal.stream(8, Overflow::DropOldest);
        let wakes = Arc::new(Wakes::default());
        signal.emit(&0);
        assert!(poll_with(&mut stream, &wakes).is_ready());
        signal.emit(&0);
        assert_eq!(wakes.take(), 0, "nobody waited");
        assert!(poll_with(&mut stream, &wakes).is_ready());
        for _ in 0..2 {
            assert!(poll_with(&mut stream, &wakes).is_pending());
        }
        emit(&signal, 1..=5);
        assert_eq!(wakes.take(), 1);
        drop(signal);
        assert_eq!(wakes.take(), 0, "it is awake");
    }

    #[test]
    fn the_waker_of_the_last_poll_is_woken_and_former_ones_are_let_go() {
        let signal: Signal<u32> = Signal::new();
        let mut stream = signal.stream(8, Overflow::DropOldest);
        let [former, last] = [(); 2].map(|()| Arc::new(Wakes::default()));
        assert!(poll_with(&mut stream, &former).is_pending());
        assert!(poll_with(&mut stream, &last).is_pending());
        assert_eq!(Arc::strong_count(&former), 1);
        signal.emit(&1);
        assert_eq!((former.take(), last.take()), (0, 1));
        assert_eq!(Arc::strong_count(&last), 1);
    }

    #[test]
    fn dropping_a_stream_wakes_nobody_and_lets_go_of_its_waker() {
        let signal: Signal<u32> = Signal::new();
        let mut stream = signal.stream(8, Overflow::DropOldest);
        let wakes = Arc::new(Wakes::default());
        assert!(poll_with(&mut stream, &wakes).is_pending());
        drop(stream);
        assert_eq!((wakes.take(), Arc::strong_count(&wakes)), (0, 1));
    }

    #[test]
    fn an_emission_wakes_and_clones_once_for_each_of_a_thousand_streams() {
        let signal: Signal<Std<()>> = Signal::new();
        let wakes = Arc::new(Wakes::default());
        let mut streams: Vec<_> =
            (0..1_000).map(|_| signal.stream(2, Overflow::DropOldest)).collect();
        assert!(streams.iter_mut().all(|stream| poll_with(stream, &wakes).is_pending()));
        let event = Std::new(());
        assert_eq!(signal.emit(&event), 1_000);
        assert_eq!((wakes.take(), Std::strong_count(&event)), (1_000, 1_001));
        assert!(streams.iter_mut().all(|stream| ready(stream).len() == 1));
        assert!(streams.iter_mut().all(|stream| poll_with(stream, &wakes).is_pending()));
        drop(signal);
        assert_eq!(wakes.take(), 1_000);
    }

    #[test]
    fn a_waker_may_use_the_stream_and_its_signal_when_it_is_woken_and_when_it_is_dropped() {
        let signal: Std<Signal<u32>> = Std::new(Signal::new());
        let stream = Std::new(Exclusive::new(signal.stream(8, Overflow::DropOldest)));
        let poll = |waker: &Waker| {
            with(&stream, |s| Pin::new(s).poll_next(&mut Context::from_waker(waker)))
        };
        let acts = Waker::from(Arc::new(Acts));
        assert!(poll(&acts).is_pending());
        let (in_act, signal_in_act) = (stream.clone(), signal.clone());
        set_act(move || {
            signal_in_act.emit(&2);
            assert_eq!(with(&in_act, ready).len(), 2);
        });
        signal.emit(&1);
        let in_act = signal.clone();
        set_act(move || _ = in_act.emit(&3));
        assert!(poll(&Waker::from(Arc::new(Acts))).is_pending());
        assert!(poll(Waker::noop()).is_pending());
        ACT.take();
        let emitted = with(&stream, ready);
        assert_eq!(emitted, [Ok(3)], "by the former waker as it was dropped");
    }
}
