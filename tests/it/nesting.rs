//! Emissions inside slots of emissions, and how deep they may be.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

both_flavors! {
    #[test]
    fn a_nested_emission_runs_at_once_depth_first() {
        let log = Log::default();
        let (signal, _noters, _) = three(&log);
        let weak = Strong::new(Strong::downgrade(&signal));
        signal.slot().priority(1).connect(&weak, |signal, n| {
            if *n < 3 {
                signal.upgrade().unwrap().emit(&(n + 1));
            }
        });
        assert_eq!(signal.emit(&1), 4);
        assert_eq!(log.take(), ["a 3", "b 3", "c 3", "a 2", "b 2", "c 2", "a 1", "b 1", "c 1"]);
    }

    #[test]
    fn runaway_recursion_ends_in_a_panic_that_names_the_depth_and_both_signals_stay_usable() {
        let pair = Strong::new((Signal::<u32>::new(), Signal::<u32>::new()));
        let to_b = pair.0.connect(&pair, |pair, n| _ = pair.1.emit(n));
        pair.1.connect(&pair, |pair, n| _ = pair.0.emit(n));
        let message = panic_of(|| pair.0.emit(&1));
        assert!(message.contains("256 deep"), "{message}");
        to_b.disconnect();
        assert_eq!(pair.0.emit(&1), 0);
        assert_eq!(pair.1.emit(&1), 1);
    }

    #[test]
    fn a_ring_of_many_signals_is_runaway_recursion_too() {
        let ring: Strong<Vec<Signal<u32>>> = Strong::new((0..40).map(|_| Signal::new()).collect());
        for i in 0..40 {
            ring[i].connect(&ring, move |ring, n| _ = ring[(i + 1) % 40].emit(n));
        }
        let message = panic_of(|| ring[0].emit(&1));
        assert!(message.contains("256 deep"), "{message}");
    }

    #[test]
    fn emissions_nest_two_hundred_deep_without_harm() {
        let signal: Strong<Signal<u32>> = Strong::new(Signal::new());
        let owner = Strong::new((Strong::downgrade(&signal), AtomicUsize::new(0)));
        signal.connect(&owner, |owner, n| {
            owner.1.fetch_add(1, Relaxed);
            if *n > 0 {
                assert_eq!(owner.0.upgrade().unwrap().emit(&(n - 1)), 1);
            }
        });
        assert_eq!(signal.emit(&199), 1);
        assert_eq!(owner.1.load(Relaxed), 200);
    }

    #[test]
    fn an_emission_that_is_nested_too_deep_can_be_continued_where_it_stood() {
        let signal: Strong<Signal<u32, u32>> = Strong::new(Signal::new());
        let deep = Strong::new(Signal::<u32, u32>::new());
        let owner = Strong::new((Strong::downgrade(&signal), Strong::downgrade(&deep)));
        signal.connect(&owner, |_, _| 1);
        signal.connect(&owner, |_, _| 2);
        deep.connect(&owner, |owner, n| {
            if *n < 255 {
                owner.1.upgrade().unwrap().call(&(n + 1)).sum::<u32>()
            } else {
                let signal = owner.0.upgrade().unwrap();
                let mut emission = signal.call(&0);
                panic_of(|| emission.next());
                // As deep as before, but out of the emission that was in the way.
                u32::from(emission.size_hint() == (0, Some(2)))
            }
        });
        assert_eq!(deep.call(&0).sum::<u32>(), 1);
    }

    // From sigslot, test/recursive.cpp.
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
