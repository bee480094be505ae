//! What sigslot is tested for, written afresh for sigwire.

mod common;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, Mutex, Weak};
use std::thread;
use std::time::Duration;

both_flavors! {
    // Callables.

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

    // Disconnecting. A callable alone says nothing here (sigslot: `disconnect(callable)`): a method
    // goes with its owner, and a closure without owner with its guard.

    struct Part(u32);

    impl Part {
        fn one(&self, _: &()) -> u32 {
            10 * self.0 + 1
        }
        fn two(&self, _: &()) -> u32 {
            10 * self.0 + 2
        }
    }

    /// Three owners, each with `one`, `two`, `one` and a closure connected.
    fn parts() -> (Signal<(), u32>, [Strong<Part>; 3]) {
        let signal = Signal::new();
        let parts = [1, 2, 3].map(|number| Strong::new(Part(number)));
        for part in &parts {
            signal.connect(part, Part::one);
            signal.connect(part, Part::two);
            signal.connect(part, Part::one);
            signal.connect(part, |part, _| 10 * part.0);
        }
        (signal, parts)
    }

    #[test]
    fn disconnecting_by_callable_and_owner_ends_those_slots_alone_and_counts_them() {
        let (signal, parts) = parts();
        assert_eq!(signal.disconnect_method(&parts[1], Part::one), 2);
        assert_eq!(signal.disconnect_method(&parts[1], Part::one), 0);
        assert_eq!(signal.disconnect_method(&parts[2], Part::two), 1);
        let called: Vec<u32> = signal.call(&()).collect();
        assert_eq!(called, [11, 12, 11, 10, 22, 20, 31, 31, 30]);
    }

    #[test]
    fn disconnecting_by_owner_ends_all_that_call_it_and_counts_them() {
        let (signal, parts) = parts();
        assert_eq!(signal.disconnect_owner(&parts[1]), 4);
        assert_eq!(signal.disconnect_owner(&parts[1]), 0);
        assert_eq!(signal.call(&()).collect::<Vec<_>>(), [11, 12, 11, 10, 31, 32, 31, 30]);
        assert_eq!(signal.disconnect_owner(&Strong::new(Part(1))), 0, "that is another object");
        assert_eq!(signal.disconnect_owner(&parts[2]) + signal.disconnect_owner(&parts[0]), 8);
        assert!(signal.is_empty());
    }

    #[test]
    fn disconnecting_by_callable_for_every_owner_in_turn_leaves_the_other_callables() {
        let (signal, parts) = parts();
        let ended = parts.iter().map(|part| signal.disconnect_method(part, Part::one));
        assert_eq!(ended.sum::<usize>(), 6);
        assert_eq!(signal.call(&()).collect::<Vec<_>>(), [12, 10, 22, 20, 32, 30]);
        assert_eq!(signal.disconnect_all(), 6);
    }

    // Copied handles.

    #[test]
    fn all_copies_of_a_handle_see_what_was_done_through_any_of_them() {
        let signal: Signal<u32> = Signal::new();
        let seen = Strong::new(Exclusive::new(None::<Connection>));
        let original = signal.connect_extended(&seen, |seen, connection, n| {
            with(seen, |seen| *seen = Some(connection.clone()));
            assert!(*n > 0);
        });
        let error = signal.try_emit(&0).unwrap_err();
        let in_slot = with(&seen, Option::take).unwrap();
        let copies = [original.clone(), original, in_slot, error.failures()[0].connection().clone()];
        for one in &copies {
            let block = one.block();
            assert!(copies.iter().all(|other| other == one && other.is_blocked()));
            assert_eq!(signal.emit(&1), 0);
            drop(block);
            assert!(copies.iter().all(|other| other.is_connected() && !other.is_blocked()));
        }
        assert_eq!(signal.emit(&1), 1);
        assert!(copies[3].disconnect());
        assert!(!copies.iter().any(Connection::is_connected));
        assert!(!copies.iter().any(Connection::disconnect));
        assert_eq!(signal.emit(&1), 0);
    }

    // Objects with a value and a signal that says when it changes, connected to each other.

    #[derive(Default)]
    struct Value {
        value: AtomicU32,
        changes: AtomicUsize,
        changed: Signal<u32>,
    }

    impl Value {
        fn set(&self, value: &u32) {
            if self.value.swap(*value, SeqCst) != *value {
                self.changes.fetch_add(1, SeqCst);
                self.changed.emit(value);
            }
        }
        fn state(&self) -> (u32, usize) {
            (self.value.load(SeqCst), self.changes.load(SeqCst))
        }
    }

    #[test]
    fn two_values_that_follow_each_other_change_once_each_and_their_loop_ends() {
        let (a, b) = (Strong::new(Value::default()), Strong::new(Value::default()));
        a.changed.connect(&b, Value::set);
        b.changed.connect(&a, Value::set);
        a.set(&7);
        assert_eq!((a.state(), b.state()), ((7, 1), (7, 1)));
        b.set(&9);
        assert_eq!((a.state(), b.state()), ((9, 2), (9, 2)));
        a.set(&9);
        assert_eq!((a.state(), b.state()), ((9, 2), (9, 2)));
        let gone = Strong::downgrade(&b);
        drop(b);
        assert!(gone.upgrade().is_none(), "the loop holds nobody");
        a.set(&1);
        assert_eq!(a.state(), (1, 3));
        assert!(a.changed.is_empty());
    }

    #[test]
    fn a_ring_of_values_carries_a_change_round_once_from_wherever_it_starts() {
        let ring: Vec<Strong<Value>> = (0..20).map(|_| Strong::default()).collect();
        for i in 0..20 {
            ring[i].changed.connect(&ring[(i + 1) % 20], Value::set);
        }
        for (round, start) in [0, 19, 7].into_iter().enumerate() {
            ring[start].set(&(round as u32 + 1));
            assert!(ring.iter().all(|value| value.state() == (round as u32 + 1, round + 1)));
        }
    }

    // Tracking.

    #[test]
    fn owners_dropped_in_any_order_take_their_own_slots_with_them_and_no_others() {
        for order in [[0, 1, 2], [2, 1, 0], [0, 2, 1], [1, 0, 2]] {
            let (signal, parts) = parts();
            let mut parts = parts.map(Some);
            let first = signal.connect(parts[order[0]].as_ref().unwrap(), Part::two);
            for (dead, which) in order.into_iter().enumerate() {
                let weak = Strong::downgrade(parts[which].as_ref().unwrap());
                parts[which] = None;
                assert!(weak.upgrade().is_none());
                assert!(!first.is_connected());
                assert_eq!(signal.slot_count(), 4 * (2 - dead));
                let left = parts.iter().flatten().map(|part| part.0 * 10);
                let expected: Vec<u32> = left.flat_map(|n| [n + 1, n + 2, n + 1, n]).collect();
                assert_eq!(signal.call(&()).collect::<Vec<_>>(), expected, "{order:?}");
            }
            assert_eq!(signal.prune(), 0, "the emissions have pruned all");
        }
    }

    #[test]
    fn a_slot_of_an_owner_inside_another_ends_with_the_last_that_holds_it() {
        // sigslot tracks several objects for one slot; here the owner is one, and holds the others.
        let signal: Signal<(), u32> = Signal::new();
        let inner = Strong::new(Part(4));
        let outer = Strong::new((inner.clone(), Part(5)));
        signal.connect(&outer, |outer, event| outer.0.one(event) + outer.1.two(event));
        let of_inner = signal.connect(&inner, Part::one);
        drop(inner);
        assert_eq!(signal.call(&()).collect::<Vec<_>>(), [41 + 52, 41]);
        drop(outer);
        assert!(!of_inner.is_connected());
        assert_eq!(signal.call(&()).next(), None);
    }

    // Groups are priorities here, and the higher one comes first. To disconnect one together, keep
    // its connections in a `ConnectionSet`.

    #[test]
    fn a_thousand_slots_in_groups_are_called_group_by_group_and_end_group_by_group() {
        let signal: Signal<(), (i32, usize)> = Signal::new();
        let owner = Strong::new(());
        let mut groups: Vec<ConnectionSet> = (0..10).map(|_| ConnectionSet::new()).collect();
        for number in 0..1000 {
            // 617 is prime: the groups take turns in an order that is not theirs.
            let group = (number * 617 / 7 % 10) as i32;
            let connect = move |_: &(), _: &()| (group, number);
            groups[group as usize].add(signal.slot().priority(group).connect(&owner, connect));
        }
        let mut left = 1000;
        let all_in_order = |left: usize| {
            let called: Vec<(i32, usize)> = signal.call(&()).collect();
            assert_eq!(called.len(), left);
            assert!(called.is_sorted_by_key(|(group, number)| (-group, *number)));
        };
        all_in_order(left);
        for which in [5, 0, 9, 2] {
            let size = groups[which].len();
            assert!(size > 50);
            assert_eq!(groups[which].disconnect_all(), size);
            left -= size;
            all_in_order(left);
        }
    }

    // Recursion.

    #[test]
    fn ping_pong_between_two_signals_runs_depth_first_to_its_end() {
        struct Player {
            hit: Signal<u32>,
            log: Log,
            name: &'static str,
        }
        impl Player {
            fn new(log: &Log, name: &'static str) -> Strong<Player> {
                Strong::new(Player { hit: Signal::new(), log: log.clone(), name })
            }
            fn on_hit(&self, left: &u32) {
                self.log.add(format!("{} {left}", self.name));
                if *left > 0 {
                    assert_eq!(self.hit.emit(&(left - 1)), 1);
                }
                self.log.add(format!("{} back from {left}", self.name));
            }
        }
        let log = Log::default();
        let (ping, pong) = (Player::new(&log, "ping"), Player::new(&log, "pong"));
        ping.hit.connect(&pong, Player::on_hit);
        pong.hit.connect(&ping, Player::on_hit);
        assert_eq!(ping.hit.emit(&199), 1);
        let name = |left: &u32| if left % 2 == 1 { "pong" } else { "ping" };
        let there = (0..200).rev().map(|left| format!("{} {left}", name(&left)));
        let back = (0..200).map(|left| format!("{} back from {left}", name(&left)));
        assert_eq!(log.take(), there.chain(back).collect::<Vec<_>>());
    }
}

