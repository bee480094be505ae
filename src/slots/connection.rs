//! Handles to slots: to disconnect them, to block them, to wait for them.

use core::fmt;
use core::ops::{Deref, DerefMut};
use slotmap::Key;
use smallvec::SmallVec;

use super::any_slots::AnySlots;
use crate::base::{Running, SlotKey};
use crate::raw::Flavor;
use crate::raw::OutlinedWeak;

/// What connections hold of a signal.
pub(crate) type WeakSlots<F> = OutlinedWeak<AnySlots<F>, F>;

/// The handle to one slot. Dropping it does nothing: the slot stays connected as long as its owner
/// and its signal live.
///
/// Generic over the flavor. Its everyday names are [`Connection`](crate::Connection) and
/// [`local::Connection`](crate::local::Connection).
///
/// It is not generic over the signal's event, so one `Vec<Connection>` holds any mix. All its
/// methods may be called at any time, from inside the slot too, and after the signal is gone.
///
/// ```
/// use sigwire::Signal;
/// use std::sync::Arc;
///
/// struct Lamp;
/// impl Lamp {
///     fn on_switch(&self, _on: &bool) {}
/// }
///
/// let switched: Signal<bool> = Signal::new();
/// let lamp = Arc::new(Lamp);
/// let connection = switched.connect(&lamp, Lamp::on_switch);
/// assert_eq!(switched.emit(&true), 1);
///
/// let block = connection.block();
/// assert_eq!(switched.emit(&false), 0);
/// drop(block);
///
/// assert!(connection.disconnect());
/// assert!(!connection.disconnect(), "it was not connected any more");
/// assert_eq!(switched.emit(&true), 0);
/// ```
///
/// # Cost
/// Two words (where these have 64 bits), and a count on the signal's slots, whose memory (about a hundred bytes, not what is
/// connected) it keeps after the signal is gone. Each method takes the signal's lock for a moment.
pub struct Connection<F: Flavor> {
    table: WeakSlots<F>,
    /// The key as one number: so that who connects gets two words, in registers.
    key_bits: u64,
}

impl<F: Flavor> Connection<F> {
    pub(crate) fn new(table: WeakSlots<F>, key: SlotKey) -> Self {
        Connection { table, key_bits: key.to_bits() }
    }

    /// The connection of a slot that never was.
    pub(crate) fn never() -> Self {
        Self::new(WeakSlots::dangling(), SlotKey::null())
    }

    #[inline(always)]
    fn key(&self) -> SlotKey {
        SlotKey::from_bits(self.key_bits)
    }

    /// Ends the connection; returns whether there still was one. No call of the slot starts after
    /// this returned. A call that is under way goes on, and what its method captured is dropped when
    /// it returns.
    pub fn disconnect(&self) -> bool {
        self.table.upgrade().is_some_and(|table| table.disconnect(self.key()))
    }

    /// Ends the connection and waits until no call of the slot is under way on another thread;
    /// returns whether there still was a connection. What the calls did is visible afterwards.
    ///
    /// A handler that waits [in a queue](crate::SlotOptions::on) is called by its loop: for that call this
    /// does not wait, and inside it this is no error.
    ///
    /// # Errors
    /// When called from inside the slot itself, which cannot wait for its own end; or in a destructor that an
    /// emission runs right after the slot's call, which counts as part of it. The slot is disconnected all
    /// the same.
    ///
    /// # Deadlocks
    /// As with joining a thread: it never returns if the call it waits for waits for this thread,
    /// or holds a lock that this thread needs to be released.
    ///
    /// # Cost
    /// Nothing to wait for: as `disconnect`. Otherwise it looks again after a while that grows from a
    /// spin to a millisecond.
    pub fn disconnect_and_wait(&self) -> Result<bool, WaitError> {
        let Some(table) = self.table.upgrade() else {
            // The last call was over before the signal ended. Makes visible what it did: failing to
            // upgrade does not.
            F::full_fence();
            return Ok(false);
        };
        let was_connected = table.disconnect(self.key());
        let mut looks = 0;
        loop {
            match table.running(self.key()) {
                Running::Nowhere => return Ok(was_connected),
                Running::Here => return Err(WaitError { was_connected }),
                Running::Elsewhere => F::wait_a_little(looks),
            }
            looks += 1;
        }
    }

    /// Whether the slot is connected: its signal and its owner live, nobody disconnected it, and
    /// its calls, if they are counted, are not used up.
    pub fn is_connected(&self) -> bool {
        self.table.upgrade().is_some_and(|table| table.is_connected(self.key()))
    }

