//! The observer pattern with threads: several threads update a thermometer, and objects observe it.
//!
//! Observing keeps no object alive, and no observer has to unsubscribe.

use sigwire::{Signal, Source};
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread;

const SENSORS: i32 = 4;
const READINGS: i32 = 250;
const PER_ROUND: usize = (SENSORS * READINGS) as usize;

struct Reading {
    sensor: i32,
    degrees: i32,
}

/// Publishes only its sources: anyone can connect, but only the thermometer can emit.
#[derive(Default)]
struct Thermometer {
    measured: Signal<Reading>,
    /// Asks the observers for the temperature they want.
    asked: Signal<str, i32>,
}

impl Thermometer {
    fn measured(&self) -> &Source<Reading> {
        &self.measured
    }

    fn asked(&self) -> &Source<str, i32> {
        &self.asked
    }

    /// Each sensor has its own thread. Observers run on the thread that emits, so several may run
    /// at the same time.
    fn round(&self, meanwhile: impl FnOnce()) {
        thread::scope(|scope| {
            for sensor in 0..SENSORS {
                scope.spawn(move || {
                    for i in 0..READINGS {
                        let degrees = 10 + (7 * sensor + i) % 20;
                        self.measured.emit(&Reading { sensor, degrees });
                    }
                });
            }
            meanwhile();
        });
    }

    fn warmest_wish(&self, room: &str) -> Option<i32> {
        self.asked.call(room).max()
    }
}

/// Observes through `&self`. Several threads may call `show` at once, so it counts in atomics.
#[derive(Default)]
struct Display {
    shown: AtomicUsize,
    highest: AtomicI32,
}

impl Display {
    fn show(&self, reading: &Reading) {
        self.shown.fetch_add(1, Relaxed);
        self.highest.fetch_max(reading.degrees, Relaxed);
    }
}

/// Observes through `&mut self`. Its owner is an `Arc<Mutex<Statistics>>`, locked for each call.
#[derive(Default)]
struct Statistics {
    sum: i32,
    per_sensor: [usize; SENSORS as usize],
}

impl Statistics {
    fn record(&mut self, reading: &Reading) {
        self.sum += reading.degrees;
        self.per_sensor[reading.sensor as usize] += 1;
    }
}

/// It is dropped while the sensors are running.
struct Guest {
    seen: Arc<AtomicUsize>,
}

impl Guest {
    fn look(&self, _: &Reading) {
        self.seen.fetch_add(1, Relaxed);
    }
}

struct Tenant {
    wish: i32,
}

impl Tenant {
    fn answer(&self, room: &str) -> i32 {
        if room == "bedroom" { self.wish - 3 } else { self.wish }
    }
}

fn main() {
    let thermometer = Thermometer::default();
    let display = Arc::new(Display::default());
    let statistics = Arc::new(Mutex::new(Statistics::default()));
    let seen = Arc::new(AtomicUsize::new(0));
    let guest = Arc::new(Guest { seen: seen.clone() });

    let to_display = thermometer.measured().connect(&display, Display::show);
    thermometer.measured().connect_mut(&statistics, Statistics::record);
    thermometer.measured().connect(&guest, Guest::look);
    let alarms = Arc::new(AtomicUsize::new(0));
    thermometer.measured().slot().priority(10).once().connect(&alarms, |alarms, _| {
        alarms.fetch_add(1, Relaxed);
    });
    assert_eq!(thermometer.measured().slot_count(), 4);

    println!("1. {SENSORS} sensors, each on its own thread, emit {READINGS} readings each.");
    thermometer.round(|| ());
    assert_eq!(display.shown.load(Relaxed), PER_ROUND);
    assert_eq!(display.highest.load(Relaxed), 29);
    assert_eq!(statistics.lock().unwrap().per_sensor, [READINGS as usize; SENSORS as usize]);
    assert_eq!(seen.load(Relaxed), PER_ROUND);
    assert_eq!(alarms.load(Relaxed), 1);
    println!("   The display, the statistics and a guest have seen all {PER_ROUND} of them;");
    println!(
        "   a slot that was connected for one call has been called once, by whoever came first."
    );

    println!("2. The guest goes away while the sensors are at work.");
    let was_there = Arc::downgrade(&guest);
    thermometer.round(|| drop(guest));
    assert!(was_there.upgrade().is_none());
    assert!(seen.load(Relaxed) <= 2 * PER_ROUND);
    assert_eq!(display.shown.load(Relaxed), 2 * PER_ROUND);
    assert_eq!(thermometer.measured().slot_count(), 2);
    println!("   It is freed, nobody had to unsubscribe it, and the others have missed nothing.");

    println!("3. The display is disconnected, and stays an object like any other.");
    assert!(to_display.disconnect());
    thermometer.round(|| ());
    assert_eq!(display.shown.load(Relaxed), 2 * PER_ROUND);
    let statistics = statistics.lock().unwrap();
    assert_eq!(statistics.per_sensor.iter().sum::<usize>(), 3 * PER_ROUND);
    let mean = f64::from(statistics.sum) / (3 * PER_ROUND) as f64;
    println!("   It has seen {} readings, the statistics {}.", 2 * PER_ROUND, 3 * PER_ROUND);
    println!("   The mean is {mean:.1} degrees.");

    println!("4. Slots can answer, and whoever asks combines the answers like any iterator.");
    assert_eq!(thermometer.warmest_wish("kitchen"), None);
    let tenants = [18, 22, 20].map(|wish| Arc::new(Tenant { wish }));
    for tenant in &tenants {
        thermometer.asked().connect(tenant, Tenant::answer);
    }
    assert_eq!(thermometer.warmest_wish("kitchen"), Some(22));
    assert_eq!(thermometer.warmest_wish("bedroom"), Some(19));
    println!("   The tenants want at most 22 degrees in the kitchen, and 19 in the bedroom.");
    drop(tenants);
    assert_eq!(thermometer.warmest_wish("kitchen"), None);
    println!("   When they have moved out, nobody answers.");
}
