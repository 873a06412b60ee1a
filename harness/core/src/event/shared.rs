//! Waits for the primitives of `tokio::sync`.

use crate::place::{Place, Task};
use serde::{Deserialize, Serialize};

/// A wait for a primitive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedWait {
    /// The kind of primitive.
    pub primitive: Primitive,
    /// The operation that waits.
    pub operation: Operation,
    /// Where it was created.
    pub created: Place,
    /// The first holders of what the task waits for: of a guard, a permit, or the other end of the channel.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub had_by: Vec<Holder>,
    /// Number of further holders.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: u64,
}

/// The holder of a guard, a permit or an end of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its host; empty for the test itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub host: String,
    /// The task that took it or used it last; `None`: the test itself.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
    pub task: Option<Task>,
    /// Since when, in nanoseconds of virtual time.
    pub since: u64,
}

/// A kind of primitive of `tokio::sync`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Primitive {
    /// `Mutex`.
    Mutex,
    /// `RwLock`.
    RwLock,
    /// `Semaphore`.
    Semaphore,
    /// `Notify`.
    Notify,
    /// A channel of `mpsc`.
    Mpsc,
    /// A channel of `oneshot`.
    Oneshot,
    /// A channel of `broadcast`.
    Broadcast,
    /// A channel of `watch`.
    Watch,
    /// `Barrier`.
    Barrier,
    /// `OnceCell`.
    OnceCell,
    /// `SetOnce`.
    SetOnce,
}

/// An operation that may wait for a primitive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Locking a `Mutex`.
    Lock,
    /// Locking a `RwLock` for reading.
    Read,
    /// Locking a `RwLock` for writing.
    Write,
    /// Acquiring permits of a `Semaphore`.
    Acquire,
    /// Sending on a full channel.
    Send,
    /// Receiving from a channel, or waiting for a change of a `watch`.
    Receive,
    /// Waiting until a channel has no receivers.
    Closed,
    /// Waiting for a notification.
    Notified,
    /// Waiting for the other tasks at a `Barrier`.
    Meet,
    /// Waiting for the value of a `OnceCell` that another task initialises.
    Init,
    /// Waiting for the value of a `SetOnce`.
    Set,
}

impl Operation {
    /// Returns whether it waits for what another task holds. An idle task does not wait for such an operation.
    pub fn is_contended(self) -> bool {
        matches!(
            self,
            Operation::Lock
                | Operation::Read
                | Operation::Write
                | Operation::Acquire
                | Operation::Send
                | Operation::Init
                | Operation::Meet
        )
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}
