//! Operations of a model's threads on atomics, with orderings and results.

use serde::{Deserialize, Serialize};
use std::sync::atomic;

/// An operation on an atomic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Atomic {
    /// Creates it.
    New {
        /// Its type.
        of: AtomicType,
        /// Its initial value.
        value: Value,
    },
    /// A load.
    Load {
        /// Its ordering.
        ordering: Ordering,
        /// Its result.
        read: Read,
    },
    /// A store.
    Store {
        /// The new value.
        value: Value,
        /// Its ordering.
        ordering: Ordering,
    },
    /// A read-modify-write.
    Fetch {
        /// The function that computes the new value from the old one and the argument.
        by: Fetch,
        /// The argument.
        value: Value,
        /// Its ordering.
        ordering: Ordering,
        /// The old value, which is the newest.
        was: Value,
    },
    /// A compare-exchange.
    CompareExchange {
        /// The expected value.
        current: Value,
        /// The new value.
        new: Value,
        /// The ordering on success.
        success: Ordering,
        /// The ordering on failure.
        failure: Ordering,
        /// The old value: on success the newest, on failure any that a load may return.
        result: Result<Value, Read>,
    },
}

/// The type of an atomic, by its name in `std`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "they are the types of `std`")]
#[non_exhaustive]
pub enum AtomicType {
    AtomicBool,
    AtomicU8,
    AtomicU16,
    AtomicU32,
    AtomicU64,
    AtomicUsize,
    AtomicI8,
    AtomicI16,
    AtomicI32,
    AtomicI64,
    AtomicIsize,
    AtomicPtr,
}

/// The function of a read-modify-write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "they are the methods of `std`: `swap`, and `fetch_add` to `fetch_min`")]
#[non_exhaustive]
pub enum Fetch {
    Swap,
    Add,
    Sub,
    And,
    Nand,
    Or,
    Xor,
    Max,
    Min,
}

/// A memory ordering, as in `std`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "they are those of `std`")]
#[non_exhaustive]
pub enum Ordering {
    Relaxed,
    Acquire,
    Release,
    AcqRel,
    SeqCst,
}

/// A value of an atomic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Value {
    /// A boolean.
    Bool(bool),
    /// An unsigned integer of any width.
    Unsigned(u64),
    /// A signed integer of any width.
    Signed(i64),
    /// A pointer.
    Pointer(Pointer),
}

/// A pointer, numbered from 1 by first occurrence in its execution, because addresses differ from run to run. 0 is the
/// null pointer.
pub type Pointer = u32;

/// The result of a load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Read {
    /// The newest value.
    Newest(Value),
    /// An older one.
    Stale {
        /// The store that was read.
        was: Stored,
        /// The newest store.
        newest: Stored,
    },
}

/// A store to an atomic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// Its value.
    pub value: Value,
    /// Its number among the atomic's stores, counted from 1; the first one is the initial value.
    pub nth: usize,
    /// The thread that made it.
    pub thread: usize,
}

impl From<atomic::Ordering> for Ordering {
    fn from(ordering: atomic::Ordering) -> Ordering {
        match ordering {
            atomic::Ordering::Relaxed => Ordering::Relaxed,
            atomic::Ordering::Acquire => Ordering::Acquire,
            atomic::Ordering::Release => Ordering::Release,
            atomic::Ordering::AcqRel => Ordering::AcqRel,
            // `std` may add others; none is stronger than this one.
            _ => Ordering::SeqCst,
        }
    }
}
