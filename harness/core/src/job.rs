//! The messages between a test process and its workers, and between a run and its worker: JSON, one per line.

use crate::{
    event::Event,
    place::Place,
    plan::{Deviation, NotTriggered, Plan},
    protocol::{Coverage, EngineLimit, Isolation, Sampler},
    socket::Socket,
    verdict::{Answer as CallAnswer, Backtrace, Cause, Verdict},
};
use serde::{Deserialize, Serialize};

/// Where a run's decisions come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Everything is drawn from the seed.
    Seed(u64),
    /// Everything is given by the plan.
    Plan(Box<Plan>),
    /// The workload is drawn from the seed; there are no faults and no holds.
    FaultFree(u64),
    /// For a model: the plan, after another execution of it in the same process. This reveals state that outlives an
    /// execution.
    Again(Box<Plan>),
    /// The plan up to an event. From then on the schedule, the holds and the faults are drawn from another seed. Only the events up to there
    /// are reported.
    Branch {
        /// The plan.
        plan: Box<Plan>,
        /// Number of events that are those of the plan.
        after: usize,
        /// The other seed.
        seed: u64,
    },
}

/// A worker's task.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Job {
    /// Execute these runs up to the first that fails. Their seeds are derived from `base` and the run number.
    Explore {
        /// The seed of the exploration.
        base: u64,
        /// The number of the first run, from 0.
        first: u64,
        /// Number of runs.
        count: u64,
        /// How they are kept apart.
        isolation: Isolation,
    },
    /// Execute one run and return what happened.
    Record {
        /// The run's decisions.
        source: Source,
        /// Stop before this event, counted from 0.
        until: Option<usize>,
        /// The call of its log whose backtrace is wanted, counted from 0.
        #[serde(default)]
        locate: Option<u64>,
    },
    /// Execute one run and stop for a debugger before an event, counted from 0. Without limits on time.
    Debug {
        /// The run's plan.
        plan: Box<Plan>,
        /// The event.
        at: usize,
    },
    /// Execute one run and return only its verdict.
    Try(Plan),
    /// Search a model's executions, up to the first that fails.
    Search(Search),
}

/// A worker's reply.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Reply to `Explore`.
    Explored(Batch),
    /// Reply to `Search`.
    Searched(Box<Searched>),
    /// Reply to `Record` and, without events, to `Try`.
    Ran(Box<Ran>),
    /// Before the reply to `Debug`: this process has stopped.
    Stopped(u32),
    /// The harness could not do the job.
    Refused(String),
}

/// Part of a search of a model's executions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Search {
    /// Executions sampled by a scheduler.
    Sample {
        /// The scheduler.
        by: Sampler,
        /// Its seed.
        seed: u64,
        /// Number of executions.
        executions: u64,
        /// Which of the scheduler's turns it is, counted from 0.
        turn: u64,
    },
    /// A part of the tree of all executions.
    Exhaust {
        /// The state of the search, in the engine's own format.
        from: String,
        /// Whether `SeqCst` operations are kept in one total order.
        total_order: bool,
        /// Maximum number of executions.
        executions: u64,
        /// Number of leading choices that identify this part; the search ends when it would change one of them.
        within: usize,
    },
}

/// The result of a part of a search.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Searched {
    /// Number of executions, including the failing one.
    pub executions: u64,
    /// How many of them were abandoned because they had too many steps.
    #[serde(default)]
    pub abandoned: u64,
    /// The plan of the failing execution.
    pub failed: Option<Plan>,
    /// The state of an exhaustive search; `None` when it is complete.
    pub next: Option<String>,
    /// The number of preemptions at which a search with few preemptions stopped, if it stopped before its end.
    #[serde(default)]
    pub stands_at: Option<usize>,
    /// Why the engine could not continue.
    pub limit: Option<EngineLimit>,
    /// How often it was repeated because it may have been killed from outside.
    #[serde(default)]
    pub made_again: u64,
}

