//! What happened when a run failed: one variant per kind of event.

use super::{Backtrace, Origin, Outside};
use crate::place::{Place, Task};
use serde::{Deserialize, Serialize};

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Detail {
    /// Something panicked.
    Panicked {
        /// The task or thread.
        by: Actor,
        /// The panic message.
        message: String,
        /// The frames of the service and its dependencies, if a backtrace was requested. Not part of the signature.
        #[serde(default, skip_serializing_if = "Backtrace::is_empty")]
        backtrace: Box<Backtrace>,
    },
    /// A signal killed the process.
    Killed {
        /// Its name: `SIGSEGV`.
        signal: String,
    },
    /// A stack overflowed.
    StackOverflowed,
    /// The run exceeded its memory limit.
    OutOfMemory {
        /// The limit.
        limit_bytes: u64,
    },
    /// The process called `exit`.
    Exited {
        /// The exit code.
        code: i32,
    },
    /// Something was done that no simulation has.
    Escaped {
        /// Who did it.
        by: Box<Actor>,
        /// The function of libc, or the system call.
        call: Box<str>,
        /// To what: an address, a program, a path. Empty if there is nothing to say.
        to: Box<str>,
        /// What it reaches for.
        #[serde(default)]
        outside: Outside,
        /// The frames of the service and its dependencies. Not part of the signature.
        #[serde(default, skip_serializing_if = "Backtrace::is_empty")]
        backtrace: Box<Backtrace>,
    },
    /// A host's process ended by itself.
    ProcessExited {
        /// The host.
        host: String,
        /// Its error with the chain of causes.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
        error: Option<String>,
    },
    /// A poll, or an execution of a model, did not finish.
    Hung {
        /// The real-time limit.
        limit_ms: u64,
        /// Whether it was using the CPU.
        busy: bool,
    },
    /// Tasks wake each other without end while virtual time does not advance.
    Livelocked {
        /// The task polled last.
        last: Actor,
    },
    /// A property required with `eventually` did not come to hold.
    NotReached {
        /// The limit of virtual time, in nanoseconds.
        within: u64,
        /// Whether that time started after the network was healed.
        healed: bool,
        /// Number of completed attempts.
        attempts: u32,
        /// The error of the last attempt.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
        last: Option<String>,
        /// Whether another attempt was still pending.
        pending: bool,
    },
    /// The test exceeded its virtual time limit.
    TimedOut {
        /// The virtual time at which it was stopped, in nanoseconds.
        at: u64,
    },
    /// No task can make progress.
    Deadlocked,
    /// A thread of a model waits for a lock that it already holds.
    LockedTwice {
        /// The thread.
        thread: usize,
    },
    /// A property that must always hold was violated.
    Broken {
        /// The task after whose poll it was violated.
        by: Actor,
    },
    /// The service logged what it must never log.
    Logged {
        /// The task that logged it.
        by: Box<Actor>,
        /// The target of the event.
        target: String,
        /// Its message.
        message: String,
    },
    /// No order of operations on an object explains their answers.
    NotLinearizable {
        /// Of which part of the object, formatted with `Debug`; `None` if it has no parts.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
        key: Option<Box<str>>,
        /// Some of the states in which the object may be before them, formatted with `Debug`.
        begins: Box<[String]>,
        /// The operations, in the order of their calls.
        operations: Box<[Recorded]>,
    },
    /// A service answered otherwise than its model.
    Disagrees {
        /// The state in which the model begins, formatted with `Debug`.
        begin: Box<str>,
        /// The transitions, in the order in which they were made. The last one has the answer that disagrees.
        operations: Box<[Recorded]>,
        /// Some of the answers that the model allows, formatted with `Debug`.
        expected: Box<[String]>,
    },
    /// More resources are open than allowed when the hosts should be quiescent.
    Leaked {
        /// Number open.
        open: u64,
        /// Number allowed.
        limit: u64,
        /// How long the test waited for them to be closed, in nanoseconds of virtual time.
        waited: u64,
    },
    /// A resource was closed that was not open.
    ClosedTwice {
        /// Its id.
        id: String,
        /// The task that closed it.
        by: Actor,
    },
    /// Two threads accessed the same memory without synchronization.
    Raced {
        /// The engine's message.
        said: String,
    },
    /// Two unsynchronized accesses of a cell.
    CellRaced {
        /// The cell's number in the model.
        cell: u32,
        /// Where it was created.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
        created: Option<Place>,
        /// The access that detected the race, and the earlier one.
        accesses: Box<[Access; 2]>,
    },
    /// Memory that is not allocated was freed, by a thread of a model.
    NotAllocated,
    /// The same, through the allocator of the process.
    FreedAgain {
        /// Who freed it.
        by: Box<Actor>,
        /// The frames of the service and its dependencies. Not part of the signature.
        #[serde(default, skip_serializing_if = "Backtrace::is_empty")]
        backtrace: Box<Backtrace>,
        /// Where and by which thread of a model it was freed before.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
        before: Option<Box<Access>>,
    },
    /// Freed memory was used or freed again.
    UsedAfterFree {
        /// The engine's message.
        said: String,
    },
    /// Memory was used that a thread freed.
    FreedUsed {
        /// The use.
        used: Access,
        /// Where and by which thread it was freed.
        freed: Access,
        /// Whether the use came after the free; otherwise the two are unordered.
        after: bool,
    },
    /// Something was not freed when its execution ended.
    NotFreed(Allocation),
    /// Two runs of one plan differ.
    RunsDiffer {
        /// The first event that differs, counted from 0.
        event: u64,
        /// What came from outside, if the engine can tell. Not part of the signature.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
        origin: Option<Box<Origin>>,
    },
    /// An execution of a model did not follow its plan.
    NotAsPlanned,
}

/// An operation on an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Its number in the history, from 0.
    pub number: u64,
    /// Who called.
    pub client: String,
    /// What was asked, formatted with `Debug`.
    pub call: String,
    /// What was answered, formatted with `Debug`, if anything was.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
    pub answer: Option<String>,
    /// When it was called, in nanoseconds of virtual time.
    pub called: u64,
    /// When it was answered.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
    pub answered: Option<u64>,
}

/// A memory access by a thread of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// The thread; 0 is the model's main thread.
    pub thread: usize,
    /// Where in the source.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
    pub place: Option<Place>,
    /// Whether it may write.
    pub writes: bool,
}

/// Who performed an operation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
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
    /// A thread of a model; 0 is the main thread.
    Thread(usize),
}

/// What a model allocates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Allocation {
    /// An `Arc`.
    Arc,
    /// A `Track`.
    Track,
    /// Memory.
    Memory,
    /// Something known only to the engine.
    Unknown,
}