// Threads.

#[test]
fn ten_emitters_add_up_to_the_exact_sum_in_slots_of_every_kind() {
    use sigwire::Signal;
    let signal: Signal<u64, u64> = Signal::new();
    let atomic = Arc::new(AtomicU64::new(0));
    let locked = Arc::new(Mutex::new(0_u64));
    let closed_over = Arc::new(AtomicU64::new(0));
    signal.connect(&atomic, |sum, n| {
        sum.fetch_add(*n, SeqCst);
        *n
    });
    signal.connect_mut(&locked, |sum, n| {
        *sum += n;
        *n
    });
    let sum = closed_over.clone();
    let _guard = signal.connect_fn(move |n| {
        sum.fetch_add(*n, SeqCst);
        *n
    });
    let returned: u64 = thread::scope(|scope| {
        let emitters: Vec<_> = (0..10)
            .map(|thread| {
                let signal = &signal;
                let numbers = thread * 1000..thread * 1000 + 1000;
                scope.spawn(move || numbers.map(|n| signal.call(&n).sum::<u64>()).sum::<u64>())
            })
            .collect();
        emitters.into_iter().map(|emitter| emitter.join().unwrap()).sum()
    });
    let expected = (0..10_000).sum::<u64>();
    assert_eq!(atomic.load(SeqCst), expected);
    assert_eq!(*locked.lock().unwrap(), expected);
    assert_eq!(closed_over.load(SeqCst), expected);
    assert_eq!(returned, 3 * expected);
}

