//! What a thread of a model does: an operation and the object that it is made on, as data.
//!
//! An object has a number among those of its kind, in the order in which they were made. No operation knows a place in the
//! source: that is the step's, so that operations are the same wherever lines have moved.

use crate::place::Place;
use serde::{Deserialize, Serialize};

mod atomic;

pub use atomic::{Atomic, AtomicType, Fetch, Ordering, Pointer, Read, Stored, Value};

/// An operation of a thread of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The thread; 0 is the model's own.
    pub thread: usize,
    /// Where in the source; `None` for a drop in the standard library.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
    pub place: Option<Place>,
    /// What it does.
    pub does: Operation,
}

/// What a thread does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Operation {
    /// It uses an atomic.
    Atomic {
        /// The atomic.
        id: u32,
        /// What it does to it.
        what: Atomic,
    },
    /// It makes a fence.
    Fence {
        /// Which.
        ordering: Ordering,
    },
    /// It uses a mutex.
    Mutex {
        /// The mutex.
        id: u32,
        /// What it does to it.
        what: Mutex,
    },
    /// It uses a lock of readers and writers.
    RwLock {
        /// The lock.
        id: u32,
        /// What it does to it.
        what: RwLock,
    },
    /// It uses a condition variable.
    Condvar {
        /// The condition variable.
        id: u32,
        /// What it does to it.
        what: Condvar,
    },
    /// It uses a barrier.
    Barrier {
        /// The barrier.
        id: u32,
        /// What it does to it.
        what: Barrier,
    },
    /// It uses a channel.
    Channel {
        /// The channel.
        id: u32,
        /// What it does to it.
        what: Channel,
    },
    /// It uses a cell.
    Cell {
        /// The cell.
        id: u32,
        /// What it does to it.
        what: Cell,
    },
    /// It uses an `Arc`, with all its clones one object.
    Arc {
        /// The `Arc`.
        id: u32,
        /// What it does to it.
        what: Arc,
    },
    /// It uses a tracked value.
    Track {
        /// The value.
        id: u32,
        /// What it does to it.
        what: Track,
    },
    /// It allocates memory or frees it.
    Memory(Memory),
    /// It does something as a thread.
    Thread(Thread),
}

/// What is done to a mutex.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Mutex {
    /// It is made.
    New,
    /// It is locked.
    Lock,
    /// It is locked, unless it is locked already.
    TryLock {
        /// Whether it was locked now.
        locks: bool,
    },
    /// It is unlocked.
    Unlock,
}

/// What is done to a lock of readers and writers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RwLock {
    /// It is made.
    New,
    /// It is locked to read.
    Read,
    /// It is locked to write.
    Write,
    /// It is locked to read, unless somebody writes.
    TryRead {
        /// Whether it was locked now.
        locks: bool,
    },
    /// It is locked to write, unless it is locked already.
    TryWrite {
        /// Whether it was locked now.
        locks: bool,
    },
    /// A reader unlocks it.
    UnlockRead,
    /// A writer unlocks it.
    UnlockWrite,
}

/// What is done to a condition variable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Condvar {
    /// It is made.
    New,
    /// The thread unlocks a mutex and begins to wait.
    WaitBegins {
        /// The mutex.
        mutex: u32,
        /// Whether it waits with a time.
        timed: bool,
    },
    /// The thread no longer waits and has locked the mutex again.
    WaitEnds {
        /// The mutex.
        mutex: u32,
        /// Of a wait with a time: whether the time was over before any notification.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
        timed_out: Option<bool>,
    },
    /// One thread is notified.
    NotifyOne,
    /// Every thread is notified.
    NotifyAll,
}

/// What is done to a barrier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Barrier {
    /// It is made.
    New {
        /// How many threads it waits for.
        threads: usize,
    },
    /// The thread has come.
    Arrive {
        /// How many have.
        arrived: usize,
        /// How many it waits for.
        threads: usize,
    },
    /// The thread goes on.
    Leave {
        /// Whether it is the one that came last.
        leader: bool,
    },
}

/// What is done to a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Channel {
    /// It is made.
    New,
    /// A message is sent.
    Send {
        /// Which of its messages, counted from 1.
        message: u64,
    },
    /// A message is received.
    Receive {
        /// Which of its messages, counted from 1.
        message: u64,
    },
}

/// What is done to a cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Cell {
    /// It is made.
    New,
    /// It is read.
    With,
    /// It is written.
    WithMut,
}

/// What is done to an `Arc`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Arc {
    /// It is made.
    New,
    /// It is cloned.
    Clone,
    /// Its clones are counted.
    StrongCount {
        /// How many there are.
        count: usize,
    },
    /// What it shares is dropped, with the last of them.
    Drop,
}

/// What is done to a tracked value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Track {
    /// It is made.
    New,
    /// It is dropped.
    Drop,
}

/// What is done to memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Memory {
    /// It is allocated.
    Alloc {
        /// How much.
        bytes: usize,
        /// Where.
        pointer: Pointer,
    },
    /// It is freed.
    Dealloc {
        /// Where.
        pointer: Pointer,
    },
}

/// What is done to threads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Thread {
    /// It begins.
    Begins,
    /// It ends.
    Ends,
    /// It spawns another one.
    Spawn {
        /// The other one.
        thread: usize,
    },
    /// Another one has ended.
    Join {
        /// The other one.
        thread: usize,
    },
    /// It is unparked, or wakes without a reason.
    Park,
    /// It was parked for a while.
    ParkTimeout {
        /// How long, in nanoseconds.
        time_ns: u64,
    },
    /// It unparks another one.
    Unpark {
        /// The other one.
        thread: usize,
    },
    /// It lets others go on.
    YieldNow,
    /// It sleeps.
    Sleep {
        /// How long, in nanoseconds.
        time_ns: u64,
    },
    /// It lets others go on, for it reads the same again and again.
    YieldInLoop,
}

impl Operation {
    /// Whether it is an access of an atomic with sequential consistency; a fence is none.
    pub fn is_seq_cst_access(&self) -> bool {
        matches!(self, Operation::Atomic { what, .. } if what.is_seq_cst())
    }
}
