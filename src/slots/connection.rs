//! Handles to slots: they disconnect a slot, block it, or wait for its calls.

use core::fmt;
use core::ops::Deref;
use slotmap::Key;
use smallvec::SmallVec;

use super::any_slots::AnySlots;
use crate::base::{Running, SlotKey};
use crate::raw::Flavor;
use crate::raw::OutlinedWeak;

/// The weak reference that a connection holds to the slots of its signal.
pub(crate) type WeakSlots<F> = OutlinedWeak<AnySlots<F>, F>;

/// A handle to one slot. Dropping it does not disconnect the slot.
///
/// Generic over the flavor. Its everyday names are [`Connection`](crate::Connection) and
/// [`local::Connection`](crate::local::Connection).
///
/// The slot stays connected as long as its owner and its signal live. The type does not depend on
/// the signal's event, so a `Vec<Connection>` can hold connections of different signals. All
/// methods may be called at any time, also from inside the slot and after the signal was dropped.
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
/// Two words on 64-bit systems, and a weak reference to the signal's slots. That reference keeps
/// about a hundred bytes allocated after the signal was dropped, but none of the slots. Each method
/// takes the signal's lock for a moment.
pub struct Connection<F: Flavor> {
    table: WeakSlots<F>,
    /// The key as one number, so that a connection is two words and is returned in registers.
    key_bits: u64,
}

impl<F: Flavor> Connection<F> {
    pub(crate) fn new(table: WeakSlots<F>, key: SlotKey) -> Self {
        Connection { table, key_bits: key.to_bits() }
    }

    /// A connection that was never connected.
    pub(crate) fn never() -> Self {
        Self::new(WeakSlots::dangling(), SlotKey::null())
    }

    #[inline(always)]
    fn key(&self) -> SlotKey {
        SlotKey::from_bits(self.key_bits)
    }

    /// Disconnects the slot and returns whether it was still connected.
    ///
    /// No call of the slot starts after this has returned. A call that is already running
    /// continues; the values its method captured are dropped when it returns. (A slot in a queue whose
    /// events a run has taken keeps them until that run has called those events: see
    /// [`Queue`](crate::generic::Queue).)
    pub fn disconnect(&self) -> bool {
        self.table.upgrade().is_some_and(|table| table.disconnect(self.key()))
    }

    /// Disconnects the slot, waits until no other thread is running it, and returns whether it was
    /// still connected.
    ///
    /// When it returns, everything that those calls wrote is visible to this thread.
    ///
    /// It does not wait for a handler that a [queue](crate::SlotOptions::on) runs, so such a
    /// handler may call it on its own connection.
    ///
    /// # Errors
    /// If it is called from inside the slot itself, which cannot wait for itself to return. A
    /// destructor that the emission runs right after the slot's call counts as inside the slot. The
    /// slot is disconnected in this case too.
    ///
    /// # Deadlocks
    /// It never returns if the running call waits for this thread, or for a lock that this thread
    /// holds. The same is true of joining a thread.
    ///
    /// # Cost
    /// The same as `disconnect` if no call is running. Otherwise it polls; the time between polls
    /// grows from a spin to a millisecond.
    pub fn disconnect_and_wait(&self) -> Result<bool, WaitError> {
        let Some(table) = self.table.upgrade() else {
            // All calls returned before the signal was dropped. The fence makes their writes
            // visible, which a failed upgrade does not do.
            F::full_fence();
            return Ok(false);
        };
        let was_connected = table.disconnect(self.key());
        let mut polls = 0;
        loop {
            match table.running(self.key()) {
                Running::Nowhere => return Ok(was_connected),
                Running::Here => return Err(WaitError { was_connected }),
                Running::Elsewhere => F::wait_a_little(polls),
            }
            polls += 1;
        }
    }

    /// Whether the slot is connected.
    ///
    /// It is connected until it is disconnected, until its signal or its owner is dropped, or, if
    /// it was connected with `once` or `times`, until its last call starts.
    pub fn is_connected(&self) -> bool {
        self.table.upgrade().is_some_and(|table| table.is_connected(self.key()))
    }

    /// Blocks the slot until the returned guard is dropped.
    ///
    /// Blocks are counted: a slot that was blocked twice is called again once both guards are
    /// dropped.
    pub fn block(&self) -> Block<F> {
        Block::one(self.table.clone(), Some(self.key()))
    }

    /// Whether the slot itself is blocked. To learn whether its whole signal is blocked, see
    /// [`Source::is_blocked`](crate::Source::is_blocked).
    pub fn is_blocked(&self) -> bool {
        self.table.upgrade().is_some_and(|table| table.is_blocked(Some(self.key())))
    }

    /// Whether the slot or its signal is blocked, or the signal was dropped.
    #[cfg(feature = "std")]
    pub(crate) fn is_silenced(&self) -> bool {
        let table = self.table.upgrade();
        table.is_none_or(|table| table.is_blocked(Some(self.key())) || table.is_blocked(None))
    }

    /// Identifies the slot among all connections that exist at the same time.
    #[cfg(feature = "std")]
    pub(crate) fn identity(&self) -> (usize, SlotKey) {
        (self.table.address().addr(), self.key())
    }

