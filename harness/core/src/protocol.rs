//! What `cargo refrain` asks of a test executable, and what it is told: one JSON object a line, over a socket.
//!
//! The executable is started as `EXE --exact TEST --include-ignored --test-threads=1 --nocapture` with the socket as its standard input
//! and [`ENV`] set to `command`. It reads one [`Request`], answers any number of [`Message`]s, the last one
//! [`Message::Done`], and exits.

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

/// The private environment variable that tells a test executable how it was started.
pub const ENV: &str = "REFRAIN_ROLE";

/// The text that precedes a test's announcement in its executable; see [`crate::find`].
pub const MARK: &str = "\u{1}refrain-test\u{2}";

/// What a test executable is asked to do with one test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Run it with plans drawn from seeds, and save what fails.
    Explore {
        /// The first seed.
        seed: u64,
        /// How long.
        budget: Budget,
        /// How many processes at a time; `None`: one a core.
        jobs: Option<usize>,
    },
    /// Run a saved plan again.
    Replay {
        /// The trace, absolute.
        trace: PathBuf,
        /// Stop before this event, counted from 0, and show what waits.
        until: Option<usize>,
    },
    /// Look for a smaller plan with the same signature, and write it over the trace.
    Shrink {
        /// The trace, absolute.
        trace: PathBuf,
        /// How many processes at a time; `None`: one a core.
        jobs: Option<usize>,
    },
}

/// How long to explore.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Budget {
    /// The number of runs that the test asks for.
    OfTest,
    /// This many runs.
    Runs(u64),
    /// This many seconds of real time.
    Seconds(u64),
}

/// What a test executable tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// How far it is.
    Progress(Progress),
    /// The end of what the replayed run printed.
    Printed(String),
    /// It is done.
    Done(Box<Outcome>),
}

/// Reads a message out of a line. A test executable may answer anything: one with more values than memory is meant for
/// is no message.
///
/// # Errors
/// It is no message.
pub fn read_message(line: &[u8]) -> Result<Message, String> {
    strict_json::check(line, VALUES_MAX).map_err(|refused| refused.to_string())?;
    serde_json::from_slice(line).map_err(|error| error.to_string())
}

/// How far long work is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// What is being done: `exploring`, `shrinking`.
    pub doing: String,
    /// How many runs were made.
    pub runs: u64,
    /// Of how many, if that is known.
    pub of: Option<u64>,
    /// The best so far, human-readable: `2 faults, 1 hold, 31 events`.
    pub note: String,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "a request has one outcome")]
pub enum Outcome {
    /// Of `explore`.
    Explored(Exploration),
    /// Of `replay`.
    Replayed(Replay),
    /// Of `shrink`.
    Shrunk(Shrunk),
    /// The harness could not do it: what was tried, and what to do.
    Refused(String),
}

/// What an exploration ran, covered and caught.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exploration {
    /// The first seed.
    pub seed: u64,
    /// How many runs were made.
    pub runs: u64,
    /// How long it took, in milliseconds of real time.
    pub took_ms: u64,
    /// The class that the test expects to be caught, if it is a seeded bug.
    pub expect: Option<Class>,
    /// What was reached.
    pub coverage: Coverage,
    /// Of a model: what each engine searched.
    #[serde(default)]
    pub engines: Vec<Searched>,
    /// What was caught and saved, if anything.
    pub caught: Option<Caught>,
    /// How the machine disturbed it.
    #[serde(default)]
    pub machine: Machine,
    /// What the test relies on and none of its runs reached; empty while there were fewer runs than the test asks for.
    #[serde(default)]
    pub unreached: Vec<Unreached>,
}

/// What a machine does to runs that says nothing about the tested service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Machine {
    /// How many runs were made again, because something outside may have killed them.
    pub made_again: u64,
    /// Whether it refuses to switch off the randomisation of addresses.
    pub randomises_addresses: bool,
}

impl Machine {
    /// What happened to this and to the other.
    #[must_use]
    pub fn and(self, other: Machine) -> Machine {
        Machine {
            made_again: self.made_again + other.made_again,
            randomises_addresses: self.randomises_addresses || other.randomises_addresses,
        }
    }
}

/// What a test relies on and no run reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unreached {
    /// A `sometimes` property.
    Sometimes(String),
    /// A kind of resource that is to be conserved: the service never reported one.
    Kind {
        /// The kind.
        kind: String,
        /// What the service does report that has a name like it.
        near: Vec<String>,
    },
    /// The test has faults, and not one began.
    Faults,
}

/// What one engine searched of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Searched {
    /// The engine and how it searched: `loom, at most 2 preemptions`.
    pub by: String,
    /// How many executions it made.
    pub executions: u64,
    /// How long that took, in milliseconds of real time; of a sampler, of all workers together.
    pub took_ms: u64,
    /// What became of it: `complete`, `stopped at its budget`, a limit of the engine.
    pub end: String,
}

impl Searched {
    /// How a search ends that left nothing out.
    pub const COMPLETE: &str = "complete";
}

