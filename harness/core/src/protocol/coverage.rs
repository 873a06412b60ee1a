//! What the runs of an exploration covered, and what a test requires that none reached.

use crate::near::near;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
