//! Which slots are called while others connect, disconnect and block.

use loom::thread;
use std::sync::Arc;

use super::*;

fn emit_elsewhere(signal: &Arc<Signal>, event: u32) -> thread::JoinHandle<usize> {
    let signal = signal.clone();
    thread::spawn(move || signal.emit(&event))
}

#[test]
fn after_disconnecting_and_waiting_no_call_is_under_way_and_none_starts() {
    loom::model(|| {
        let signal = Arc::new(Signal::default());
        let (touched, calls) = (Exclusive::new(), Counter::default());
        let owner = Strong::new((touched.clone(), calls.clone()));
        let key = connect(&signal, &owner, |(touched, calls), _| {
            touched.touch();
            calls.add(1);
        });
        let emitter = emit_elsewhere(&signal, 1);
        assert_eq!(signal.connection(key).disconnect_and_wait(), Ok(true));
        touched.touch();
        let called = calls.get();
        assert_eq!(emitter.join().unwrap(), called);
    });
}

/// What a queue puts into a slot. It is entered by a load, without an exchange.
#[derive(Clone)]
struct Sender(Arc<(Exclusive, Counter)>);

impl StandIn for Sender {
    fn liveness(&self) -> Liveness {
        Liveness::Alive
    }
    fn owner(&self) -> *const () {
        core::ptr::null()
    }
    fn method(&self) -> (core::any::TypeId, &'static str) {
        (core::any::TypeId::of::<Send>(), "Send")
    }
}

struct Send;

impl<F: Flavor> Invoke<(), Sender, u32, (), F> for Send {
    type Method = Send;
    fn invoke((): &(), sender: Target<impl Hold<Target = Sender>, F>, _: &u32) -> Option<()> {
        sender.0.0.touch();
        sender.0.1.add(1);
        Some(())
    }
}

fn disconnect_a_sender_and_wait<const EXCHANGE_IS_BARRIER: bool>()
where
    LoomFlavor<EXCHANGE_IS_BARRIER>: Flavor,
{
    loom::model(|| {
        let signal =
            Arc::new(generic::Signal::<u32, (), LoomFlavor<EXCHANGE_IS_BARRIER>>::default());
        let (touched, calls) = (Exclusive::new(), Counter::default());
        let sender = Checked::new(Sender(Arc::new((touched.clone(), calls.clone()))));
        let handle = Handle::held::<Send, _>(sender);
        let slot = NewSlot { priority: 0, rare_data: None, unique: None };
        let key = signal.slots().connect(slot, (handle, None));
        let emitter = {
            let signal = signal.clone();
            thread::spawn(move || signal.emit(&1))
        };
        assert_eq!(signal.connection(key).disconnect_and_wait(), Ok(true));
        touched.touch();
        let called = calls.get();
        assert_eq!(emitter.join().unwrap(), called);
    });
}

#[test]
fn after_disconnecting_and_waiting_no_sender_of_a_queue_is_called_and_none_will_be() {
    disconnect_a_sender_and_wait::<false>();
}

#[test]
fn after_disconnecting_and_waiting_none_is_called_where_an_exchange_is_a_barrier_either() {
    disconnect_a_sender_and_wait::<true>();
}

#[test]
fn a_slot_disconnected_after_its_list_was_replaced_is_not_called_out_of_the_former_one() {
    loom::model(|| {
        let signal = Arc::new(Signal::default());
        connect_fn(&signal, |_| ());
        let touched = Exclusive::new();
        let owner = Strong::new(touched.clone());
        let key = connect(&signal, &owner, |touched, _| touched.touch());
        let emitter = emit_elsewhere(&signal, 1);
        connect_fn(&signal, |_| ());
        assert_eq!(signal.connection(key).disconnect_and_wait(), Ok(true));
        touched.touch();
        assert!((1..=3).contains(&emitter.join().unwrap()));
    });
}

#[test]
fn two_emitters_call_a_once_slot_once() {
    loom::model(|| {
        let signal = Arc::new(Signal::default());
        let calls = Counter::default();
        let in_slot = calls.clone();
        let (handle, keep_alive) = Handle::closure(Checked::new(move |_: &u32| in_slot.add(1)));
        put(&signal, Some(1), (handle, Some(keep_alive)));
        let emitter = emit_elsewhere(&signal, 1);
        let called = signal.emit(&1) + emitter.join().unwrap();
        assert_eq!((called, calls.get()), (1, 1));
        assert_eq!(signal.slot_count(), 0);
    });
}

