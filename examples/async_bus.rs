//! An order-processing bus on tokio. Weak handlers call its services: one of them is slow, one
//! fails, and one is dropped while the bus runs.
//!
//! Orders arrive through a bounded channel. One task takes them out and awaits the emission of
//! each, so the slowest service sets the pace, and customers who order faster wait at the channel.
//! The program asserts what it prints.

use sigwire::{AsyncSignal, AsyncSource, Failure};
use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, mpsc};
use tokio::time::sleep;

struct Order {
    number: u32,
    cents: u32,
}

/// Publishes only its sources: anyone can connect, but only the bus can emit.
#[derive(Default)]
struct Bus {
    placed: AsyncSignal<Order>,
    /// Asks each carrier what it would cost to send the order.
    offered: AsyncSignal<Order, u32>,
}

impl Bus {
    fn placed(&self) -> &AsyncSource<Order> {
        &self.placed
    }

    fn offered(&self) -> &AsyncSource<Order, u32> {
        &self.offered
    }

    /// Takes orders until all senders are dropped, and returns a list of failures. A handler that
    /// fails stops neither the other handlers nor the bus.
    async fn run(self: Arc<Self>, mut orders: mpsc::Receiver<Order>) -> Vec<String> {
        let mut failed = Vec::new();
        while let Some(order) = orders.recv().await {
            if let Err(error) = self.placed.try_emit(&order).await {
                for failure in error.failures() {
                    let service = failure.name().unwrap_or("?");
                    failed.push(match failure.failure() {
                        Failure::Panicked(why) => format!("{service}: {why}"),
                        _ => format!("{service}: order {} took too long", order.number),
                    });
                }
            }
        }
        failed
    }
}

/// Its method takes `&mut self`, so it is behind tokio's mutex.
#[derive(Default)]
struct Ledger {
    cents: u32,
}

impl Ledger {
    async fn book(&mut self, order: &Order) {
        let before = self.cents;
        sleep(Duration::from_millis(1)).await; // the lock is held during this
        self.cents = before + order.cents;
    }
}

/// It is slow with large orders, and has a deadline.
#[derive(Default)]
struct Warehouse {
    packed: AtomicU32,
}

impl Warehouse {
    async fn pack(&self, order: &Order) {
        let is_large = order.cents > 1_000;
        sleep(Duration::from_millis(if is_large { 10_000 } else { 1 })).await;
        self.packed.fetch_add(1, Relaxed);
    }
}

/// It fails sometimes.
struct Mailer;

impl Mailer {
    async fn confirm(&self, order: &Order) {
        assert!(order.number != 3, "no address in order {}", order.number);
    }
}

/// It is dropped while the bus runs.
struct Auditor {
    seen: Arc<AtomicU32>,
}

impl Auditor {
    async fn look(&self, _: &Order) {
        self.seen.fetch_add(1, Relaxed);
    }
}

struct Carrier {
    thinks: Duration,
    cents: u32,
}

impl Carrier {
    async fn offer(&self, _: &Order) -> u32 {
        sleep(self.thinks).await;
        self.cents
    }
}

/// Silences the messages of the mailer's panics, which the program reports itself.
fn do_not_report_the_mailer() {
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let message = info.payload().downcast_ref::<String>();
        if !message.is_some_and(|message| message.starts_with("no address")) {
            report(info);
        }
    }));
}

#[tokio::main]
async fn main() {
    do_not_report_the_mailer();
    let bus = Arc::new(Bus::default());
    let ledger = Arc::new(Mutex::new(Ledger::default()));
    let warehouse = Arc::new(Warehouse::default());
    let mailer = Arc::new(Mailer);
    let seen = Arc::new(AtomicU32::new(0));
    let auditor = Arc::new(Auditor { seen: seen.clone() });

    bus.placed().slot().name("ledger").connect_mut(&ledger, Ledger::book);
    let deadline = Duration::from_millis(50);
    bus.placed().slot().name("warehouse").timeout(deadline).connect(&warehouse, Warehouse::pack);
    bus.placed().slot().name("mailer").connect(&mailer, Mailer::confirm);
    bus.placed().slot().name("auditor").connect(&auditor, Auditor::look);
    assert_eq!(bus.placed().slot_count(), 4);

    println!("1. Twenty orders, through a channel with room for two.");
    let (place, orders) = mpsc::channel(2);
    let running = tokio::spawn(bus.clone().run(orders));
    let started = Instant::now();
    for number in 1..=10 {
        place.send(Order { number, cents: 100 }).await.expect("the bus runs");
    }
    // For each order the ledger takes a millisecond, and then the warehouse. At most three orders
    // are unfinished, so at least seven are done.
    assert!(started.elapsed() >= Duration::from_millis(14));
    println!(
        "   The first ten have taken at least 14 ms to place: the bus keeps whoever orders waiting."
    );

    println!("2. The auditor goes away while the bus runs.");
    let was_there = Arc::downgrade(&auditor);
    drop(auditor);
    for number in 11..=20 {
        // Order 15 is so large that the warehouse misses its deadline.
        let cents = if number == 15 { 5_000 } else { 100 };
        place.send(Order { number, cents }).await.expect("the bus runs");
    }

    println!("3. A clean shutdown: nobody can order any more, and the bus ends what it has.");
    drop(place);
    let failed = running.await.expect("the bus does not panic");
    // It was freed at once, or right after the call that was running.
    assert!(was_there.upgrade().is_none());
    assert!((7..=10).contains(&seen.load(Relaxed)));
    assert_eq!(bus.placed().slot_count(), 3);
    println!(
        "   The auditor is freed, has seen {} orders, and has no slot any more.",
        seen.load(Relaxed)
    );

    // Handlers run one after another, so the mailer was called after the warehouse had timed out.
    assert_eq!(failed, ["mailer: no address in order 3", "warehouse: order 15 took too long"]);
    assert_eq!(warehouse.packed.load(Relaxed), 19);
    assert_eq!(ledger.lock().await.cents, 19 * 100 + 5_000);
    println!("   Failed: {}.", failed.join("; "));
    println!("   The warehouse has packed the other 19, and the ledger has booked all 20.");

    println!("4. Three carriers are asked at once, and the first answer is taken.");
    let carriers = [(5_000, 300), (5, 500), (5_000, 400)]
        .map(|(thinks, cents)| Arc::new(Carrier { thinks: Duration::from_millis(thinks), cents }));
    for carrier in &carriers {
        bus.offered().connect(carrier, Carrier::offer);
    }
    let order = Order { number: 21, cents: 100 };
    let first = futures::StreamExt::next(&mut bus.offered.call_concurrent(&order)).await;
    assert_eq!(first, Some(500));
    // The handlers of the other two were dropped with the stream, and their owners released.
    assert!(carriers.iter().all(|carrier| Arc::strong_count(carrier) == 1));
    println!("   It costs 500 cents; the handlers that were still thinking are dropped.");

    println!(
        "5. Each on a task of its own: handlers that work hard run in parallel, and panics stay there."
    );
    let mut ended = (0, 0);
    for spawned in bus.placed.emit_spawned(Arc::new(Order { number: 3, cents: 100 })) {
        match spawned.handler.await {
            Ok(_) => ended.0 += 1,
            Err(error) => ended.1 += u32::from(error.is_panic()),
        }
    }
    assert_eq!(ended, (2, 1));
    println!("   Two have ended well, and the mailer has panicked.");
}
