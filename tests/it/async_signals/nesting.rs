//! Handlers that emit.

use super::*;
use crate::support::executors;

both_flavors! {
    with helpers;

    tests! {
        async fn a_nested_emission_runs_at_once_inside_the_handler_that_awaits_it() {
            for way in WAYS {
                let log = Log::default();
                let signal: Strong<AsyncSignal<u32>> = Strong::new(AsyncSignal::new());
                let nesting = Strong::new((Strong::downgrade(&signal), log.clone()));
                signal.connect(
                    &nesting,
                    async |nesting: &(Weak<AsyncSignal<u32>>, Log), n: &u32| {
                        let (signal, log) = nesting;
                        log.add(format!("before {n}"));
                        if *n > 0 {
                            let signal = signal.upgrade().unwrap();
                            let less = n - 1;
                            // Boxed, as is any future that contains itself.
                            assert_eq!(signal.emit(&less).await, 2);
                        }
                        log.add(format!("after {n}"));
                    },
                );
                let b = Worker::new(&log, "b");
                signal.connect(&b, Worker::note);
                assert_eq!(run(way, &signal, &1).await, 2);
                assert_eq!(
                    log.take(),
                    ["before 1", "before 0", "after 0", "b 0", "after 1", "b 1"]
                );
            }
        }

        async fn runaway_recursion_ends_in_a_panic_that_names_the_depth() {
            for way in WAYS {
                let signal: Strong<AsyncSignal<u32>> = Strong::new(AsyncSignal::new());
                let again = Strong::new(Strong::downgrade(&signal));
                signal.connect(&again, move |again: &Weak<AsyncSignal<u32>>, n: &u32| {
                    let (again, n) = (again.upgrade().unwrap(), *n);
                    boxed(async move { _ = again_and_again(way, &again, &n).await })
                });
                let message = match way {
                    Try => {
                        let error = signal.try_emit(&1).await.unwrap_err();
                        let Failure::Panicked(message) = error.failures()[0].failure() else {
                            panic!("it panicked")
                        };
                        message.clone()
                    }
                    _ => panic_in(run(way, &signal, &1)).await,
                };
                assert!(message.contains("nested 256 deep"), "{way:?}: {message}");
                signal.disconnect_all();
                assert_eq!(run(way, &signal, &1).await, 0);
            }
        }

        async fn runaway_recursion_that_waits_in_between_ends_in_that_panic_too() {
            for way in WAYS {
                let signal: Strong<AsyncSignal<u32>> = Strong::new(AsyncSignal::new());
                let again = Strong::new(Strong::downgrade(&signal));
                signal.connect(&again, move |again: &Weak<AsyncSignal<u32>>, n: &u32| {
                    let (again, n) = (again.upgrade().unwrap(), *n);
                    boxed(async move {
                        yield_once().await;
                        _ = again_and_again(way, &again, &n).await
                    })
                });
                let message = panic_in(run(way, &signal, &1)).await;
                assert!(message.contains("nested 256 deep"), "{way:?}: {message}");
            }
        }
    }
}

#[test]
fn an_emission_that_is_nested_too_deep_is_no_failure_of_a_handler() {
    let runtime = executors::workers();
    let _inside = runtime.enter();
    let deeper: Arc<sigwire::Signal<u32>> = Arc::default();
    let signal: Arc<sigwire::AsyncSignal<u32>> = Arc::default();
    let owner = Arc::new((Arc::downgrade(&deeper), Arc::downgrade(&signal)));
    signal.connect_sync(&owner, |_, _| panic!("it is too deep to be called"));
    deeper.connect(&owner, |(deeper, signal), depth| {
        let (deeper, signal) = (deeper.upgrade().unwrap(), signal.upgrade().unwrap());
        if *depth < 256 {
            deeper.emit(&(depth + 1));
            return;
        }
        let message = panic_of(|| signal.try_emit(&1).now_or_never());
        assert!(message.contains("nested 256 deep"), "{message}");
        let message = panic_of(|| signal.emit_spawned(Arc::new(1)));
        assert!(message.contains("nested 256 deep"), "{message}");
    });
    assert_eq!(deeper.emit(&1), 1);
}