#[test]
fn signals_whose_running_slots_use_each_other_from_two_threads_do_not_deadlock() {
    use sigwire::Signal;
    struct Crossing {
        signals: [Signal<u32>; 2],
        both_inside: Barrier,
        calls: AtomicUsize,
    }
    impl Crossing {
        fn cross(&self, other: usize, n: &u32) {
            self.calls.fetch_add(1, SeqCst);
            if *n > 0 {
                return;
            }
            // From here on each signal has a slot running, and uses the other one.
            self.both_inside.wait();
            let owner = Arc::new(());
            let signal = &self.signals[other];
            let connection = signal.connect(&owner, |_, _| ());
            let block = signal.block();
            assert_eq!(signal.emit(&1), 0);
            drop(block);
            assert_eq!(signal.emit(&1), 2);
            assert_eq!(signal.slot_count(), 2);
            assert_eq!(connection.disconnect_and_wait(), Ok(true));
            assert_eq!(signal.prune(), 0);
            self.both_inside.wait();
        }
    }
    let (done, ended) = channel();
    thread::spawn(move || {
        for _ in 0..50 {
            let crossing = Arc::new(Crossing {
                signals: [Signal::new(), Signal::new()],
                both_inside: Barrier::new(2),
                calls: AtomicUsize::new(0),
            });
            for me in 0..2 {
                crossing.signals[me]
                    .connect(&crossing, move |crossing, n| crossing.cross(1 - me, n));
            }
            thread::scope(|scope| {
                for signal in &crossing.signals {
                    scope.spawn(|| assert_eq!(signal.emit(&0), 1));
                }
            });
            assert_eq!(crossing.calls.load(SeqCst), 4);
        }
        done.send(()).unwrap();
    });
    assert_eq!(ended.recv_timeout(Duration::from_secs(20)), Ok(()), "it is stuck, or failed");
}

