//! Everything that is decided before a run, as plain data.
//!
//! A plan prints as sentences, one a line, and parses back to an equal plan; plan/sentence.rs has their
//! grammar.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

#[cfg(feature = "arbitrary")]
pub mod arbitrary;
mod sentence;
mod threads;

pub use sentence::{DisplayDuration, Ordinal, SentenceError};
pub use threads::{Choice, Deviation, Threads};

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
    /// Which thread goes on when, if it is a plan of a model; it has nothing else then.
    pub threads: Option<Threads>,
}

impl Plan {
    /// Adds a deviation, if it is a plan of such.
    pub fn deviate(&mut self, deviation: Deviation) {
        if let Some(Threads::Deviations(deviations)) = &mut self.threads {
            deviations.push(deviation);
        }
    }
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
    pub when: Trigger,
    /// How long it lasts; `None`: until `heal`. A reset is over at once and has none.
    pub lasts: Option<Duration>,
}

/// What goes wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Packets, handshakes or streams suffer on the way between two hosts.
    Impair(Direction, Impairment),
    /// Every connection between two hosts is reset, as a firewall does that forgot them.
    Reset(Link),
    /// The process dies as on `SIGKILL`; its kernel closes its sockets. When the fault is over it is started again.
    Kill(String),
    /// The host loses power: nothing is sent, nothing is remembered. When the fault is over it boots.
    Crash(String),
    /// The process is stopped as on `SIGSTOP`; its kernel goes on.
    Pause(String),
    /// The host's look-ups of names fail: its resolver does not answer.
    FailLookups(String),
    /// The host's process has no file descriptor left for what it would accept: `EMFILE`. Who connects waits.
    FailAccepts(String),
}

/// Where an impairment is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// Both ways between two hosts.
    Both(Link),
    /// From one host to another only.
    One(Route),
}

/// What is wrong with the way from one host to another. A connection loses no byte by it: TCP sends again, which takes
/// time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Impairment {
    /// No packet passes.
    Cut,
    /// Every packet takes this much longer.
    Slow(Duration),
    /// So many of a hundred packets take this much longer.
    Delay(u8, Duration),
    /// So many of a hundred packets are lost.
    Lose(u8),
    /// So many of a hundred packets arrive twice. TCP throws the copies away.
    Duplicate(u8),
    /// So many of a hundred packets are overtaken by those sent after them.
    Reorder(u8),
    /// No more than this many bytes a second pass; the others wait their turn.
    Limit(u64),
    /// The packets that would open a connection are dropped: who connects tries again, and times out.
    DropSyns,
    /// The packets that would open a connection are answered with a reset: who connects is refused.
    RefuseSyns,
    /// A write takes a single byte.
    StretchWrites,
    /// A read gives a single byte.
    StretchReads,
    /// The reader's application does not come to read: its buffer fills, then the writer's.
    StallReads,
    /// The buffers of the writer's and the reader's sockets hold no more than this many bytes.
    ShrinkBuffers(u64),
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
pub enum Trigger {
    /// At a virtual time, counted from the start of the run.
    At(Duration),
    /// When something happens for the `nth` time, counted from 1.
    On {
        /// What happens.
        trigger: TriggerEvent,
        /// Which occurrence of it.
        nth: u32,
    },
}

/// What a fault can wait for. Each is counted by itself, from the start of the run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum TriggerEvent {
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
    /// A byte of what the first host's application wrote arrives at the second host.
    Receives(Route),
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
    pub until: HoldUntil,
}

/// What a held task waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldUntil {
    /// Until no other task can run.
    Idle,
    /// For this much virtual time.
    For(Duration),
}

impl What {
    /// The kind of fault, as coverage counts it.
    pub fn kind(&self) -> &'static str {
        match self {
            What::Impair(Direction::One(_), Impairment::Cut) => "one-way cut",
            What::Impair(_, how) => how.kind(),
            What::Reset(_) => "reset",
            What::Kill(_) => "kill",
            What::Crash(_) => "crash",
            What::Pause(_) => "pause",
            What::FailLookups(_) => "fail lookups",
            What::FailAccepts(_) => "fail accepts",
        }
    }
}

impl Impairment {
    fn kind(self) -> &'static str {
        match self {
            Impairment::Cut => "cut",
            Impairment::Slow(_) => "slow",
            Impairment::Delay(..) => "delay",
            Impairment::Lose(_) => "lose",
            Impairment::Duplicate(_) => "duplicate",
            Impairment::Reorder(_) => "reorder",
            Impairment::Limit(_) => "limit",
            Impairment::DropSyns => "drop SYNs",
            Impairment::RefuseSyns => "refuse SYNs",
            Impairment::StretchWrites => "stretch writes",
            Impairment::StretchReads => "stretch reads",
            Impairment::StallReads => "stall reads",
            Impairment::ShrinkBuffers(_) => "shrink buffers",
        }
    }
}
