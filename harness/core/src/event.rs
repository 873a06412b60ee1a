//! One thing that happened in a run.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// One thing that happened in a run: a line of a trace, a row of a timeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Virtual time since the start of the run, in nanoseconds.
    pub at: u64,
    /// The host on which it happened; empty for the test itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub host: String,
    /// The task: a model's thread by its number, `1`; in a simulation where it was spawned, `src/link.rs:88`, with `#n` from the second one spawned there.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub task: String,
    /// The source place of a thread's operation: `src/table.rs:88`; empty for everything else.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub place: String,
    /// What kind of thing.
    pub kind: Kind,
    /// The same for people, without time, host and task.
    pub text: String,
    /// What the service said with it: the fields of its `tracing` event.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, Value>,
}

/// The kinds of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A host starts or boots, or a task is spawned.
    Start,
    /// A host's process or a task ends.
    End,
    /// A socket begins to listen.
    Listen,
    /// A connect starts, succeeds or fails.
    Connect,
    /// A connection is accepted.
    Accept,
    /// Bytes are written.
    Write,
    /// Bytes are read.
    Read,
    /// A connection is closed, in one direction or both, or its end is seen.
    Close,
    /// A connection is reset.
    Reset,
    /// A fault begins or is over, or everything is healed.
    Fault,
    /// A task is held back.
    Hold,
    /// The service's own `tracing` event.
    Says,
    /// The test notes something: a phase, a property.
    Test,
    /// A thread of a model makes an operation.
    Step,
}
