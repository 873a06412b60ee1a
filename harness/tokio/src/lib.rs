//! tokio in production; tokio's names on a simulated runtime and network in tests run by refrain.
//!
//! `cargo refrain init` puts it in tokio's place in the whole graph of a service. Where no dependency uses tokio, name it `tokio` in
//! `Cargo.toml` instead:
//!
//! ```toml
//! [dependencies]
//! tokio = { package = "refrain-tokio", version = "0.1", features = ["full"] }
//! ```
//!
//! Without the feature `sim`, which only the `refrain` dev-dependency enables, every name here *is* tokio's. With it
//! the same names run on a simulated clock, network and scheduler. APIs that are not simulated do not exist: a service
//! that uses one fails to compile in tests instead of behaving differently.
//!
//! # What is simulated
//!
//! - `net`: TCP sockets, listeners and streams, whole and split, UDP sockets and `lookup_host`. Every simulated host
//!   resolves by its name. Timeouts, resets, half-open connections, full queues and buffers behave as an application
//!   sees them on Linux. Unix sockets connect the processes of one machine; a path is a name there, and
//!   `std::fs::remove_file` removes it.
//! - `time`: `sleep`, `timeout`, `interval`, `Instant`. Waiting takes no real time.
//! - `task`: `spawn`, `JoinSet`, `LocalSet`, `abort`. Every poll passes a gate, where refrain may hold a task.
//! - `runtime`: handles, and runtimes that the service builds: each belongs to its host, and its tasks end with it. `block_on` blocks
//!   inside `spawn_blocking` and `block_in_place`, where tokio allows it.
//! - `fs`: the real files. An operation takes no virtual time, and directory entries are sorted by name.
//! - `process`: starting a program returns an error.
//! - `signal`: each host receives its own signals.
//! - `sync`: tokio's own primitives. Refrain knows where each was created, and which tasks hold it and wait for it.
//! - `io`, `select!`, `join!` and similar items are re-exported from tokio; standard input and output are not
//!   available.
//!
//! `#[tokio::main]` compiles, but the program prints that it is a simulated build and exits.
//!
//! For how to write tests, see the documentation of `refrain`.
#![deny(unsafe_code)]

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
