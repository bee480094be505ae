//! Progress in a terminal: a worker thread announces every step, and a loop of its own shows what a person
//! can see of it.
//!
//! The bar is an `Rc<RefCell<..>>`, as widgets are: it never leaves its thread. The worker knows nothing
//! of it, only the signals. The loop sleeps until it is woken, or until a throttled step is due.

use sigwire::{LocalQueue, Signal};
use std::cell::RefCell;
use std::io::{IsTerminal, Write, stdout};
use std::rc::Rc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

const FILES: [&str; 3] = ["kernel.img", "modules.tar", "fonts.zip"];
const STEPS: u32 = 20_000;
/// A person sees no more than this.
const FRAME: Duration = Duration::from_millis(40);

/// What the worker announces.
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
                    thread::sleep(Duration::from_millis(5)); // the network
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
    // The last step may still wait for its frame.
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
