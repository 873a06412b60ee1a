//! tokio in production; tokio's names on a simulated runtime and network in tests run by refrain.
//!
//! Name it `tokio` in `Cargo.toml` and use it as tokio:
//!
//! ```toml
//! [dependencies]
//! tokio = { package = "refrain-tokio", version = "0.1", features = ["full"] }
//! ```
//!
//! Without the feature `sim`, which only the `refrain` dev-dependency sets, every name here *is* tokio's. With it the
//! same names run on a simulated clock, network and scheduler. What the simulation does not offer is not there: the
//! service then fails to compile in tests, rather than to behave in another way.
#![forbid(unsafe_code)]

#[cfg(not(feature = "sim"))]
pub use real::*;

#[cfg(all(feature = "sim", not(madsim)))]
compile_error!(
    "refrain simulates only with `--cfg madsim`: put `[build] rustflags = [\"--cfg\", \"madsim\"]` into \
     .cargo/config.toml. A RUSTFLAGS variable in the environment replaces that setting: unset it, or add `--cfg madsim`."
);

#[cfg(all(feature = "sim", madsim))]
mod sim;
#[cfg(all(feature = "sim", madsim))]
pub use sim::*;
