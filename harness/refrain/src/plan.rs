//! Everything that is decided before a run, as plain data.
//!
//! A plan prints as sentences, one a line, and parses back to an equal plan; plan/sentence.rs has their
//! grammar.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

#[cfg(test)]
pub(crate) mod arbitrary;
mod sentence;

pub use sentence::{Nth, SentenceError, Span};

/// What a run is made of. Two runs of one plan by one build are the same run.
///
/// In files a plan is the list of its sentences.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(into = "Vec<String>", try_from = "Vec<String>")]
pub struct Plan {
    /// Seeds the schedule, the latencies and the service's own randomness.
    pub seed: u64,
    /// The test's workload arguments, in the order of its signature.
    pub workload: Vec<Argument>,
    /// What goes wrong, in the order in which it was decided.
    pub faults: Vec<Fault>,
    /// Which tasks are held back, and when.
    pub holds: Vec<Hold>,
}

/// One workload argument of a test.
#[derive(Debug, Clone, PartialEq)]
pub struct Argument {
    /// The parameter's name; an identifier.
    pub name: String,
    /// Its value.
    pub value: Value,
}

/// Something that goes wrong, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// What goes wrong, and where.
    pub what: What,
    /// When it begins.
    pub when: When,
    /// How long it lasts; `None`: until `heal`. A reset is over at once and has none.
    pub lasts: Option<Duration>,
}

/// What goes wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// No packet passes between two hosts.
    Cut(Link),
    /// No packet passes from one host to another; the way back is open.
    CutOneWay(Route),
    /// Every connection between two hosts is reset, as a firewall does that forgot them.
    Reset(Link),
    /// The process dies as on `SIGKILL`; its kernel closes its sockets. When the fault is over it is started again.
    Kill(String),
    /// The host loses power: nothing is sent, nothing is remembered. When the fault is over it boots.
    Crash(String),
    /// The process is stopped as on `SIGSTOP`; its kernel goes on.
    Pause(String),
    /// Every packet between two hosts takes this much longer.
    Slow(Link, Duration),
}

/// Two hosts, either way; printed `a <-> b`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link(pub String, pub String);

/// From one host to another; printed `a -> b`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    /// The host that starts it.
    pub from: String,
    /// The other host.
    pub to: String,
}

/// When a fault begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// At a virtual time, counted from the start of the run.
    At(Duration),
    /// When something happens for the `nth` time, counted from 1.
    On {
        /// What happens.
        trigger: Trigger,
        /// Which occurrence of it.
        nth: u32,
    },
}

/// What a fault can wait for. Each is counted by itself, from the start of the run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trigger {
    /// A host starts to connect to another.
    Connects(Route),
    /// A host's application accepts a connection.
    Accepts(String),
    /// A host's application writes to a connection with another.
    Writes(Route),
    /// The second host's application reads what the first wrote.
    Reads(Route),
    /// A host's application closes a connection with another.
    Closes(Route),
}

/// Holds one task back at one of its polls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The host on which the task runs.
    pub host: String,
    /// Where the task was spawned: `src/link.rs:88`.
    pub place: String,
    /// Which of the tasks spawned there on that host, counted from 1.
    pub nth: u32,
    /// Which of its polls, counted from 1.
    pub poll: u32,
    /// What it waits for.
    pub until: Until,
}

/// What a held task waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Until no other task can run.
    Idle,
    /// For this much virtual time.
    For(Duration),
}

impl What {
    /// The kind of fault, as coverage counts it.
    pub fn kind(&self) -> &'static str {
        match self {
            What::Cut(_) => "cut",
            What::CutOneWay(_) => "one-way cut",
            What::Reset(_) => "reset",
            What::Kill(_) => "kill",
            What::Crash(_) => "crash",
            What::Pause(_) => "pause",
            What::Slow(..) => "slow",
        }
    }
}
