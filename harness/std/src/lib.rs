//! The standard library, as unmodified dependencies of a model see it: atomics, locks, threads and thread-locals are the
//! model's.
//!
//! `cargo refrain init --models parking_lot` copies the sources of such a dependency and lets its `std`, `core` and
//! `alloc` be this crate. Only manifests change. A service does not name this crate.
//!
//! Without the feature `sim`, which only tests enable, everything is the standard library's own. With it, everything is
//! still the standard library's own outside of a model's execution. Inside one, each operation is passed to the model
//! that the harness has installed ([`model::install`]): it is scheduled, it reads what the memory model allows, and it
//! is recorded with its place.
//!
//! What stays the standard library's inside a model:
//!
//! - [`Arc`](std::sync::Arc) and [`UnsafeCell`](std::cell::UnsafeCell): data races in a dependency's own cells are not
//!   detected, and the orderings of its reference counts are assumed to be right.
//! - `OnceLock`, `LazyLock`, `Barrier`, `mpsc` and scoped threads. A model that waits in one of them is refused.
//! - [`Instant`](std::time::Instant): real time. Under the exhaustive engine, timeouts are rejected.
//!
//! An atomic of a static has its first value again in each execution of a model. Other statics keep what they contain.

pub use ::std::*;

#[cfg(feature = "sim")]
pub mod hint;
pub mod model;
#[cfg(feature = "sim")]
pub mod parking;
#[cfg(feature = "sim")]
pub mod sync;
#[cfg(feature = "sim")]
pub mod thread;

/// Whether a dependency is built on this crate.
pub const LINKED: bool = cfg!(feature = "linked");

/// Expands to its argument where models may run, in tests.
#[cfg(feature = "sim")]
#[macro_export]
macro_rules! in_tests {
    ($($item:item)*) => { $($item)* };
}

/// Expands to its argument where models may run, in tests.
#[cfg(not(feature = "sim"))]
#[macro_export]
macro_rules! in_tests {
    ($($item:item)*) => {};
}

/// Expands to its argument in production.
#[cfg(feature = "sim")]
#[macro_export]
macro_rules! in_production {
    ($($item:item)*) => {};
}

/// Expands to its argument in production.
#[cfg(not(feature = "sim"))]
#[macro_export]
macro_rules! in_production {
    ($($item:item)*) => { $($item)* };
}
