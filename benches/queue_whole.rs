//! Measures operations on a whole queue, with a thousand to a million events or connections. The
//! time per event or connection must not rise with their number, except a little, once they no
//! longer fit into the caches.

use std::hint::black_box;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sigwire::{Connection, Edges, LocalQueue, Overflow, Queue, Signal};

type Whole = fn(usize) -> Duration;

const EVENTS: [(&str, Whole); 10] = [
    ("bounded, latest", |n| bounded(n, n, Overflow::Latest)),
    ("bounded, drop oldest", |n| bounded(n, 1, Overflow::DropOldest)),
    ("bounded, drop newest", |n| bounded(n, 1, Overflow::DropNewest)),
    ("emit to a full queue, drop oldest", emit_to_full),
    ("flush, half of the events are others", flush_among_others),
    ("cancel, half of the events are others", cancel_among_others),
    ("emit and cancel in turn", emit_and_cancel),
    ("disconnect, half of the events are others", disconnect_among_others),
    ("run, one event at a time", |n| {
        let (queue, _signals, _owner) = filled(n);
        time(|| while queue.run_max(1).left > 0 {})
    }),
    ("drop a queue, two connections", |n| {
        let (queue, _signals, _owner) = filled(n);
        time(|| drop(queue))
    }),
];

const CONNECTIONS: [(&str, Whole); 9] = [
    ("bounded, latest, connections", |n| {
        let many = Many::new(n, Pace::None);
        many.emit();
        many.emit();
        let Many { queue, signal: _signal, .. } = many;
        timed(|| queue.bounded(n, Overflow::Latest)).0
    }),
    ("run, latest, connections", |n| {
        let many = Many::new(n, Pace::Latest);
        many.emit();
        time(|| assert_eq!(many.queue.run().called, n))
    }),
    ("flush, connections", |n| {
        let many = Many::new(n, Pace::Debounced);
        many.emit();
        time(|| many.connections.iter().for_each(|it| assert!(many.queue.flush(it))))
    }),
    ("cancel, connections", |n| {
        let many = Many::new(n, Pace::Debounced);
        many.emit();
        time(|| many.connections.iter().for_each(|it| assert!(many.queue.cancel(it))))
    }),
    ("close windows one at a time, connections", |n| {
        let many = Many::new(n, Pace::Debounced);
        many.emit();
        many.queue.run();
        time(|| while many.queue.run_max(1).left > 0 {})
    }),
    ("disconnect, connections", |n| {
        let many = Many::new(n, Pace::None);
        many.emit();
        time(|| many.connections.iter().for_each(|it| assert!(it.disconnect())))
    }),
    ("drop a queue, connections", |n| {
        let many = Many::new(n, Pace::None);
        many.emit();
        let Many { queue, signal: _signal, .. } = many;
        time(|| drop(queue))
    }),
    ("connect owners that are gone, local", |n| {
        let (queue, signal) = (LocalQueue::default(), Signal::<u64>::new());
        let connect = || _ = signal.slot().on(&queue).connect(&Rc::new(()), |_, _| ());
        time(|| (0..n).for_each(|_| connect()))
    }),
    ("let go of what ended elsewhere, local", |n| {
        let (queue, signal) = (LocalQueue::default(), Signal::<u64>::new());
        let owner = Rc::new(());
        (0..n).for_each(|_| _ = signal.slot().on(&queue).connect(&owner, |_, _| ()));
        std::thread::scope(|scope| scope.spawn(|| signal.disconnect_all()).join().unwrap());
        time(|| _ = queue.run())
    }),
];

fn time(work: impl FnOnce()) -> Duration {
    timed(work).0
}

fn timed<R>(work: impl FnOnce() -> R) -> (Duration, R) {
    let start = Instant::now();
    let result = black_box(work());
    (start.elapsed(), result)
}

/// Two connections queue events in turn, until `events` wait.
fn filled(events: usize) -> (Queue, [Signal<u64>; 2], Arc<()>) {
    let (queue, owner) = (Queue::default(), Arc::new(()));
    let signals = [Signal::new(), Signal::new()];
    for signal in &signals {
        signal.slot().on(&queue).connect(&owner, |_, _| ());
    }
    (0..events).for_each(|n| _ = signals[n % 2].emit(&0));
    (queue, signals, owner)
}

