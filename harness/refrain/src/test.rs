//! The static description of a test that the attribute macros generate.

use crate::{engine::Engine, verdict::Class};
use std::time::Duration;

/// A test, as the attribute macros generate it.
#[derive(Debug)]
pub struct Test {
    /// The text that announces it in its executable.
    pub announcement: &'static str,
    /// Its path including the crate: `link::recovery::queries_recover`.
    pub path: &'static str,
    /// Its package.
    pub package: &'static str,
    /// Its package's directory at compile time.
    pub compiled_in: &'static str,
    /// Its crate.
    pub krate: &'static str,
    /// Cargo's environment variables for an integration test, and for a binary or an example.
    pub built_as: (Option<&'static str>, Option<&'static str>),
    /// Number of runs under `cargo test`, or of executions of a model.
    pub runs: u64,
    /// The real-time limit of one poll, or of one execution of a model, in milliseconds.
    pub poll_limit_ms: u64,
    /// The address space limit of a run, in MiB.
    pub memory_mib: u64,
    /// The class of failure that must be caught, if it is a seeded bug.
    pub expect: Option<Class>,
    /// Whether its outcome and the timelines of its traces are snapshots.
    pub snapshot: bool,
    /// The engine that runs it.
    pub engine: &'static dyn Engine,
}

impl Test {
    /// Returns its name as libtest's `--exact` takes it: the path without the crate.
    pub fn name(&self) -> &'static str {
        self.path.split_once("::").map_or(self.path, |(_, name)| name)
    }

    /// Returns its cargo target: `test/link`, `lib/calcon`, `example/echo`.
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

    /// Returns the directory in which the compiler was started: paths in `file!()` are relative to it.
    pub fn sources(&self) -> &'static str {
        let file = self.announcement.split('\u{3}').nth(1).unwrap_or_default();
        let begins = |(at, _): &(usize, &str)| {
            file.strip_prefix(&self.compiled_in[at + 1..]).is_some_and(|rest| rest.starts_with('/'))
        };
        let root = self.compiled_in.match_indices('/').find(begins);
        root.map_or(self.compiled_in, |(at, _)| &self.compiled_in[..at])
    }

    /// Returns the real-time limit of one poll, or of one execution of a model.
    pub fn poll_limit(&self) -> Duration {
        Duration::from_millis(self.poll_limit_ms)
    }

    /// Returns the address space limit of a run, in bytes. An allocation beyond it aborts the run with an out-of-memory verdict.
    pub fn memory_max(&self) -> u64 {
        self.memory_mib << 20
    }
}
