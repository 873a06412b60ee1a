//! The result of executing one run, whether it fails or not.

use crate::{
    event::Event,
    plan::{NotTriggered, Plan},
    socket::Socket,
    trace::{SOCKETS_MAX, VALUES_MAX, omit_first},
    verdict::Verdict,
};
use serde::{Deserialize, Serialize};

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The test's name.
    pub test: String,
    /// The package that contains the test.
    pub package: String,
    /// Everything that was decided, drawn or given.
    pub plan: Plan,
    /// Whether it passed, or how it failed.
    pub verdict: Verdict,
    /// The digest of all events, as 16 hexadecimal digits.
    pub digest: String,
    /// Number of events omitted before the first one that was kept.
    pub left_out: usize,
    /// The events, in order.
    pub events: Vec<Event>,
    /// Every socket at the verdict, if it failed.
    pub sockets: Vec<Socket>,
    /// The parts of the plan that were not triggered.
    pub not_triggered: Vec<NotTriggered>,
    /// The end of its output.
    pub printed: String,
}

/// How many bytes and JSON values the events of a run may have: a message has up to two runs.
const EVENTS_SIZE_MAX: (usize, usize) = (24 << 20, VALUES_MAX / 5 * 2);

impl Run {
    /// Omits as many of the first events as necessary so that it can be sent.
    pub fn within_limits(mut self) -> Run {
        self.left_out += omit_first(&mut self.events, EVENTS_SIZE_MAX);
        self.sockets.truncate(SOCKETS_MAX);
        self
    }

    /// Returns an event by its number in the run.
    pub fn event(&self, n: usize) -> Option<&Event> {
        self.events.get(n.checked_sub(self.left_out)?)
    }

    /// Returns how many events happened, those that are left out included.
    pub fn count(&self) -> usize {
        self.left_out + self.events.len()
    }
}

/// Where the decisions of a run come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decisions {
    /// The workload and the schedule are drawn from this seed; there are no faults and no holds.
    FaultFree(u64),
    /// Everything is drawn from this seed.
    Seed(u64),
    /// Everything is given.
    Plan(Box<Plan>),
}

/// With which other run a run is compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Beside {
    /// With the passing run that goes the same way for the longest, if it fails.
    NearestPassing,
    /// With the run of this plan.
    Plan(Box<Plan>),
}

/// A run, and the one with which it is compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// The run.
    pub run: Run,
    /// The other one; `None` if none was asked for, or no nearby plan passes.
    pub other: Option<Run>,
    /// How many other plans were executed to find it.
    pub tried: u64,
}

impl Compared {
    /// Returns the number of the first event, counted from 0, in which both runs differ; `None` if they are identical.
    pub fn parts_at(&self) -> Option<usize> {
        let (run, other) = (&self.run, self.other.as_ref()?);
        let first = run.left_out.max(other.left_out);
        (first..run.count().max(other.count())).find(|n| run.event(*n) != other.event(*n))
    }
}
