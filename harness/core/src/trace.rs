//! The trace file: a failing run, as it is saved, read and compared.
//!
//! JSON Lines, UTF-8, `\n` after every line, one object a line: a header, the events in order, the sockets at the end.
//! The header names the format first and promises how many of both follow, so that a file cut at any byte is known to be torn. Whoever
//! reads it refuses what it does not understand: a trace that lost a part would replay another run.

use crate::{anchor::Anchor, event::Event, plan::Plan, socket::Socket, verdict::Failure};
use serde::{Deserialize, Serialize};

mod error;
mod name;
mod read;
mod write;

pub use crate::strict_json::VALUES_MAX;
pub use error::{Limit, TraceError};
pub use name::{file_name, is_of};
pub use read::{parse, read, test_of};
pub use write::{save, write};

/// The format that this build reads and writes.
///
/// - 1 and 2 were never released.
/// - 3: the first. Header: `refrain-trace`, `test`, `package`, `target`, `engine`, `failure`, `plan`, `anchors`, `digest`, `left_out`,
///   `events`, `sockets`, `build`; then the events and the sockets. A plan is its sentences; failures, events and sockets
///   are data: [`Failure`], [`Event`], [`Socket`].
pub const VERSION: u32 = 3;

/// The longest file that is read.
pub const FILE_BYTES_MAX: usize = 64 << 20;
/// The longest line that is read.
pub const LINE_BYTES_MAX: usize = 4 << 20;
/// The most events that a trace holds; of a longer run the last ones are kept.
pub const EVENTS_MAX: usize = 100_000;
/// The most sockets that a trace holds; of more the first ones are kept.
pub const SOCKETS_MAX: usize = 10_000;

/// A failing run: what was decided, what happened, what was wrong.
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
    /// The package that holds the test.
    pub package: String,
    /// The test executable, as `kind/name`: `test/scenarios`, `lib/calcon`, `example/echo`.
    pub target: String,
    /// What ran the plan.
    pub engine: Engine,
    /// Everything that was decided before the run.
    pub plan: Plan,
    /// Where in the source the plan's holds are, so that they are found again when lines have moved.
    pub anchors: Vec<Anchor>,
    /// How the service was wrong.
    pub failure: Failure,
    /// The digest of all events of the run, in 16 hexadecimal digits.
    pub digest: String,
    /// How many events happened before the first one that was kept.
    pub left_out: usize,
    /// Which build saved it: what to suspect first when a replay differs.
    pub build: Build,
    /// What happened, in order.
    pub events: Vec<Event>,
    /// Every socket at the verdict, by host; none if the run died.
    pub sockets: Vec<Socket>,
}

impl Trace {
    /// Whether it shows the same failure of the same plan. What the run did meanwhile may differ.
    pub fn is_same_failure(&self, other: &Trace) -> bool {
        (&self.test, &self.package, &self.target, &self.plan)
            == (&other.test, &other.package, &other.target, &other.plan)
            && self.failure.signature() == other.failure.signature()
    }
}

/// What ran a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Engine {
    /// Its name: `madsim`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// What saved a trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// The version of refrain.
    pub refrain: String,
    /// The processor and the operating system: `x86_64-linux`.
    pub platform: String,
    /// `debug`: overflow and debug assertions panic; `release`: they do not.
    pub profile: String,
}

impl Build {
    /// The build that asks.
    pub fn this() -> Build {
        Build {
            refrain: env!("CARGO_PKG_VERSION").to_string(),
            platform: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
            profile: if cfg!(debug_assertions) { "debug" } else { "release" }.to_string(),
        }
    }
}

/// The first event that is not the same in both runs; where one ends before the other, the first it does not have.
pub fn first_difference(saved: &[Event], now: &[Event]) -> Option<usize> {
    let common = saved.iter().zip(now).take_while(|(saved, now)| saved == now).count();
    (common < saved.len().max(now.len())).then_some(common)
}

/// The first line of a trace file. The order of its fields is theirs in the file.
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
}

#[cfg(test)]
mod tests;
