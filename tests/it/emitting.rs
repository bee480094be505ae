//! What an emission passes to its slots, and what can be a signal's event and its callable.

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

both_flavors! {
    #[test]
    fn an_event_is_passed_by_reference_and_never_copied() {
        struct Event(u32);
        let signal: Signal<Event, usize> = Signal::new();
        let owner = Strong::new(());
        signal.connect(&owner, |_, event| std::ptr::from_ref(event).addr());
        signal.connect(&owner, |_, event| std::ptr::from_ref(event).addr());
        let event = Event(1);
        let here = std::ptr::from_ref(&event).addr();
        assert_eq!(signal.call(&event).collect::<Vec<_>>(), [here, here]);
        assert_eq!(event.0, 1);
    }

    trait Count {
        fn count(&self, bit: &u32) -> u32;
    }

    #[derive(Default)]
    struct Counter(AtomicU32);

    impl Counter {
        fn with_bit(&self, n: &u32) -> u32 {
            self.0.fetch_add(*n, SeqCst);
            1 << 4
        }
        fn only_the_owner(&self) -> u32 {
            1 << 5
        }
        fn mutable(count: &mut u32, n: &u32) -> u32 {
            *count += n;
            1 << 6
        }
        fn generic<T: Copy + Into<u64>>(&self, n: &T) -> u32 {
            u32::try_from((*n).into()).unwrap() << 7
        }
        fn extended(&self, connection: &Connection, _: &u32) -> u32 {
            u32::from(connection.is_connected()) << 8
        }
    }

    impl Count for Counter {
        fn count(&self, _: &u32) -> u32 {
            1 << 9
        }
    }

    // From sigslot, test/signal.cpp.
    #[test]
    fn every_kind_of_callable_can_be_connected_and_is_called_once() {
        fn free_function(_: &u32) -> u32 {
            1
        }
        fn free_function_with_owner(_: &Counter, _: &u32) -> u32 {
            1 << 1
        }
        type Any = dyn Count + Send + Sync;
        type Callback = dyn Fn(&u32) -> u32 + Send + Sync;

        let signal: Signal<u32, u32> = Signal::new();
        let counter = Std::new(Counter::default());
        let exclusive = Strong::new(Exclusive::new(0_u32));
        let any: Std<Any> = counter.clone();
        let captured = 1 << 12;
        let callback: Std<Callback> = Std::new(move |_| captured << 1);
        let boxed: Box<Callback> = Box::new(|_| 1 << 14);
        let pointer: fn(&Counter, &u32) -> u32 = |_, _| 1 << 15;

        let _function = signal.connect_fn(free_function);
        signal.connect(&counter, free_function_with_owner);
        let _closure = signal.connect_fn(|_| 1 << 2);
        signal.connect(&counter, |_, _| 1 << 3);
        signal.connect(&counter, Counter::with_bit);
        signal.connect(&counter, |counter, _| counter.only_the_owner());
        signal.connect_mut(&exclusive, Counter::mutable);
        signal.connect(&counter, Counter::generic::<u32>);
        signal.connect_extended(&counter, Counter::extended);
        signal.connect(&any, <Any as Count>::count);
        signal.connect(&Std::downgrade(&counter), |_, _| 1 << 10);
        signal.connect_weak(WeakMethod::new(&counter, |_: &Counter, _: &u32| 1 << 11));
        let _capturing = signal.connect_fn(move |_| captured);
        signal.connect(&callback, |callback, n| callback(n));
        let _boxed = signal.connect_fn(boxed);
        signal.connect(&counter, pointer);
        signal.connect_mut(&exclusive, move |count, n| {
            *count += 10 * n;
            captured << 4
        });

        assert_eq!(signal.slot_count(), 17);
        let each_bit: Vec<u32> = (0..17).map(|i| 1 << i).collect();
        assert_eq!(signal.call(&1).collect::<Vec<_>>(), each_bit);
        assert_eq!(counter.0.load(SeqCst), 1);
        assert_eq!(with(&exclusive, |count| *count), 11);
        // The four closures without an owner are what remains.
        drop((counter, exclusive, any, callback));
        assert_eq!(signal.call(&1).collect::<Vec<_>>(), [1, 1 << 2, 1 << 12, 1 << 14]);
    }
}
