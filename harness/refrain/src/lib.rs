//! Deterministic replay and fault-injection tests for Rust services: the same failure, every time.

pub mod event;
pub mod find;
pub mod near;
pub mod plan;
#[doc(hidden)]
pub mod protocol;
pub mod report;
pub mod shrink;
mod strict_json;
pub mod trace;
pub mod verdict;
