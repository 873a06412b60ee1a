//! The verdict of a run: it passed, or the service failed, and how.

use crate::place::Place;
use serde::{Deserialize, Serialize};
use strum::VariantArray;

mod backtrace;
mod cause;
mod detail;
mod faults;
mod origin;
mod outside;
mod property;

pub use backtrace::{Backtrace, Frame};
pub use cause::{
    Cause, ConnectionState, OpenSocket, StaleRead, Store, ThreadWait, ThreadWaiting, UnixWait, Wait, Waiting,
};
pub use detail::{Access, Actor, Allocation, Detail, Recorded};
pub use faults::went_wrong;
pub use origin::{Answer, Difference, MadeCall, Metadata, NotLogged, Origin, OtherAnswer, OtherCall, Unseen};
pub use outside::Outside;
pub use property::{EventPattern, Property};

/// The result of one run. Errors and panics of the harness are never verdicts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every property held.
    Passed,
    /// A property was violated.
    Failed(Failure),
}

/// A failure of the service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// The class of the failure.
    pub class: Class,
    /// The property that was violated.
    pub property: Property,
    /// The source location, if there is one that is stable between runs.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
    pub place: Option<Place>,
    /// What happened.
    pub detail: Detail,
    /// What led to it: which task waits for what, since when, and the last fault.
    pub causes: Vec<Cause>,
}

/// The classes of failure.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum Class {
    /// A task of a host, or the test itself, panicked.
    Panic,
    /// The process died of a signal: abort, segmentation fault, stack overflow.
    Crash,
    /// The process exceeded the memory limit of a run.
    OutOfMemory,
    /// The process called `exit`.
    Exit,
    /// Virtual time stopped advancing: an endless loop, or a call that blocks the thread.
    EndlessLoop,
    /// A property that must hold after `heal` did not hold within its time limit.
    Stall,
    /// No task can make progress.
    Deadlock,
    /// A property that must always hold was violated.
    Safety,
    /// A resource was opened and not closed.
    Leak,
    /// A resource was closed twice.
    DoubleClose,
    /// Two threads accessed the same memory, at least one of them writing, without a happens-before order.
    DataRace,
    /// Memory was freed twice, or was never allocated.
    DoubleFree,
    /// Freed memory was used.
    UseAfterFree,
    /// The service did something outside of the simulation: a real connection, another program.
    Escape,
    /// Two runs of the same plan differ: the service reads something from outside the simulation.
    Nondeterminism,
}

/// Identifies a failure: two failures with the same signature are the same. Shrinking preserves it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Signature {
    /// The class of the failure.
    pub class: Class,
    /// The property that was violated.
    pub property: Property,
    /// The source location.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
    pub place: Option<Place>,
}

impl Failure {
    /// Returns the failure's signature.
    pub fn signature(&self) -> Signature {
        Signature { class: self.class, property: self.property.clone(), place: self.place.clone() }
    }
}

impl Verdict {
    /// Returns the failure, unless the run passed.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Verdict::Passed => None,
            Verdict::Failed(failure) => Some(failure),
        }
    }
}

impl Class {
    /// All classes, in the order of their documentation.
    pub const ALL: &[Class] = Class::VARIANTS;

    /// Returns its name as used in files, in `expect = "..."` and in reports.
    pub fn name(self) -> &'static str {
        self.into()
    }
}
