//! What a run showed: it passed, or the service was wrong, and how.

use crate::place::Place;
use serde::{Deserialize, Serialize};
use std::fmt;

mod cause;
mod detail;
mod faults;
mod property;

pub use cause::{Cause, ConnectionState, OpenSocket, StaleRead, Store, ThreadWaiting, Wait, Waiting};
pub use detail::{Access, Actor, Allocation, Detail};
pub use faults::went_wrong;
pub use property::Property;

/// The result of one run. Never an error of the harness and never a panic of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every property held.
    Passed,
    /// One did not.
    Failed(Failure),
}

/// How the service was wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// What kind of failure it is.
    pub class: Class,
    /// Which property failed.
    pub property: Property,
    /// Where: the source place that stays the same from run to run, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
    pub place: Option<Place>,
    /// What happened.
    pub detail: Detail,
    /// What led to it: who waits for what, since when, the last fault.
    pub causes: Vec<Cause>,
}

/// The kinds of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// A task of a host, or the test itself, panicked.
    Panic,
    /// The process died of a signal: abort, segmentation fault, stack overflow.
    Crash,
    /// The process asked for more memory than a run may have.
    OutOfMemory,
    /// The process called `exit`.
    Exit,
    /// Virtual time stood still: a loop without end, or a call that blocks the thread.
    EndlessLoop,
    /// A property that must hold after `heal` did not within its bound.
    Stall,
    /// Nothing can run any more.
    Deadlock,
    /// A property that must always hold was broken.
    Safety,
    /// Something opened was not closed.
    Leak,
    /// Something was closed twice.
    DoubleClose,
    /// Two threads access the same memory, one of them writing, and nothing orders the two.
    DataRace,
    /// What was freed is freed again, or was never allocated.
    DoubleFree,
    /// What was freed is used.
    UseAfterFree,
    /// Two runs of one plan differ: the service reads something from outside the simulation.
    Nondeterminism,
}

/// What makes two failures the same failure: shrinking keeps it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Signature {
    /// The kind of failure.
    pub class: Class,
    /// The property that failed.
    pub property: Property,
    /// The place in the source.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
    pub place: Option<Place>,
}

impl Failure {
    /// What must stay the same for it to be the same failure.
    pub fn signature(&self) -> Signature {
        Signature { class: self.class, property: self.property.clone(), place: self.place.clone() }
    }
}

impl Verdict {
    /// The failure, if it is one.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Verdict::Passed => None,
            Verdict::Failed(failure) => Some(failure),
        }
    }
}

impl Class {
    /// Every class, in the order in which they are documented.
    pub const ALL: [Class; 14] = [
        Class::Panic,
        Class::Crash,
        Class::OutOfMemory,
        Class::Exit,
        Class::EndlessLoop,
        Class::Stall,
        Class::Deadlock,
        Class::Safety,
        Class::Leak,
        Class::DoubleClose,
        Class::DataRace,
        Class::DoubleFree,
        Class::UseAfterFree,
        Class::Nondeterminism,
    ];

    /// Its name in files, in `expect = "..."` and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Class::Panic => "panic",
            Class::Crash => "crash",
            Class::OutOfMemory => "out-of-memory",
            Class::Exit => "exit",
            Class::EndlessLoop => "endless-loop",
            Class::Stall => "stall",
            Class::Deadlock => "deadlock",
            Class::Safety => "safety",
            Class::Leak => "leak",
            Class::DoubleClose => "double-close",
            Class::DataRace => "data-race",
            Class::DoubleFree => "double-free",
            Class::UseAfterFree => "use-after-free",
            Class::Nondeterminism => "nondeterminism",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
