//! The protocol between `cargo refrain` and a test executable: one JSON object per line, over a socket.
//!
//! The executable is started as `EXE --exact TEST --include-ignored --test-threads=1 --nocapture` with the socket as
//! its standard input and [`ENV`] set to `command`. It reads one [`Request`], sends any number of [`Message`]s, the
//! last one being [`Message::Done`], and exits.

use crate::{
    event::Event,
    near::near,
    plan::{NotTriggered, Plan},
    strict_json,
    trace::{Build, VALUES_MAX},
    verdict::{Cause, Class, Failure},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::PathBuf};

mod search;

pub use search::{EngineLimit, Fewest, How, Sampler, SearchEnd, Searched};

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
    },
    /// Execute a saved plan again.
    Replay {
        /// The absolute path of the trace.
        trace: PathBuf,
        /// Stop before this event, counted from 0, and return what tasks wait for.
        until: Option<usize>,
    },
    /// Look for a smaller plan with the same signature, and overwrite the trace with it.
    Shrink {
        /// The absolute path of the trace.
        trace: PathBuf,
        /// Number of worker processes; `None` means one per core.
        jobs: Option<usize>,
    },
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
    /// The result of `shrink`.
    Shrunk(Shrunk),
    /// The request failed: what was tried, and what to do.
    Refused(String),
}

/// What an exploration ran, covered and caught.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exploration {
    /// The base seed.
    pub seed: u64,
    /// Number of runs.
    pub runs: u64,
    /// Its duration in milliseconds of real time.
    pub took_ms: u64,
    /// The class of failure that the test expects, if it is a seeded bug.
    pub expect: Option<Class>,
    /// What the runs covered.
    pub coverage: Coverage,
    /// For a model: what each engine searched.
    #[serde(default)]
    pub engines: Vec<Searched>,
    /// The failure that was caught and saved, if any.
    pub caught: Option<Caught>,
    /// How the machine interfered.
    #[serde(default)]
    pub machine: Machine,
    /// What the test requires and no run reached; empty if there were fewer runs than the test specifies.
    #[serde(default)]
    pub unreached: Vec<Unreached>,
}

/// Interference of the machine with runs, which says nothing about the tested service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Machine {
    /// Number of runs that were repeated because something outside may have killed them.
    pub made_again: u64,
    /// Whether address space randomisation cannot be disabled.
    pub randomises_addresses: bool,
}

impl Machine {
    /// Combines two reports.
    #[must_use]
    pub fn and(self, other: Machine) -> Machine {
        Machine {
            made_again: self.made_again + other.made_again,
            randomises_addresses: self.randomises_addresses || other.randomises_addresses,
        }
    }
}

/// Something that a test requires and no run reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unreached {
    /// A `sometimes` property.
    Sometimes(String),
    /// A kind of resource to be conserved that the service never reported.
    Kind {
        /// The kind.
        kind: String,
        /// Similar kinds that the service does report.
        near: Vec<String>,
    },
    /// The test has faults, and none started.
    Faults,
}

/// A failure, and where it was saved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Caught {
    /// The failure.
    pub failure: Failure,
    /// Its shrunk plan.
    pub plan: Plan,
    /// Number of events of the run.
    pub events: usize,
    /// The run of the exploration, counted from 1.
    pub run: u64,
    /// Where its trace is saved.
    pub saved: SavedAt,
}

/// Where the trace of a failure is saved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SavedAt {
    /// At its regular place: in the package's `traces/`, or over the trace that was shrunk.
    Traces(PathBuf),
    /// An earlier run has saved a trace of the same failure.
    Already(PathBuf),
    /// Elsewhere, where `cargo test` does not look for it.
    Elsewhere {
        /// The file.
        path: PathBuf,
        /// Why it could not be saved at its regular place.
        why: String,
    },
    /// Nowhere: only the printed plan is left.
    Nowhere {
        /// Why it could not be saved.
        why: String,
    },
}

impl SavedAt {
    /// Returns whether it is not at its regular place.
    pub fn is_out_of_place(&self) -> bool {
        matches!(self, SavedAt::Elsewhere { .. } | SavedAt::Nowhere { .. })
    }

    /// Returns the file, if there is one.
    pub fn path_mut(&mut self) -> Option<&mut PathBuf> {
        match self {
            SavedAt::Traces(path) | SavedAt::Already(path) | SavedAt::Elsewhere { path, .. } => Some(path),
            SavedAt::Nowhere { .. } => None,
        }
    }
}

