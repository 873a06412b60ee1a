//! Everything that is decided before a run, as plain data.
//!
//! A plan prints as sentences, one a line, and parses back to an equal plan; plan/sentence.rs has their
//! grammar.

use crate::place::Place;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

#[cfg(feature = "arbitrary")]
pub mod arbitrary;
mod error;
pub mod fault;
mod numbers;
#[cfg(feature = "arbitrary")]
mod parts;
mod sentence;
mod threads;
mod words;

pub use error::SentenceError;
pub use fault::{Fault, FaultKind};
pub use numbers::{DisplayDuration, Ordinal};
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

/// A part of a plan that a run may never come to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// A fault: what it waits for never happens, or everything is healed before.
    Fault(Fault),
    /// A hold: the task is never spawned, or not polled as often.
    Hold(Hold),
    /// Of a model, the last choices: the model has other ones now.
    Choices,
}

/// A part of a plan that a run did not trigger, and what came nearest to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NotTriggered {
    /// The part.
    pub part: Part,
    /// What came nearest to it.
    pub nearest: Nearest,
}

/// What there is instead of a part that was not triggered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Nearest {
    /// The run ended before, at this virtual time in nanoseconds.
    Ended(u64),
    /// Everything was healed before.
    Healed,
    /// What the fault waits for happened this many times.
    Happened(u32),
    /// The test asks for no faults.
    NotAsked,
    /// This many tasks were spawned there.
    Spawned(u32),
    /// The task was polled this many times.
    Polled(u32),
    /// Tasks were spawned on that host, but elsewhere: the nearest places first.
    SpawnedAt(Vec<Place>),
    /// Nothing is like it.
    Nothing,
}

/// Where a fault is: both ways between two hosts, or from one to the other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// Both ways between two hosts.
    Both(Link),
    /// From one host to another only.
    One(Route),
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
        event: TriggerEvent,
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

/// Holds one task back at one of its polls; in files its sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
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

impl Link {
    /// The link between two hosts.
    pub fn between(a: &str, b: &str) -> Link {
        Link(a.to_owned(), b.to_owned())
    }
}

impl Route {
    /// The route from one host to another.
    pub fn from_to(from: &str, to: &str) -> Route {
        Route { from: from.to_owned(), to: to.to_owned() }
    }
}

impl From<Link> for Direction {
    fn from(link: Link) -> Direction {
        Direction::Both(link)
    }
}

impl From<Route> for Direction {
    fn from(route: Route) -> Direction {
        Direction::One(route)
    }
}
