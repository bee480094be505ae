//! What EnTT, eventpp and libsigc++ test for, written afresh for sigwire.

mod common;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier};
use std::thread;

both_flavors! {
    // EnTT: a slot that connects, and disconnects itself, inside publish.

    /// A slot that ends itself and connects its successor, which so takes its place; on odd events in
    /// the other order.
    struct Relay {
        signal: Weak<Signal<u32>>,
        me: Weak<Relay>,
        runs: Exclusive<Vec<u32>>,
    }

    impl Relay {
        fn new(signal: &Strong<Signal<u32>>) -> Strong<Relay> {
            Strong::new_cyclic(|me: &Weak<Relay>| Relay {
                signal: Strong::downgrade(signal),
                me: me.clone(),
                runs: Exclusive::new(vec![]),
            })
        }
        fn run(&self, connection: &Connection, n: &u32) {
            with(&self.runs, |runs| runs.push(*n));
            let (signal, me) = (self.signal.upgrade().unwrap(), self.me.upgrade().unwrap());
            let ended_first = n % 2 == 0 && connection.disconnect();
            let next = signal.connect_extended(&me, Relay::run);
            assert_ne!(next, *connection);
            assert!(next.is_connected());
            assert_ne!(connection.disconnect(), ended_first);
            assert_eq!(signal.slot_count(), 1);
        }
    }

    #[test]
    fn a_slot_that_connects_its_successor_and_disconnects_itself_is_one_call_for_each_emission() {
        let signal: Strong<Signal<u32>> = Strong::new(Signal::new());
        let relay = Relay::new(&signal);
        signal.connect_extended(&relay, Relay::run);
        for n in 0..100 {
            assert_eq!(signal.emit(&n), 1);
        }
        assert_eq!(with(&relay.runs, std::mem::take), (0..100).collect::<Vec<_>>());
        assert_eq!(signal.call(&100).count(), 1, "also when the emission is driven by hand");
        assert_eq!(Strong::weak_count(&relay), 2, "its own reference, and the one slot left");
    }

    #[test]
    fn a_slot_that_connects_another_and_disconnects_itself_hands_over_from_the_next_emission_on() {
        let log = Log::default();
        let signal: Strong<Signal<u32>> = Strong::new(Signal::new());
        let listeners = ["before", "heir", "after"].map(|name| Strong::new(Noter::new(&log, name)));
        let [before, heir, after] = &listeners;
        let owner = Strong::new((Strong::downgrade(&signal), heir.clone(), log.clone()));
        signal.connect(before, Noter::on);
        signal.connect_extended(&owner, |(signal, heir, log), connection, n| {
            connection.disconnect();
            signal.upgrade().unwrap().connect(heir, Noter::on);
            log.add(format!("testator {n}"));
        });
        signal.connect(after, Noter::on);
        assert_eq!(signal.emit(&1), 3);
        assert_eq!(log.take(), ["before 1", "testator 1", "after 1"]);
        assert_eq!(signal.emit(&2), 3);
        assert_eq!(log.take(), ["before 2", "after 2", "heir 2"]);
    }

    // eventpp: of seven slots, the one in the middle removes each subset of all.

    const SLOTS: usize = 7;
    const REMOVER: usize = 3;

    /// What ends a slot.
    #[derive(Clone, Copy, Debug)]
    enum Removal {
        Connection,
        Guard,
        Owner,
        Method,
        Death,
    }
    /// Slots whose event is the list of those that the slot in the middle is to remove.
    struct Matrix {
        signal: Signal<[usize]>,
        removal: Removal,
        called: Exclusive<Vec<usize>>,
        slots: Exclusive<Vec<Option<Owned>>>,
    }

    type Owned = (Strong<Slot>, ScopedConnection);

    struct Slot {
        number: usize,
        matrix: Weak<Matrix>,
    }

    impl Slot {
        fn on(&self, removed: &[usize]) {
            let matrix = self.matrix.upgrade().unwrap();
            with(&matrix.called, |called| called.push(self.number));
            if self.number == REMOVER {
                removed.iter().for_each(|number| matrix.remove(*number));
            }
        }
    }

    impl Matrix {
        fn new(removal: Removal) -> Strong<Matrix> {
            let matrix = Strong::new(Matrix {
                signal: Signal::new(),
                removal,
                called: Exclusive::new(vec![]),
                slots: Exclusive::new(vec![]),
            });
            for number in 0..SLOTS {
                let slot = Strong::new(Slot { number, matrix: Strong::downgrade(&matrix) });
                let guard = matrix.signal.connect(&slot, Slot::on).scoped();
                with(&matrix.slots, |slots| slots.push(Some((slot, guard))));
            }
            matrix
        }

        fn remove(&self, number: usize) {
            let (owner, guard) = with(&self.slots, |slots| slots[number].take()).unwrap();
            let removed = match self.removal {
                Removal::Connection => usize::from(guard.disconnect()),
                Removal::Guard => {
                    drop(guard);
                    1
                }
                Removal::Owner => self.signal.disconnect_owner(&owner),
                Removal::Method => self.signal.disconnect_method(&owner, Slot::on),
                Removal::Death => {
                    // The guard has to end before it could disconnect.
                    let connection = guard.detach();
                    drop(owner);
                    // The remover itself is running.
                    let lives = number == REMOVER && A_CALL_IS_AN_OWNER;
                    assert_eq!(connection.is_connected(), lives);
                    1
                }
            };
            assert_eq!(removed, 1);
        }

        fn emit(&self, removed: &[usize]) -> Vec<usize> {
            let count = self.signal.emit(removed);
            let called = with(&self.called, std::mem::take);
            assert_eq!(called.len(), count);
            called
        }
    }

    /// All subsets of the slots, each in several orders.
    fn removals() -> impl Iterator<Item = Vec<usize>> {
        let subset = |bits: u32| (0..SLOTS).filter(|i| bits >> i & 1 == 1).collect::<Vec<_>>();
        (0..1 << SLOTS).flat_map(move |bits| {
            let forward = subset(bits);
            let backward = forward.iter().rev().copied().collect();
            let mut rotated = forward.clone();
            rotated.rotate_left(forward.len() / 2);
            // The remover first, then outwards, left and right in turn.
            let mut outwards = forward.clone();
            outwards.sort_by_key(|i| i.abs_diff(REMOVER));
            let mut inwards = outwards.clone();
            inwards.reverse();
            [forward, backward, rotated, outwards, inwards]
        })
    }

    #[test]
    fn whichever_slots_the_one_in_the_middle_removes_in_whatever_order_the_rest_is_called_and_they_are_not() {
        use Removal::*;
        for removal in [Connection, Guard, Owner, Method, Death] {
            for removed in removals() {
                let matrix = Matrix::new(removal);
                let stays = |number: &usize| !removed.contains(number);
                let now = |number: &usize| *number <= REMOVER || stays(number);
                let expected: Vec<usize> = (0..SLOTS).filter(now).collect();
                assert_eq!(matrix.emit(&removed), expected, "{removal:?} {removed:?}");
                let expected: Vec<usize> = (0..SLOTS).filter(stays).collect();
                assert_eq!(matrix.emit(&[]), expected, "{removal:?} {removed:?}");
                assert_eq!(matrix.signal.slot_count(), expected.len());
            }
        }
    }

    #[test]
    fn the_same_removals_between_two_results_of_one_emission_hold_for_the_rest_of_it() {
        for removed in removals() {
            let matrix = Matrix::new(Removal::Connection);
            let mut emission = matrix.signal.call(&[]);
            for _ in 0..=REMOVER {
                emission.next();
            }
            removed.iter().for_each(|number| matrix.remove(*number));
            let left = (REMOVER + 1..SLOTS).filter(|number| !removed.contains(number)).count();
            assert_eq!(emission.count(), left, "{removed:?}");
        }
    }

    // eventpp: callbacks that append and prepend others. Here a slot is prepended by its priority.

    /// Connects one slot after all others and one before, each time it is called.
    struct Builder {
        signal: Strong<Signal<i32>>,
        called: Exclusive<Vec<i32>>,
    }

    impl Builder {
        fn new() -> Strong<Builder> {
            Strong::new(Builder { signal: Strong::default(), called: Exclusive::new(vec![]) })
        }
        fn note(this: &Strong<Self>, priority: i32) {
            let note = move |builder: &Builder, _: &i32| {
                with(&builder.called, |called| called.push(priority));
            };
            this.signal.slot().priority(priority).connect(this, note);
        }
        fn called(&self) -> Vec<i32> {
            with(&self.called, std::mem::take)
        }
    }

    #[test]
    fn what_a_slot_appends_and_prepends_is_not_called_now_but_in_its_place_by_the_next_emission() {
        for (low, high) in [(0, 0), (-100, 100), (100, 100), (-100, -100)] {
            // The slot itself stands in the middle, first, or last of the two old ones.
            for own in [0, 50, -50] {
                let builder = Builder::new();
                let weak = Strong::downgrade(&builder);
                let build = move |_: &Builder, _: &i32| {
                    let builder = weak.upgrade().unwrap();
                    Builder::note(&builder, low);
                    Builder::note(&builder, high);
                };
                Builder::note(&builder, 20);
                Builder::note(&builder, -20);
                let building = builder.signal.slot().priority(own).connect(&builder, build);
                assert_eq!(builder.signal.emit(&0), 3);
                assert_eq!(builder.called(), [20, -20]);
                building.disconnect();
                let mut all = [20, -20, low, high];
                all.sort_by_key(|priority| -priority);
                assert_eq!(builder.signal.emit(&0), 4);
                assert_eq!(builder.called(), all);
            }
        }
    }

    #[test]
    fn slots_that_append_and_prepend_more_of_their_kind_do_so_one_layer_for_each_emission() {
        struct Layer {
            signal: Weak<Signal<()>>,
            me: Weak<Layer>,
            called: Exclusive<Vec<i32>>,
        }
        fn add(layer: &Strong<Layer>, depth: i32) {
            let built = AtomicBool::new(false);
            let build = move |layer: &Layer, _: &()| {
                with(&layer.called, |called| called.push(depth));
                if !built.swap(true, SeqCst) {
                    let me = layer.me.upgrade().unwrap();
                    let outwards = [1, -1].into_iter().filter(|step| depth * step >= 0);
                    outwards.for_each(|step| add(&me, depth + step));
                }
            };
            layer.signal.upgrade().unwrap().slot().priority(depth).connect(layer, build);
        }
        let signal: Strong<Signal<()>> = Strong::new(Signal::new());
        let layer = Strong::new_cyclic(|me: &Weak<Layer>| Layer {
            signal: Strong::downgrade(&signal),
            me: me.clone(),
            called: Exclusive::new(vec![]),
        });
        add(&layer, 0);
        for depth in 0..10 {
            assert_eq!(signal.emit(&()), 2 * depth + 1);
            let expected: Vec<i32> = (-(depth as i32)..=depth as i32).rev().collect();
            assert_eq!(with(&layer.called, std::mem::take), expected);
        }
    }

    #[test]
    fn a_slot_appended_or_prepended_between_two_results_is_not_called_by_that_emission() {
        let builder = Builder::new();
        Builder::note(&builder, 1);
        Builder::note(&builder, -1);
        let mut emission = builder.signal.call(&0);
        Builder::note(&builder, 9);
        assert_eq!(emission.next(), Some(()));
        Builder::note(&builder, 2);
        Builder::note(&builder, 0);
        Builder::note(&builder, -2);
        assert_eq!(emission.count(), 1);
        assert_eq!(builder.called(), [1, -1]);
        builder.signal.emit(&0);
        assert_eq!(builder.called(), [9, 2, 1, 0, -1, -2]);
    }

    // eventpp: removing twice, here by turns on one thread.

    #[test]
    fn a_slot_that_two_others_remove_in_one_emission_is_removed_once() {
        let signal: Signal<u32> = Signal::new();
        let shared = Strong::new((Exclusive::new(vec![]), Exclusive::new(None::<Connection>)));
        for _ in 0..2 {
            signal.connect(&shared, |shared, _| {
                let victim = with(&shared.1, |victim| victim.clone()).unwrap();
                let removed = victim.disconnect();
                with(&shared.0, |results| results.push(removed));
            });
        }
        let victim = signal.connect(&shared, |_, _| panic!("it was removed"));
        with(&shared.1, |connection| *connection = Some(victim));
        assert_eq!(signal.emit(&0), 2);
        assert_eq!(with(&shared.0, |results| results.clone()), [true, false]);
        assert_eq!(signal.slot_count(), 2);
    }

    // libsigc++: clear inside a handler.

    #[test]
    fn a_handler_that_clears_the_signal_is_the_last_one_called_wherever_it_stands() {
        for position in 0..5 {
            let signal: Strong<Signal<u32, usize>> = Strong::new(Signal::new());
            let owner = Strong::new(Strong::downgrade(&signal));
            for number in 0..5 {
                signal.connect(&owner, move |signal, _| {
                    if number == position {
                        let signal = signal.upgrade().unwrap();
                        assert_eq!(signal.disconnect_all(), 5);
                        assert_eq!(signal.disconnect_all(), 0);
                        assert!(signal.is_empty());
                        assert_eq!(signal.emit(&0), 0);
                    }
                    number
                });
            }
            let called: Vec<usize> = signal.call(&0).collect();
            assert_eq!(called, (0..=position).collect::<Vec<_>>());
            assert_eq!(signal.call(&0).next(), None);
            assert_eq!(Strong::weak_count(&owner), 0);
        }
    }

    #[test]
    fn what_a_handler_connects_after_it_cleared_the_signal_is_called_by_nested_and_later_emissions_only() {
        let log = Log::default();
        let signal: Strong<Signal<u32>> = Strong::new(Signal::new());
        let [old, new] = ["old", "new"].map(|name| Strong::new(Noter::new(&log, name)));
        let owner = Strong::new((Strong::downgrade(&signal), new.clone(), log.clone()));
        signal.connect(&old, Noter::on);
        signal.connect(&owner, |(signal, new, log), n| {
            let signal = signal.upgrade().unwrap();
            signal.disconnect_all();
            signal.connect(new, Noter::on);
            signal.slot().priority(9).connect(new, Noter::also);
            assert_eq!(signal.emit(&(n + 1)), 2);
            log.add("end of the handler");
        });
        signal.connect(&old, Noter::also);
        assert_eq!(signal.emit(&1), 2);
        assert_eq!(log.take(), ["old 1", "new also 2", "new 2", "end of the handler"]);
        assert_eq!(signal.emit(&3), 2);
        assert_eq!(log.take(), ["new also 3", "new 3"]);
    }

    #[test]
    fn a_handler_that_first_connects_and_then_clears_the_signal_is_the_last_one_called_too() {
        let log = Log::default();
        let signal: Strong<Signal<u32>> = Strong::new(Signal::new());
        let [old, new] = ["old", "new"].map(|name| Strong::new(Noter::new(&log, name)));
        let owner = Strong::new((Strong::downgrade(&signal), new.clone()));
        signal.connect(&owner, |(signal, new), _| {
            let signal = signal.upgrade().unwrap();
            let connection = signal.connect(new, Noter::on);
            assert_eq!(signal.disconnect_all(), 3);
            assert!(!connection.is_connected());
        });
        signal.connect(&old, Noter::on);
        assert_eq!(signal.emit(&1), 1);
        assert_eq!(signal.emit(&2), 0);
        assert!(log.take().is_empty());
    }

    #[test]
    fn a_handler_that_clears_the_signal_keeps_its_own_captures_to_its_end_and_frees_the_others_at_once() {
        let log = Log::default();
        let signal: Strong<Signal<u32>> = Strong::new(Signal::new());
        let earlier = Noter::new(&log, "earlier");
        signal.connect_fn(move |n| earlier.on(n)).detach();
        let own = Noter::new(&log, "own");
        let (weak, in_slot) = (Strong::downgrade(&signal), log.clone());
        signal.connect_fn(move |n| {
            weak.upgrade().unwrap().disconnect_all();
            in_slot.add("cleared");
            own.on(n);
        }).detach();
        let later = Noter::new(&log, "later");
        signal.connect_fn(move |n| later.on(n)).detach();
        assert_eq!(signal.emit(&1), 2);
        let mut events = log.take();
        // In which order the two others go is nobody's business.
        events[1..3].sort();
        let others = ["earlier 1", "earlier dropped", "later dropped"];
        assert_eq!(events, [&others[..], &["cleared", "own 1", "own dropped"]].concat());
    }
}