#[test]
fn twenty_emitting_twenty_connecting_and_twenty_disconnecting_threads_leave_the_signal_whole() {
    use sigwire::{Connection, Signal};
    const THREADS: usize = 20;
    const EMISSIONS: usize = 40;
    const CONNECTS: usize = 25;

    /// Knows whether its slot may still be called.
    struct Guest {
        ended: AtomicBool,
        calls: Arc<AtomicUsize>,
    }
    impl Guest {
        fn on(&self, n: &usize) {
            assert!(!self.ended.load(SeqCst), "no call starts after its disconnect returned");
            self.calls.fetch_add(1, SeqCst);
            if n % 4 == 0 {
                thread::yield_now();
                assert!(!self.ended.load(SeqCst), "the disconnect waited for the call");
            }
        }
    }

    let signal: Signal<usize> = Signal::new();
    let calls = Arc::new(AtomicUsize::new(0));
    let permanent = Arc::new(Mutex::new(HashSet::new()));
    signal.connect_mut(&permanent, |events, n| assert!(events.insert(*n), "{n} came twice"));
    let pool: Mutex<Vec<(Connection, Arc<Guest>)>> = Mutex::new(vec![]);
    let ended: Mutex<Vec<Weak<Guest>>> = Mutex::new(vec![]);
    let start = Barrier::new(3 * THREADS);
    let counted = AtomicUsize::new(0);

    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (signal, start, counted) = (&signal, &start, &counted);
            scope.spawn(move || {
                start.wait();
                for n in 0..EMISSIONS {
                    counted.fetch_add(signal.emit(&(thread * EMISSIONS + n)), SeqCst);
                }
            });
            let (pool, ended, calls) = (&pool, &ended, &calls);
            scope.spawn(move || {
                start.wait();
                for n in 0..CONNECTS {
                    let guest = Guest { ended: AtomicBool::new(false), calls: calls.clone() };
                    let guest = Arc::new(guest);
                    let priority = (n % 3) as i32 - 1;
                    let connection = signal.slot().priority(priority).connect(&guest, Guest::on);
                    pool.lock().unwrap().push((connection, guest));
                }
            });
            scope.spawn(move || {
                start.wait();
                let mut left = CONNECTS;
                while left > 0 {
                    let Some((connection, guest)) = pool.lock().unwrap().pop() else {
                        thread::yield_now();
                        continue;
                    };
                    assert_eq!(connection.disconnect_and_wait(), Ok(true));
                    guest.ended.store(true, SeqCst);
                    ended.lock().unwrap().push(Arc::downgrade(&guest));
                    left -= 1;
                }
            });
        }
    });

    assert_eq!(permanent.lock().unwrap().len(), THREADS * EMISSIONS);
    assert_eq!(counted.load(SeqCst), calls.load(SeqCst) + THREADS * EMISSIONS);
    assert_eq!(signal.slot_count(), 1);
    assert_eq!(signal.emit(&usize::MAX), 1);
    let ended = ended.into_inner().unwrap();
    assert_eq!(ended.len(), THREADS * CONNECTS);
    assert!(ended.iter().all(|guest| guest.strong_count() == 0));
    assert_eq!(Arc::weak_count(&permanent), 1);
}
