//! The protocol between `cargo refrain` and a test executable: one JSON object per line, over a socket.
//!
//! The executable is started as `EXE --exact TEST --include-ignored --test-threads=1 --nocapture` with the socket as
//! its standard input and [`ENV`] set to `command`. It reads one [`Request`], sends any number of [`Message`]s, the
//! last one being [`Message::Done`], and exits.

mod coverage;
mod exploration;
mod inevitable;
mod replay;
mod run;
mod search;
mod slots;

pub use coverage::{Coverage, Fired, Unreached};
pub use exploration::{Caught, Exploration, Isolation, Machine, SavedAt};
pub use inevitable::{Beginning, Inevitable};
pub use replay::{Difference, Replay};
pub use run::{Beside, Compared, Decisions, Run};
pub use search::{EngineLimit, Fewest, How, Sampler, SearchEnd, Searched};
pub use slots::{SlotHolder, SlotWait};

use crate::{plan::Plan, strict_json, trace::VALUES_MAX};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The private environment variable that assigns a role to a test executable.
pub const ENV: &str = "REFRAIN_ROLE";

/// The text that precedes a test's announcement in its executable; see [`crate::find`].
pub const MARK: &str = "\u{1}refrain-test\u{2}";

/// A request to a test executable, about one test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Execute runs with plans drawn from seeds, and save the first failure.
    Explore {
        /// The base seed.
        seed: u64,
        /// When to stop.
        budget: Budget,
        /// Number of worker processes; `None` means one per core.
        jobs: Option<usize>,
        /// How its runs are kept apart.
        #[serde(default)]
        isolation: Isolation,
        /// The absolute path of the folder for the counters of source coverage of each kind of fault.
        #[serde(default)]
        coverage: Option<PathBuf>,
    },
    /// Execute a saved plan again.
    Replay {
        /// The absolute path of the trace.
        trace: PathBuf,
        /// Stop before this event, counted from 0, and return what tasks wait for.
        until: Option<usize>,
    },
    /// Execute one run and return all of it.
    Run {
        /// Where its decisions come from.
        decisions: Decisions,
        /// With which other run to compare it.
        beside: Option<Beside>,
    },
    /// Execute a saved plan again, and stop for a debugger before an event, counted from 0.
    Debug {
        /// The absolute path of the trace.
        trace: PathBuf,
        /// The event.
        at: usize,
    },
    /// Continue the run of a trace in other ways, from some of its events on.
    Cause {
        /// The absolute path of the trace.
        trace: PathBuf,
        /// Number of worker processes; `None` means one per core.
        jobs: Option<usize>,
    },
    /// Look for a smaller plan with the same signature, and overwrite the trace with it.
    Shrink {
        /// The absolute path of the trace.
        trace: PathBuf,
        /// Number of worker processes; `None` means one per core.
        jobs: Option<usize>,
    },
}

impl Request {
    /// Asks to explore in the usual way.
    #[must_use]
    pub fn explore(seed: u64, budget: Budget, jobs: Option<usize>) -> Request {
        Request::Explore { seed, budget, jobs, isolation: Isolation::default(), coverage: None }
    }
}

/// How long to explore.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Budget {
    /// The test's own number of runs.
    OfTest,
    /// This many runs.
    Runs(u64),
    /// This many seconds of real time.
    Seconds(u64),
}

/// A message from a test executable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// Progress so far.
    Progress(Progress),
    /// All slots of the machine for runs are taken.
    Waits(SlotWait),
    /// A run waits for a debugger in this process.
    AwaitsDebugger {
        /// The number of the process.
        process: u32,
        /// The event before which it has stopped.
        event: usize,
    },
    /// The end of the replayed run's output.
    Printed(String),
    /// The result.
    Done(Box<Outcome>),
}

/// Parses a message. A test executable may send anything, so a message with too many values is rejected.
///
/// # Errors
/// Returns why the line is not a message.
pub fn read_message(line: &[u8]) -> Result<Message, String> {
    strict_json::check(line, VALUES_MAX).map_err(|refused| refused.to_string())?;
    serde_json::from_slice(line).map_err(|error| error.to_string())
}

/// The progress of a long operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The operation.
    pub doing: Doing,
    /// Number of runs so far.
    pub runs: u64,
    /// The total number, if known.
    pub of: Option<u64>,
}

/// A long operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Doing {
    /// Exploring a number of runs.
    Exploring,
    /// Exploring for a duration.
    ExploringFor {
        /// The elapsed seconds.
        gone_s: u64,
        /// The whole duration in seconds.
        of_s: u64,
    },
    /// Continuing a run in other ways.
    Continuing,
    /// Shrinking.
    Shrinking {
        /// The smallest plan so far.
        best: Box<Plan>,
    },
}

/// The result of a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "a request has one outcome")]
pub enum Outcome {
    /// The result of `explore`.
    Explored(Exploration),
    /// The result of `replay`.
    Replayed(Replay),
    /// The result of `run`.
    Ran(Compared),
    /// The result of `cause`.
    Caused(Inevitable),
    /// The result of `shrink`.
    Shrunk(Shrunk),
    /// The request failed: what was tried, and what to do.
    Refused(String),
}

/// The result of shrinking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shrunk {
    /// Number of runs.
    pub runs: u64,
    /// Its duration in milliseconds of real time.
    pub took_ms: u64,
    /// The plan before.
    pub before: Plan,
    /// The plan after.
    pub after: Plan,
    /// Number of events of the shrunk run.
    pub events: usize,
    /// The virtual time of the last event in nanoseconds, before and after.
    pub ends_at: (u64, u64),
    /// Where the shrunk plan is saved; `None` if it is unchanged.
    pub saved: Option<SavedAt>,
    /// Whether it was interrupted before it was minimal.
    pub interrupted: bool,
    /// For a model: how few preemptions are enough, if that was determined.
    #[serde(default)]
    pub fewest: Option<Fewest>,
}
