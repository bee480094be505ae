//! A worker thread with work that takes a while. It knows nothing about windows: it only has
//! signals.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use sigwire::Signal;

#[derive(Debug, Clone, Copy, Default)]
pub struct Progress {
    pub done: u32,
    pub total: u32,
    /// How long the last block took.
    pub micros: u32,
}

#[derive(Default)]
pub struct Worker {
    pub progress: Signal<Progress>,
    pub finished: Signal<String>,
    emitted: AtomicUsize,
    stop: AtomicBool,
    thread: Mutex<Option<JoinHandle<()>>>,
}

const BLOCKS: u32 = 120;

impl Worker {
    pub fn start() -> Arc<Self> {
        let worker = Arc::new(Worker::default());
        let working = worker.clone();
        *worker.thread.lock().unwrap() = Some(thread::spawn(move || working.work()));
        worker
    }

    /// Stops the worker, and returns how often it emitted progress.
    pub fn stop(&self) -> usize {
        self.stop.store(true, Relaxed);
        if let Some(thread) = self.thread.lock().unwrap().take() {
            thread.join().expect("the worker does not panic");
        }
        self.emitted.load(Relaxed)
    }

    pub fn slots(&self) -> usize {
        self.progress.slot_count() + self.finished.slot_count()
    }

    fn work(&self) {
        for file in 1.. {
            let mut sum = 0_u32;
            for done in 1..=BLOCKS {
                if self.stop.load(Relaxed) {
                    return;
                }
                let start = Instant::now();
                sum = block(sum, done);
                let micros = start.elapsed().as_micros() as u32;
                self.progress.emit(&Progress { done, total: BLOCKS, micros });
                self.emitted.fetch_add(1, Relaxed);
                thread::sleep(Duration::from_millis(10));
            }
            self.finished.emit(&format!("file {file}: {sum:08x}"));
        }
    }
}

/// A checksum of a number of bytes that varies, so that blocks take different times.
fn block(sum: u32, number: u32) -> u32 {
    let bytes = 20_000 + 15_000 * (number % 7);
    (0..bytes).fold(sum, |sum, byte| (sum ^ byte).wrapping_mul(0x0100_0193))
}
