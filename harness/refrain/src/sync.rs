//! The API of `std::sync` for code in models: implemented by the model's engine, or by `std` outside a model.
//!
//! A file whose threads are to be tested imports its primitives from `super::sync`. In production that module contains
//! `pub use std::{hint, sync::*, thread};`, in a test
//!
//! ```text
//! mod sync {
//!     pub use refrain::sync::*;
//! }
//! #[path = "../src/session/table.rs"]
//! mod table;
//! ```
//!
//! Names and signatures are those of `std`. The differences are due to the engines:
//!
//! - Primitives are created inside the model: their `new` is not `const`. For statics, use [`LazyLock`].
//! - [`cell::UnsafeCell`] passes its pointer to a closure, so that the end of an access is known. Two unsynchronized
//!   accesses, at least one of them writing, are a data race.
//! - Freed memory is kept until the execution ends, that of a `Box` as well as that of [`alloc`]. An operation on an object of
//!   this module in it, and a second free, are verdicts that name both lines. Only [`alloc`] also finds a free that is not ordered
//!   after a use, and leaks. What a raw pointer reads from freed memory is not seen: use a [`cell::UnsafeCell`].
//! - Nothing waits in real time. Operations with timeouts are rejected under loom. Under shuttle a timeout elapses when
//!   the thread is scheduled, unless a notification comes first.
//! - A panic of a thread ends the execution, even if it would be caught, so locks are never poisoned.
//! - Under loom a model has at most five threads, including its main thread. With more, shuttle samples executions:
//!   data races are found, and some old values that loads return. A thread spawned with `std` is rejected when it uses
//!   anything of this module, and [`std::thread_local!`] is shared by all threads of a model.
//!
//! `Weak`, scoped threads and `is_finished` do not exist: code that uses them does not compile. Every operation records
//! its source location and, in a trace, its value.
//!
//! # What a complete search covers
//!
//! Every execution of loom's model: each interleaving of the operations, and at each load, including that of a failed
//! `compare_exchange`, each of the last seven stores that C++20 allows it to read, restricted by the total order of
//! `SeqCst` operations, which loom does not implement but this module does. Not covered are:
//!
//! - a load that reads a later store, which processors may do with relaxed accesses;
//! - a `compare_exchange_weak` that fails spuriously;
//! - a spurious wakeup of a wait on a [`Condvar`]; [`Condvar::notify_one`] wakes the longest waiting thread. A
//!   [`thread::park`] does wake spuriously, once in each thread;
//! - a thread that repeatedly reads the same value: after three reads at one place without another operation, it
//!   yields, and then reads a newer value if there is one. So a loop that waits terminates.
//!
//! An execution that never ends is a *deadlock* if each thread that can run yields in a loop and nothing changes. loom does not
//! search executions with more than 10,000 choices, and samples are abandoned after 20,000 steps: the report counts them.
//!
//! # Unmodified dependencies
//!
//! The locks of some dependencies can be part of models, without a change of their sources or of the code that uses
//! them:
//!
//! ```text
//! cargo refrain init --models parking_lot,dashmap
//! ```
//!
//! Then the model of a service that updates a `dashmap::DashMap` by a `get` and an `insert` fails, because another thread
//! may insert in between, and one that uses an `entry` passes. Atomics, locks, parked threads and thread-locals of these
//! dependencies are those of this module: their interleavings are explored, their orderings count, and a deadlock in
//! them is one of the model. An operation has the line of the service that led to it.
//!
//! It is possible for `arc-swap`, `crossbeam` and its parts, `dashmap`, `parking_lot` and `tokio`. Of tokio these are
//! the primitives of `tokio::sync`; [`future::block_on`] waits for them. `harness/dependencies/CRATES.md` in the repository
//! has what was tried, with versions. The names are kept as `models` in `[workspace.metadata.refrain]` of Cargo.toml, or
//! in that of the package, and `--models ""` removes all. Of each package, one version is part of models.
//!
//! Differences:
//!
//! - A data race in a dependency's own cells is not found, and its reference counts are not explored. Races of the
//!   service's [`cell::UnsafeCell`] are found, whichever locks order its accesses.
//! - An atomic in a static has its first value in each execution. What other statics contain stays.
//! - Waits with a timeout are rejected under loom. Under shuttle, a thread that waits until some time has passed lets
//!   others run until then, in real time.
//! - Locks do not spin before they wait, and `parking_lot` never hands a lock over unless it is asked to.
//! - Under loom, an execution has at most 96 atomics of dependencies. A model with more is only sampled, as the report
//!   says. Lock-free structures may have too many interleavings for a complete search.
//!
//! # What is refused
//!
//! No engine sees another lock, such as one of `std`, or one of `parking_lot` or `tokio` that is not part of models, so the
//! result of a model that uses one would be wrong. It is refused, with what to use instead:
//!
//! - if a thread waits in the kernel (`futex`) for a third of a second, and no other thread of the process runs
//!   meanwhile: with the backtrace of that wait;
//! - if a data race is found, and one of the two accesses waits in this way for the other when they are made to overlap;
//! - if a model has threads, but no two of them use the same object of this module, none unparks another one, none asks for
//!   the references of an [`Arc`] that another one drops, and each returns `()`: to an engine, all interleavings are the same
//!   execution.
//!
//! A lock that is free whenever a thread takes it is not noticed in a model that also shares objects of this module.
//!
//! # Outside a model
//!
//! The same names are the standard library's. Code under test can run unchanged on real threads:
//!
//! ```
//! use refrain::sync::{Arc, Mutex, thread};
//!
//! let count = Arc::new(Mutex::new(0));
//! let other = count.clone();
//! let thread = thread::spawn(move || *other.lock().unwrap() += 1);
//! *count.lock().unwrap() += 1;
//! thread.join().unwrap();
//! assert_eq!(*count.lock().unwrap(), 2);
//! ```

pub mod alloc;
mod arc;
pub mod atomic;
mod barrier;
pub mod cell;
mod condvar;
pub(crate) mod dependencies;
pub mod future;
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

/// A primitive on the engine that executes it.
#[derive(Debug)]
enum On<L, S, T> {
    Loom(L),
    Shuttle(S),
    Std(T),
}

/// Performs the same operation on a primitive of each engine.
macro_rules! each {
    ($on:expr, $raw:ident => $do:expr) => {
        match $on {
            $crate::sync::On::Loom($raw) => $do,
            $crate::sync::On::Shuttle($raw) => $do,
            $crate::sync::On::Std($raw) => $do,
        }
    };
}

/// Creates a primitive of the current engine.
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

use crate::{
    event::step::{self, Operation},
    interleaving::{
        log::{Number, log_step},
        spin,
    },
};
use std::panic::Location;

/// Called before the running thread repeats a read or takes a lock again.
#[inline]
fn reads_again(place: &'static Location<'static>, kind: &'static str, number: Number) {
    if spin::yields(place, kind, number) {
        log_step(place, || Operation::Thread(step::Thread::YieldInLoop));
    }
}

/// The engines' own primitives.
use ::{loom, shuttle};
