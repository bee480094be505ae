//! An order-processing bus on tokio: services that are called through weak handlers, one of them slow, one
//! failing, one that goes away in between.
//!
//! Orders come in through a bounded channel. One task takes them out and awaits the emission of each, so
//! the slowest service sets the pace, and whoever orders faster than that waits at the channel. The program
//! checks what it says.

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

/// Publishes only the sources: anyone can connect, and only the bus can emit.
#[derive(Default)]
struct Bus {
    placed: AsyncSignal<Order>,
    /// Asks what sending the order would cost; each carrier answers.
    offered: AsyncSignal<Order, u32>,
}

impl Bus {
    fn placed(&self) -> &AsyncSource<Order> {
        &self.placed
    }

    fn offered(&self) -> &AsyncSource<Order, u32> {
        &self.offered
    }

    /// Takes orders until nobody can place any more. A handler that fails stops neither the others nor the
    /// bus: what failed is on the list that this gives in the end.
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

/// Has to keep its books in order: `&mut self`, behind tokio's mutex.
#[derive(Default)]
struct Ledger {
    cents: u32,
}

impl Ledger {
    async fn book(&mut self, order: &Order) {
        let before = self.cents;
        sleep(Duration::from_millis(1)).await; // nobody else books meanwhile
        self.cents = before + order.cents;
    }
}

/// Is slow with large orders, and has a deadline.
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

/// Fails sometimes.
struct Mailer;

impl Mailer {
    async fn confirm(&self, order: &Order) {
        assert!(order.number != 3, "no address in order {}", order.number);
    }
}

/// Goes away in between.
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

/// The mailer's panics are part of the story: they are told in it, and nowhere else.
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
    // Each takes the ledger and the warehouse a millisecond, one after the other, and three orders at most
    // are under way: so seven are done.
    assert!(started.elapsed() >= Duration::from_millis(14));
    println!(
        "   The first ten have taken at least 14 ms to place: the bus keeps whoever orders waiting."
    );

    println!("2. The auditor goes away while the bus runs.");
    let was_there = Arc::downgrade(&auditor);
    drop(auditor);
    for number in 11..=20 {
        // Number 15 is too large for the warehouse to be in time.
        let cents = if number == 15 { 5_000 } else { 100 };
        place.send(Order { number, cents }).await.expect("the bus runs");
    }

    println!("3. A clean shutdown: nobody can order any more, and the bus ends what it has.");
    drop(place);
    let failed = running.await.expect("the bus does not panic");
    // It was freed at once, or right after a call that was under way.
    assert!(was_there.upgrade().is_none());
    assert!((7..=10).contains(&seen.load(Relaxed)));
    assert_eq!(bus.placed().slot_count(), 3);
    println!(
        "   The auditor is freed, has seen {} orders, and has no slot any more.",
        seen.load(Relaxed)
    );

    // Handlers run one after another, so the mailer is called after the warehouse was given up.
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
    // The handlers of the other two were dropped with the stream, and have let go of their owners.
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
