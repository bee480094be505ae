//! What a connection asks of the signal it belongs to, whatever the signal's event is.

use super::SlotKey;

/// Where calls of a slot are under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Running {
    Nowhere,
    Elsewhere,
    /// On the thread that asks: it is inside the slot.
    Here,
}

pub(crate) trait SlotTable<F> {
    /// False when the slot was not connected any more.
    fn disconnect(&self, key: SlotKey) -> bool;
    fn is_connected(&self, key: SlotKey) -> bool;
    fn name(&self, key: SlotKey) -> Option<&'static str>;
    fn running(&self, key: SlotKey) -> Running;
    /// Of the slot, or of the whole signal.
    fn block(&self, key: Option<SlotKey>);
    fn unblock(&self, key: Option<SlotKey>);
    fn is_blocked(&self, key: Option<SlotKey>) -> bool;
}
