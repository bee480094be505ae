//! The heap memory of signals and their slots: how many bytes were requested, and how often. Counts
//! Rust's allocator, and `operator new` in C++, without the overhead that each adds.
//!
//! Writes `heap.json` beside criterion's data.

#[path = "../../common/heap.rs"]
mod heap;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::{env, fs};

use heap::{Counting, heap};
use peers::{Work, every};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[cfg(counting)]
mod counting {
    #[link(name = "peers_counting", kind = "static", modifiers = "+whole-archive")]
    unsafe extern "C" {}

    /// What `cpp/counting.cpp` calls.
    #[unsafe(no_mangle)]
    extern "C" fn peers_count(allocations: u64, grown_by: isize) {
        super::heap::count(allocations, grown_by);
    }
}

/// How many signals the heap of one is averaged over.
const SIGNALS: usize = 1_000;
const CONNECTIONS: usize = 10_000;

/// Bytes and allocations by contender and number of slots: of a signal, or of each of its slots
/// where there are as many as [`CONNECTIONS`].
type Measured = BTreeMap<&'static str, BTreeMap<usize, [f64; 2]>>;

fn main() {
    let mut measured = Measured::new();
    every!(measure(&mut measured));
    let folder: PathBuf = env::var_os("CRITERION_HOME").unwrap_or("target/criterion".into()).into();
    fs::create_dir_all(&folder).expect("the folder can be made");
    let json = serde_json::to_string_pretty(&measured).expect("it is a map of numbers");
    fs::write(folder.join("heap.json"), json).expect("the file can be written");
}

fn measure<C: Work>(measured: &mut Measured) {
    if !C::is_there() {
        return;
    }
    let mut measured = |slots, [bytes, allocations]: [f64; 2]| {
        println!("{:<28}{slots:>8}{bytes:>10.1} bytes{allocations:>8.2} allocations", C::NAME);
        measured.entry(C::NAME).or_default().insert(slots, [bytes, allocations]);
    };
    for slots in [1, 3, 10] {
        if C::STANDS_ALONE {
            measured(slots, of_a_signal::<C>(slots));
        }
    }
    measured(CONNECTIONS, of_a_connection::<C>());
}

fn of_a_signal<C: Work>(slots: usize) -> [f64; 2] {
    let mut maker = C::new();
    let owners: Vec<_> = (0..SIGNALS * slots).map(|_| maker.owner()).collect();
    let mut many = C::with_room_for(SIGNALS);
    let (heap, ()) = heap(|| {
        C::fill(&mut many);
        C::connect_each(&mut many, &owners, slots);
    });
    [heap.bytes as f64, heap.allocations as f64].map(|all| all / SIGNALS as f64)
}

fn of_a_connection<C: Work>() -> [f64; 2] {
    let mut contender = C::new();
    let owners: Vec<_> = (0..CONNECTIONS).map(|_| contender.owner()).collect();
    let (heap, ()) = heap(|| owners.iter().for_each(|owner| contender.connect_one(owner)));
    [heap.bytes as f64, heap.allocations as f64].map(|all| all / CONNECTIONS as f64)
}
