//! A progress bar in a terminal. A worker thread announces every step, and a loop on another thread
//! shows as many of them as a person can see.
//!
//! The bar is an `Rc<RefCell<..>>`, like a typical widget, and stays on its thread. The worker
//! knows only the signals, not the bar. The loop sleeps until it is woken or a throttled step is
//! due.

use sigwire::{LocalQueue, Signal};
use std::cell::RefCell;
use std::io::{IsTerminal, Write, stdout};
use std::rc::Rc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

const FILES: [&str; 3] = ["kernel.img", "modules.tar", "fonts.zip"];
const STEPS: u32 = 20_000;
/// The shortest time between two redraws. A person cannot follow more.
const FRAME: Duration = Duration::from_millis(40);

/// The signals of the worker.
#[derive(Default)]
struct Download {
    stepped: Signal<(usize, u32)>,
    finished: Signal<&'static str>,
}

impl Download {
    fn run(&self) {
        for (number, file) in FILES.into_iter().enumerate() {
            for step in 1..=STEPS {
                self.stepped.emit(&(number, step));
                if step % 500 == 0 {
                    thread::sleep(Duration::from_millis(5)); // simulates network time
                }
            }
            self.finished.emit(&file);
        }
    }
}

#[derive(Default)]
struct Bar {
    drawn: Vec<(usize, u32)>,
    finished: Vec<&'static str>,
}

impl Bar {
    fn draw(&mut self, &(number, step): &(usize, u32)) {
        self.drawn.push((number, step));
        if stdout().is_terminal() {
            let filled = (step * 40 / STEPS) as usize;
            let (done, left) = ("=".repeat(filled), " ".repeat(40 - filled));
            print!("\r{:<12} [{done}{left}] {:3} %", FILES[number], step * 100 / STEPS);
            stdout().flush().expect("the terminal is there");
        }
    }

    fn finish(&mut self, file: &&'static str) {
        self.finished.push(file);
        if stdout().is_terminal() {
            print!("\r{}\r", " ".repeat(65));
        }
        println!("{file:<12} is here");
    }
}

fn main() {
    let download = Download::default();
    let bar = Rc::new(RefCell::new(Bar::default()));
    let (wake, wakes) = channel();
    let queue = LocalQueue::new(move || wake.send(()).expect("the loop outlives its queue"));

    let slot = download.stepped.slot().on(&queue).latest().throttle(FRAME);
    let steps = slot.connect_mut(&bar, Bar::draw);
    download.finished.slot().on(&queue).connect_mut(&bar, Bar::finish);

    let start = Instant::now();
    let (mut turns, mut passed_over) = (0, 0);
    thread::scope(|scope| {
        scope.spawn(|| download.run());
        while bar.borrow().finished.len() < FILES.len() {
            let until_due = queue.next_deadline().map(|due| due.duration_since(Instant::now()));
            match wakes.recv_timeout(until_due.unwrap_or(Duration::from_secs(20))) {
                Err(RecvTimeoutError::Timeout) if until_due.is_none() => panic!("nothing to show"),
                _ => passed_over += queue.run().lost,
            }
            turns += 1;
        }
    });
    // The last step may still be waiting for its frame.
    if queue.flush(&steps) && stdout().is_terminal() {
        println!();
    }

    let bar = Rc::try_unwrap(bar).ok().expect("subscribing keeps nothing alive").into_inner();
    let drawn = &bar.drawn;
    let steps = FILES.len() as u32 * STEPS;
    println!("{steps} steps, {turns} turns of the loop, {} of them drew the bar.", drawn.len());

    assert_eq!(bar.finished, FILES, "nothing that counts is passed over");
    assert_eq!(drawn.last(), Some(&(FILES.len() - 1, STEPS)), "the last step is shown");
    assert!(drawn.is_sorted(), "in order");
    let frames = start.elapsed().as_millis() / FRAME.as_millis();
    assert!(drawn.len() as u128 <= frames + 2, "once a frame, and at the end");
    assert!(passed_over > u64::from(steps) / 2);

    assert_eq!(download.stepped.emit(&(0, 0)), 1, "an emitter cannot tell that an `Rc` is gone");
    queue.run();
    assert_eq!(download.stepped.emit(&(0, 0)), 0, "the queue can");
    println!("The bar is freed, and the signals know it.");
}
