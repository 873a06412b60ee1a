//! Operations of a model's threads, as data.
//!
//! Objects are numbered per kind in creation order. An operation contains no source location, which belongs to the
//! step, so that operations do not change when lines move.

use crate::place::Place;
use serde::{Deserialize, Serialize};

mod atomic;

pub use atomic::{Atomic, AtomicType, Fetch, Ordering, Pointer, Read, Stored, Value};

/// An operation of a model's thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The thread; 0 is the model's main thread.
    pub thread: usize,
    /// Where in the source; `None` for a drop inside the standard library.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
    pub place: Option<Place>,
    /// The operation.
    pub does: Operation,
}

/// An operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Operation {
    /// An operation on an atomic.
    Atomic {
        /// The atomic.
        id: u32,
        /// The operation.
        what: Atomic,
    },
    /// A fence.
    Fence {
        /// Its ordering.
        ordering: Ordering,
    },
    /// An operation on a mutex.
    Mutex {
        /// The mutex.
        id: u32,
        /// The operation.
        what: Mutex,
    },
    /// An operation on a read-write lock.
    RwLock {
        /// The lock.
        id: u32,
        /// The operation.
        what: RwLock,
    },
    /// An operation on a condition variable.
    Condvar {
        /// The condition variable.
        id: u32,
        /// The operation.
        what: Condvar,
    },
    /// An operation on a barrier.
    Barrier {
        /// The barrier.
        id: u32,
        /// The operation.
        what: Barrier,
    },
    /// An operation on a channel.
    Channel {
        /// The channel.
        id: u32,
        /// The operation.
        what: Channel,
    },
    /// An operation on a cell.
    Cell {
        /// The cell.
        id: u32,
        /// The operation.
        what: Cell,
    },
    /// An operation on an `Arc`, which is one object with all its clones.
    Arc {
        /// The `Arc`.
        id: u32,
        /// The operation.
        what: Arc,
    },
    /// An operation on a tracked value.
    Track {
        /// The value.
        id: u32,
        /// The operation.
        what: Track,
    },
    /// An allocation or deallocation.
    Memory(Memory),
    /// An operation on threads.
    Thread(Thread),
}

/// An operation on a mutex.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Mutex {
    /// Creates it.
    New,
    /// Locks it.
    Lock,
    /// Tries to lock it.
    TryLock {
        /// Whether it was acquired.
        locks: bool,
    },
    /// Unlocks it.
    Unlock,
}

/// An operation on a read-write lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RwLock {
    /// Creates it.
    New,
    /// Locks it for reading.
    Read,
    /// Locks it for writing.
    Write,
    /// Tries to lock it for reading.
    TryRead {
        /// Whether it was acquired.
        locks: bool,
    },
    /// Tries to lock it for writing.
    TryWrite {
        /// Whether it was acquired.
        locks: bool,
    },
    /// Ends a read lock.
    UnlockRead,
    /// Ends a write lock.
    UnlockWrite,
}

/// An operation on a condition variable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Condvar {
    /// Creates it.
    New,
    /// Unlocks a mutex and starts to wait.
    WaitBegins {
        /// The mutex.
        mutex: u32,
        /// Whether the wait has a timeout.
        timed: bool,
    },
    /// Ends the wait and locks the mutex again.
    WaitEnds {
        /// The mutex.
        mutex: u32,
        /// For a wait with a timeout: whether it elapsed before any notification.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
        timed_out: Option<bool>,
    },
    /// Notifies one thread.
    NotifyOne,
    /// Notifies every thread.
    NotifyAll,
}

/// An operation on a barrier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Barrier {
    /// Creates it.
    New {
        /// Number of threads that it waits for.
        threads: usize,
    },
    /// The thread arrives.
    Arrive {
        /// Number of threads that have arrived.
        arrived: usize,
        /// Number of threads that it waits for.
        threads: usize,
    },
    /// The thread continues.
    Leave {
        /// Whether it arrived last.
        leader: bool,
    },
}

/// An operation on a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Channel {
    /// Creates it.
    New,
    /// Sends a message.
    Send {
        /// The number of the message, counted from 1.
        message: u64,
    },
    /// Receives a message.
    Receive {
        /// The number of the message, counted from 1.
        message: u64,
    },
}

/// An operation on a cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Cell {
    /// Creates it.
    New,
    /// Reads it.
    With,
    /// Writes it.
    WithMut,
}

/// An operation on an `Arc`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Arc {
    /// Creates it.
    New,
    /// Clones it.
    Clone,
    /// Counts its references.
    StrongCount {
        /// The count.
        count: usize,
    },
    /// Drops its value together with the last reference.
    Drop,
}

/// An operation on a tracked value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Track {
    /// Creates it.
    New,
    /// Drops it.
    Drop,
}

/// An operation on memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Memory {
    /// Allocates memory.
    Alloc {
        /// The size in bytes.
        bytes: usize,
        /// Its address.
        pointer: Pointer,
    },
    /// Frees memory.
    Dealloc {
        /// Its address.
        pointer: Pointer,
    },
}

/// An operation on threads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Thread {
    /// The thread starts.
    Begins,
    /// The thread ends.
    Ends,
    /// Spawns a thread.
    Spawn {
        /// The new thread.
        thread: usize,
    },
    /// Joins a thread that has ended.
    Join {
        /// The joined thread.
        thread: usize,
    },
    /// The thread is unparked, or wakes spuriously.
    Park,
    /// The thread parked with a timeout.
    ParkTimeout {
        /// The timeout in nanoseconds.
        time_ns: u64,
    },
    /// Unparks a thread.
    Unpark {
        /// The unparked thread.
        thread: usize,
    },
    /// Yields.
    YieldNow,
    /// Sleeps.
    Sleep {
        /// The duration in nanoseconds.
        time_ns: u64,
    },
    /// Yields, because the thread repeats the same read.
    YieldInLoop,
}
