//! What must hold: the properties that every run has, and those that a test names.

use serde::{Deserialize, Serialize};

/// A property that a run can break. Its name in files never changes with a rewording of what people read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Property {
    /// No task and no thread panics.
    NoPanic,
    /// The test's own assertions hold.
    TestAssertions,
    /// No signal kills the process.
    NoCrash,
    /// No stack overflows.
    StackBounded,
    /// No run takes more memory than it may have.
    MemoryBounded,
    /// Nothing ends the whole process.
    NoExit,
    /// The process of this host does not end by itself.
    KeepsRunning(String),
    /// Virtual time goes on.
    TimeAdvances,
    /// Every execution of a model ends.
    ExecutionEnds,
    /// Something can always run.
    Progress,
    /// The test ends within its time limit.
    TimeLimit,
    /// What comes to hold, in the test's words.
    Eventually(String),
    /// What always holds, in the test's words.
    Always(String),
    /// What is opened is closed, of a kind of resource.
    Conserved(String),
    /// What is closed was open, of a kind of resource.
    ClosedOnce(String),
    /// Accesses of the same memory are ordered.
    AccessesOrdered,
    /// What is allocated is freed.
    Freed,
    /// What is freed is not freed again.
    FreedOnce,
    /// What is freed is not used.
    NotUsedAfterFree,
    /// Two runs of one plan are the same run.
    Deterministic,
}

impl Property {
    /// The kind of resource that it is about.
    pub fn kind(&self) -> Option<&str> {
        match self {
            Property::Conserved(kind) | Property::ClosedOnce(kind) => Some(kind),
            _ => None,
        }
    }
}
