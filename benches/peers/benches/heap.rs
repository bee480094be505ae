//! What a connection takes from the heap. The C library's own books tell it, for both languages alike,
//! with the rounding and the headers that come with each allocation.
//!
//! Writes `heap.json` beside criterion's data.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::{env, fs};

use peers::{Work, every};

const CONNECTIONS: usize = 10_000;

fn main() {
    let mut bytes = BTreeMap::new();
    every!(measure(&mut bytes));
    let folder: PathBuf = env::var_os("CRITERION_HOME").unwrap_or("target/criterion".into()).into();
    fs::create_dir_all(&folder).expect("the folder can be made");
    let json = serde_json::to_string_pretty(&bytes).expect("it is a map of numbers");
    fs::write(folder.join("heap.json"), json).expect("the file can be written");
}

fn measure<C: Work>(bytes: &mut BTreeMap<&str, f64>) {
    if !C::is_there() {
        return;
    }
    let mut contender = C::new();
    let owners: Vec<_> = (0..CONNECTIONS).map(|_| contender.owner()).collect();
    let before = allocated();
    owners.iter().for_each(|owner| contender.connect_one(owner));
    let each = (allocated() - before) as f64 / CONNECTIONS as f64;
    println!("{:<28}{each:>8.1} bytes per connection", C::NAME);
    bytes.insert(C::NAME, each);
}

fn allocated() -> usize {
    // SAFETY: it only reads.
    let info = unsafe { libc::mallinfo2() };
    info.uordblks + info.hblkhd
}
