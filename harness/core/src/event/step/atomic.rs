//! What a thread of a model does to an atomic: with which orderings, and what it reads.

use serde::{Deserialize, Serialize};
use std::sync::atomic;

/// What is done to an atomic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Atomic {
    /// It is made.
    New {
        /// Its type.
        of: AtomicType,
        /// Its first value.
        value: Value,
    },
    /// It is read.
    Load {
        /// With this ordering.
        ordering: Ordering,
        /// What is read.
        read: Read,
    },
    /// It is stored to.
    Store {
        /// This value.
        value: Value,
        /// With this ordering.
        ordering: Ordering,
    },
    /// It is read and stored to, in one step.
    Fetch {
        /// How the new value comes of the old one and the argument.
        by: Fetch,
        /// The argument.
        value: Value,
        /// With this ordering.
        ordering: Ordering,
        /// What is read: the newest value.
        was: Value,
    },
    /// The same, if what is read is as expected.
    CompareExchange {
        /// What is expected.
        current: Value,
        /// What is stored then.
        new: Value,
        /// The ordering then.
        success: Ordering,
        /// The ordering otherwise.
        failure: Ordering,
        /// What is read: the newest value if it is as expected, otherwise any that a load may read.
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

/// How a new value comes of an old one and an argument.
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
    /// An integer without a sign, of any width.
    Unsigned(u64),
    /// An integer with a sign, of any width.
    Signed(i64),
    /// A pointer.
    Pointer(Pointer),
}

/// A pointer, by the order in which its execution came to know it, counted from 1: addresses differ from run to run. 0 is
/// the null pointer.
pub type Pointer = u32;

/// What is read of an atomic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Read {
    /// The newest value.
    Newest(Value),
    /// An older one.
    Stale {
        /// The store that is read.
        was: Stored,
        /// The newest store.
        newest: Stored,
    },
}

/// A store of an atomic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// Its value.
    pub value: Value,
    /// Which of the atomic's stores it is, counted from 1; the first one is its creation.
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

impl Atomic {
    /// Whether it is an access with sequential consistency.
    pub(super) fn is_seq_cst(&self) -> bool {
        match self {
            Atomic::New { .. } => false,
            Atomic::Load { ordering, .. } | Atomic::Store { ordering, .. } | Atomic::Fetch { ordering, .. } => {
                *ordering == Ordering::SeqCst
            }
            Atomic::CompareExchange { success, failure, .. } => [success, failure].contains(&&Ordering::SeqCst),
        }
    }
}