#[test]
fn a_slot_connected_beside_two_emitters_is_called_by_the_next_emission() {
    loom::model(|| {
        let signal = Arc::new(Signal::default());
        connect_fn(&signal, |_| ());
        let emitters = [emit_elsewhere(&signal, 1), emit_elsewhere(&signal, 1)];
        connect_fn(&signal, |_| ());
        assert!(emitters.into_iter().all(|emitter| (1..=2).contains(&emitter.join().unwrap())));
        assert_eq!(signal.emit(&1), 2);
    });
}

#[test]
fn the_first_connections_of_two_threads_are_both_called() {
    loom::model(|| {
        let signal = Arc::new(Signal::default());
        let first = {
            let signal = signal.clone();
            thread::spawn(move || _ = connect_fn(&signal, |_| ()))
        };
        connect_fn(&signal, |_| ());
        assert!((1..=2).contains(&signal.emit(&1)));
        first.join().unwrap();
        assert_eq!(signal.emit(&1), 2);
    });
}

/// On event 1, the slot runs `before`, emits 0 into its own signal, and counts in `nested` how many
/// slots that called.
fn nests(signal: &Arc<Signal>, nested: &Counter, before: impl Fn(&Signal) + 'static) -> SlotKey {
    let (in_slot, nested) = (Arc::downgrade(signal), nested.clone());
    connect_fn(signal, move |event| {
        if *event == 1 {
            let signal = in_slot.upgrade().unwrap();
            before(&signal);
            nested.add(signal.emit(&0));
        }
    })
}

#[test]
fn a_nested_emission_calls_what_its_slot_connected_and_the_outer_one_does_not() {
    loom::model(|| {
        let signal = Arc::new(Signal::default());
        let nested = Counter::default();
        nests(&signal, &nested, |signal| _ = connect_fn(signal, |_| ()));
        let connector = {
            let signal = signal.clone();
            thread::spawn(move || _ = connect_fn(&signal, |_| ()))
        };
        let outer = signal.emit(&1);
        assert!((1..=2).contains(&outer), "the slot that nests, and the connector's");
        assert!((outer + 1..=3).contains(&nested.get()), "and the one between");
        connector.join().unwrap();
        assert_eq!(signal.emit(&0), 3);
    });
}

#[test]
fn after_disconnecting_and_waiting_a_nested_emission_calls_the_slot_no_more_either() {
    loom::model(|| {
        let signal = Arc::new(Signal::default());
        let (touched, calls, nested) = (Exclusive::new(), Counter::default(), Counter::default());
        let owner = Strong::new((touched.clone(), calls.clone()));
        nests(&signal, &nested, |_| ());
        let key = connect(&signal, &owner, |(touched, calls), _| {
            touched.touch();
            calls.add(1);
        });
        let emitter = emit_elsewhere(&signal, 1);
        assert_eq!(signal.connection(key).disconnect_and_wait(), Ok(true));
        touched.touch();
        let called = calls.get();
        // The slot that nests was called twice.
        assert_eq!(emitter.join().unwrap() + nested.get(), 2 + called);
    });
}

#[test]
fn a_slot_that_emits_into_itself_is_waited_for_until_the_outer_call_is_over() {
    loom::model(|| {
        let signal = Arc::new(Signal::default());
        let (touched, nested) = (Exclusive::new(), Counter::default());
        let (in_slot, count) = (Arc::downgrade(&signal), nested.clone());
        let owner = Strong::new(touched.clone());
        let key = connect(&signal, &owner, move |touched, event| {
            if *event == 1 {
                count.add(in_slot.upgrade().unwrap().emit(&0));
            }
            touched.touch();
        });
        let emitter = emit_elsewhere(&signal, 1);
        assert_eq!(signal.connection(key).disconnect_and_wait(), Ok(true));
        touched.touch();
        assert!(nested.get() <= emitter.join().unwrap());
    });
}

/// Runs a model in which `block` blocks the slot, or all slots.
fn silence(block: fn(&Signal, SlotKey) -> generic::Block<Modelled>) {
    loom::model(move || {
        let signal = Arc::new(Signal::default());
        let touched = Exclusive::new();
        let owner = Strong::new(touched.clone());
        let key = connect(&signal, &owner, |touched, _| touched.touch());
        let emitter = emit_elsewhere(&signal, 1);
        let block = block(&signal, key);
        wait_for(&signal, key);
        touched.touch();
        drop(block);
        assert!(emitter.join().unwrap() <= 1);
        assert_eq!(signal.emit(&1), 1);
    });
}

#[test]
fn a_blocked_slot_is_not_called_once_its_calls_are_over_and_is_called_once_it_is_unblocked() {
    silence(|signal, key| signal.connection(key).block());
}

#[test]
fn a_blocked_signal_calls_no_slot_once_calls_are_over_and_does_once_it_is_unblocked() {
    silence(|signal, _| signal.block());
}
