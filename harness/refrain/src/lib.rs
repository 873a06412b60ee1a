//! Deterministic replay and fault-injection tests for Rust services: the same failure, every time.

pub mod event;
#[doc(hidden)]
pub mod find;
#[doc(hidden)]
pub mod near;
pub mod plan;
#[doc(hidden)]
pub mod protocol;
pub mod report;
pub mod shrink;
mod strict_json;
pub mod trace;
pub mod verdict;

#[cfg(feature = "simulation")]
mod driver;
#[cfg(feature = "simulation")]
mod faults;
#[cfg(feature = "simulation")]
mod simulation;
#[cfg(feature = "simulation")]
mod test;
#[cfg(feature = "simulation")]
mod worker;
#[cfg(feature = "simulation")]
mod world;

#[cfg(feature = "simulation")]
pub use {
    faults::Faults,
    refrain_macros::test,
    simulation::Seen,
    world::{Answer, Client, Exit, Host, World},
};

/// What `#[refrain::test]` expands to; not for people.
#[cfg(feature = "simulation")]
#[doc(hidden)]
pub mod __private {
    pub use crate::{
        driver::{Snapshot, run},
        test::{Parameter, Test, argument},
        verdict::Class,
    };
    pub use insta;
    pub use proptest::arbitrary::any;
}
