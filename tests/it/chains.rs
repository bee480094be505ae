//! Signals that are slots of other signals, like any other object: as the owner.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::SeqCst};

both_flavors! {
    type Link = Signal<u32, Option<u32>>;

    fn pass_on(link: &Link, n: &u32) -> Option<u32> {
        link.call(&(n + 1)).last().flatten()
    }

    // From boost::signals2, test/signal_test.cpp.
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

    // From boost::signals2, test/signal_test.cpp.
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

    // From sigslot, test/recursive.cpp.
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

    // From sigslot, test/recursive.cpp.
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
}
