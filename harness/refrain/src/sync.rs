//! The names of `std::sync`, for code that a model runs: on the engine that executes it, or on `std` outside of a model.
//!
//! A file whose threads are to be tested imports its primitives from `super::sync`. In production that module says
//! `pub use std::{sync::*, thread};`, in a test
//!
//! ```text
//! mod sync {
//!     pub use refrain::sync::*;
//! }
//! #[path = "../src/session/table.rs"]
//! mod table;
//! ```
//!
//! Names and signatures are those of `std`. What differs, because an engine must see it or cannot model it:
//!
//! - Primitives are created inside the model: their `new` is not `const`.
//! - [`cell::UnsafeCell`] gives its pointer to a closure, so that an access has an end. Races on it are found by loom.
//! - Nothing waits for real time. [`Condvar::wait_timeout`] is refused under loom; under shuttle its time is always over.
//! - A panic of a thread ends the execution, so nothing is ever poisoned.
//! - Under loom a model has at most five threads, its own among them.
//!
//! Every operation knows its place in the source and, in a trace, its value.

pub mod alloc;
mod arc;
pub mod atomic;
mod barrier;
pub mod cell;
mod condvar;
pub mod hint;
mod lazy_lock;
pub mod mpsc;
mod mutex;
mod once;
mod rwlock;
pub mod thread;

pub use arc::Arc;
pub use barrier::{Barrier, BarrierWaitResult};
pub use condvar::{Condvar, WaitTimeoutResult};
pub use lazy_lock::LazyLock;
pub use mutex::{Mutex, MutexGuard};
pub use once::{Once, OnceLock};
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
#[doc(no_inline)]
pub use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};

/// A primitive on the engine that runs it.
#[derive(Debug)]
enum On<L, S, T> {
    Loom(L),
    Shuttle(S),
    Std(T),
}

/// Does the same to a primitive on each engine.
macro_rules! each {
    ($on:expr, $raw:ident => $do:expr) => {
        match $on {
            $crate::sync::On::Loom($raw) => $do,
            $crate::sync::On::Shuttle($raw) => $do,
            $crate::sync::On::Std($raw) => $do,
        }
    };
}

/// Makes a primitive on the engine that runs.
macro_rules! on {
    ($loom:expr, $shuttle:expr, $std:expr) => {
        match $crate::interleaving::engine() {
            $crate::interleaving::Engine::Loom => $crate::sync::On::Loom($loom),
            $crate::interleaving::Engine::Shuttle => $crate::sync::On::Shuttle($shuttle),
            $crate::interleaving::Engine::Std => $crate::sync::On::Std($std),
        }
    };
}

use {each, on};

/// The engines' own primitives.
use ::{loom, shuttle};
