//! Which events a stream gives: in order, inside emissions, and by the options of its slot.

use super::*;

both_flavors! {
    with helpers;

    #[test]
    fn a_stream_gives_each_event_in_order_and_ends_after_the_last_when_its_signal_is_dropped() {
        under_each_executor(async || {
            let signal: Signal<u32> = Signal::new();
            signal.emit(&0);
            let stream = signal.stream(8, Overflow::DropOldest);
            emit(&signal, 1..=5);
            drop(signal);
            assert_eq!(stream.collect::<Vec<_>>().await, [1, 2, 3, 4, 5].map(Ok));
        });
    }

    #[test]
    fn the_inherent_next_gives_what_the_one_of_other_crates_gives() {
        under_each_executor(async || {
            let signal: Signal<u32> = Signal::new();
            let mut stream = signal.stream(4, Overflow::DropOldest);
            emit(&signal, 1..=2);
            assert_eq!(EventStream::next(&mut stream).await, Some(Ok(1)));
            assert_eq!(StreamExt::next(&mut stream).await, Some(Ok(2)));
            drop(EventStream::next(&mut stream));
            drop(signal);
            assert_eq!(EventStream::next(&mut stream).await, None);
            assert_eq!(EventStream::next(&mut stream).await, None);
        });
    }

    #[test]
    fn a_stream_made_during_an_emission_has_its_first_event_from_the_next_one() {
        let signal: Std<Signal<u32>> = Std::new(Signal::new());
        let made = Std::new(Exclusive::new(None));
        let (in_slot, signal_in_slot) = (made.clone(), Std::downgrade(&signal));
        let _guard = signal.slot().once().connect_fn(move |_| {
            let signal = signal_in_slot.upgrade().unwrap();
            with(&in_slot, |made| *made = Some(signal.stream(4, Overflow::DropOldest)));
        });
        emit(&signal, 1..=2);
        assert_eq!(with(&made, |made| ready(made.as_mut().unwrap())), [Ok(2)]);
    }

    #[test]
    fn a_stream_dropped_by_an_earlier_slot_of_an_emission_is_not_reached_by_it() {
        let signal: Signal<u32> = Signal::new();
        let stream = Std::new(Exclusive::new(Some(signal.stream(4, Overflow::DropOldest))));
        let in_slot = stream.clone();
        let _guard = signal.slot().priority(1).connect_fn(move |_| {
            drop(with(&in_slot, |stream| stream.take()));
        });
        assert_eq!(signal.emit(&1), 1);
    }

    #[test]
    fn slot_options_go_for_streams_too() {
        let signal: Signal<u32> = Signal::new();
        let mut twice = signal.slot().times(2).name("twice").stream(8, Overflow::DropOldest);
        emit(&signal, 1..=3);
        assert!(format!("{:?}", signal.slot().name("twice")).contains("twice"));
        assert_eq!(ready(&mut twice), [Ok(1), Ok(2)]);
        assert!(twice.is_terminated());

        let order = Log::default();
        let (early, late) = (order.clone(), order.clone());
        let _late = signal.connect_fn(move |_| late.add("0"));
        let mut next = signal.slot().priority(1).times(7).next_event();
        let _early = signal.slot().priority(2).connect_fn(move |_| early.add("2"));
        assert!(is_pending(&mut next));
        emit(&signal, 4..=5);
        assert_eq!(block_on(next), Some(4), "it is one event, whatever `times` said");
    }

    #[test]
    fn while_it_is_blocked_a_stream_gets_nothing_and_that_is_no_loss() {
        let signal: Signal<u32> = Signal::new();
        let mut stream = signal.stream(8, Overflow::DropOldest);
        signal.emit(&1);
        let block = stream.connection().block();
        signal.emit(&2);
        drop(block);
        let block = signal.block();
        signal.emit(&3);
        drop(block);
        signal.emit(&4);
        assert_eq!(ready(&mut stream), [Ok(1), Ok(4)]);
    }

    #[test]
    fn events_that_are_borrowed_are_streamed_as_what_owns_them() {
        let words: Signal<str> = Signal::new();
        let mut stream: EventStream<String> = words.stream(4, Overflow::DropOldest);
        let next: NextEvent<String> = words.next_event();
        words.emit("tea");
        assert_eq!(ready(&mut stream), [Ok("tea".to_owned())]);
        assert_eq!(block_on(next).as_deref(), Some("tea"));
        let numbers: Signal<[u8]> = Signal::new();
        let next = numbers.next_event();
        numbers.emit(&[1, 2]);
        assert_eq!(block_on(next), Some(vec![1, 2]));
    }
    // What an event does when it is cloned and dropped.

    #[test]
    fn an_event_may_use_the_stream_and_its_signal_when_it_is_cloned_and_when_it_is_dropped() {
        for overflow in [Overflow::DropOldest, Overflow::DropNewest, Overflow::Latest] {
            let signal: Std<Signal<Acts>> = Std::new(Signal::new());
            let stream = Std::new(Exclusive::new(signal.stream(1, overflow)));
            let (in_act, signal_in_act) = (stream.clone(), signal.clone());
            set_act(move || {
                assert!(with(&in_act, |stream| stream.missed()) < 100);
                signal_in_act.emit(&Acts);
            });
            (0..4).for_each(|_| _ = signal.emit(&Acts));
            ACT.take();
            assert!(with(&stream, |stream| stream.missed()) >= 7);
            assert!(with(&stream, ready).iter().filter(|item| item.is_ok()).count() == 1);
        }
    }

    #[test]
    fn a_clone_that_panics_panics_the_emission_and_the_stream_goes_on() {
        struct Fragile(u32);
        impl Clone for Fragile {
            fn clone(&self) -> Self {
                assert!(self.0 != 2, "fragile");
                Fragile(self.0)
            }
        }
        let signal: Signal<Fragile> = Signal::new();
        let mut stream = signal.stream(4, Overflow::DropOldest);
        let next = signal.next_event();
        signal.emit(&Fragile(1));
        assert_eq!(panic_of(|| signal.emit(&Fragile(2))), "fragile");
        signal.emit(&Fragile(3));
        let numbers: Vec<_> = ready(&mut stream).into_iter().map(|e| e.unwrap().0).collect();
        assert_eq!(numbers, [1, 3]);
        assert_eq!(block_on(next).unwrap().0, 1);

        let next = signal.next_event();
        drop(stream);
        assert_eq!(panic_of(|| signal.emit(&Fragile(2))), "fragile");
        assert!(block_on(next).is_none(), "its call is used up");
    }
}
