//! What a test does when it runs: explore and replay under `cargo test`, or serve a request of `cargo refrain`.

use crate::{
    protocol::ENV,
    test::Test,
    worker::{self, Pool},
};
use std::io;

mod anchors;
mod command;
mod outcome;
mod record;
mod replay;
mod save;
mod under_test;

pub use outcome::Snapshot;

/// Runs a test in the role that the environment assigns to this process, and returns the snapshots for the caller to
/// assert.
///
/// # Panics
/// Panics with the report if the test failed; libtest prints it.
#[track_caller]
pub fn run(test: &'static Test) -> Vec<Snapshot> {
    // Keeps the announcement in the executable, where `cargo refrain` looks for it.
    std::hint::black_box(test.announcement);
    match std::env::var(ENV).as_deref() {
        Err(_) => under_test::run(test),
        Ok(worker::WORKER) => worker::serve(test, false),
        Ok(worker::WORKER_WITH_BACKTRACES) => worker::serve(test, true),
        Ok("command") => served(command::serve(test)),
        Ok(role) => panic!("{ENV} is {role:?}: refrain sets this variable itself, unset it"),
    }
}

fn served(result: io::Result<()>) -> Vec<Snapshot> {
    match result {
        Ok(()) => vec![],
        Err(error) => panic!("refrain could not go on: {error}"),
    }
}

fn pool(test: &Test, jobs: Option<usize>) -> Pool {
    Pool::new(test.name(), test.memory_max(), jobs.unwrap_or_else(worker::default_jobs))
}