    /// Silences the slot until the block is dropped. Blocks count: two need two releases.
    pub fn block(&self) -> Block<F> {
        Block::one(self.table.clone(), Some(self.key()))
    }

    /// Whether the slot itself is blocked. (Its signal may be, too: `Source::is_blocked`.)
    pub fn is_blocked(&self) -> bool {
        self.table.upgrade().is_some_and(|table| table.is_blocked(Some(self.key())))
    }

    /// Whether the slot, or its signal, is blocked.
    #[cfg(feature = "std")]
    pub(crate) fn is_silenced(&self) -> bool {
        let table = self.table.upgrade();
        table.is_none_or(|table| table.is_blocked(Some(self.key())) || table.is_blocked(None))
    }

    /// Equal for equal connections, and for no others that exist at the same time.
    #[cfg(feature = "std")]
    pub(crate) fn identity(&self) -> (usize, SlotKey) {
        (self.table.address().addr(), self.key())
    }

    /// Makes the handle a guard, which disconnects when it is dropped.
    pub fn scoped(self) -> ScopedConnection<F> {
        ScopedConnection { connection: Some(self) }
    }
}

/// Two are equal when they are handles to the same slot.
impl<F: Flavor> PartialEq for Connection<F> {
    fn eq(&self, other: &Self) -> bool {
        self.key_bits == other.key_bits && self.table.is_same(&other.table)
    }
}

impl<F: Flavor> Eq for Connection<F> {}

impl<F: Flavor> Clone for Connection<F> {
    fn clone(&self) -> Self {
        Connection { table: self.table.clone(), key_bits: self.key_bits }
    }
}

impl<F: Flavor> fmt::Debug for Connection<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.table.upgrade().and_then(|table| table.name(self.key()));
        let mut f = f.debug_struct("Connection");
        f.field("slot", &self.key().tag());
        if let Some(name) = name {
            f.field("name", &name);
        }
        f.finish()
    }
}

/// A connection that ends when this is dropped. It derefs to [`Connection`].
///
/// There is one guard for a slot, so it is not `Clone`. A handle beside it is `Connection::clone(&guard)`.
///
/// Generic over the flavor. Its everyday names are
/// [`ScopedConnection`](crate::ScopedConnection) and
/// [`local::ScopedConnection`](crate::local::ScopedConnection).
///
/// ```
/// use sigwire::Signal;
///
/// let said: Signal<str> = Signal::new();
/// let scoped = said.connect_fn(|word| println!("{word}"));
/// assert_eq!(said.emit("hi"), 1);
/// drop(scoped);
/// assert_eq!(said.emit("ho"), 0);
/// ```
#[must_use = "dropping it disconnects at once; `detach()` keeps the slot as long as the signal lives"]
pub struct ScopedConnection<F: Flavor> {
    /// None only in the moment of detaching.
    connection: Option<Connection<F>>,
}

impl<F: Flavor> ScopedConnection<F> {
    /// Gives the guard up: the slot stays connected as long as the signal (and its owner, if it has
    /// one) lives.
    pub fn detach(mut self) -> Connection<F> {
        self.connection.take().expect("a scoped connection is detached once")
    }

    /// Stands in the way of [`Connection`]'s: `signal.connect_fn(..).clone()` would be the handle to a slot that has
    /// ended with that line.
    #[doc(hidden)]
    #[allow(clippy::should_implement_trait, reason = "it is there to be refused")]
    pub fn clone(&self) -> Self
    where
        Self: CloneOfGuard,
    {
        unreachable!("no guard can be cloned")
    }
}

/// Holds for no guard.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a `ScopedConnection` cannot be cloned: its slot ends with it",
    label = "the guard is still the only one",
    note = "for a handle beside the guard, write `Connection::clone(&guard)`, and keep the guard",
    note = "for a slot that lives as long as its signal, write `.detach()`"
)]
pub trait CloneOfGuard {}

impl<F: Flavor> Deref for ScopedConnection<F> {
    type Target = Connection<F>;
    fn deref(&self) -> &Connection<F> {
        self.connection.as_ref().expect("a detached scoped connection is gone")
    }
}

impl<F: Flavor> From<Connection<F>> for ScopedConnection<F> {
    fn from(connection: Connection<F>) -> Self {
        connection.scoped()
    }
}

impl<F: Flavor> Drop for ScopedConnection<F> {
    fn drop(&mut self) {
        if let Some(connection) = &self.connection {
            connection.disconnect();
        }
    }
}