// eventpp: concurrent removal of one handle.

#[test]
fn of_two_threads_that_remove_the_same_slot_exactly_one_is_told_that_it_did() {
    use sigwire::{Connection, Signal};
    const SLOTS: usize = 300;

    type Remove = fn(&Signal<usize>, &Connection, &Arc<AtomicUsize>) -> usize;
    let by_connection: Remove = |_, connection, _| usize::from(connection.disconnect());
    let by_waiting: Remove =
        |_, connection, _| usize::from(connection.disconnect_and_wait().unwrap());
    let by_owner: Remove = |signal, _, owner| signal.disconnect_owner(owner);
    let pairs = [(by_connection, by_connection), (by_connection, by_owner), (by_waiting, by_owner)];
    for (one, other) in pairs {
        let signal: Signal<usize> = Signal::new();
        let owners: Vec<Arc<AtomicUsize>> = (0..SLOTS).map(|_| Arc::default()).collect();
        let connect =
            |owner| signal.connect(owner, |calls: &AtomicUsize, n| _ = calls.fetch_add(*n, SeqCst));
        let connections: Vec<Connection> = owners.iter().map(connect).collect();
        let (start, stop) = (Barrier::new(3), AtomicBool::new(false));
        let removed = thread::scope(|scope| {
            let removing = [one, other].map(|remove| {
                let (signal, connections, owners, start) = (&signal, &connections, &owners, &start);
                scope.spawn(move || -> Vec<usize> {
                    start.wait();
                    let slots = connections.iter().zip(owners);
                    slots.map(|(connection, owner)| remove(signal, connection, owner)).collect()
                })
            });
            let emitting = scope.spawn(|| {
                start.wait();
                while !stop.load(SeqCst) {
                    signal.emit(&0);
                }
            });
            let removed = removing.map(|thread| thread.join());
            stop.store(true, SeqCst);
            emitting.join().unwrap();
            removed.map(Result::unwrap)
        });
        let each: Vec<usize> =
            std::iter::zip(&removed[0], &removed[1]).map(|(a, b)| a + b).collect();
        assert_eq!(each, [1; SLOTS]);
        assert!(signal.is_empty());
        assert_eq!(signal.emit(&0), 0);
        assert!(owners.iter().all(|owner| Arc::weak_count(owner) == 0));
    }
}
