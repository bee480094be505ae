//! Disconnecting: by connection, by owner, by method, all at once, and during an emission.

mod by_owner;
mod clearing;
mod during_emission;
mod itself;
mod twice;
mod waiting;
