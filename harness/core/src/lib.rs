//! The data types that all of refrain shares: plans, events, verdicts, traces, and the messages between its processes.
//! Nothing here executes a test.
//!
//! Tests use these through the crate `refrain`, which re-exports what users need.

pub mod anchor;
#[cfg(feature = "arbitrary")]
pub mod arbitrary;
pub mod bridge;
pub mod escape;
pub mod event;
pub mod find;
pub mod job;
pub mod lines;
pub mod near;
pub mod place;
pub mod plan;
pub mod protocol;
pub mod seed;
pub mod shrink;
mod simpler;
pub mod socket;
mod strict_json;
pub mod trace;
pub mod verdict;