impl<F: Flavor> fmt::Debug for ScopedConnection<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ScopedConnection").field(&**self).finish()
    }
}

/// Silence as long as it is held. Made by [`Connection::block`], [`Source::block`] and
/// [`ConnectionSet::block`]. A blocked slot stays connected; it is not called, and
/// [`emit`](crate::Signal::emit) does not count it. A block outlives what it blocks without harm.
///
/// Generic over the flavor. Its everyday names are [`Block`](crate::Block) and
/// [`local::Block`](crate::local::Block).
///
/// [`Source::block`]: crate::Source::block
#[must_use = "dropping it ends the silence at once"]
pub struct Block<F: Flavor> {
    blocked: SmallVec<[(WeakSlots<F>, Option<SlotKey>); 1]>,
}

impl<F: Flavor> Block<F> {
    fn empty() -> Self {
        Block { blocked: SmallVec::new() }
    }

    pub(crate) fn one(table: WeakSlots<F>, key: Option<SlotKey>) -> Self {
        let mut block = Block::empty();
        block.add(table, key);
        block
    }

    /// Noted only once it is in force: what is not blocked is never unblocked.
    fn add(&mut self, table: WeakSlots<F>, key: Option<SlotKey>) {
        if let Some(blocked) = table.upgrade() {
            blocked.block(key);
            drop(blocked);
            self.blocked.push((table, key));
        }
    }
}

impl<F: Flavor> Drop for Block<F> {
    fn drop(&mut self) {
        for (table, key) in &self.blocked {
            if let Some(table) = table.upgrade() {
                table.unblock(*key);
            }
        }
    }
}

impl<F: Flavor> fmt::Debug for Block<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.blocked.iter().map(|(_, key)| key.map(SlotKey::tag));
        f.write_str("Block")?;
        f.debug_list().entries(keys).finish()
    }
}

/// A bag of connections, of any signals, to disconnect or block together. Dropping it does nothing,
/// as with [`Connection`]; a [`scoped`](Self::scoped) one disconnects.
///
/// Generic over the flavor. Its everyday names are [`ConnectionSet`](crate::ConnectionSet) and
/// [`local::ConnectionSet`](crate::local::ConnectionSet).
///
/// ```
/// use sigwire::{ConnectionSet, Signal};
/// use std::sync::Arc;
///
/// let opened: Signal<str> = Signal::new();
/// let closed: Signal<u32> = Signal::new();
/// let log = Arc::new(());
///
/// let mut set = ConnectionSet::new();
/// set.add(opened.connect(&log, |_, name| println!("opened {name}")));
/// set.add(closed.connect(&log, |_, id| println!("closed {id}")));
///
/// let quiet = set.block();
/// assert_eq!(opened.emit("a") + closed.emit(&1), 0);
/// drop(quiet);
/// assert_eq!(opened.emit("a") + closed.emit(&1), 2);
/// assert_eq!(set.disconnect_all(), 2);
/// ```
pub struct ConnectionSet<F: Flavor> {
    connections: SmallVec<[Connection<F>; 4]>,
}

impl<F: Flavor> ConnectionSet<F> {
    /// An empty set.
    pub fn new() -> Self {
        ConnectionSet { connections: SmallVec::new() }
    }

    /// Adds a connection.
    pub fn add(&mut self, connection: Connection<F>) {
        self.connections.push(connection);
    }

    /// Disconnects all of them and empties the set; returns how many still were connected.
    pub fn disconnect_all(&mut self) -> usize {
        /// One by one from the end, so that none is forgotten when a destructor panics.
        struct FromTheFirst<'a, F: Flavor>(&'a mut SmallVec<[Connection<F>; 4]>);
        impl<F: Flavor> Drop for FromTheFirst<'_, F> {
            fn drop(&mut self) {
                self.0.reverse();
            }
        }
        self.connections.reverse();
        let left = FromTheFirst(&mut self.connections);
        let mut count = 0;
        while let Some(connection) = left.0.pop() {
            count += usize::from(connection.disconnect());
        }
        count
    }

    /// Makes the set a guard, which disconnects all of them when it is dropped.
    pub fn scoped(self) -> ScopedConnectionSet<F> {
        ScopedConnectionSet { set: self }
    }

    /// Silences all of them until the block is dropped. Connections that are added later are not
    /// silenced.
    pub fn block(&self) -> Block<F> {
        let mut block = Block::empty();
        for connection in &self.connections {
            block.add(connection.table.clone(), Some(connection.key()));
        }
        block
    }

    /// How many connections are in the set, ended ones included.
    pub fn len(&self) -> usize {
        self.connections.len()
    }

    /// Whether no connection is in the set.
    pub fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }

    /// The connections, in the order they were added.
    pub fn iter(&self) -> impl Iterator<Item = &Connection<F>> {
        self.connections.iter()
    }
}

