//! What a test does when it runs: explore and replay under `cargo test`, or serve a request of `cargo refrain`.

use crate::{
    graph, package,
    protocol::ENV,
    sources::{self, Sources},
    test::Test,
    worker::{self, Pool},
};
use std::io;

mod anchors;
mod cause;
mod command;
mod origin;
mod outcome;
mod pages;
mod record;
mod replay;
mod run;
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
    crate::sync::dependencies::install();
    // Keeps the announcement in the executable, where `cargo refrain` looks for it.
    std::hint::black_box(test.announcement);
    sources::set(|| sources_of(test));
    match std::env::var(ENV).as_deref() {
        Err(_) => under_test::run(test),
        Ok(worker::WORKER) => worker::serve(test, false),
        Ok(worker::WORKER_WITH_BACKTRACES) => worker::serve(test, true),
        Ok("command") => served(command::serve(test)),
        Ok(role) => panic!("{ENV} is {role:?}: refrain sets this variable itself, unset it"),
    }
}

/// Reads what names the source files of this executable.
fn sources_of(test: &Test) -> Sources {
    let own = file!().strip_suffix("driver.rs").expect("this is the file");
    let package = concat!(env!("CARGO_PKG_NAME"), "-", env!("CARGO_PKG_VERSION"));
    let harness = [(own, package), (tokio::control::sources(), tokio::control::PACKAGE)];
    let workspace = package::folder(test).ok().and_then(|folder| graph::root_above(&folder));
    Sources::read(test.sources(), workspace, harness.map(|(own, package)| (own, format!("{package}/src/"))).into())
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
