//! Everything that is decided before a run, as plain data.
//!
//! A plan prints as sentences, one per line, and parses back to an equal plan; plan/sentence.rs has the grammar.

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

/// All decisions of a run. Two runs of the same plan by the same build are identical.
///
/// In files a plan is the list of its sentences.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(into = "Vec<String>", try_from = "Vec<String>")]
pub struct Plan {
    /// The seed of the schedule, the latencies and the service's own randomness.
    pub seed: u64,
    /// The workload arguments, in the order of the test's signature.
    pub workload: Vec<Argument>,
    /// The faults, in the order in which they were decided.
    pub faults: Vec<Fault>,
    /// Which tasks are held, and when.
    pub holds: Vec<Hold>,
    /// The thread schedule of a model's plan, which has nothing else.
    pub threads: Option<Threads>,
}

impl Plan {
    /// Adds a deviation, if the plan consists of deviations.
    pub fn deviate(&mut self, deviation: Deviation) {
        if let Some(Threads::Deviations(deviations)) = &mut self.threads {
            deviations.push(deviation);
        }
    }
}

/// A workload argument of a test.
#[derive(Debug, Clone, PartialEq)]
pub struct Argument {
    /// The parameter's name; an identifier.
    pub name: String,
    /// Its value.
    pub value: Value,
}

/// A part of a plan that a run may not reach.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Part {
    /// A fault that never starts: its trigger does not occur, or the network is healed before.
    Fault(Fault),
    /// A hold that does not happen: the task is not spawned, or not polled often enough.
    Hold(Hold),
    /// The last choices of a model's plan: the model makes other ones now.
    Choices,
}

/// A part of a plan that was not triggered, and what came closest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NotTriggered {
    /// The part.
    pub part: Part,
    /// What came closest to it.
    pub nearest: Nearest,
}

/// What came closest to triggering a part of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Nearest {
    /// The run ended before, at this virtual time in nanoseconds.
    Ended(u64),
    /// The network was healed before.
    Healed,
    /// The trigger occurred only this many times.
    Happened(u32),
    /// The test does not request faults.
    NotAsked,
    /// Only this many tasks were spawned there.
    Spawned(u32),
    /// The task was polled only this many times.
    Polled(u32),
    /// Tasks were spawned on that host, but elsewhere: the nearest places first.
    SpawnedAt(Vec<Place>),
    /// Nothing similar happened.
    Nothing,
}

/// Where a fault applies: in both directions between two hosts, or in one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// Both directions between two hosts.
    Both(Link),
    /// From one host to another only.
    One(Route),
}

/// A pair of hosts, in both directions; printed `a <-> b`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link(pub String, pub String);

/// One direction between two hosts; printed `a -> b`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    /// The source host.
    pub from: String,
    /// The destination host.
    pub to: String,
}

/// When a fault starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger {
    /// At a virtual time, counted from the start of the run.
    At(Duration),
    /// At the `nth` occurrence of an event, counted from 1.
    On {
        /// The event.
        event: TriggerEvent,
        /// The occurrence.
        nth: u32,
    },
}

/// An event that a fault can wait for. Each is counted separately, from the start of the run.
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
    /// A byte that the first host's application wrote arrives at the second host.
    Receives(Route),
}

/// Holds one task at one of its polls; in files its sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Hold {
    /// The host on which the task runs.
    pub host: String,
    /// Where the task was spawned: `src/link.rs:88`.
    pub place: String,
    /// The task's ordinal among those spawned there on that host, counted from 1.
    pub nth: u32,
    /// The poll at which it is held, counted from 1.
    pub poll: u32,
    /// How long it is held.
    pub until: HoldUntil,
}

/// How long a task is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldUntil {
    /// Until no other task can run.
    Idle,
    /// For this much virtual time.
    For(Duration),
}

impl Link {
    /// Returns the link between two hosts.
    pub fn between(a: &str, b: &str) -> Link {
        Link(a.to_owned(), b.to_owned())
    }
}

impl Route {
    /// Returns the route from one host to another.
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
