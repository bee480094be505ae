//! `connect_mut`: owners in a lock or a cell, borrowed for each call.

use std::sync::{Arc, Mutex, RwLock, Weak};
use std::thread;
use std::time::Duration;

use crate::support::panic_of;
use sigwire::Signal;

both_flavors! {
    #[test]
    fn an_owner_already_borrowed_by_a_slot_further_up_ends_in_a_panic_that_names_its_type() {
        struct Panel(Weak<Signal<u32>>);
        let signal: Strong<Signal<u32>> = Strong::new(Signal::new());
        let panel = Strong::new(Exclusive::new(Panel(Strong::downgrade(&signal))));
        signal.connect_mut(&panel, |panel, n| {
            if *n < 2 {
                panel.0.upgrade().unwrap().emit(&(n + 1));
            }
        });
        let message = panic_of(|| signal.emit(&1));
        assert!(message.contains("::Panel`"), "{message}");
        assert!(message.contains("already borrowed"), "{message}");
    }

    #[test]
    fn connect_mut_changes_the_owner_and_disconnects_like_connect() {
        let signal: Signal<u32> = Signal::new();
        let sum = Strong::new(Exclusive::new(0_u32));
        fn add(sum: &mut u32, n: &u32) {
            *sum += n;
        }
        signal.connect_mut(&sum, add);
        let factor = 10;
        signal.connect_mut(&sum, move |sum, n| *sum += n * factor);
        assert_eq!(signal.emit(&2), 2);
        assert_eq!(with(&sum, |sum| *sum), 22);
        assert_eq!(signal.disconnect_method(&sum, add), 1);
        assert_eq!(signal.disconnect_owner(&sum), 1);
        assert_eq!(Strong::weak_count(&sum), 0);
    }
}

#[test]
fn a_mutex_owner_that_another_thread_holds_is_waited_for() {
    let signal: Signal<u32> = Signal::new();
    let sum = Arc::new(Mutex::new(0));
    signal.connect_mut(&sum, |sum, n| *sum += n);
    thread::scope(|scope| {
        let held = sum.lock().unwrap();
        let emitting = scope.spawn(|| signal.emit(&5));
        thread::sleep(Duration::from_millis(10));
        assert!(!emitting.is_finished());
        drop(held);
        assert_eq!(emitting.join().unwrap(), 1);
    });
    assert_eq!(*sum.lock().unwrap(), 5);
}

#[test]
fn a_lock_that_a_slot_further_up_holds_is_a_panic_and_never_a_deadlock() {
    struct Panel(Weak<Signal<u32>>, Weak<Signal<u32>>);
    fn emit(panel: &mut Panel, n: &u32) {
        let next = if *n % 2 == 0 { &panel.1 } else { &panel.0 };
        if *n < 2 {
            next.upgrade().unwrap().emit(&(n + 1));
        }
    }
    let (a, b) = (Arc::new(Signal::new()), Arc::new(Signal::new()));
    let panel = || Panel(Arc::downgrade(&a), Arc::downgrade(&b));
    let (mutex, rwlock) = (Arc::new(Mutex::new(panel())), Arc::new(RwLock::new(panel())));
    a.connect_mut(&mutex, emit);
    b.connect_mut(&mutex, emit);
    let message = panic_of(|| a.emit(&0));
    assert!(message.contains("::Panel`") && message.contains("already borrowed"), "{message}");
    a.disconnect_all();
    b.disconnect_all();
    a.connect_mut(&rwlock, emit);
    b.connect_mut(&rwlock, emit);
    let message = panic_of(|| a.emit(&0));
    assert!(message.contains("::Panel`") && message.contains("already borrowed"), "{message}");
}

#[test]
fn a_poisoned_owner_is_treated_like_a_panic_in_its_slot() {
    struct Account(u32);
    let signal: Signal<u32> = Signal::new();
    let account = Arc::new(Mutex::new(Account(0)));
    let poisoned = signal.connect_mut(&account, |account, n| account.0 += n);
    signal.connect(&account, |_, _| ());
    panic_of(|| {
        let _held = account.lock().unwrap();
        panic!("half way");
    });
    let message = panic_of(|| signal.emit(&1));
    assert!(message.contains("::Account`") && message.contains("poisoned"), "{message}");
    let error = signal.try_emit(&1).unwrap_err();
    assert_eq!(error.called(), 2);
    assert_eq!(error.failures()[0].connection(), &poisoned);
    account.clear_poison();
    assert_eq!(signal.emit(&4), 2);
    assert_eq!(account.lock().unwrap().0, 4);
}

#[test]
fn a_slot_that_locks_its_owner_twice_while_its_thread_ends_is_refused_too() {
    use crate::support::AtEnd;
    use std::cell::RefCell;
    use std::sync::mpsc;
    type Action = Box<dyn FnMut()>;
    thread_local! {
        static AT_END: RefCell<Option<AtEnd<Action>>> = const { RefCell::new(None) };
    }
    let signal: Arc<Signal<u32>> = Arc::default();
    let (again, owner) = (Arc::downgrade(&signal), Arc::new(Mutex::new(0)));
    signal.connect_mut(&owner, move |_, n| {
        if *n > 0 {
            again.upgrade().unwrap().emit(&(n - 1));
        }
    });
    let (told, refused) = mpsc::channel();
    let ending = move || {
        let emitting = signal.clone();
        // Made before the first emission, so that it ends after what that one makes.
        AT_END.with(|at_end| {
            let emit = move || told.send(panic_of(|| emitting.emit(&1))).unwrap();
            *at_end.borrow_mut() = Some(AtEnd(Box::new(emit)));
        });
        signal.emit(&0);
    };
    thread::spawn(ending);
    // A slot that waits for its own lock never ends.
    let refused = refused.recv_timeout(Duration::from_secs(60)).expect("a deadlock");
    assert!(refused.contains("already borrowed"), "{refused}");
}
