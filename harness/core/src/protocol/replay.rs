//! The result of a replay.

use crate::{
    event::Event,
    graph::Change,
    plan::{NotTriggered, Plan},
    trace::Build,
    verdict::{Cause, Failure},
};
use serde::{Deserialize, Serialize};

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
    /// The dependencies of which there are other versions now, first the one in which the runs part.
    #[serde(default)]
    pub packages: Vec<Change>,
    /// The parts of the plan that were not triggered.
    #[serde(default)]
    pub not_triggered: Vec<NotTriggered>,
    /// The plan that was executed, if the saved one passes now and a nearby one fails.
    #[serde(default)]
    pub nearby: Option<Plan>,
}
