//! What boost::signals2 is tested for, written afresh for sigwire.

mod common;

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

/// How long to wait for what must come.
const LONG: Duration = Duration::from_secs(20);

/// Runs it on a thread of its own, so that a deadlock is a failed test and not one without end.
fn in_time(run: impl FnOnce() + Send + 'static) {
    let (done, ended) = channel();
    let running = thread::spawn(move || {
        // Also when it panics: then the sender is dropped.
        run();
        done.send(()).unwrap();
    });
    let ended = ended.recv_timeout(LONG);
    assert_ne!(ended, Err(std::sync::mpsc::RecvTimeoutError::Timeout), "it is stuck");
    if let Err(panic) = running.join() {
        std::panic::resume_unwind(panic);
    }
}

both_flavors! {
    /// Numbered slots, each of which notes that it was called and disconnects the slots that the
    /// plan names for it.
    struct Board {
        signal: Signal<()>,
        connections: Exclusive<Vec<Connection>>,
        called: Exclusive<Vec<usize>>,
    }

    impl Board {
        fn new(slots: usize, plan: impl Fn(usize) -> Vec<usize>) -> Strong<Board> {
            let board = Strong::new(Board {
                signal: Signal::new(),
                connections: Exclusive::new(vec![]),
                called: Exclusive::new(vec![]),
            });
            for number in 0..slots {
                let victims = plan(number);
                let connection = board.signal.connect(&board, move |board, _| {
                    with(&board.called, |called| called.push(number));
                    for victim in &victims {
                        with(&board.connections, |all| all[*victim].clone()).disconnect();
                    }
                });
                with(&board.connections, |all| all.push(connection));
            }
            board
        }

        /// The slots that one emission calls.
        fn emit(&self) -> Vec<usize> {
            let count = self.signal.emit(&());
            let called = with(&self.called, std::mem::take);
            assert_eq!(count, called.len());
            called
        }
    }

    // Slots that disconnect themselves, and each other.

    #[test]
    fn a_slot_that_disconnects_itself_first_in_the_middle_or_last_is_called_once_and_its_neighbours_always() {
        for me in [0, 2, 4] {
            let board = Board::new(5, |number| if number == me { vec![me] } else { vec![] });
            assert_eq!(board.emit(), [0, 1, 2, 3, 4], "with {me}");
            let others: Vec<usize> = (0..5).filter(|number| *number != me).collect();
            assert_eq!(board.emit(), others, "without {me}");
            assert_eq!(board.signal.slot_count(), 4);
        }
    }

    #[test]
    fn when_all_slots_disconnect_themselves_each_is_called_exactly_once() {
        for slots in [1, 2, 3, 10] {
            let board = Board::new(slots, |number| vec![number]);
            assert_eq!(board.emit(), (0..slots).collect::<Vec<_>>());
            assert!(board.signal.is_empty());
            assert_eq!(board.emit(), []);
        }
    }

    #[test]
    fn in_a_chain_where_each_slot_disconnects_the_next_every_other_one_is_called() {
        let board = Board::new(7, |number| if number < 6 { vec![number + 1] } else { vec![] });
        assert_eq!(board.emit(), [0, 2, 4, 6]);
        assert_eq!(board.emit(), [0, 2, 4, 6]);
    }

    #[test]
    fn in_a_chain_where_each_slot_disconnects_the_one_before_all_are_called_and_the_last_remains() {
        let board = Board::new(7, |number| number.checked_sub(1).into_iter().collect());
        assert_eq!(board.emit(), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(board.emit(), [6]);
    }

    #[test]
    fn of_slots_that_each_disconnect_all_the_others_only_the_first_is_ever_called() {
        let board = Board::new(7, |number| (0..7).filter(|other| *other != number).collect());
        assert_eq!(board.emit(), [0]);
        assert_eq!(board.emit(), [0]);
        let board = Board::new(7, |_| (0..7).rev().collect());
        assert_eq!(board.emit(), [0], "itself included");
        assert_eq!(board.emit(), []);
    }

    // Disconnecting by equality. Boost compares function objects; here slots are equal when they
    // call the same method of the same owner (`disconnect_method`), or any method (`disconnect_owner`).

    #[derive(PartialEq, Debug)]
    struct Adder(i32);

    impl Adder {
        fn add(&self, n: &i32) -> i32 {
            self.0 + n
        }
        fn take_away(&self, n: &i32) -> i32 {
            n - self.0
        }
    }

    #[test]
    fn disconnecting_by_equality_removes_every_equal_slot_wherever_it_stands_and_no_other() {
        let signal: Signal<i32, i32> = Signal::new();
        let (one, two) = (Strong::new(Adder(1)), Strong::new(Adder(2)));
        for priority in [0, 5, -5] {
            signal.slot().priority(priority).connect(&one, Adder::add);
            signal.slot().priority(priority).connect(&two, Adder::add);
            signal.slot().priority(priority).connect(&one, Adder::take_away);
        }
        assert_eq!(signal.disconnect_method(&one, Adder::add), 3);
        assert_eq!(signal.disconnect_method(&two, Adder::take_away), 0);
        assert_eq!(signal.call(&10).collect::<Vec<_>>(), [12, 9, 12, 9, 12, 9]);
    }

    #[test]
    fn owners_of_equal_value_are_different_owners_to_a_disconnect_by_equality() {
        let signal: Signal<i32, i32> = Signal::new();
        let (one, other) = (Strong::new(Adder(1)), Strong::new(Adder(1)));
        assert_eq!(*one, *other);
        signal.connect(&one, Adder::add);
        signal.connect(&other, Adder::take_away);
        assert_eq!(signal.disconnect_owner(&one), 1);
        assert_eq!(signal.call(&10).collect::<Vec<_>>(), [9]);
    }

    #[test]
    fn a_slot_that_disconnects_all_slots_equal_to_itself_is_the_last_of_them_to_be_called() {
        struct Quitter(Weak<Signal<()>>, Weak<Quitter>, AtomicUsize);
        impl Quitter {
            fn quit(&self, _: &()) {
                self.2.fetch_add(1, Relaxed);
                let (signal, me) = (self.0.upgrade().unwrap(), self.1.upgrade().unwrap());
                assert_eq!(signal.disconnect_method(&me, Quitter::quit), 4);
            }
        }
        let signal: Strong<Signal<()>> = Strong::new(Signal::new());
        let quitter = Strong::new_cyclic(|me: &Weak<Quitter>| {
            Quitter(Strong::downgrade(&signal), me.clone(), AtomicUsize::new(0))
        });
        for _ in 0..4 {
            signal.connect(&quitter, Quitter::quit);
        }
        signal.connect(&quitter, |_, _| ());
        assert_eq!(signal.emit(&()), 2, "itself, and the one that is not equal");
        assert_eq!(signal.emit(&()), 1);
        assert_eq!(quitter.2.load(Relaxed), 1);
    }

    // Order. Boost calls groups in ascending order of their keys; here groups are priorities, and
    // the higher one comes first.

    #[test]
    fn a_hundred_slots_of_random_priorities_are_called_in_sorted_order() {
        let signal: Signal<(), (i32, usize)> = Signal::new();
        let owner = Strong::new(());
        let mut random = 2024_u64;
        let mut slots: Vec<((i32, usize), Connection)> = vec![];
        for number in 0..100 {
            random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let priority = (random >> 40) as i32 % 100 - 50;
            let connect = move |_: &(), _: &()| (priority, number);
            let connection = signal.slot().priority(priority).connect(&owner, connect);
            slots.push(((priority, number), connection));
        }
        slots.sort_by_key(|((priority, number), _)| (-priority, *number));
        let sorted = |slots: &[((i32, usize), Connection)]| -> Vec<(i32, usize)> {
            slots.iter().map(|(slot, _)| *slot).collect()
        };
        assert!(sorted(&slots).windows(2).any(|pair| pair[0].0 == pair[1].0), "some are equal");
        assert_eq!(signal.call(&()).collect::<Vec<_>>(), sorted(&slots));
        slots.retain(|((_, number), connection)| number % 3 > 0 || !connection.disconnect());
        assert_eq!(slots.len(), 66);
        assert_eq!(signal.call(&()).collect::<Vec<_>>(), sorted(&slots));
    }

    #[test]
    fn slots_without_a_priority_stand_between_the_positive_and_the_negative_ones() {
        let signal: Signal<(), &'static str> = Signal::new();
        let owner = Strong::new(());
        signal.connect(&owner, |_, _| "c");
        signal.slot().priority(-1).connect(&owner, |_, _| "e");
        signal.slot().priority(1).connect(&owner, |_, _| "a");
        signal.connect(&owner, |_, _| "d");
        signal.slot().priority(-1).connect(&owner, |_, _| "f");
        signal.slot().priority(1).connect(&owner, |_, _| "b");
        assert_eq!(signal.call(&()).collect::<String>(), "abcdef");
    }

    // Combiners: functions over the iterator that an emission is.

    /// A signal whose slots give these numbers, and count their calls.
    fn giving(numbers: &[i32]) -> (Signal<(), i32>, Strong<AtomicUsize>, Vec<Connection>) {
        let signal = Signal::new();
        let calls = Strong::new(AtomicUsize::new(0));
        let connect = |number: &i32| {
            let number = *number;
            signal.connect(&calls, move |calls, _| {
                calls.fetch_add(1, Relaxed);
                number
            })
        };
        let connections = numbers.iter().map(connect).collect();
        (signal, calls, connections)
    }

    fn max_or_zero(results: impl Iterator<Item = i32>) -> i32 {
        results.max().unwrap_or(0)
    }

    #[test]
    fn a_maximum_combiner_gives_the_largest_result_of_the_slots_that_may_be_called() {
        let (signal, calls, connections) = giving(&[3, -7, 42, 5]);
        assert_eq!(max_or_zero(signal.call(&())), 42);
        let block = connections[2].block();
        assert_eq!(max_or_zero(signal.call(&())), 5);
        drop(block);
        assert_eq!(max_or_zero(signal.call(&())), 42);
        connections[2].disconnect();
        connections[3].disconnect();
        assert_eq!(max_or_zero(signal.call(&())), 3);
        connections[0].disconnect();
        assert_eq!(max_or_zero(signal.call(&())), -7, "not the default: there is a slot");
        connections[1].disconnect();
        assert_eq!(max_or_zero(signal.call(&())), 0);
        assert_eq!(calls.load(Relaxed), 4 + 3 + 4 + 2 + 1);
    }

    #[test]
    fn a_last_value_combiner_gives_what_the_slot_called_last_returned_after_calling_them_all() {
        let (signal, calls, connections) = giving(&[1, 2, 3]);
        let first = signal.slot().priority(9).connect(&calls, |_, _| 100);
        assert_eq!(signal.call(&()).last(), Some(3), "called last, not connected last");
        assert_eq!(calls.load(Relaxed), 3);
        connections[2].disconnect();
        assert_eq!(signal.call(&()).last(), Some(2));
        drop((calls, connections));
        assert_eq!(signal.call(&()).last(), None);
        assert!(!first.is_connected());
    }

    #[test]
    fn a_combiner_that_has_its_answer_calls_no_further_slot() {
        let (signal, calls, connections) = giving(&[1, 2, 3, 4]);
        let called = |expected| assert_eq!(calls.swap(0, Relaxed), expected);
        assert!(signal.call(&()).any(|result| result == 2));
        called(2);
        assert!(!signal.call(&()).all(|result| result < 3));
        called(3);
        let stop_at = |limit| {
            signal.call(&()).try_fold(0, |sum, result| {
                if sum + result > limit {
                    ControlFlow::Break(sum)
                } else {
                    ControlFlow::Continue(sum + result)
                }
            })
        };
        assert_eq!(stop_at(5), ControlFlow::Break(3));
        called(3);
        assert_eq!(stop_at(10), ControlFlow::Continue(10));
        called(4);
        let mut results = signal.call(&());
        called(0);
        assert_eq!(results.next(), Some(1));
        called(1);
        connections[1].disconnect();
        assert_eq!(results.next(), Some(3), "disconnected between two results");
        called(1);
        drop(results);
        called(0);
    }

    // Boost calls a slot when its result is read; here it is called when the emission is advanced.
    #[test]
    fn a_combiner_may_pass_over_results_but_not_over_calls() {
        let (signal, calls, _) = giving(&[1, 2, 3, 4]);
        assert_eq!(signal.call(&()).nth(2), Some(3));
        assert_eq!(calls.swap(0, Relaxed), 3);
        assert_eq!(signal.call(&()).step_by(2).collect::<Vec<_>>(), [1, 3]);
        assert_eq!(calls.swap(0, Relaxed), 4);
    }

    #[test]
    fn a_signal_with_no_slot_to_call_gives_combiners_none_however_it_became_empty() {
        let gives_none = |signal: &Signal<(), i32>| {
            assert_eq!(signal.call(&()).next(), None);
            assert_eq!(signal.call(&()).last(), None);
            assert_eq!(signal.call(&()).max(), None);
            assert_eq!(signal.call(&()).reduce(|a, b| a + b), None);
            assert_eq!(signal.call(&()).count(), 0);
            assert_eq!(max_or_zero(signal.call(&())), 0);
        };
        gives_none(&Signal::new());
        let (signal, _calls, connections) = giving(&[1, 2]);
        connections.iter().for_each(|connection| assert!(connection.disconnect()));
        gives_none(&signal);
        let (signal, calls, _) = giving(&[1, 2]);
        drop(calls);
        gives_none(&signal);
        let (signal, _calls, connections) = giving(&[1, 2]);
        let _blocks: Vec<Block> = connections.iter().map(Connection::block).collect();
        gives_none(&signal);
        let (signal, _calls, _) = giving(&[1, 2]);
        signal.disconnect_all();
        gives_none(&signal);
    }

    // Chains of signals. A signal is a slot of another one like any other object: as the owner.

    type Link = Signal<u32, Option<u32>>;

    fn pass_on(link: &Link, n: &u32) -> Option<u32> {
        link.call(&(n + 1)).last().flatten()
    }

    #[test]
    fn an_event_goes_down_a_chain_of_signals_and_the_result_comes_back_up() {
        let chain: Vec<Strong<Link>> = (0..10).map(|_| Strong::new(Link::new())).collect();
        for pair in chain.windows(2) {
            pair[0].connect(&pair[1], pass_on);
        }
        assert_eq!(chain[0].call(&1).last(), Some(None), "the chain leads to nobody");
        let end = Strong::new(100);
        chain[9].connect(&end, |end, n| Some(*end + n));
        assert_eq!(chain[0].call(&1).last(), Some(Some(110)));
        assert_eq!(chain[8].call(&1).last(), Some(Some(102)));
    }

    #[test]
    fn a_chain_of_signals_is_broken_where_its_target_dies_and_nowhere_else() {
        let [a, b, c] = [(); 3].map(|()| Strong::new(Link::new()));
        let end = Strong::new(100);
        let a_to_b = a.connect(&b, pass_on);
        let b_to_c = b.connect(&c, pass_on);
        c.connect(&end, |end, n| Some(*end + n));
        assert_eq!(a.call(&0).last(), Some(Some(102)));
        drop(b);
        assert_eq!(a.call(&0).last(), None);
        assert!(!a_to_b.is_connected() && !b_to_c.is_connected());
        assert!(a.is_empty());
        assert_eq!(c.call(&0).last(), Some(Some(100)), "what b led to lives on");
        a.connect(&c, pass_on);
        assert_eq!(a.call(&0).last(), Some(Some(101)));
    }

    // Blocks. Boost's block is released by hand or by its end; here by its end alone.

    #[test]
    fn silence_ends_with_the_last_of_several_blocks_in_whatever_order_they_are_released() {
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
            let board = Board::new(3, |_| vec![]);
            let connection = with(&board.connections, |all| all[1].clone());
            let mut blocks: Vec<Option<Block>> = (0..4).map(|_| Some(connection.block())).collect();
            for release in order {
                assert!(connection.is_blocked() && connection.is_connected());
                assert_eq!(board.emit(), [0, 2]);
                blocks[release] = None;
            }
            assert!(!connection.is_blocked());
            assert_eq!(board.emit(), [0, 1, 2]);
        }
    }

    #[test]
    fn a_block_outlives_the_handle_the_connection_and_the_signal_it_came_from() {
        let signal: Signal<()> = Signal::new();
        let owner = Strong::new(());
        let block = signal.connect(&owner, |_, _| ()).block();
        assert_eq!(signal.emit(&()), 0, "the handle is gone, the block is not");
        drop(block);
        assert_eq!(signal.emit(&()), 1);
        let connection = signal.connect(&owner, |_, _| ());
        let blocks = [connection.block(), connection.block()];
        assert_eq!(signal.disconnect_owner(&owner), 2);
        assert!(!connection.is_connected() && !connection.is_blocked());
        let [one, two] = blocks;
        drop(one);
        let third = connection.block();
        drop(signal);
        drop((two, third, connection.block()));
    }

    // Scoped connections. Boost swaps, releases and assigns them by methods of theirs; here swap is
    // `mem::swap`, release is `detach`, and a move is a move.

    /// A signal whose one slot is guarded.
    fn guarded() -> (Signal<()>, ScopedConnection) {
        let signal = Signal::new();
        let guard = signal.connect_fn(|_| ());
        (signal, guard)
    }

    #[test]
    fn swapped_guards_each_disconnect_what_the_other_held() {
        let ((a, mut guard_of_a), (b, mut guard_of_b)) = (guarded(), guarded());
        std::mem::swap(&mut guard_of_a, &mut guard_of_b);
        assert_eq!((a.emit(&()), b.emit(&())), (1, 1), "swapping disconnects nothing");
        drop(guard_of_a);
        assert_eq!((a.emit(&()), b.emit(&())), (1, 0));
        drop(guard_of_b);
        assert_eq!((a.emit(&()), b.emit(&())), (0, 0));
    }

    #[test]
    fn a_released_guard_gives_a_connection_that_stands_until_it_is_disconnected_or_guarded_again() {
        let (signal, guard) = guarded();
        let copy = Connection::clone(&guard);
        let connection = guard.detach();
        assert_eq!(connection, copy);
        assert_eq!(signal.emit(&()), 1);
        drop(connection);
        assert_eq!(signal.emit(&()), 1);
        drop(copy.clone().scoped());
        assert_eq!(signal.emit(&()), 0);
        assert!(!copy.is_connected());
    }

    #[test]
    fn a_moved_guard_disconnects_where_it_ends_and_not_where_it_was_made() {
        let (signal, guard) = guarded();
        let mut moved = vec![Some(Box::new(guard))];
        assert_eq!(signal.emit(&()), 1);
        let guard = moved[0].take();
        drop(moved);
        assert_eq!(signal.emit(&()), 1);
        let holder = Strong::new(guard);
        let second = holder.clone();
        drop(holder);
        assert_eq!(signal.emit(&()), 1);
        drop(second);
        assert_eq!(signal.emit(&()), 0);
    }

    #[test]
    fn a_guard_that_is_assigned_over_disconnects_what_it_held_before() {
        let ((a, guard_of_a), (b, guard_of_b)) = (guarded(), guarded());
        let mut guards = [guard_of_a];
        assert_eq!((a.emit(&()), b.emit(&())), (1, 1));
        guards[0] = guard_of_b;
        assert_eq!((a.emit(&()), b.emit(&())), (0, 1));
        guards[0] = a.connect_fn(|_| ());
        assert_eq!((a.emit(&()), b.emit(&())), (1, 0));
        drop(guards);
        assert_eq!((a.emit(&()), b.emit(&())), (0, 0));
    }

    // Slots that connect.

    #[test]
    fn slots_that_connect_grow_the_count_at_once_and_the_calls_with_the_next_emission() {
        struct Grower(Weak<Signal<()>>, Weak<Grower>);
        impl Grower {
            fn grow(&self, _: &()) {
                let signal = self.0.upgrade().unwrap();
                let before = signal.slot_count();
                signal.connect(&self.1.upgrade().unwrap(), Grower::grow);
                assert_eq!(signal.slot_count(), before + 1);
            }
        }
        let signal: Strong<Signal<()>> = Strong::new(Signal::new());
        let grower =
            Strong::new_cyclic(|me: &Weak<Grower>| Grower(Strong::downgrade(&signal), me.clone()));
        signal.connect(&grower, Grower::grow);
        for emission in 0..8 {
            assert_eq!(signal.emit(&()), 1 << emission);
            assert_eq!(signal.slot_count(), 2 << emission);
        }
    }

    // Destructors that use the signal.

    /// Owns two slots. Its destructor asks the signal how many there are, and disconnects its own
    /// and one of others.
    struct Listener {
        signal: Weak<Signal<()>>,
        name: &'static str,
        own: Exclusive<Vec<Connection>>,
        others: Exclusive<Option<Connection>>,
        log: Log,
    }

    impl Listener {
        fn new(signal: &Strong<Signal<()>>, log: &Log, name: &'static str) -> Strong<Listener> {
            let listener = Strong::new(Listener {
                signal: Strong::downgrade(signal),
                name,
                own: Exclusive::new(vec![]),
                others: Exclusive::new(None),
                log: log.clone(),
            });
            let capture = 0;
            let own = [
                signal.connect(&listener, Listener::on),
                signal.connect(&listener, move |listener, _| _ = (listener, capture)),
            ];
            with(&listener.own, |list| list.extend(own));
            listener
        }
        fn on(&self, _: &()) {
            self.log.add(self.name);
        }
    }

    impl Drop for Listener {
        fn drop(&mut self) {
            let signal = self.signal.upgrade().unwrap();
            let own = with(&self.own, std::mem::take);
            assert!(!own.iter().any(Connection::is_connected), "their owner is gone");
            own.iter().for_each(|connection| _ = connection.disconnect());
            let others = with(&self.others, Option::take);
            let ended = others.is_some_and(|connection| connection.disconnect());
            let (name, left) = (self.name, signal.slot_count());
            self.log.add(format!("{name} saw {left} slots, ended one: {ended}"));
        }
    }

    #[test]
    fn an_owner_whose_last_reference_a_slot_drops_may_query_and_disconnect_the_same_signal_as_it_dies() {
        let log = Log::default();
        let signal: Strong<Signal<()>> = Strong::new(Signal::new());
        let held = Strong::new(Exclusive::new(vec![]));
        signal.connect(&held, |held, _| drop(with(held, std::mem::take)));
        let listeners = ["a", "b", "c"].map(|name| Listener::new(&signal, &log, name));
        let last = signal.connect(&held, |_, _| panic!("the listener a disconnected it"));
        with(&listeners[0].others, |others| *others = Some(last));
        with(&held, |held| held.extend(listeners));
        assert_eq!(signal.slot_count(), 8);
        assert_eq!(signal.emit(&()), 1);
        assert_eq!(log.take(), [
            "a saw 5 slots, ended one: true",
            "b saw 3 slots, ended one: false",
            "c saw 1 slots, ended one: false",
        ]);
        assert_eq!(signal.emit(&()), 1);
    }

    #[test]
    fn a_slot_that_drops_its_own_owner_lets_the_destructor_query_and_disconnect_the_signal_after_the_call() {
        let log = Log::default();
        let signal: Strong<Signal<()>> = Strong::new(Signal::new());
        let held = Strong::new(Exclusive::new(None::<Strong<Listener>>));
        let listener = Listener::new(&signal, &log, "self");
        let in_slot = Strong::downgrade(&held);
        let own_slot = signal.slot().priority(1).connect(&listener, move |listener, _| {
            drop(with(&in_slot.upgrade().unwrap(), Option::take));
            listener.log.add("the call goes on");
        });
        let other = signal.connect(&held, |_, _| panic!("the destructor disconnected it"));
        with(&listener.others, |others| *others = Some(other));
        with(&held, |held| *held = Some(listener));
        assert_eq!(signal.emit(&()), 1);
        assert_eq!(log.take(), ["the call goes on", "self saw 0 slots, ended one: true"]);
        assert!(!own_slot.is_connected());
    }

    #[test]
    fn a_closure_that_held_the_last_reference_to_an_owner_lets_go_of_it_outside_the_signals_lock() {
        in_time(|| {
            let log = Log::default();
            let signal: Strong<Signal<()>> = Strong::new(Signal::new());
            let listener = Listener::new(&signal, &log, "captured");
            let other = signal.slot().priority(-1).connect_fn(|_| panic!("disconnected")).detach();
            with(&listener.others, |others| *others = Some(other));
            let holding = signal.slot().priority(-2).connect_fn(move |_| _ = &listener).detach();
            let ending = Strong::new(holding);
            signal.slot().priority(1).connect(&ending, |holding, _| assert!(holding.disconnect()));
            assert_eq!(signal.emit(&()), 1);
            assert_eq!(log.take(), ["captured saw 1 slots, ended one: true"]);
        });
    }

    // Boost takes a lock type as a parameter, and tests with one that fails on recursion. Here the
    // lock is not the user's, and does not bear recursion either (a deadlock; a panic in `local`):
    // so no operation may find it taken, wherever it is called from.

    pub(super) type Probed = Signal<u32, Option<Probe>>;

    /// Uses the signal when it is dropped.
    pub(super) struct Probe {
        signal: Weak<Probed>,
        use_it: fn(Strong<Probed>),
        place: &'static str,
        log: Log,
    }

    impl Probe {
        fn run(&self, place: &'static str) {
            (self.use_it)(self.signal.upgrade().unwrap());
            self.log.add(place);
        }
        fn again(&self, place: &'static str) -> Probe {
            Probe { signal: self.signal.clone(), place, log: self.log.clone(), ..*self }
        }
        fn touch(&self) {}
    }

    impl Drop for Probe {
        fn drop(&mut self) {
            self.run(self.place);
        }
    }

    fn nothing<O>(_: &O, _: &u32) -> Option<Probe> {
        None
    }

    /// Every operation there is. Its emissions are of the event 1, which the slots around it ignore.
    pub(super) fn use_everything(signal: Strong<Probed>) {
        let standing = signal.slot_count();
        let owner = Strong::new(());
        let connection = signal.slot().priority(1).name("probe").connect(&owner, nothing);
        assert_eq!(signal.slot().unique().connect(&owner, nothing::<()>), connection);
        let guard = signal.connect_fn(|_| None);
        let extended = signal.connect_extended(&owner, |_, connection, _| {
            connection.disconnect();
            None
        });
        assert_eq!(signal.slot_count(), standing + 3);
        assert!(!signal.is_empty() && connection.is_connected());
        assert!(format!("{signal:?} {connection:?} {guard:?}").contains("probe"));
        let blocks = (signal.block(), connection.block());
        assert!(signal.is_blocked() && connection.is_blocked());
        assert_eq!(signal.emit(&1), 0);
        drop(blocks);
        signal.slot().once().connect_fn(|_| None).detach();
        assert!(signal.emit(&1) >= 4);
        assert!(!extended.is_connected());
        assert!(signal.try_emit(&1).unwrap() >= 2);
        assert!(signal.call(&1).count() >= 2);
        assert_eq!(signal.disconnect_method(&owner, nothing::<()>), 1);
        assert_eq!(signal.disconnect_owner(&owner), 0);
        assert_eq!(guard.disconnect_and_wait(), Ok(true));
        let weak = WeakMethod::new(&owner, nothing::<()>);
        assert!(signal.connect_weak(weak).is_connected());
        drop(owner);
        assert!(signal.prune() >= 1);
        assert_eq!(signal.slot_count(), standing);
    }

    /// Uses the signal by `use_it` from wherever a signal runs somebody else's code.
    pub(super) fn from_everywhere(use_it: fn(Strong<Probed>)) {
        let log = Log::default();
        let signal: Strong<Probed> = Strong::new(Signal::new());
        let weak = Strong::downgrade(&signal);
        let probe = Probe { signal: weak, use_it, place: "an owner", log: log.clone() };
        let probe = Strong::new(probe);

        let slot = signal.connect(&probe, |probe, n| {
            (*n == 0).then(|| {
                probe.run("a slot");
                probe.again("a result")
            })
        });
        assert_eq!(signal.emit(&0), 1);
        assert_eq!(log.take(), ["a slot", "a result"]);
        signal.connect(&probe, nothing);
        for result in signal.call(&0) {
            probe.run("between two results");
            drop(result);
        }
        let expected = ["a slot", "between two results", "a result", "between two results"];
        assert_eq!(log.take(), expected);
        assert!(signal.try_emit(&0).is_ok());
        assert_eq!(log.take(), ["a slot", "a result"]);
        slot.disconnect();

        let captured = probe.again("a closure, by its guard");
        drop(signal.connect_fn(move |_| { captured.touch(); None }));
        let captured = probe.again("a closure, by its last call");
        signal.slot().once().connect_fn(move |_| { captured.touch(); None }).detach();
        signal.emit(&0);
        let captured = probe.again("a closure, by its dead owner, in an emission");
        signal.connect(&Strong::new(()), move |_, _| { captured.touch(); None });
        signal.emit(&0);
        let captured = probe.again("a closure, by prune");
        signal.connect(&Strong::new(()), move |_, _| { captured.touch(); None });
        signal.prune();
        let captured = probe.again("a closure, by its owner");
        signal.connect(&probe, move |_, _| { captured.touch(); None });
        signal.disconnect_owner(&probe);
        let captured = probe.again("a closure, by disconnect_all");
        signal.slot().connect_fn(move |_| { captured.touch(); None }).detach();
        signal.disconnect_all();
        let captured = probe.again("a closure that unique did not need");
        let standing = |captured: Probe| {
            signal.slot().unique().connect(&probe, move |_, _| { captured.touch(); None })
        };
        let first = standing(probe.again("the closure that stood"));
        assert_eq!(standing(captured), first);
        first.disconnect();
        assert_eq!(log.take(), [
            "a closure, by its guard",
            "a closure, by its last call",
            "a closure, by its dead owner, in an emission",
            "a closure, by prune",
            "a closure, by its owner",
            "a closure, by disconnect_all",
            "a closure that unique did not need",
            "the closure that stood",
        ]);

        let last = Strong::new(Exclusive::new(None));
        let in_slot = Strong::downgrade(&last);
        signal.connect(&probe, move |_, n| {
            if *n == 0 {
                drop(with(&in_slot.upgrade().unwrap(), Option::take));
            }
            None
        });
        with(&last, |last| *last = Some(probe));
        assert_eq!(signal.emit(&0), 1);
        assert_eq!(log.take(), ["an owner"]);
    }

    #[test]
    fn no_operation_finds_the_signals_lock_taken_wherever_the_signal_runs_somebody_elses_code() {
        in_time(|| from_everywhere(use_everything));
    }
}

#[test]
fn another_thread_may_use_the_signal_while_it_runs_somebody_elses_code() {
    // Whoever runs waits for the other thread: a lock held meanwhile would be in its way.
    in_time(|| {
        threaded::from_everywhere(|signal| in_time(|| threaded::use_everything(signal)));
    });
}