    /// Turns the handle into a guard that disconnects the slot when it is dropped.
    pub fn scoped(self) -> ScopedConnection<F> {
        ScopedConnection { connection: Some(self) }
    }
}

/// Two connections are equal if they are handles to the same slot.
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

/// A guard that disconnects its slot when it is dropped. It derefs to [`Connection`].
///
/// A slot has one guard, so the guard is not `Clone`. `Connection::clone(&guard)` returns another
/// handle to the slot.
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
#[must_use = "dropping it disconnects at once; `detach()` keeps the slot connected"]
pub struct ScopedConnection<F: Flavor> {
    /// `None` only inside `detach`.
    connection: Option<Connection<F>>,
}

impl<F: Flavor> ScopedConnection<F> {
    /// Turns the guard back into a plain handle, without disconnecting.
    ///
    /// The slot then stays connected as long as its signal lives, and its owner if it has one.
    pub fn detach(mut self) -> Connection<F> {
        self.connection.take().expect("only `detach` takes it")
    }

    /// Hides the `clone` of [`Connection`]: `signal.connect_fn(..).clone()` would return a handle to
    /// a slot that is disconnected at the end of that statement.
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
        self.connection.as_ref().expect("only `detach` takes it")
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

/// A guard that blocks slots until it is dropped.
///
/// Returned by [`Connection::block`], [`Source::block`] and [`ConnectionSet::block`]. A blocked
/// slot stays connected, but is not called, and [`emit`](crate::Signal::emit) does not count it.
/// The guard may outlive the slots and the signal it blocks.
///
/// Generic over the flavor. Its everyday names are [`Block`](crate::Block) and
/// [`local::Block`](crate::local::Block).
///
/// [`Source::block`]: crate::Source::block
#[must_use = "dropping it ends the block at once"]
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

    /// Blocks first and records it afterwards, so that a panic in between never leads to an
    /// unblock without a block.
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

/// A set of connections, of any signals, to disconnect or block together.
///
/// Dropping the set does not disconnect anything, as with [`Connection`]. Use
/// [`scoped`](Self::scoped) for a set that disconnects on drop.
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

    /// Disconnects all connections, empties the set, and returns how many were still connected.
    pub fn disconnect_all(&mut self) -> usize {
        /// Restores the order of the connections that are left when a destructor panics.
        struct ReverseOnDrop<'a, F: Flavor>(&'a mut SmallVec<[Connection<F>; 4]>);
        impl<F: Flavor> Drop for ReverseOnDrop<'_, F> {
            fn drop(&mut self) {
                self.0.reverse();
            }
        }
        // Popped one by one from the reversed list, so that a panic loses no connection.
        self.connections.reverse();
        let left = ReverseOnDrop(&mut self.connections);
        let mut count = 0;
        while let Some(connection) = left.0.pop() {
            count += usize::from(connection.disconnect());
        }
        count
    }

    /// Turns the set into a guard that disconnects all connections when it is dropped.
    pub fn scoped(self) -> ScopedConnectionSet<F> {
        ScopedConnectionSet { set: self }
    }

    /// Blocks all connections in the set until the returned guard is dropped.
    ///
    /// Connections that are added later are not blocked.
    pub fn block(&self) -> Block<F> {
        let mut block = Block::empty();
        for connection in &self.connections {
            block.add(connection.table.clone(), Some(connection.key()));
        }
        block
    }

    /// How many connections are in the set, including those that are no longer connected.
    pub fn len(&self) -> usize {
        self.connections.len()
    }

    /// Whether the set contains no connections.
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

/// A [`ConnectionSet`] that disconnects all of its connections when it is dropped.
///
/// It derefs to the set, to look at it and to block it. (Not mutably: assigning another set would
/// leave these slots connected.) Keep one in an object to disconnect all of the object's slots when the object is dropped, including slots that
/// have another owner or none.
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

    /// Adds a connection.
    pub fn add(&mut self, connection: Connection<F>) {
        self.set.add(connection);
    }

    /// See [`ConnectionSet::disconnect_all`].
    pub fn disconnect_all(&mut self) -> usize {
        self.set.disconnect_all()
    }

    /// Turns the guard back into a plain set, without disconnecting.
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

impl<F: Flavor> Extend<Connection<F>> for ScopedConnectionSet<F> {
    fn extend<I: IntoIterator<Item = Connection<F>>>(&mut self, connections: I) {
        self.set.extend(connections);
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
        /// Disconnects the remaining connections when a destructor panics.
        struct DisconnectRest<'a, F: Flavor>(&'a mut ConnectionSet<F>);
        impl<F: Flavor> Drop for DisconnectRest<'_, F> {
            fn drop(&mut self) {
                self.0.disconnect_all();
            }
        }
        DisconnectRest(&mut self.set).0.disconnect_all();
    }
}

impl<F: Flavor> fmt::Debug for ScopedConnectionSet<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ScopedConnectionSet").field(&self.set).finish()
    }
}

/// The error of [`Connection::disconnect_and_wait`] when it is called from inside the slot it would
/// wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct WaitError {
    /// Whether the slot was connected before the call.
    pub was_connected: bool,
}

impl fmt::Display for WaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a slot cannot wait for itself to return: it is disconnected, but still running on \
             this thread (call `disconnect` from inside a slot)",
        )
    }
}

impl core::error::Error for WaitError {}
