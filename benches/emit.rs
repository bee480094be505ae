use criterion::{criterion_group, criterion_main, Criterion, BenchmarkId};
use std::hint::black_box;
use std::rc::{Rc, self};
use std::cell::Cell;
use std::sync::{Arc, Weak, atomic::{AtomicU64, Ordering::Relaxed}};

trait Method<E> { fn call(&self, e: &E); }
struct W(AtomicU64);
impl W { fn on(&self, e: &u64) { self.0.store(*e, Relaxed) } }
impl Method<u64> for W { fn call(&self, e: &u64) { self.on(e) } }
struct L(Cell<u64>);
impl L { fn on(&self, e: &u64) { self.0.set(*e) } }
impl Method<u64> for L { fn call(&self, e: &u64) { self.on(e) } }

fn emit(c: &mut Criterion) {
    for n in [0usize, 1, 3, 10, 100, 1000, 10000] {
        let mut g = c.benchmark_group(format!("emit"));
        {
            let owners: Vec<Arc<W>> = (0..n).map(|_| Arc::new(W(AtomicU64::new(0)))).collect();
            let hand: Vec<Weak<dyn Method<u64>>> = owners.iter().map(|o| { let w: Weak<W> = Arc::downgrade(o); w as Weak<dyn Method<u64>> }).collect();
            g.bench_function(BenchmarkId::new("hand_arc", n), |b| b.iter(|| {
                let e = black_box(7u64);
                for w in &hand { if let Some(o) = w.upgrade() { o.call(&e) } }
            }));
            let s: sigwire::Signal<u64> = sigwire::Signal::new();
            for o in &owners { s.connect(o, W::on); }
            g.bench_function(BenchmarkId::new("sigwire", n), |b| b.iter(|| s.emit(&black_box(7u64))));
            g.bench_function(BenchmarkId::new("sigwire_call_count", n), |b| b.iter(|| s.call(&black_box(7u64)).count()));
        }
        {
            let owners: Vec<Rc<L>> = (0..n).map(|_| Rc::new(L(Cell::new(0)))).collect();
            let hand: Vec<rc::Weak<dyn Method<u64>>> = owners.iter().map(|o| { let w: rc::Weak<L> = Rc::downgrade(o); w as rc::Weak<dyn Method<u64>> }).collect();
            g.bench_function(BenchmarkId::new("hand_rc", n), |b| b.iter(|| {
                let e = black_box(7u64);
                for w in &hand { if let Some(o) = w.upgrade() { o.call(&e) } }
            }));
            let s: sigwire::local::Signal<u64> = sigwire::local::Signal::new();
            for o in &owners { s.connect(o, L::on); }
            g.bench_function(BenchmarkId::new("sigwire_local", n), |b| b.iter(|| s.emit(&black_box(7u64))));
        }
        g.finish();
    }
}
criterion_group!(benches, emit);
criterion_main!(benches);
