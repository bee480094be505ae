//! Streams that are disconnected or dropped.

use super::*;

both_flavors! {
    with helpers;

    #[test]
    fn a_disconnected_stream_ends_after_the_events_it_had() {
        let disconnect_all =
            |signal: &Signal<u32>, _: &EventStream<u32>| signal.disconnect_all() == 1;
        let by_connection =
            |_: &Signal<u32>, stream: &EventStream<u32>| stream.connection().disconnect();
        for disconnect in
            [disconnect_all as fn(&Signal<u32>, &EventStream<u32>) -> bool, by_connection]
        {
            let signal: Signal<u32> = Signal::new();
            let mut stream = signal.stream(4, Overflow::DropOldest);
            emit(&signal, 1..=2);
            assert!(disconnect(&signal, &stream));
            assert_eq!(signal.emit(&3), 0);
            assert!(!stream.is_terminated());
            assert_eq!(block_on(stream.next()), Some(Ok(1)));
            assert_eq!(block_on(stream.next()), Some(Ok(2)));
            assert!(!stream.is_terminated(), "its end was not told yet");
            assert_eq!(block_on(stream.next()), None);
            assert!(stream.is_terminated());
        }
    }

    #[test]
    fn dropping_a_stream_disconnects_it_and_drops_the_events_in_it() {
        let signal: Signal<Std<()>> = Signal::new();
        let stream = signal.stream(4, Overflow::DropOldest);
        let event = Std::new(());
        assert_eq!(signal.emit(&event), 1);
        assert_eq!(Std::strong_count(&event), 2);
        let connection = stream.connection().clone();
        drop(stream);
        assert_eq!(Std::strong_count(&event), 1);
        assert!(!connection.is_connected());
        assert_eq!((signal.slot_count(), signal.emit(&event)), (0, 0));
    }

    #[test]
    fn select_sees_the_end_of_a_stream_and_of_a_next_event() {
        let signal: Signal<u32> = Signal::new();
        let (mut stream, mut next) = (signal.stream(4, Overflow::DropOldest), signal.next_event());
        drop(signal);
        let mut forever = futures::future::pending::<()>();
        let ends = async {
            futures::select! {
                item = futures::StreamExt::next(&mut stream) => assert_eq!(item, None),
                () = forever => unreachable!("it never comes"),
            }
            futures::select! {
                event = next => assert_eq!(event, None),
                () = forever => unreachable!("it never comes"),
            }
        };
        assert_eq!(futures::FutureExt::now_or_never(ends), Some(()));
        assert!(stream.is_terminated() && next.is_terminated());
    }
}
