//! All contenders on the page, in its order.

use peers::{Contender, HandArc, HandLocked, HandRc, every, every_threaded};

pub(crate) struct Entrant {
    pub(crate) name: &'static str,
    pub(crate) thread_safe: bool,
    pub(crate) on_two_threads: bool,
    pub(crate) stands_alone: bool,
    pub(crate) tracks_owners: bool,
}

/// A line of a chart and of a table.
pub(crate) struct Row {
    pub(crate) label: String,
    pub(crate) whose: Whose,
    pub(crate) thread_safe: bool,
}

#[derive(Clone, Copy)]
pub(crate) enum Whose {
    ByHand,
    Ours,
    Peer,
}

impl Entrant {
    /// The hand-written loop of the same kind.
    pub(crate) fn list(&self) -> &'static str {
        if self.thread_safe { HandArc::NAME } else { HandRc::NAME }
    }

    /// The same, where it can change through a shared reference, if that costs anything.
    pub(crate) fn shared_list(&self) -> &'static str {
        if self.thread_safe { HandLocked::NAME } else { HandRc::NAME }
    }

    /// With a mark for contenders that do less.
    pub(crate) fn row(&self) -> Row {
        let whose = match self.name {
            name if name.starts_with("hand-written") => Whose::ByHand,
            name if name.starts_with("sigwire") => Whose::Ours,
            _ => Whose::Peer,
        };
        let mark = if self.tracks_owners { "" } else { " †" };
        Row { label: format!("{}{mark}", self.name), whose, thread_safe: self.thread_safe }
    }
}

impl Row {
    pub(crate) fn ours(label: &str) -> Self {
        Row { label: label.to_owned(), whose: Whose::Ours, thread_safe: true }
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
        stands_alone: C::STANDS_ALONE,
        tracks_owners: C::TRACKS_OWNERS,
    });
}
