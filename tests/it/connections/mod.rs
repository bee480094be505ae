//! What one holds of a slot: connections, guards, and sets.

mod guards;
mod handles;
mod sets;
