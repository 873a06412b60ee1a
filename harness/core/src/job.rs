//! What a test process asks of its workers, what they answer, and what a run tells its worker: JSON, a line each.

use crate::{
    event::Event,
    plan::{Deviation, NotTriggered, Plan},
    protocol::Coverage,
    socket::Socket,
    verdict::{Cause, Verdict},
};
use serde::{Deserialize, Serialize};

/// Where the decisions of a run come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Everything is drawn from the seed.
    Seed(u64),
    /// Everything stands in the plan.
    Plan(Box<Plan>),
    /// The workload is drawn from the seed; nothing goes wrong.
    FaultFree(u64),
    /// Of a model: the plan, after another execution of it in the same process. What outlives an execution shows then.
    Again(Box<Plan>),
}

/// What a worker is to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Job {
    /// Make these runs, up to the first that fails: their seeds are drawn from `base` and their number.
    Explore {
        /// The seed of the exploration.
        base: u64,
        /// The number of the first run, from 0.
        first: u64,
        /// How many.
        count: u64,
    },
    /// Make one run and say what happened.
    Record {
        /// Its decisions.
        source: Source,
        /// Stop before this event, counted from 0.
        until: Option<usize>,
    },
    /// Make one run and say only how it ended.
    Try(Plan),
    /// Search among the executions of a model, up to the first that fails.
    Search(Search),
}

/// What a worker answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// To `Explore`.
    Explored(Batch),
    /// To `Search`.
    Searched(Box<Searched>),
    /// To `Record` and, without events, to `Try`.
    Ran(Box<Ran>),
    /// The harness could not do it.
    Refused(String),
}

/// A part of the search among a model's executions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Search {
    /// Executions that a scheduler samples.
    Sample {
        /// Which scheduler.
        by: Sampler,
        /// Its seed.
        seed: u64,
        /// How many.
        executions: u64,
    },
    /// A part of the tree of all executions.
    Exhaust {
        /// Where the search stands: the engine's own text.
        from: String,
        /// Whether the `SeqCst` operations are kept in one total order.
        total_order: bool,
        /// The most executions.
        executions: u64,
        /// How many of the first choices make this part; the search ends when it would change one of them.
        within: usize,
    },
}

/// A scheduler that samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sampler {
    /// Any thread at any step.
    Random,
    /// Priorities that change at this many places less one.
    Pct(usize),
    /// A uniform walk over all orders.
    Walk,
    /// No chance: the executions with no preemption, then those with one, then those with two.
    Few,
}

/// What a part of a search came to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Searched {
    /// How many executions were made, the one that failed among them.
    pub executions: u64,
    /// The plan of the one that failed.
    pub failed: Option<Plan>,
    /// Where an exhaustive search stands; `None`: it is done.
    pub next: Option<String>,
    /// Why the engine could not go on: a limit of it, no fault of the model.
    pub limit: Option<String>,
    /// How often it was made again, because it may have been killed from outside.
    #[serde(default)]
    pub made_again: u64,
}

/// Some runs of an exploration.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Batch {
    /// How many were made.
    pub runs: u64,
    /// The number of the one that failed, the last one then.
    pub failed: Option<u64>,
    /// What they reached.
    pub coverage: Coverage,
    /// How many runs were made again, because they may have been killed from outside.
    #[serde(default)]
    pub made_again: u64,
}

/// One run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ran {
    /// Everything that was decided.
    pub plan: Plan,
    /// How it ended.
    pub verdict: Verdict,
    /// The digest of everything that happened; of a run that died, of all its events.
    pub digest: u64,
    /// What happened, the last ones if there were too many.
    pub events: Vec<Event>,
    /// How many events happened before those.
    pub left_out: usize,
    /// What it reached.
    pub coverage: Coverage,
    /// What of the plan was not triggered.
    #[serde(default)]
    pub not_triggered: Vec<NotTriggered>,
    /// The sockets at the verdict, if it failed and was recorded.
    pub sockets: Vec<Socket>,
    /// What waits where it was stopped; `None`: it ended before.
    pub waits: Option<Vec<Cause>>,
    /// The end of what it printed, if it was recorded.
    pub printed: String,
    /// How often it was made again, because it may have been killed from outside.
    #[serde(default)]
    pub made_again: u64,
}

/// What a run tells its worker while it goes on. Only the last line, while nobody records.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunMessage {
    /// Everything that is decided so far; the last one counts.
    Plan(Plan),
    /// Something happened.
    Event(Event),
    /// Another thread goes on than the order says.
    Deviates(Deviation),
    /// A search came to its end, or where it was asked to stop.
    Searched(Searched),
    /// It was stopped where it was asked to; what waits.
    Stopped(Vec<Cause>),
    /// It could not be made: the plan does not fit the test.
    Refused(String),
    /// It ended.
    Ended(Box<Ended>),
}

/// The end of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ended {
    /// How.
    pub verdict: Verdict,
    /// The digest of everything that happened.
    pub digest: u64,
    /// What it reached.
    pub coverage: Coverage,
    /// What of the plan was not triggered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_triggered: Vec<NotTriggered>,
    /// The sockets at the verdict, if it failed and was recorded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sockets: Vec<Socket>,
}

impl Ended {
    /// The end of a run that could say no more.
    pub fn at(verdict: Verdict, digest: u64) -> Ended {
        Ended { verdict, digest, coverage: Coverage::default(), not_triggered: vec![], sockets: vec![] }
    }
}
