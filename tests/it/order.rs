//! The order in which slots are called: by priority, and then as they were connected.

both_flavors! {
    #[test]
    fn slots_are_called_by_priority_and_then_as_they_were_connected() {
        let log = Log::default();
        let signal: Signal<u32> = Signal::new();
        let noters = ["z", "a", "m", "y", "b", "n"].map(|name| noter(&log, name));
        for (noter, priority) in noters.iter().zip([-5, 5, 0, -5, 5, 0]) {
            signal.slot().priority(priority).connect(noter, Noter::on);
        }
        signal.emit(&1);
        assert_eq!(log.take(), ["a 1", "b 1", "m 1", "n 1", "z 1", "y 1"]);
        let extremes = [noter(&log, "lowest"), noter(&log, "highest")];
        signal.slot().priority(i32::MIN).connect(&extremes[0], Noter::on);
        signal.slot().priority(i32::MAX).connect(&extremes[1], Noter::on);
        signal.emit(&2);
        let order = log.take();
        assert_eq!((order[0].as_str(), order[7].as_str()), ("highest 2", "lowest 2"));
    }

    #[test]
    fn the_order_is_unaffected_by_any_history_of_disconnects() {
        let signal: Signal<u32, usize> = Signal::new();
        let owner = Strong::new(());
        let mut expected: Vec<(i32, usize)> = vec![];
        let mut connections: Vec<(Connection, (i32, usize))> = vec![];
        let mut random = 12345_u64;
        for i in 0..3000 {
            random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let choice = (random >> 33) as usize;
            if choice % 5 < 2 && !connections.is_empty() {
                let (connection, slot) = connections.swap_remove(choice / 7 % connections.len());
                assert!(connection.disconnect());
                expected.retain(|other| *other != slot);
            } else {
                let priority = (choice / 11 % 3) as i32;
                let connection = signal.slot().priority(priority).connect(&owner, move |_, _| i);
                connections.push((connection, (priority, i)));
                expected.push((priority, i));
            }
            if i % 50 == 0 {
                let mut sorted = expected.clone();
                sorted.sort_by_key(|(priority, i)| (-priority, *i));
                let order: Vec<usize> = signal.call(&0).collect();
                assert_eq!(order, sorted.iter().map(|(_, i)| *i).collect::<Vec<_>>());
                assert_eq!(signal.slot_count(), order.len());
            }
        }
    }
    // Boost calls groups in ascending order of their keys. Here groups are priorities, and the
    // higher one comes first.

    // From boost::signals2, test/ordering_test.cpp.
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

    // From boost::signals2, test/ordering_test.cpp.
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

    // To disconnect a group together, keep its connections in a `ConnectionSet`.

    // From sigslot, test/slots-groups.cpp.
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
}