fn bounded(events: usize, capacity: usize, overflow: Overflow) -> Duration {
    let (queue, _signals, _owner) = filled(events);
    let (time, queue) = timed(|| queue.bounded(capacity, overflow));
    assert!(queue.len() <= 2);
    time
}

fn emit_to_full(events: usize) -> Duration {
    let (queue, signals, _owner) = filled(events);
    let queue = queue.bounded(events, Overflow::DropOldest);
    let time = time(|| (0..events).for_each(|n| _ = signals[n % 2].emit(&0)));
    assert_eq!(queue.lost(), events as u64);
    time
}

/// A debounced connection and an ordinary one queue events in turn, until `events` wait.
fn debounced_among_others(events: usize) -> (Queue, [Signal<u64>; 2], Connection, Arc<()>) {
    let (queue, owner) = (Queue::default(), Arc::new(()));
    let signals = [Signal::new(), Signal::new()];
    let slot = signals[0].slot().on(&queue).debounce(Duration::from_secs(1)).edges(Edges::Both);
    let connection = slot.connect(&owner, |_, _| ());
    signals[1].slot().on(&queue).connect(&owner, |_, _| ());
    (0..events).for_each(|n| _ = signals[n % 2].emit(&0));
    (queue, signals, connection, owner)
}

fn flush_among_others(events: usize) -> Duration {
    let (queue, _signals, connection, _owner) = debounced_among_others(events);
    let time = time(|| assert!(queue.flush(&connection)));
    assert_eq!(queue.len(), events / 2);
    time
}

fn cancel_among_others(events: usize) -> Duration {
    let (queue, _signals, connection, _owner) = debounced_among_others(events);
    let time = time(|| assert!(queue.cancel(&connection)));
    assert_eq!(queue.len(), events / 2);
    time
}

fn emit_and_cancel(events: usize) -> Duration {
    let (queue, signals, connection, _owner) = debounced_among_others(events);
    time(|| {
        (0..events).for_each(|_| {
            signals[0].emit(&0);
            assert!(queue.cancel(&connection));
        });
    })
}

fn disconnect_among_others(events: usize) -> Duration {
    let (queue, _signals, connection, _owner) = debounced_among_others(events);
    let time = time(|| assert!(connection.disconnect()));
    assert_eq!(queue.len(), events / 2);
    time
}

enum Pace {
    None,
    Latest,
    Debounced,
}

/// Many connections of one signal.
struct Many {
    queue: Queue,
    signal: Signal<u64>,
    connections: Vec<Connection>,
    _owner: Arc<()>,
}

impl Many {
    fn new(connections: usize, pace: Pace) -> Self {
        let (queue, signal, owner) = (Queue::default(), Signal::new(), Arc::new(()));
        let slot = || {
            let slot = signal.slot().on(&queue);
            match pace {
                Pace::None => slot,
                Pace::Latest => slot.latest(),
                Pace::Debounced => slot.debounce(Duration::from_nanos(1)),
            }
        };
        let connect = |_| slot().connect(&owner, |_, _| ());
        let connections = (0..connections).map(connect).collect();
        Many { queue, signal, connections, _owner: owner }
    }

    fn emit(&self) {
        assert_eq!(self.signal.emit(&0), self.connections.len());
    }
}

/// If one size takes longer than this, no larger one is measured.
const TOO_SLOW: Duration = Duration::from_millis(400);

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let is_test = args.iter().any(|arg| arg == "--test");
    let filter = args.iter().find(|arg| !arg.starts_with('-'));
    println!("ns for each of{:>32} {:>8} {:>8} {:>8}", "1,000", "10,000", "100,000", "1,000,000");
    // A million connections need a gigabyte.
    let (events, connections) = (EVENTS.map(|it| (it, 4)), CONNECTIONS.map(|it| (it, 3)));
    for ((name, whole), sizes) in events.into_iter().chain(connections) {
        if filter.is_some_and(|filter| !name.contains(filter.as_str())) {
            continue;
        }
        print!("{name:<42}");
        for size in (3..3 + sizes).map(|power| 10_usize.pow(power)) {
            let takes = if is_test { 1 } else { 3 };
            let best = (0..takes).map(|_| whole(size)).min().expect("one at least");
            print!(" {:>8.1}", best.as_nanos() as f64 / size as f64);
            std::io::Write::flush(&mut std::io::stdout()).expect("standard output");
            if is_test || best > TOO_SLOW {
                break;
            }
        }
        println!();
    }
}
