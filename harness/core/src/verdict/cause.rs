//! What led to a failure.

use crate::{
    event::{Connection, Endpoint, Event, SharedWait, UnixSocket, step::Value},
    place::{Place, Task},
    plan::{Fault, Hold, Part},
    verdict::{Actor, Signature},
};
use serde::{Deserialize, Serialize};

/// Something that led to a failure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Cause {
    /// A task waits.
    Waits(Waiting),
    /// A task that is running.
    Runs(Actor),
    /// A thread of a model waits.
    ThreadWaits(ThreadWaiting),
    /// The last fault that affected what the previous task waits for.
    LastFault {
        /// The fault.
        fault: Fault,
        /// When it started, in nanoseconds of virtual time.
        began: u64,
        /// When it ended; `None` if it is still active.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
        ended: Option<u64>,
    },
    /// The cause is unknown: nothing that the simulation sees keeps the property from holding.
    Unknown,
    /// Number of further waiting tasks.
    MoreWait(u64),
    /// A fault that started before the failure.
    Fault {
        /// The fault.
        fault: Fault,
        /// When it started, in nanoseconds of virtual time.
        began: u64,
        /// When it ended; `None` if it is still active.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
        ended: Option<u64>,
    },
    /// A task was held, in a run without a fault.
    Held(Hold),
    /// An open resource of the kind that the property names.
    Open {
        /// Its host.
        host: String,
        /// Its id.
        id: String,
        /// Since when, in nanoseconds of virtual time.
        since: u64,
        /// Where the service reported it.
        place: Place,
        /// The task that opened it; `None` for the test itself.
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
    /// When each of the first open resources was opened, in nanoseconds of virtual time.
    Rose(Vec<u64>),
    /// How many were opened and closed in total.
    Totals {
        /// Number opened.
        opened: u64,
        /// Number closed.
        closed: u64,
    },
    /// How many resources of a kind were open at that time.
    Level {
        /// The kind.
        kind: String,
        /// Number open.
        open: u64,
    },
    /// A part of the plan that was not triggered.
    NotTriggered(Part),
    /// A thread of a model read a value that is not the newest.
    StaleRead(Box<StaleRead>),
    /// The spawn location of the task that was polled last when the process died.
    LastPolled(Place),
    /// The location of the model operation that started last when the process died.
    LastOperation(Place),
    /// A line of the process's last output.
    Printed(String),
    /// The event of one of two runs that should be identical.
    RunShows {
        /// The run, 1 or 2.
        run: u8,
        /// Its event.
        event: Box<Event>,
    },
    /// One of two runs that should be identical ended before the other.
    RunEnds {
        /// The run, 1 or 2.
        run: u8,
        /// Its failure, if it failed.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
        failure: Option<Signature>,
    },
}

/// A waiting task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Its host; empty for the test itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub host: String,
    /// The task.
    pub task: Task,
    /// Whether it is the main task of its host.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub main: bool,
    /// What it waits for, in the order in which the waits were registered; any of them wakes it. If empty, it waits
    /// only for its deadline, or for something that the simulation does not see.
    pub waits: Vec<Wait>,
    /// Since when, in nanoseconds of virtual time.
    pub since: u64,
    /// Its earliest timer, in nanoseconds of virtual time.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
    pub deadline: Option<u64>,
    /// Where its earliest timer was created.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
    pub timer: Option<Place>,
    /// When its wait timed out, in nanoseconds of virtual time; `None` if it is still waiting.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
    pub gave_up: Option<u64>,
    /// The connection that it used last, if it waits neither for the network nor for another task.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
    pub used: Option<(Connection, ConnectionState)>,
}

/// Something that a task waits for.
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
    /// For a connection to accept.
    Accept {
        /// Its port.
        port: u16,
    },
    /// For a datagram at this socket.
    Receive(Endpoint),
    /// For something at a Unix socket.
    Unix {
        /// The socket.
        socket: UnixSocket,
        /// For what.
        what: UnixWait,
    },
    /// For a Unix signal.
    Signal,
    /// For another task to end.
    Join(Task),
    /// For a primitive of `tokio::sync`, such as a lock.
    Shared(SharedWait),
    /// For another thread, or a task, to wake it: in a lock, a channel or `park` of std or of another library.
    Woken {
        /// The line that waits, if it is known.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
        at: Option<Place>,
    },
    /// For the end of a hold.
    Held,
}

/// What a task waits for at a Unix socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum UnixWait {
    /// For a connection.
    Accept,
    /// To read; the peer holds its end.
    Read,
    /// To write: the peer does not read.
    Write,
    /// To receive a datagram.
    Receive,
    /// To send a datagram: the receiver's queue is full, or the sender's buffer.
    Send,
    /// To read from a connection that nobody has accepted.
    ReadUnaccepted,
    /// To write to a connection that nobody has accepted.
    WriteUnaccepted,
}

/// The state of a connection, as one end sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ConnectionState {
    /// The SYN was sent and not answered yet.
    SynSent,
    /// It is established.
    Established,
    /// It is established, and sent data is unacknowledged.
    Unacknowledged,
    /// The peer has shut down its direction.
    PeerClosed,
    /// The peer has lost power since, and has no state of it.
    HalfOpen,
    /// It was reset or timed out.
    Gone,
    /// The application has closed it.
    Closed,
}

/// A waiting thread of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadWaiting {
    /// The thread; 0 is the model's main thread.
    pub thread: usize,
    /// What it waits for.
    pub waits: ThreadWait,
    /// Its location.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
    pub place: Option<Place>,
}

/// What a thread of a model waits for. Objects are numbered per kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ThreadWait {
    /// To lock a mutex.
    Lock {
        /// The mutex.
        mutex: u32,
    },
    /// For read access to a read-write lock.
    Read {
        /// The lock.
        rwlock: u32,
    },
    /// For write access to a read-write lock.
    Write {
        /// The lock.
        rwlock: u32,
    },
    /// For a notification.
    Notification {
        /// The condition variable.
        condvar: u32,
        /// Whether it waits with a time.
        timed: bool,
    },
    /// For the end of another thread.
    Join {
        /// The other thread.
        thread: usize,
    },
    /// For another thread to unpark it.
    Unpark,
    /// In a loop that yields, for a change that no thread is going to make.
    Loop {
        /// The atomic that it read last.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
        atomic: Option<u32>,
    },
}

/// An open socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum OpenSocket {
    /// A connection, from this end.
    Tcp(Connection),
    /// A UDP socket.
    Udp(Endpoint),
    /// A Unix socket.
    Unix(UnixSocket),
}

/// A read of a value that is not the newest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaleRead {
    /// The thread.
    pub thread: usize,
    /// The location of the read.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
    pub place: Option<Place>,
    /// The store that it read.
    pub was: Store,
    /// The newest store.
    pub newest: Store,
}

/// A store by a thread of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Store {
    /// The value.
    pub value: Value,
    /// The thread that stored it.
    pub thread: usize,
    /// Where in the source.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
    pub place: Option<Place>,
}
