//! The sessions of the Notes server: their holders, their limit, and closing each one on every path.
//!
//! A session is not an `Arc`. Closing one is asynchronous, can fail and is audited; it has several causes, which race;
//! a lookup that races with closing must not open a session beyond the limit; and a handle is a number that clients may
//! keep, so that the handle of a closed session must be rejected.

pub mod audit;
mod closer;
mod registry;
mod service;
mod sync;
mod table;
#[cfg(test)]
mod tests;
mod waiting;

pub use closer::Closer;
pub use registry::{Cause, User};
pub use service::{Limits, SESSIONS_MAX, Seat, Sessions};
pub use table::{Handle, Refused};
