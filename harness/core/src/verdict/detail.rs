//! What happened when a run failed: a variant for each way to fail.

use crate::place::{Place, Task};
use serde::{Deserialize, Serialize};

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Detail {
    /// Something panicked.
    Panicked {
        /// Who.
        by: Actor,
        /// What it said.
        message: String,
    },
    /// A signal killed the process.
    Killed {
        /// Its name: `SIGSEGV`.
        signal: String,
    },
    /// A stack overflowed.
    StackOverflowed,
    /// The run asked for more memory than it may have.
    OutOfMemory {
        /// What it may have.
        limit_bytes: u64,
    },
    /// The process called `exit`.
    Exited {
        /// With this code.
        code: i32,
    },
    /// A host's process ended by itself.
    ProcessExited {
        /// The host.
        host: String,
        /// The error with which it ended, and what caused that.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
        error: Option<String>,
    },
    /// A poll, or an execution of a model, did not end.
    Hung {
        /// Within this much real time.
        limit_ms: u64,
        /// Whether it used the processor meanwhile.
        busy: bool,
    },
    /// Tasks wake each other for ever while virtual time stands still.
    Livelocked {
        /// The last one that was polled.
        last: Actor,
    },
    /// A property that the test demands with `eventually` did not come to hold.
    NotReached {
        /// Within this much virtual time, in nanoseconds.
        within: u64,
        /// Whether that began after the network was healed.
        healed: bool,
        /// How many attempts ended.
        attempts: u32,
        /// Why the last of them failed.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
        last: Option<String>,
        /// Whether one more attempt had not ended.
        pending: bool,
    },
    /// The test did not end within its time limit.
    TimedOut {
        /// The virtual time at which it was stopped, in nanoseconds.
        at: u64,
    },
    /// Nothing can run any more: everything waits.
    Deadlocked,
    /// A thread of a model waits for a lock that it holds.
    LockedTwice {
        /// The thread.
        thread: usize,
    },
    /// A property that must always hold does not.
    Broken {
        /// After a poll of this one.
        by: Actor,
    },
    /// More is open than may be when everything is quiescent.
    Leaked {
        /// How many are open.
        open: u64,
        /// How many may be.
        limit: u64,
        /// How long they had to be closed, in nanoseconds of virtual time.
        waited: u64,
    },
    /// Something was closed that was not open.
    ClosedTwice {
        /// Its number.
        id: String,
        /// Who closed it.
        by: Actor,
    },
    /// Accesses of two threads to the same memory are not ordered.
    Raced {
        /// What the engine says of them.
        said: String,
    },
    /// Two accesses of a cell that nothing orders.
    CellRaced {
        /// The cell, among those of its model.
        cell: u32,
        /// Where it was created.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
        created: Option<Place>,
        /// The access that found it, and the one before.
        accesses: Box<[Access; 2]>,
    },
    /// Memory is freed that is not allocated.
    NotAllocated,
    /// What is freed is used or freed again.
    UsedAfterFree {
        /// What the engine says of it.
        said: String,
    },
    /// Memory is used that a thread freed.
    FreedUsed {
        /// The use.
        used: Access,
        /// Where and by whom it was freed.
        freed: Access,
        /// Whether the use came after that; otherwise nothing orders the two.
        after: bool,
    },
    /// Something is not freed when its execution ends.
    NotFreed(Allocation),
    /// Two runs of one plan differ.
    RunsDiffer {
        /// From this event on, counted from 0.
        event: u64,
    },
    /// An execution of a model was not the one that was planned.
    NotAsPlanned,
}

/// An access of memory by a thread of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// The thread; 0 is the model's own.
    pub thread: usize,
    /// Where in the source.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
    pub place: Option<Place>,
    /// Whether it may write.
    pub writes: bool,
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Actor {
    /// The test itself.
    Test,
    /// A task.
    Task {
        /// Its host.
        host: String,
        /// The task.
        task: Task,
    },
    /// A thread of a model; 0 is the model's own.
    Thread(usize),
}

/// What a model allocates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Allocation {
    /// An `Arc`.
    Arc,
    /// A `Track`.
    Track,
    /// Memory.
    Memory,
    /// Something that only the engine knows.
    Unknown,
}
