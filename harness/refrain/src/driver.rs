//! What a test does when it is run: explore and replay for `cargo test`, or what `cargo refrain` asks.

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

/// Runs a test in the role that its process was given, and returns the snapshots that the caller asserts.
///
/// # Panics
/// With the report, if the test failed; libtest shows it.
#[track_caller]
pub fn run(test: &'static Test) -> Vec<Snapshot> {
    // The announcement must stay in the executable, where `cargo refrain` looks for it.
    std::hint::black_box(test.announcement);
    match std::env::var(ENV).as_deref() {
        Err(_) => under_test::run(test),
        Ok("worker") => worker::serve(test),
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
    Pool::new(test.name(), jobs.unwrap_or_else(worker::default_jobs))
}
