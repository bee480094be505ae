//! Readers, sharers and editors of one version.

use loom::cell::UnsafeCell;
use loom::thread;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::Modelled;
use crate::raw::Versions;

/// A version that loom checks: it reports a read during a write or a drop.
struct Watched {
    value: UnsafeCell<usize>,
    /// How many versions exist.
    alive: Arc<AtomicUsize>,
}

impl Watched {
    fn new(value: usize, alive: &Arc<AtomicUsize>) -> Self {
        alive.fetch_add(1, Relaxed);
        Watched { value: UnsafeCell::new(value), alive: alive.clone() }
    }
    #[allow(unsafe_code)]
    fn read(&self) -> usize {
        // SAFETY: loom checks that nothing writes the value meanwhile.
        self.value.with(|value| unsafe { *value })
    }
    #[allow(unsafe_code)]
    fn write(&mut self, new: usize) {
        // SAFETY: loom checks that nothing reads the value meanwhile.
        self.value.with_mut(|value| unsafe { *value = new });
    }
}

impl Clone for Watched {
    fn clone(&self) -> Self {
        Watched::new(self.read(), &self.alive)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.write(usize::MAX);
        self.alive.fetch_sub(1, Relaxed);
    }
}

type Model = Versions<Watched, (), Modelled>;

fn versions() -> (Arc<Model>, Arc<AtomicUsize>) {
    let alive = Arc::default();
    (Arc::new(Versions::new(Watched::new(0, &alive), ())), alive)
}

fn read(versions: &Model) -> usize {
    read_and_tidy(versions, |_| ())
}

/// As an emission does: reads, leaves, and tidies if it has to.
fn read_and_tidy(versions: &Model, tidy: impl FnOnce(&mut Watched)) -> usize {
    let pinned = versions.pin();
    let value = pinned.read();
    assert_eq!(pinned.read(), value, "a pinned version does not change");
    drop(pinned);
    if versions.is_untidy() {
        versions.lock().tidy(|version, ()| tidy(version));
    }
    value
}

/// Runs `run` on another thread.
fn beside(versions: &Arc<Model>, run: impl FnOnce(&Model) + 'static) -> thread::JoinHandle<()> {
    let versions = versions.clone();
    thread::spawn(move || run(&versions))
}

fn edit(versions: &Model) {
    versions.lock().edit(|version, ()| version.write(version.read() + 1), |_| ());
}

#[test]
fn a_pinned_version_is_neither_edited_nor_freed_and_no_version_is_forgotten() {
    loom::model(|| {
        let (versions, alive) = versions();
        let readers: Vec<_> =
            (0..2).map(|_| beside(&versions, |versions| assert!(read(versions) <= 1))).collect();
        edit(&versions);
        readers.into_iter().for_each(|reader| reader.join().unwrap());
        assert_eq!(read(&versions), 1);
        assert_eq!(
            alive.load(Relaxed),
            1,
            "retired ones are freed, by the next reader at the latest"
        );
    });
}

#[test]
fn two_edits_meet_a_reader_that_sees_them_in_order() {
    loom::model(|| {
        let (versions, alive) = versions();
        let reader = beside(&versions, |versions| {
            let first = read(versions);
            assert!(first <= read(versions), "a later reader sees a later version");
        });
        edit(&versions);
        edit(&versions);
        reader.join().unwrap();
        assert_eq!(read(&versions), 2);
        assert_eq!(alive.load(Relaxed), 1);
    });
}

#[test]
fn what_a_sharer_was_in_the_way_of_is_tidied_when_it_ends() {
    loom::model(|| {
        let (versions, _) = versions();
        let sharer = beside(&versions, |versions| {
            let shared = versions.lock().share();
            assert_eq!(shared.read() % 10, 0);
            if versions.unshare(shared) {
                versions.lock().tidy(|version, ()| version.write(10));
            }
        });
        // Whoever does not find the other in the way writes 10.
        versions.lock().tidy(|version, ()| version.write(10));
        sharer.join().unwrap();
        assert_eq!(read(&versions), 10);
    });
}

#[test]
fn what_a_reader_was_in_the_way_of_is_tidied_when_the_next_one_ends_at_the_latest() {
    loom::model(|| {
        let (versions, _) = versions();
        fn read(versions: &Model) {
            assert_eq!(read_and_tidy(versions, |version| version.write(10)) % 10, 0);
        }
        let reader = beside(&versions, read);
        versions.lock().tidy(|version, ()| version.write(10));
        reader.join().unwrap();
        read(&versions);
        assert_eq!(versions.lock().parts().0.read(), 10);
    });
}

#[test]
fn a_version_that_a_reader_shares_stays_as_it_is_when_the_reader_leaves() {
    loom::model(|| {
        let (versions, _) = versions();
        let reader = beside(&versions, |versions| {
            let pinned = versions.pin();
            let shared = pinned.share();
            drop(pinned);
            let value = shared.read();
            assert_eq!(shared.read(), value);
            if versions.unshare(shared) {
                versions.lock().tidy(|version, ()| version.write(10));
            }
        });
        versions.lock().edit(|version, ()| version.write(1), |_| ());
        versions.lock().tidy(|version, ()| version.write(10));
        reader.join().unwrap();
        assert_eq!(read(&versions), 10);
    });
}
