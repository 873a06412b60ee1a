//! The result of an exploration.

use super::{
    coverage::{Coverage, Unreached},
    search::Searched,
};
use crate::{
    plan::Plan,
    verdict::{Class, Failure},
};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

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

/// How the runs of an exploration are kept apart. A run that does not pass has a process of its own in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Isolation {
    /// A process makes many, and becomes again what it was after each.
    #[default]
    Rewind,
    /// Each has a process of its own.
    Fork,
    /// Each is made in both ways, and compared.
    Both,
}

/// Interference of the machine with runs, which says nothing about the tested service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Machine {
    /// Number of runs that were repeated because something outside may have killed them.
    pub made_again: u64,
    /// Whether address space randomisation cannot be disabled.
    pub randomises_addresses: bool,
    /// Whether its kernel has no seccomp filters, so that only calls of libc are kept from leaving the simulation.
    pub is_unguarded: bool,
    /// Whether it does not let a process become again what it was, so that each run has a process of its own.
    pub forks_each: bool,
    /// Number of runs that were compared with those in processes of their own, and were others there. If there are any, all runs were made again, each
    /// in a process of its own.
    pub differ: u64,
}

impl Machine {
    /// Combines two reports.
    #[must_use]
    pub fn and(self, other: Machine) -> Machine {
        Machine {
            made_again: self.made_again + other.made_again,
            randomises_addresses: self.randomises_addresses || other.randomises_addresses,
            is_unguarded: self.is_unguarded || other.is_unguarded,
            forks_each: self.forks_each || other.forks_each,
            differ: self.differ + other.differ,
        }
    }
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
    /// The page that shows its run, if one was written.
    #[serde(default)]
    pub page: Option<PathBuf>,
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
