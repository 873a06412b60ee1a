//! An event of a run, as data. `refrain-report` formats it.

use crate::{
    place::{Place, Task},
    plan::{Fault, Hold},
    sources,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

mod net;
mod ordered;
mod shared;
pub mod step;

pub use net::{Connection, Endpoint, Tcp, Udp, Unix, UnixSocket};
pub use ordered::{Effect, Ordered, Stuck};
pub use shared::{Holder, Operation, Primitive, SharedWait};
pub use step::Step;

/// An event of a run: a line of a trace, a row of a timeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Virtual time since the start of the run, in nanoseconds.
    pub at: u64,
    /// The host on which it happened; empty for the test itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub host: String,
    /// The task that caused it; `None` for the test itself, and for events without a task.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
    pub task: Option<Task>,
    /// What happened.
    pub kind: Kind,
}

impl Event {
    /// Compares two events, ignoring source line numbers, and the versions of the dependencies that they are in.
    pub fn is_same_but_for_lines(&self, other: &Event) -> bool {
        self.without_lines() == other.without_lines()
    }

    fn without_lines(&self) -> Event {
        let mut event = self.clone();
        let task = event.task.iter_mut().map(|task| &mut task.place);
        let places: Vec<&mut Place> = match &mut event.kind {
            Kind::Spawn(task) => vec![&mut task.place],
            Kind::PanicAllowed { place, .. } | Kind::Step(Step { place, .. }) => place.iter_mut().collect(),
            Kind::Blocks(wait) | Kind::Unblocks(wait) => {
                let tasks = wait.had_by.iter_mut().filter_map(|holder| holder.task.as_mut());
                tasks.map(|task| &mut task.place).chain([&mut wait.created]).collect()
            }
            Kind::Hold(hold) => {
                let file = hold.place.rfind(':').unwrap_or(hold.place.len());
                hold.place = without_version(&hold.place[..file]);
                vec![]
            }
            _ => vec![],
        };
        task.chain(places).for_each(|place| *place = Place { file: without_version(&place.file), line: 0 });
        event
    }
}

fn without_version(file: &str) -> String {
    sources::parts(file).map_or_else(|| file.to_owned(), |(package, _, path)| format!("{package}/{path}"))
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Kind {
    /// A host's process starts.
    Start,
    /// A host's process ends.
    End(End),
    /// An operator cannot restart the host's process, because the host has no power.
    NotRestarted,
    /// A task is spawned.
    Spawn(Task),
    /// A socket begins to listen.
    Listen {
        /// Its port.
        port: u16,
    },
    /// A listener cannot accept, because the process has no file descriptor left.
    NotAccepted,
    /// A name cannot be resolved.
    NotResolved {
        /// The name.
        name: String,
    },
    /// An event of a TCP connection.
    Tcp {
        /// The connection, as seen from the end at which it happens.
        conn: Connection,
        /// The event.
        what: Tcp,
    },
    /// An event of a UDP socket.
    Udp {
        /// The socket's local address.
        local: Endpoint,
        /// The event.
        what: Udp,
    },
    /// An event of a Unix socket.
    Unix {
        /// The socket.
        socket: UnixSocket,
        /// The event.
        what: Unix,
    },
    /// A fault starts.
    FaultBegins(Fault),
    /// A fault ends.
    FaultEnds(Fault),
    /// The test heals the network.
    Heal,
    /// A host's process receives a Unix signal.
    Signal {
        /// The signal number.
        number: i32,
    },
    /// A task is held.
    Hold(Hold),
    /// A task starts to wait for a primitive that others hold, such as a lock.
    Blocks(SharedWait),
    /// A task has stopped waiting for it, and continues.
    Unblocks(SharedWait),
    /// A `tracing` event of the service.
    Log(Log),
    /// The test changes what a name resolves to.
    Resolve {
        /// The name.
        name: String,
        /// The hosts that it resolves to now.
        hosts: Vec<String>,
    },
    /// An `eventually` property holds.
    Holds {
        /// The property.
        property: String,
    },
    /// The test records a value.
    Saw {
        /// The value, formatted with `Debug`.
        value: String,
    },
    /// A client makes use of an object whose history the test records.
    Called {
        /// The history.
        history: String,
        /// The number of the operation in it, from 0.
        number: u64,
        /// The client.
        client: String,
        /// What it asks, formatted with `Debug`.
        call: String,
    },
    /// It is answered.
    Answered {
        /// The history.
        history: String,
        /// The number of the operation in it.
        number: u64,
        /// The answer, formatted with `Debug`.
        answer: String,
    },
    /// A history is checked.
    Ordered(Box<Ordered>),
    /// A transition of a model is not made, because its precondition does not hold.
    NotCalled {
        /// The name under which the service is compared with its model.
        history: String,
        /// The transition, formatted with `Debug`.
        call: String,
    },
    /// A task panics and the test allows it.
    PanicAllowed {
        /// Where it panicked.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
        place: Option<Place>,
        /// The panic message.
        message: String,
    },
    /// A thread of a model performs an operation.
    Step(Step),
    /// The run fails here.
    Verdict,
}

/// How a host's process ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum End {
    /// It returns.
    Returned,
    /// It returns this error.
    Failed(String),
    /// A fault killed it.
    Killed,
    /// A Unix signal killed it.
    Signalled(i32),
    /// An operator restarted it.
    Restarted,
}

/// A `tracing` event of the service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Log {
    /// Its level.
    pub level: Level,
    /// Its target, usually the module.
    pub target: String,
    /// Its message.
    pub message: String,
    /// Its other fields.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, Value>,
    /// Its enclosing spans, the outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spans: Vec<Span>,
}

/// A `tracing` span.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Span {
    /// Its name.
    pub name: String,
    /// Its fields.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, Value>,
}

/// The level of a log event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// `tracing::Level::ERROR`.
    Error,
    /// `tracing::Level::WARN`.
    Warn,
    /// `tracing::Level::INFO`.
    Info,
    /// `tracing::Level::DEBUG`.
    Debug,
    /// `tracing::Level::TRACE`.
    Trace,
}
