//! Unusual owners: without a size, with a large alignment, trait objects, slices.

use std::cell::Cell;
use std::sync::Mutex;

both_flavors! {
    #[test]
    fn zero_sized_owners_are_told_apart() {
        struct Nothing;
        let signal: Signal<u32, &'static str> = Signal::new();
        let (a, b) = (Strong::new(Nothing), Strong::new(Nothing));
        signal.connect(&a, |_, _| "a");
        signal.connect(&b, |_, _| "b");
        assert_eq!(signal.disconnect_owner(&a), 1);
        assert_eq!(signal.call(&0).collect::<Vec<_>>(), ["b"]);
        drop(b);
        assert_eq!(signal.emit(&0), 0);
    }

    #[test]
    fn over_aligned_owners_are_reached_where_they_are() {
        #[repr(align(512))]
        struct Wide(Cell<u8>, #[allow(dead_code)] Noter);
        struct Page(Mutex<Wide>);
        let log = Log::default();
        let signal: Signal<u32> = Signal::new();
        let page = Strong::new(Page(Mutex::new(Wide(Cell::new(1), Noter::new(&log, "page")))));
        let connect = |page: &Page, n: &u32| {
            let wide = page.0.lock().unwrap();
            assert_eq!(std::ptr::from_ref(&*wide).addr() % 512, 0);
            wide.0.set(*n as u8);
        };
        signal.connect(&page, connect);
        signal.emit(&7);
        assert_eq!(page.0.lock().unwrap().0.get(), 7);
        drop(page);
        assert_eq!(log.take(), ["page dropped"]);
        assert_eq!(signal.emit(&8), 0);
    }

    #[test]
    fn trait_objects_can_own_slots() {
        trait Shape {
            fn area(&self, scale: &u32) -> u32;
        }
        struct Square(u32);
        impl Shape for Square {
            fn area(&self, scale: &u32) -> u32 {
                self.0 * self.0 * scale
            }
        }
        let signal: Signal<u32, u32> = Signal::new();
        let square = Std::new(Square(3));
        let shape: Std<dyn Shape + Send + Sync> = square.clone();
        let connection = signal.connect(&shape, <dyn Shape + Send + Sync>::area);
        signal.connect(&shape, |shape, scale| shape.area(scale) + 1);
        assert_eq!(signal.call(&2).collect::<Vec<_>>(), [18, 19]);
        assert_eq!(signal.disconnect_owner(&square), 2, "it is the same object");
        assert!(!connection.is_connected());
        signal.connect(&shape, |_, _| 0);
        drop((square, shape));
        assert_eq!(signal.emit(&1), 0);
    }

    #[test]
    fn slices_and_strings_can_own_slots_and_be_events() {
        let words: Signal<str, usize> = Signal::new();
        let list: Std<[u8]> = Std::from([1, 2, 3]);
        words.connect(&list, |list, word| list.len() + word.len());
        assert_eq!(words.call("four").next(), Some(7));
        let bytes: Signal<[u8], u8> = Signal::new();
        bytes.connect(&list, |list, event| list[0] + event[0]);
        assert_eq!(bytes.call(&[41]).next(), Some(42));
        let any: Signal<dyn std::fmt::Display, String> = Signal::new();
        any.connect(&list, |_, event| event.to_string());
        assert_eq!(any.call(&1.5).next().unwrap(), "1.5");
    }
}
