//! What must hold: the properties of every run, and those that a test defines.

use serde::{Deserialize, Serialize};

/// A property that a run can violate. Its serialized name does not depend on how reports phrase it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Property {
    /// No task and no thread panics.
    NoPanic,
    /// The test's own assertions hold.
    TestAssertions,
    /// The process is not killed by a signal.
    NoCrash,
    /// No stack overflows.
    StackBounded,
    /// No run exceeds its memory limit.
    MemoryBounded,
    /// Nothing exits the process.
    NoExit,
    /// The process of this host does not exit by itself.
    KeepsRunning(String),
    /// Virtual time advances.
    TimeAdvances,
    /// Every execution of a model ends.
    ExecutionEnds,
    /// Some task can always run.
    Progress,
    /// The test ends within its time limit.
    TimeLimit,
    /// Something comes to hold, in the test's words.
    Eventually(String),
    /// Something always holds, in the test's words.
    Always(String),
    /// The service logs no such event.
    Never(Box<EventPattern>),
    /// One order of all operations on an object explains their answers.
    Linearizable(String),
    /// A service answers as its sequential model does.
    AgreesWithModel(String),
    /// An invariant holds, in the service's words.
    Invariant(String),
    /// Resources of a kind that are opened are closed.
    Conserved(String),
    /// Resources of a kind are closed only while open.
    ClosedOnce(String),
    /// Accesses to the same memory are synchronized.
    AccessesOrdered,
    /// Allocated memory is freed.
    Freed,
    /// Freed memory is not freed again.
    FreedOnce,
    /// Freed memory is not used.
    NotUsedAfterFree,
    /// Nothing is done outside of the simulation.
    StaysInside,
    /// Two runs of the same plan are identical.
    Deterministic,
}

/// Which `tracing` events are meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EventPattern {
    /// What their target begins with.
    pub target: String,
    /// What their message contains.
    pub message: String,
}

impl Property {
    /// Returns the kind of resource that it is about.
    pub fn kind(&self) -> Option<&str> {
        match self {
            Property::Conserved(kind) | Property::ClosedOnce(kind) => Some(kind),
            _ => None,
        }
    }
}