impl<F: Flavor> Default for ConnectionSet<F> {
    fn default() -> Self {
        ConnectionSet::new()
    }
}

impl<F: Flavor> Extend<Connection<F>> for ConnectionSet<F> {
    fn extend<I: IntoIterator<Item = Connection<F>>>(&mut self, connections: I) {
        self.connections.extend(connections);
    }
}

impl<F: Flavor> FromIterator<Connection<F>> for ConnectionSet<F> {
    fn from_iter<I: IntoIterator<Item = Connection<F>>>(connections: I) -> Self {
        ConnectionSet { connections: connections.into_iter().collect() }
    }
}

impl<F: Flavor> fmt::Debug for ConnectionSet<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(&self.connections).finish()
    }
}

/// A [`ConnectionSet`] that disconnects all of its connections when it is dropped. It derefs to the
/// set, so connections are added and blocked as there. Keep one in an object, and what the object is
/// connected to ends with it, also where it is not the owner of the slots.
///
/// Generic over the flavor. Its everyday names are
/// [`ScopedConnectionSet`](crate::ScopedConnectionSet) and
/// [`local::ScopedConnectionSet`](crate::local::ScopedConnectionSet).
///
/// ```
/// use sigwire::{ScopedConnectionSet, Signal};
/// use std::sync::Arc;
///
/// let opened: Signal<str> = Signal::new();
/// let log = Arc::new(());
///
/// let mut dialog = ScopedConnectionSet::new();
/// dialog.add(opened.connect(&log, |_, name| println!("opened {name}")));
/// dialog.add(opened.connect_fn(|name| println!("{name} is open")).detach());
/// assert_eq!(opened.emit("a"), 2);
///
/// drop(dialog);
/// assert_eq!(opened.emit("b"), 0);
/// ```
#[must_use = "dropping it disconnects at once; `detach()` keeps the slots connected"]
pub struct ScopedConnectionSet<F: Flavor> {
    set: ConnectionSet<F>,
}

impl<F: Flavor> ScopedConnectionSet<F> {
    /// An empty set.
    pub fn new() -> Self {
        ConnectionSet::new().scoped()
    }

    /// Gives the guard up: the slots stay connected.
    pub fn detach(mut self) -> ConnectionSet<F> {
        core::mem::take(&mut self.set)
    }
}

impl<F: Flavor> Deref for ScopedConnectionSet<F> {
    type Target = ConnectionSet<F>;
    fn deref(&self) -> &ConnectionSet<F> {
        &self.set
    }
}

impl<F: Flavor> DerefMut for ScopedConnectionSet<F> {
    fn deref_mut(&mut self) -> &mut ConnectionSet<F> {
        &mut self.set
    }
}

impl<F: Flavor> Default for ScopedConnectionSet<F> {
    fn default() -> Self {
        ScopedConnectionSet::new()
    }
}

impl<F: Flavor> From<ConnectionSet<F>> for ScopedConnectionSet<F> {
    fn from(set: ConnectionSet<F>) -> Self {
        set.scoped()
    }
}

impl<F: Flavor> FromIterator<Connection<F>> for ScopedConnectionSet<F> {
    fn from_iter<I: IntoIterator<Item = Connection<F>>>(connections: I) -> Self {
        connections.into_iter().collect::<ConnectionSet<F>>().scoped()
    }
}

impl<F: Flavor> Drop for ScopedConnectionSet<F> {
    fn drop(&mut self) {
        /// The others also when a destructor panics.
        struct Others<'a, F: Flavor>(&'a mut ConnectionSet<F>);
        impl<F: Flavor> Drop for Others<'_, F> {
            fn drop(&mut self) {
                self.0.disconnect_all();
            }
        }
        Others(&mut self.set).0.disconnect_all();
    }
}

impl<F: Flavor> fmt::Debug for ScopedConnectionSet<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ScopedConnectionSet").field(&self.set).finish()
    }
}

/// [`Connection::disconnect_and_wait`] was called from inside the slot it was to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct WaitError {
    /// Whether the slot was connected until then.
    pub was_connected: bool,
}

impl fmt::Display for WaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a slot cannot wait for its own end: it is disconnected, but still running here \
             (call `disconnect` from inside a slot)",
        )
    }
}

impl core::error::Error for WaitError {}
