//! The sessions of the Notes server: who holds one, how many there may be, and that each is closed, on every path.
//!
//! A session is not an `Arc`. Closing one is asynchronous, can fail and is audited; it has several causes, which race;
//! a look-up that races the closing must not open one past the limit; and a handle is a number that anybody may keep,
//! so that of a closed session is refused.

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
