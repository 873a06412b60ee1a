//! What led to a failure.

use crate::{
    event::{Connection, Endpoint, Event},
    place::{Place, Task},
    plan::{Fault, Hold, Part},
    verdict::Signature,
};
use serde::{Deserialize, Serialize};

/// One thing that led to a failure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Cause {
    /// A task waits.
    Waits(Waiting),
    /// A thread of a model waits.
    ThreadWaits(ThreadWaiting),
    /// The last fault that touched what the task before waits for.
    LastFault {
        /// The fault.
        fault: Fault,
        /// When it began, in nanoseconds of virtual time.
        began: u64,
        /// When it ended; `None`: it lasts.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
        ended: Option<u64>,
    },
    /// What the tasks before wait for is not seen: the cause is not known.
    Unknown,
    /// More tasks wait than those before: this many.
    MoreWait(u64),
    /// A fault that began before the failure.
    Fault {
        /// The fault.
        fault: Fault,
        /// When it began, in nanoseconds of virtual time.
        began: u64,
        /// When it ended; `None`: it lasts.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
        ended: Option<u64>,
    },
    /// A task was held back, in a run without a fault.
    Held(Hold),
    /// A resource is open, of the kind that the property names.
    Open {
        /// Its host.
        host: String,
        /// Its number.
        id: String,
        /// Since when, in nanoseconds of virtual time.
        since: u64,
        /// Where the service reported it.
        place: Place,
        /// The task that opened it; `None`: the test itself.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
        task: Option<Task>,
    },
    /// A socket is open.
    OpenSocket {
        /// Its host.
        host: String,
        /// The socket.
        socket: OpenSocket,
    },
    /// When each of those that are open was opened, in nanoseconds of virtual time; the first ones.
    Rose(Vec<u64>),
    /// How many were opened and closed in all.
    Totals {
        /// Opened.
        opened: u64,
        /// Closed.
        closed: u64,
    },
    /// How many of a kind were open then.
    Level {
        /// The kind.
        kind: String,
        /// How many.
        open: u64,
    },
    /// A part of the plan that was not triggered.
    NotTriggered(Part),
    /// A thread of a model did not read the newest value.
    StaleRead(Box<StaleRead>),
    /// Where the task was spawned that was polled last, when the process died.
    LastPolled(Place),
    /// Where the operation of a model is that began last, when the process died.
    LastOperation(Place),
    /// A line of the last words of the process.
    Printed(String),
    /// The event of one of two runs that should be the same.
    RunShows {
        /// Which of the two, counted from 1.
        run: u8,
        /// Its event.
        event: Box<Event>,
    },
    /// The end of one of two runs, where the other one goes on.
    RunEnds {
        /// Which of the two, counted from 1.
        run: u8,
        /// How it failed, if it did.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
        failure: Option<Signature>,
    },
}

/// A task that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Its host; empty for the test itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub host: String,
    /// The task.
    pub task: Task,
    /// Whether it is its host's main task.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub main: bool,
    /// What it waits for, in the order in which it asked; any of them wakes it. Empty: only its deadline, or something
    /// that the simulation does not see.
    pub waits: Vec<Wait>,
    /// Since when, in nanoseconds of virtual time.
    pub since: u64,
    /// Its earliest timer, in nanoseconds of virtual time.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
    pub deadline: Option<u64>,
    /// The connection that it used last, if it waits for none.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
    pub used: Option<(Connection, ConnectionState)>,
}

/// A thing that a task waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Wait {
    /// To read from a connection.
    Read(Connection, ConnectionState),
    /// To write to a connection.
    Write(Connection, ConnectionState),
    /// To be connected.
    Connect(Connection, ConnectionState),
    /// For a connection at a listener.
    Accept {
        /// Its port.
        port: u16,
    },
    /// For a datagram at this socket.
    Receive(Endpoint),
    /// For a Unix signal.
    Signal,
    /// For another task of its host to end.
    Join(Task),
    /// For the end of a hold.
    Held,
}

/// How a connection is, as one end of it sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConnectionState {
    /// The SYN was sent and not answered.
    SynSent,
    /// All is well.
    Established,
    /// It is established, and the peer has not acknowledged what was sent.
    Unacknowledged,
    /// The peer has closed its side.
    PeerClosed,
    /// The peer has lost power since, and knows nothing of it.
    HalfOpen,
    /// It was reset or timed out.
    Gone,
    /// The application has closed it.
    Closed,
}

/// A thread of a model that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadWaiting {
    /// The thread; 0 is the model's own.
    pub thread: usize,
    /// What it is about to do.
    pub text: String,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
    pub place: Option<Place>,
}

/// A socket that is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OpenSocket {
    /// A connection, from this end.
    Tcp(Connection),
    /// A UDP socket.
    Udp(Endpoint),
}

/// A read of a value that is not the newest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StaleRead {
    /// The operation that read it.
    pub read: Event,
    /// What was read.
    pub was: Store,
    /// The newest.
    pub newest: Store,
}

/// What a thread of a model stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Store {
    /// The value, as timelines show it.
    pub value: String,
    /// The thread.
    pub thread: usize,
    /// Where in the source.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
    pub place: Option<Place>,
}
