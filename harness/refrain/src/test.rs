//! What an attribute leaves of a test: its name, its limits, and the engine that runs it.

use crate::{engine::Engine, verdict::Class};
use std::time::Duration;

/// A test. Made by the macro.
#[derive(Debug)]
pub struct Test {
    /// What announces it in its executable.
    pub announcement: &'static str,
    /// Its path with its crate: `link::recovery::queries_recover`.
    pub path: &'static str,
    /// Its package.
    pub package: &'static str,
    /// Its package's folder when it was compiled.
    pub compiled_in: &'static str,
    /// Its crate.
    pub krate: &'static str,
    /// What cargo tells a crate that it compiles as an integration test, and as a program or an example.
    pub built_as: (Option<&'static str>, Option<&'static str>),
    /// How many runs `cargo test` makes, or how many executions of a model.
    pub runs: u64,
    /// How long one poll, or one execution of a model, may take in real time, in seconds.
    pub poll_limit_s: u64,
    /// What must be caught, if it is a seeded bug.
    pub expect: Option<Class>,
    /// Whether its outcome and its traces' timelines are snapshots.
    pub snapshot: bool,
    /// What runs it.
    pub engine: &'static dyn Engine,
}

impl Test {
    /// Its name as libtest's `--exact` takes it: the path without the crate.
    pub fn name(&self) -> &'static str {
        self.path.split_once("::").map_or(self.path, |(_, name)| name)
    }

    /// What `cargo test --test NAME` and its like call the executable: `test/link`, `lib/calcon`, `example/echo`.
    pub fn target(&self) -> String {
        let example =
            std::env::current_exe().is_ok_and(|exe| exe.parent().is_some_and(|dir| dir.ends_with("examples")));
        match self.built_as {
            (Some(_), _) => format!("test/{}", self.krate),
            (None, Some(name)) if example => format!("example/{name}"),
            (None, Some(name)) => format!("bin/{name}"),
            (None, None) => format!("lib/{}", self.krate),
        }
    }

    /// How long one poll, or one execution of a model, may take, in real time.
    pub fn poll_limit(&self) -> Duration {
        Duration::from_secs(self.poll_limit_s)
    }
}
