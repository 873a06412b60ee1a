//! The trace file: a saved failing run.
//!
//! JSON Lines, UTF-8, `\n` after every line, one object per line: a header, the events in order, the sockets at the
//! end. The header begins with the format and states how many of both follow, so that a file truncated at any byte is
//! detected. A reader rejects whatever it does not understand: a trace with a missing part would replay a different
//! run.

use crate::{anchor::Anchor, event::Event, graph::Package, plan::Plan, socket::Socket, verdict::Failure};
use serde::{Deserialize, Serialize};

mod error;
mod name;
mod read;
mod write;

pub use crate::strict_json::VALUES_MAX;
pub use error::{Limit, TraceError};
pub use name::{file_name, is_of};
pub use read::{parse, read, test_of};
pub(crate) use write::omit_first;
pub use write::{save, write};

/// The format that this build reads and writes.
///
/// - 1 and 2 were never released.
/// - 3: the first. Header: `refrain-trace`, `test`, `package`, `target`, `engine`, `failure`, `plan`, `anchors`, `digest`, `left_out`,
///   `events`, `sockets`, `build`, and perhaps `packages`; then the events and the sockets. A plan is its sentences; failures, events and sockets
///   are data: [`Failure`], [`Event`], [`Socket`].
pub const VERSION: u32 = 3;

/// Maximum size of a trace file.
pub const FILE_BYTES_MAX: usize = 64 << 20;
/// Maximum length of a line.
pub const LINE_BYTES_MAX: usize = 4 << 20;
/// Maximum number of events in a trace; of a longer run the last ones are kept.
pub const EVENTS_MAX: usize = 100_000;
/// Maximum number of sockets in a trace; of more the first ones are kept.
pub const SOCKETS_MAX: usize = 10_000;

/// A failing run: its plan, its events and its failure.
///
/// # Examples
///
/// ```
/// use refrain_core::trace;
/// use std::path::Path;
///
/// let error = trace::read(Path::new("traces/no-such-trace.jsonl")).unwrap_err();
/// assert!(error.to_string().contains("no-such-trace"), "{error}");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// The test's name, as `--exact` takes it: `module::queries_recover`.
    pub test: String,
    /// The package that contains the test.
    pub package: String,
    /// The test executable, as `kind/name`: `test/scenarios`, `lib/calcon`, `example/echo`.
    pub target: String,
    /// The engine that executed the plan.
    pub engine: Engine,
    /// Everything that was decided before the run.
    pub plan: Plan,
    /// Source anchors of the plan's holds, which find them after lines have moved.
    pub anchors: Vec<Anchor>,
    /// The failure.
    pub failure: Failure,
    /// The digest of all events of the run, as 16 hexadecimal digits.
    pub digest: String,
    /// Number of events omitted before the first one that was kept.
    pub left_out: usize,
    /// The build that saved it: the first suspect when a replay differs.
    pub build: Build,
    /// The dependencies that the service was built with, by name: the next suspects. Empty if they are not known.
    pub packages: Vec<Package>,
    /// The events, in order.
    pub events: Vec<Event>,
    /// Every socket at the verdict, by host; empty if the run died.
    pub sockets: Vec<Socket>,
}

impl Trace {
    /// Returns whether it shows the same failure of the same plan. The events may differ.
    pub fn is_same_failure(&self, other: &Trace) -> bool {
        (&self.test, &self.package, &self.target, &self.plan)
            == (&other.test, &other.package, &other.target, &other.plan)
            && self.failure.signature() == other.failure.signature()
    }
}

/// An engine that executes plans.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Engine {
    /// Its name: `madsim`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The build that saved a trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// The version of refrain.
    pub refrain: String,
    /// The architecture and the operating system: `x86_64-linux`.
    pub platform: String,
    /// `debug`, where overflow and debug assertions panic, or `release`, where they do not.
    pub profile: String,
}

impl Build {
    /// Returns the current build.
    pub fn this() -> Build {
        Build {
            refrain: env!("CARGO_PKG_VERSION").to_string(),
            platform: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
            profile: if cfg!(debug_assertions) { "debug" } else { "release" }.to_string(),
        }
    }
}

/// Returns the index of the first event that differs; where one run is a prefix of the other, its length.
pub fn first_difference(saved: &[Event], now: &[Event]) -> Option<usize> {
    let common = saved.iter().zip(now).take_while(|(saved, now)| saved == now).count();
    (common < saved.len().max(now.len())).then_some(common)
}

/// The first line of a trace file, with its fields in the order in which they are written.
#[derive(Serialize, Deserialize)]
struct Header {
    #[serde(rename = "refrain-trace")]
    version: u32,
    test: String,
    package: String,
    target: String,
    engine: Engine,
    failure: Failure,
    plan: Plan,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    anchors: Vec<Anchor>,
    digest: String,
    left_out: usize,
    events: usize,
    sockets: usize,
    build: Build,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    packages: Vec<Package>,
}

#[cfg(test)]
mod tests;
