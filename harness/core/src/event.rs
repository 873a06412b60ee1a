//! One thing that happened in a run, as data. `refrain-report` makes the sentences.

use crate::{
    place::{Place, Task},
    plan::{Fault, Hold},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

mod net;

pub use net::{Connection, Endpoint, Tcp, Udp};

/// One thing that happened in a run: a line of a trace, a row of a timeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Virtual time since the start of the run, in nanoseconds.
    pub at: u64,
    /// The host on which it happened; empty for the test itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub host: String,
    /// The task that did it; `None` for the test itself, and where no task did it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
    pub task: Option<Task>,
    /// What happened.
    pub kind: Kind,
}

impl Event {
    /// Whether it is the same thing, wherever lines of the source have moved.
    pub fn is_same_but_for_lines(&self, other: &Event) -> bool {
        self.without_lines() == other.without_lines()
    }

    fn without_lines(&self) -> Event {
        let mut event = self.clone();
        let task = event.task.iter_mut().map(|task| &mut task.place);
        let place = match &mut event.kind {
            Kind::Spawn(task) => Some(&mut task.place),
            Kind::PanicAllowed { place, .. } | Kind::Step(Step { place, .. }) => place.as_mut(),
            Kind::Hold(hold) => {
                let file = hold.place.rfind(':').unwrap_or(hold.place.len());
                hold.place.truncate(file);
                None
            }
            _ => None,
        };
        task.chain(place).for_each(|place| place.line = 0);
        event
    }
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
    /// An operator cannot start the host's process again: the host has no power.
    NotRestarted,
    /// A task is spawned.
    Spawn(Task),
    /// A socket begins to listen.
    Listen {
        /// Its port.
        port: u16,
    },
    /// A listener cannot accept: the process has no file descriptor left.
    NotAccepted,
    /// A name cannot be looked up.
    NotResolved {
        /// The name.
        name: String,
    },
    /// Something happens to a TCP connection.
    Tcp {
        /// The connection, from the end at which it happens.
        conn: Connection,
        /// What happens to it.
        what: Tcp,
    },
    /// Something happens to a UDP socket.
    Udp {
        /// The socket's own address.
        local: Endpoint,
        /// What happens to it.
        what: Udp,
    },
    /// A fault begins.
    FaultBegins(Fault),
    /// A fault is over.
    FaultEnds(Fault),
    /// The test repairs everything.
    Heal,
    /// A host's process is sent a Unix signal.
    Signal {
        /// Its number.
        number: i32,
    },
    /// A task is held back.
    Hold(Hold),
    /// The service's own `tracing` event.
    Log(Log),
    /// The test changes what a name resolves to.
    Resolve {
        /// The name.
        name: String,
        /// The hosts that have it now.
        hosts: Vec<String>,
    },
    /// A property that the test demands with `eventually` holds.
    Holds {
        /// The property.
        property: String,
    },
    /// The test notes what it saw.
    Saw {
        /// What it saw, as its `Debug` says it.
        value: String,
    },
    /// A task panics, as the test allows.
    PanicAllowed {
        /// Where.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
        place: Option<Place>,
        /// What it says.
        message: String,
    },
    /// A thread of a model makes an operation.
    Step(Step),
    /// The run fails here.
    Verdict,
}

/// How a host's process ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// It returns.
    Returned,
    /// It returns this error.
    Failed(String),
    /// A fault kills it.
    Killed,
    /// A Unix signal kills it, by its number.
    Signalled(i32),
    /// An operator restarts it.
    Restarted,
}

/// What the service said: a `tracing` event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Log {
    /// How important it is.
    pub level: Level,
    /// Its target, usually the module.
    pub target: String,
    /// Its message.
    pub message: String,
    /// Its other fields.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, Value>,
    /// The spans that it is in, the outermost first.
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

/// How important a log event is.
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

/// An operation of a thread of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The thread; 0 is the model's own.
    pub thread: usize,
    /// Where in the source; `None` for a drop in the standard library.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
    pub place: Option<Place>,
    /// What it does.
    pub text: String,
}
