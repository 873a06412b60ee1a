//! What was searched of a model, how far each search got, and why it ended.

use crate::{place::Place, verdict::Class};
use serde::{Deserialize, Serialize};

/// One search of a model by an engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Searched {
    /// The engine's name.
    pub engine: String,
    /// The search strategy.
    pub how: How,
    /// Number of executions.
    pub executions: u64,
    /// How many of them were abandoned because they had too many steps.
    #[serde(default)]
    pub abandoned: u64,
    /// The duration in milliseconds of real time; for a sampler, summed over all workers.
    pub took_ms: u64,
    /// Why it ended.
    pub end: SearchEnd,
}

/// A search strategy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// A scheduler samples executions. Each load reads the newest value; data races are detected with vector clocks.
    Sampled(Sampler),
    /// All executions, including those in which loads read old values.
    Exhaustive {
        /// Maximum number of preemptions; `None` for any number.
        preemptions: Option<u8>,
        /// Whether the `SeqCst` operations are kept in one total order.
        total_order: bool,
    },
}

/// A sampling scheduler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sampler {
    /// Directed at conflicting operations: a thread is preempted where another thread's next operations conflict with what it
    /// has done.
    Directed,
    /// Random scheduling: any thread at any step.
    Random,
    /// Probabilistic concurrency testing (PCT) of this depth: thread priorities change at depth - 1 places.
    Pct(usize),
    /// A uniform random walk over all interleavings.
    Walk,
    /// Random scheduling in which each access of a cell is a scheduling point, too, and data races are ignored: whether two
    /// accesses can overlap.
    Overlap,
    /// Systematic: the executions without preemption, then those with one, then those with two.
    Few,
}

/// Why a search ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SearchEnd {
    /// It is complete.
    Complete,
    /// It used up its share of the budget.
    Budget,
    /// It found a failure.
    Found,
    /// It found this failure, in an execution that the memory model forbids.
    NotConfirmed(Class),
    /// The engine reached a limit.
    Limited(EngineLimit),
}

/// A limit of an engine, which is no failure of the model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EngineLimit {
    /// An execution has more steps than the engine supports.
    TooManySteps,
    /// Every sampled execution has more steps than the engine supports.
    AlwaysTooManySteps {
        /// The maximum.
        most: usize,
    },
    /// The model has more threads than the engine supports.
    TooManyThreads {
        /// The maximum, including the model's main thread.
        most: usize,
    },
    /// The model has more atomic operations than can be put into a total order.
    TooManyOperations {
        /// The maximum.
        most: usize,
    },
    /// Unmodified dependencies of the model have more atomics than the engine is prepared for.
    TooManyAtomics {
        /// The maximum.
        most: usize,
    },
    /// At no point can two threads run, and the engine requires a scheduling choice.
    OneThread,
    /// The model waits for real time, which the engine does not model.
    Time {
        /// The call: `Condvar::wait_timeout`.
        call: String,
    },
    /// An execution that the total order of `SeqCst` operations forbids could not be abandoned.
    NotLeft {
        /// Where a thread panicked meanwhile.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
        place: Option<Place>,
        /// The panic message.
        message: String,
    },
    /// The engine cannot read its own checkpoint.
    Checkpoint {
        /// The error.
        error: String,
    },
    /// The engine panicked for an unknown reason.
    Panicked {
        /// Where it panicked.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
        place: Option<Place>,
        /// The panic message.
        message: String,
    },
}

/// The result of a search for the fewest preemptions, among executions in which no load reads an old value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fewest {
    /// The failure needs this many preemptions.
    Needed(usize),
    /// No searched execution fails.
    NotFound {
        /// Number of executions.
        executions: u64,
        /// The number of preemptions in the last ones.
        preemptions: usize,
        /// Whether all executions with that number were searched.
        all: bool,
    },
}

impl How {
    /// Returns whether a complete search leaves nothing out, including old values.
    pub fn is_exhaustive(&self) -> bool {
        matches!(self, How::Exhaustive { .. })
    }
}