/// A batch of runs of an exploration.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Batch {
    /// Number of runs.
    pub runs: u64,
    /// The number of the failing run, which is the last one.
    pub failed: Option<u64>,
    /// What the runs covered.
    pub coverage: Coverage,
    /// How many runs were repeated because they may have been killed from outside.
    #[serde(default)]
    pub made_again: u64,
    /// How many runs were made in a process that had made others before.
    #[serde(default)]
    pub rewound: u64,
    /// Whether this machine does not let a process become again what it was.
    #[serde(default)]
    pub forks_each: bool,
    /// How many runs were made again in processes of their own, and were others there: the batch ends with them, and none of it counts.
    #[serde(default)]
    pub differ: u64,
}

/// A run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ran {
    /// All its decisions.
    pub plan: Plan,
    /// Its verdict.
    pub verdict: Verdict,
    /// The digest of everything that happened; for a run that died, of its events.
    pub digest: u64,
    /// Its events; the last ones if there were too many.
    pub events: Vec<Event>,
    /// Number of events omitted before those.
    pub left_out: usize,
    /// The log of its calls, if it was recorded and this engine has one.
    #[serde(default)]
    pub calls: Vec<Call>,
    /// What it covered.
    pub coverage: Coverage,
    /// The parts of the plan that were not triggered.
    #[serde(default)]
    pub not_triggered: Vec<NotTriggered>,
    /// The sockets at the verdict, if it failed and was recorded.
    pub sockets: Vec<Socket>,
    /// What tasks waited for when it was stopped; `None` if it ended before.
    pub waits: Option<Vec<Cause>>,
    /// The end of its output, if it was recorded.
    pub printed: String,
    /// How often it was repeated because it may have been killed from outside.
    #[serde(default)]
    pub made_again: u64,
}

/// A call of the service through which its machine can be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Number of events before it.
    #[serde(default)]
    pub after: u64,
    /// The system call or the instruction.
    pub call: String,
    /// What it asks about, such as a path.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// Its answer.
    pub answer: CallAnswer,
    /// Its backtrace, if that was wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backtrace: Option<Backtrace>,
}

/// Maximum number of calls in the log of a run.
pub const CALLS_MAX: usize = 20_000;

/// A message from a run to its worker. While not recording, only the last ones are sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunMessage {
    /// All decisions so far; the last such message counts.
    Plan(Plan),
    /// An event.
    Event(Event),
    /// A call of its log.
    Called(Call),
    /// A line of the service that starts a thread or blocks, with the number of the calls that lead there.
    CallPlace {
        /// The number.
        path: u64,
        /// The line.
        place: Place,
    },
    /// A deviation from the default schedule.
    Deviates(Deviation),
    /// A search is complete, or has stopped as requested.
    Searched(Searched),
    /// The run, which is this process, waits for a debugger.
    AwaitsDebugger(u32),
    /// The run has stopped as requested, with the current waits.
    Stopped(Vec<Cause>),
    /// The run could not be executed: the plan does not match the test.
    Refused(String),
    /// The run has ended.
    Ended(Box<Ended>),
    /// Its code has ended. If the run does not end now, this part of its plan is left over.
    Over(NotTriggered),
}

/// The result of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ended {
    /// Its verdict.
    pub verdict: Verdict,
    /// The digest of everything that happened.
    pub digest: u64,
    /// What it covered.
    pub coverage: Coverage,
    /// The parts of the plan that were not triggered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_triggered: Vec<NotTriggered>,
    /// The sockets at the verdict, if it failed and was recorded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sockets: Vec<Socket>,
    /// What a run of the same plan must be asked to locate, to know more about the verdict. A number of the engine's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locate: Option<u64>,
}

impl Ended {
    /// Creates the result of a run that could report nothing else.
    pub fn at(verdict: Verdict, digest: u64) -> Ended {
        Ended { verdict, digest, coverage: Coverage::default(), not_triggered: vec![], sockets: vec![], locate: None }
    }
}
