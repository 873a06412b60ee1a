//! The data that everything in refrain shares and that runs nothing: plans, events, verdicts, traces, and what its
//! processes say to each other.
//!
//! Tests use this through the crate `refrain`, which exports what users need.

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