/// A failure, and where it was saved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Caught {
    /// The failure.
    pub failure: Failure,
    /// Its plan, shrunk.
    pub plan: Plan,
    /// How many events the run has.
    pub events: usize,
    /// In which run of the exploration, counted from 1.
    pub run: u64,
    /// Where its trace is.
    pub saved: SavedAt,
}

/// Where the trace of a failure is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SavedAt {
    /// Where it belongs: in its package's `traces/`, or over the trace that was shrunk.
    Traces(PathBuf),
    /// An earlier run has saved one of the same failure.
    Already(PathBuf),
    /// Elsewhere, where `cargo test` does not look.
    Elsewhere {
        /// The file.
        path: PathBuf,
        /// Why it is not where it belongs.
        why: String,
    },
    /// Nowhere: the plan is all that there is.
    Nowhere {
        /// Why it is not where it belongs.
        why: String,
    },
}

impl SavedAt {
    /// Whether it is not where it belongs.
    pub fn is_out_of_place(&self) -> bool {
        matches!(self, SavedAt::Elsewhere { .. } | SavedAt::Nowhere { .. })
    }

    /// The file, if there is one.
    pub fn path_mut(&mut self) -> Option<&mut PathBuf> {
        match self {
            SavedAt::Traces(path) | SavedAt::Already(path) | SavedAt::Elsewhere { path, .. } => Some(path),
            SavedAt::Nowhere { .. } => None,
        }
    }
}

/// What the runs of an exploration reached.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Coverage {
    /// How many faults of each kind were planned and began.
    pub faults: BTreeMap<String, Fired>,
    /// In how many runs each `sometimes` property was reached.
    pub sometimes: BTreeMap<String, u64>,
    /// In how many runs that was reached which is only counted.
    #[serde(default)]
    pub counts: BTreeMap<String, u64>,
    /// In how many runs the service reported each kind of resource: those that are to be conserved, and others.
    #[serde(default)]
    pub kinds: BTreeMap<String, u64>,
    /// How many tasks were held back.
    pub holds: u64,
    /// How many polls were made.
    pub polls: u64,
}

/// How many faults of a kind were planned, how many of them began, and what they met.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Fired {
    /// How many were planned.
    pub planned: u64,
    /// How many began.
    pub began: u64,
    /// How many met a connection in each of these states, of [`crate::socket::STATES`], when they began.
    #[serde(default)]
    pub met: BTreeMap<String, u64>,
}

impl Coverage {
    /// Adds what other runs reached.
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

    /// What a test relies on and no run reached.
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

/// What a replay showed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "a request has one outcome")]
pub enum Replay {
    /// The same failure.
    Reproduced {
        /// The failure of now.
        failure: Failure,
        /// The causes that were saved, if this build explains the same failure in another way.
        #[serde(default)]
        saved_causes: Option<Vec<Cause>>,
        /// From where on the run is another one than the saved run; `None`: it is the same run.
        #[serde(default)]
        diverges: Option<Box<Difference>>,
    },
    /// The plan passes now, and every part of it was triggered.
    PassesNow,
    /// The plan passes now, but says nothing: parts of it were not triggered.
    Stale {
        /// These, each with what came nearest to it.
        not_triggered: Vec<NotTriggered>,
    },
    /// Another failure than the saved one.
    Differs {
        /// The failure of now.
        failure: Failure,
        /// From where on the run is another one than the saved run.
        from: Box<Difference>,
    },
    /// It was stopped where it was asked to.
    Stopped {
        /// The events up to there.
        events: Vec<Event>,
        /// What every task waits for.
        waits: Vec<Cause>,
    },
    /// It ended before the event at which it was asked to stop.
    Ended {
        /// How many events it has.
        events: usize,
        /// The failure with which it ended, if it failed.
        failure: Option<Failure>,
    },
}

/// From where on a run is another one than the saved run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Which event differs first, counted from 0.
    pub event: usize,
    /// The saved event; `None`: the saved run had ended.
    pub saved: Option<Event>,
    /// The event of now; `None`: the run of now had ended.
    pub now: Option<Event>,
    /// What saved it, and what ran it now.
    pub builds: (Build, Build),
    /// What of the plan was not triggered.
    #[serde(default)]
    pub not_triggered: Vec<NotTriggered>,
    /// The plan that was run, if the saved one passes now and one that is nearly the same does not.
    #[serde(default)]
    pub nearby: Option<Plan>,
}

/// What shrinking reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shrunk {
    /// How many runs were made.
    pub runs: u64,
    /// How long it took, in milliseconds of real time.
    pub took_ms: u64,
    /// The plan before.
    pub before: Plan,
    /// The plan after.
    pub after: Plan,
    /// How many events the run has now.
    pub events: usize,
    /// The virtual time at the last event, in nanoseconds: before, and now.
    pub ends_at: (u64, u64),
    /// Where the smaller plan is saved; `None`: it is no other plan.
    pub saved: Option<SavedAt>,
    /// Whether it was interrupted before nothing more could be removed.
    pub interrupted: bool,
    /// What else is known of smaller plans, human-readable.
    #[serde(default)]
    pub note: String,
}
