//! Calcon in simulation, and its shared state in every interleaving: one executable, which is linked once.
//!
//! `real.rs` is a separate executable: it measures time, so no exploration may run beside it.

#![allow(
    clippy::duplicate_mod,
    reason = "each model includes the code under test as a module of its own, on primitives of its own"
)]

mod cache;
mod caldav;
mod entry;
mod face;
mod historic;
mod link;
mod ntsmex;
mod q289795_on_threads;
mod q289795_on_todays_table;
mod remote;
mod session_table;
mod sessions;
mod siblings;
mod storm;
mod world;

/// What the tested code that is included here imports as `super::sync`.
mod sync {
    pub use refrain::sync::*;
}
