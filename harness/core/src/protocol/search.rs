//! What was searched of a model, how far each search came, and why it went no further.

use crate::{place::Place, verdict::Class};
use serde::{Deserialize, Serialize};

/// What one engine searched of a model, in one way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Searched {
    /// The engine's name.
    pub engine: String,
    /// How it searched.
    pub how: How,
    /// How many executions it made.
    pub executions: u64,
    /// How long that took, in milliseconds of real time; of a sampler, of all workers together.
    pub took_ms: u64,
    /// Why it went no further.
    pub end: SearchEnd,
}

/// A way to search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// A scheduler draws executions. Each load reads the newest value; data races are found by vector clocks.
    Sampled(Sampler),
    /// Every execution, also of loads that read old values.
    Exhaustive {
        /// With at most so many preemptions; `None`: with any number.
        preemptions: Option<u8>,
        /// Whether the `SeqCst` operations are kept in one total order.
        total_order: bool,
    },
}

/// A scheduler that samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
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

/// Why a search went no further.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SearchEnd {
    /// Nothing is left out.
    Complete,
    /// It used up its share of the budget.
    Budget,
    /// It found a failure.
    Found,
    /// It found this, which the one order of `SeqCst` operations forbids.
    NotConfirmed(Class),
    /// The engine cannot go on.
    Limited(EngineLimit),
}

/// What an engine cannot do: a limit of it, no fault of the model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EngineLimit {
    /// An execution has more steps than it makes.
    TooManySteps,
    /// Every execution that it sampled has.
    AlwaysTooManySteps {
        /// The most that it makes.
        most: usize,
    },
    /// It has more threads than it models.
    TooManyThreads {
        /// The most, the model's own among them.
        most: usize,
    },
    /// It has more operations on atomics than can be put into one order.
    TooManyOperations {
        /// The most.
        most: usize,
    },
    /// Never can two threads go on, and it demands that there is an order to choose.
    OneThread,
    /// The model waits for real time, which it does not model.
    Time {
        /// The call: `Condvar::wait_timeout`.
        call: String,
    },
    /// An execution that the one order of `SeqCst` operations forbids could not be left.
    NotLeft {
        /// Where a thread panicked meanwhile.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
        place: Option<Place>,
        /// What it said.
        message: String,
    },
    /// It does not read what it wrote itself.
    Checkpoint {
        /// Why.
        error: String,
    },
    /// It panicked, and it is not known what that means.
    Panicked {
        /// Where.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
        place: Option<Place>,
        /// What it said.
        message: String,
    },
}

/// What a search for the fewest preemptions came to, among executions in which no load reads an old value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fewest {
    /// With this many the failure happens, and with fewer it does not.
    Needed(usize),
    /// It does not happen in any that was looked at.
    NotFound {
        /// How many were.
        executions: u64,
        /// With how many preemptions the last ones were.
        preemptions: usize,
        /// Whether these were all with so many.
        all: bool,
    },
}

impl How {
    /// Whether nothing is left out where it comes to its end, old values among it.
    pub fn is_exhaustive(&self) -> bool {
        matches!(self, How::Exhaustive { .. })
    }
}
