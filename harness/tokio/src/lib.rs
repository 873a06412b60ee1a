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
//!
//! # What is simulated
//!
//! - `net`: TCP sockets, listeners and streams, whole and split, UDP sockets and `lookup_host`. Every simulated host is
//!   known by its name. Time-outs, resets, half-open connections, full queues and buffers are those that an application
//!   sees on Linux. Unix sockets are refused when they are opened.
//! - `time`: `sleep`, `timeout`, `interval`, `Instant`. A minute of waiting takes no time.
//! - `task`: `spawn`, `JoinSet`, `LocalSet`, `abort`. Every poll passes a gate, where refrain may hold a task back.
//! - `runtime`: a `Handle`. A runtime cannot be built.
//! - `signal`: each host has signals of its own.
//! - `io`, `sync`, `select!`, `join!` and their like are tokio's; standard input and output are outside.
//!
//! `#[tokio::main]` compiles and refuses to serve: a simulated program says what it is and exits.
//!
//! How tests are written stands on the page of `refrain`.
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
