//! The data types that all of refrain shares: plans, events, verdicts, traces, and the messages between its processes.
//! Nothing here executes a test.
//!
//! This crate is internal: tests use it through the crate `refrain`, which re-exports what users need, and only that is kept
//! stable. Enums that may grow there are `#[non_exhaustive]`: events, verdicts, causes, errors. For a value that
//! `refrain-report` does not know, it prints the data, so nothing is lost. Exhaustive are enums that cannot grow, such as
//! [`verdict::Verdict`]; enums of which every engine must know each value, such as [`plan::Trigger`]; and the messages
//! between processes of one version, [`protocol`] and [`job`].

/// One of several strategies, each boxed: proptest's `prop_oneof` is a type of its own for each list of strategies, and these took
/// a third of this crate's compile time.
#[cfg(feature = "arbitrary")]
macro_rules! one_of {
    ($($strategy:expr),+ $(,)?) => {
        proptest::strategy::Strategy::boxed(proptest::strategy::Union::new([
            $(proptest::strategy::Strategy::boxed($strategy)),+
        ]))
    };
}

pub mod anchor;
#[cfg(feature = "arbitrary")]
pub mod arbitrary;
pub mod bridge;
pub mod escape;
pub mod event;
pub mod find;
pub mod graph;
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
pub mod sources;
mod strict_json;
pub mod trace;
pub mod verdict;
