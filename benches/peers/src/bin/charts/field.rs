//! Everyone on the page, in its order.

use peers::{Contender, HandArc, HandRc, every, every_threaded};

pub(crate) struct Entrant {
    pub(crate) name: &'static str,
    pub(crate) thread_safe: bool,
    pub(crate) on_two_threads: bool,
    pub(crate) tracks_owners: bool,
    /// The hand-written loop of the same kind.
    pub(crate) compared_with: &'static str,
}

impl Entrant {
    /// With a mark for those that do less.
    pub(crate) fn label(&self) -> String {
        format!("{}{}", self.name, if self.tracks_owners { "" } else { " †" })
    }
}

pub(crate) fn everyone() -> Vec<Entrant> {
    let (mut everyone, mut threaded) = (Vec::new(), Vec::new());
    every!(enter(&mut everyone));
    every_threaded!(enter(&mut threaded));
    for entrant in &mut everyone {
        entrant.on_two_threads = threaded.iter().any(|other| other.name == entrant.name);
    }
    everyone
}

fn enter<C: Contender>(field: &mut Vec<Entrant>) {
    field.push(Entrant {
        name: C::NAME,
        thread_safe: C::THREAD_SAFE,
        on_two_threads: false,
        tracks_owners: C::TRACKS_OWNERS,
        compared_with: if C::THREAD_SAFE { HandArc::NAME } else { HandRc::NAME },
    });
}
