//! tokio in production; tokio's names on a simulated runtime and network in tests run by refrain.
#[cfg(not(feature = "sim"))]
pub use real::*;
