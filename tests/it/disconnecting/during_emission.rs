//! Disconnecting slots that the emission has not reached yet.

both_flavors! {
    #[test]
    fn a_slot_disconnected_by_its_connection_before_it_is_reached_is_not_called() {
        let log = Log::default();
        let (signal, _noters, [_, b, _]) = three(&log);
        first(&signal, move || _ = b.disconnect());
        assert_eq!(signal.emit(&1), 3);
        assert_eq!(log.take(), ["a 1", "c 1"]);
    }

    #[test]
    fn slots_disconnected_by_their_owner_before_they_are_reached_are_not_called() {
        let log = Log::default();
        let (signal, noters, _) = three(&log);
        signal.connect(&noters[1], Noter::also);
        let both = Strong::new((Strong::downgrade(&signal), noters[1].clone()));
        signal.slot().priority(1).connect(&both, |both, _| {
            assert_eq!(both.0.upgrade().unwrap().disconnect_owner(&both.1), 2);
        });
        assert_eq!(signal.emit(&1), 3);
        assert_eq!(log.take(), ["a 1", "c 1"]);
    }

    #[test]
    fn slots_disconnected_by_their_method_before_they_are_reached_are_not_called() {
        let log = Log::default();
        let (signal, noters, _) = three(&log);
        signal.connect(&noters[1], Noter::also);
        let both = Strong::new((Strong::downgrade(&signal), noters[1].clone()));
        signal.slot().priority(1).connect(&both, |both, _| {
            assert_eq!(both.0.upgrade().unwrap().disconnect_method(&both.1, Noter::on), 1);
        });
        assert_eq!(signal.emit(&1), 4);
        assert_eq!(log.take(), ["a 1", "c 1", "b also 1"]);
    }

    #[test]
    fn after_disconnect_all_half_way_nothing_more_is_called() {
        let log = Log::default();
        let (signal, _noters, _) = three(&log);
        let weak = Strong::new(Strong::downgrade(&signal));
        signal.slot().priority(1).connect(&weak, |signal, _| {
            assert_eq!(signal.upgrade().unwrap().disconnect_all(), 4);
        });
        assert_eq!(signal.emit(&1), 1);
        assert!(log.take().is_empty());
        assert!(signal.is_empty());
    }

    #[test]
    fn a_slot_whose_guard_is_dropped_before_it_is_reached_is_not_called() {
        let signal: Signal<u32> = Signal::new();
        let guard = Strong::new(Exclusive::new(None::<ScopedConnection>));
        signal.connect_mut(&guard, |guard, _| *guard = None);
        let late = signal.connect_fn(|_| panic!("it was disconnected"));
        with(&guard, |guard| *guard = Some(late));
        assert_eq!(signal.emit(&1), 1);
    }

    // From boost::signals2, test/deletion_test.cpp.
    #[test]
    fn wherever_a_slot_that_disconnects_itself_stands_its_neighbors_are_called() {
        for me in [0, 2, 4] {
            let board = Board::new(5, |number| if number == me { vec![me] } else { vec![] });
            assert_eq!(board.emit(), [0, 1, 2, 3, 4], "with {me}");
            let others: Vec<usize> = (0..5).filter(|number| *number != me).collect();
            assert_eq!(board.emit(), others, "without {me}");
            assert_eq!(board.signal.slot_count(), 4);
        }
    }

    // From boost::signals2, test/deletion_test.cpp.
    #[test]
    fn when_all_slots_disconnect_themselves_each_is_called_exactly_once() {
        for slots in [1, 2, 3, 10] {
            let board = Board::new(slots, |number| vec![number]);
            assert_eq!(board.emit(), (0..slots).collect::<Vec<_>>());
            assert!(board.signal.is_empty());
            assert!(board.emit().is_empty());
        }
    }

    // From boost::signals2, test/deletion_test.cpp.
    #[test]
    fn in_a_chain_where_each_slot_disconnects_the_next_every_other_one_is_called() {
        let board = Board::new(7, |number| if number < 6 { vec![number + 1] } else { vec![] });
        assert_eq!(board.emit(), [0, 2, 4, 6]);
        assert_eq!(board.emit(), [0, 2, 4, 6]);
    }

    // From boost::signals2, test/deletion_test.cpp.
    #[test]
    fn in_a_chain_where_each_slot_disconnects_the_one_before_all_are_called_and_the_last_remains() {
        let board = Board::new(7, |number| number.checked_sub(1).into_iter().collect());
        assert_eq!(board.emit(), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(board.emit(), [6]);
    }

    // From boost::signals2, test/deletion_test.cpp.
    #[test]
    fn of_slots_that_each_disconnect_all_the_others_only_the_first_is_ever_called() {
        let board = Board::new(7, |number| (0..7).filter(|other| *other != number).collect());
        assert_eq!(board.emit(), [0]);
        assert_eq!(board.emit(), [0]);
        let board = Board::new(7, |_| (0..7).rev().collect());
        assert_eq!(board.emit(), [0], "itself included");
        assert!(board.emit().is_empty());
    }

    // Of seven slots, the one in the middle removes each subset of all.

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

    // From eventpp, tests/unittest/test_callbacklist_basic.cpp.
    #[test]
    fn whichever_slots_the_middle_one_removes_the_rest_is_called_and_they_are_not() {
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

    // From eventpp, tests/unittest/test_callbacklist_basic.cpp.
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

    // From eventpp, tests/unittest/test_callbacklist_basic.cpp.
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
}
