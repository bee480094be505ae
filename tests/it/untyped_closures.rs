//! The types of a closure's parameters are known from the signal and the owner.

use sigwire::Signal;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

#[test]
fn a_closure_needs_no_types_in_any_verb() {
    struct Shop(AtomicU32);
    let sold: Signal<str> = Signal::new();
    let shop = Arc::new(Shop(AtomicU32::new(0)));
    let names = Arc::new(Mutex::new(Vec::<String>::new()));
    sold.connect(&shop, |shop, name| _ = shop.0.fetch_add(name.len() as u32, Relaxed));
    sold.connect_mut(&names, |names, name| names.push(name.to_uppercase()));
    let lengths = Arc::new(Mutex::new(vec![]));
    let kept = lengths.clone();
    let _guard = sold.connect_fn(move |name| kept.lock().unwrap().push(name.len()));
    assert_eq!(sold.emit("tea"), 3);
    assert_eq!(shop.0.load(Relaxed), 3);
    assert_eq!(*names.lock().unwrap(), ["TEA"]);
    assert_eq!(*lengths.lock().unwrap(), [3]);
}

/// The type of the owner is not known before the method is.
#[test]
fn a_method_tells_the_type_of_its_owner() {
    fn add(sum: &mut u64, n: &u64) {
        *sum += n;
    }
    let numbers: Signal<u64> = Signal::new();
    let sum = Arc::new(Mutex::new(0));
    numbers.connect_mut(&sum, add);
    numbers.emit(&2);
    assert_eq!(sum.lock().unwrap().count_ones(), 1);
}

#[cfg(feature = "tokio")]
mod of_async_signals {
    use super::*;
    use sigwire::AsyncSignal;

    struct Shop(AtomicU32);
    impl Shop {
        async fn sell(&self, name: &str) {
            self.0.fetch_add(name.len() as u32, Relaxed);
        }
    }

    #[tokio::test]
    async fn an_async_closure_needs_no_types_in_any_verb() {
        let sold: AsyncSignal<str> = AsyncSignal::new();
        let shop = Arc::new(Shop(AtomicU32::new(0)));
        let names = Arc::new(tokio::sync::Mutex::new(Vec::<String>::new()));
        sold.connect(&shop, async |shop, name| shop.sell(name).await);
        sold.connect_mut(&names, async |names, name| names.push(name.to_uppercase()));
        sold.connect_sync(&shop, |shop, name| _ = shop.0.fetch_add(name.len() as u32, Relaxed));
        let _guard = sold.connect_fn(async |name| assert_eq!(name.len(), 3));
        assert_eq!(sold.emit("tea").await, 4);
        assert_eq!(shop.0.load(Relaxed), 6);
        assert_eq!(*names.lock().await, ["TEA"]);
    }

    #[tokio::test]
    async fn an_async_closure_of_a_local_signal_needs_no_types() {
        let sold: sigwire::local::AsyncSignal<str, usize> = sigwire::local::AsyncSignal::new();
        let shop = std::rc::Rc::new(std::cell::Cell::new(1));
        sold.connect(&shop, async |shop, name| shop.get() + name.len());
        let answers: Vec<usize> = futures::StreamExt::collect(sold.call("tea")).await;
        assert_eq!(answers, [4]);
    }
}