/// What the runs of an exploration covered.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Coverage {
    /// How many faults of each kind were planned and started.
    pub faults: BTreeMap<String, Fired>,
    /// Number of runs that reached each `sometimes` property.
    pub sometimes: BTreeMap<String, u64>,
    /// Number of runs that reached each point that is only counted.
    #[serde(default)]
    pub counts: BTreeMap<String, u64>,
    /// Number of runs in which the service reported each kind of resource, conserved or not.
    #[serde(default)]
    pub kinds: BTreeMap<String, u64>,
    /// Number of holds.
    pub holds: u64,
    /// Number of polls.
    pub polls: u64,
}

/// How many faults of a kind were planned and started, and in which states they found connections.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Fired {
    /// How many were planned.
    pub planned: u64,
    /// How many started.
    pub began: u64,
    /// How many affected a connection in each of these states, of [`crate::socket::STATES`], when they started.
    #[serde(default)]
    pub met: BTreeMap<String, u64>,
}

impl Coverage {
    /// Adds the coverage of other runs.
    pub fn add(&mut self, other: &Coverage) {
        for (kind, fired) in &other.faults {
            let sum = self.faults.entry(kind.clone()).or_default();
            sum.planned += fired.planned;
            sum.began += fired.began;
            for (state, times) in &fired.met {
                *sum.met.entry(state.clone()).or_default() += times;
            }
        }
        add_counts(&mut self.sometimes, &other.sometimes);
        add_counts(&mut self.counts, &other.counts);
        add_counts(&mut self.kinds, &other.kinds);
        self.holds += other.holds;
        self.polls += other.polls;
    }

    /// Returns what the test requires and no run reached.
    pub fn unreached(&self) -> Vec<Unreached> {
        let never = |counts: &BTreeMap<String, u64>| -> Vec<String> {
            counts.iter().filter(|(_, runs)| **runs == 0).map(|(what, _)| what.clone()).collect()
        };
        let reported = || self.kinds.iter().filter(|(_, runs)| **runs > 0).map(|(kind, _)| kind.as_str());
        let kind = |kind: String| {
            let near = near(&kind, reported()).into_iter().map(str::to_owned).collect();
            Unreached::Kind { kind, near }
        };
        let mut unreached: Vec<_> = never(&self.sometimes).into_iter().map(Unreached::Sometimes).collect();
        unreached.extend(never(&self.kinds).into_iter().map(kind));
        if !self.faults.is_empty() && self.faults.values().all(|fired| fired.began == 0) {
            unreached.push(Unreached::Faults);
        }
        unreached
    }
}

fn add_counts(sums: &mut BTreeMap<String, u64>, others: &BTreeMap<String, u64>) {
    for (what, runs) in others {
        *sums.entry(what.clone()).or_default() += runs;
    }
}

/// The result of a replay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "a request has one outcome")]
pub enum Replay {
    /// The same failure.
    Reproduced {
        /// The current failure.
        failure: Failure,
        /// The saved causes, if this build explains the same failure differently.
        #[serde(default)]
        saved_causes: Option<Vec<Cause>>,
        /// Where the run diverges from the saved one; `None` if they are identical.
        #[serde(default)]
        diverges: Option<Box<Difference>>,
    },
    /// The plan passes now, and every part of it was triggered.
    PassesNow,
    /// The plan passes now, but parts of it were not triggered, so this proves nothing.
    Stale {
        /// These parts, each with what came closest to it.
        not_triggered: Vec<NotTriggered>,
    },
    /// The plan fails differently.
    Differs {
        /// The current failure.
        failure: Failure,
        /// Where the run diverges from the saved one.
        from: Box<Difference>,
    },
    /// The run was stopped as requested.
    Stopped {
        /// The events up to that point.
        events: Vec<Event>,
        /// What every task waits for.
        waits: Vec<Cause>,
    },
    /// The run ended before the event at which it should have stopped.
    Ended {
        /// Number of events.
        events: usize,
        /// Its failure, if it failed.
        failure: Option<Failure>,
    },
}

/// Where a run diverges from the saved one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The first event that differs, counted from 0.
    pub event: usize,
    /// The saved event; `None` if the saved run had ended.
    pub saved: Option<Event>,
    /// The current event; `None` if the current run had ended.
    pub now: Option<Event>,
    /// The build that saved the trace, and the current one.
    pub builds: (Build, Build),
    /// The parts of the plan that were not triggered.
    #[serde(default)]
    pub not_triggered: Vec<NotTriggered>,
    /// The plan that was executed, if the saved one passes now and a nearby one fails.
    #[serde(default)]
    pub nearby: Option<Plan>,
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
