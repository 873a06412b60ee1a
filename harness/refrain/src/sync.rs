//! The names of `std::sync`, for code that a model runs: on the engine that executes it, or on `std` outside of a model.
//!
//! A file whose threads are to be tested imports its primitives from `super::sync`. In production that module says
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
//! Names and signatures are those of `std`. What differs, because an engine must see it or cannot model it:
//!
//! - Primitives are created inside the model: their `new` is not `const`. A static is a [`LazyLock`].
//! - [`cell::UnsafeCell`] gives its pointer to a closure, so that an access has an end. Two accesses that nothing orders are
//!   a data race.
//! - Memory of [`alloc`] that is freed is kept until the execution is over: what uses it then is a verdict.
//! - Nothing waits for real time. What has a time-out is refused under loom. Under shuttle its time is over when the thread
//!   is chosen to go on, and a notification may come before.
//! - A panic of a thread ends the execution, even if it would be caught; nothing is ever poisoned.
//! - Under loom a model has at most five threads, its own among them. With more, shuttle samples its executions: data races
//!   are found, old values are not read. A thread that `std` spawned is refused as soon as it touches anything of this
//!   module, and [`std::thread_local!`] is one for all threads of a model.
//!
//! There is no `Weak`, no scoped thread and no `is_finished`: what needs them does not compile. Every operation knows its
//! place in the source and, in a trace, its value.
//!
//! # What a complete search covers
//!
//! Every execution that loom's model has: each order of the operations, and at each load, also the one of a
//! `compare_exchange` that fails, each of the last seven stores that C++20 lets it read, up to the order of `SeqCst`
//! operations, which loom does not keep and this module does. Left out is:
//!
//! - a load that reads what is only stored later; with relaxed accesses a processor may do that;
//! - a `compare_exchange_weak` that fails although it need not;
//! - a wait on a [`Condvar`] that ends without a notification; [`Condvar::notify_one`] wakes the thread that waits longest.
//!   A [`thread::park`] does end by itself, once in each thread;
//! - a thread that reads the same value again and again: after three reads at one place, and nothing else in between, it
//!   yields, and then reads a newer value if there is one. So a loop that waits has an end.
//!
//! # Outside of a model
//!
//! The same names are the standard library's. A core can be tried on threads of the system as it is:
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

use crate::{
    event::step::{self, Operation},
    interleaving::{
        log::{Number, saw},
        spin,
    },
};
use std::panic::Location;

/// The running thread is about to read an object again, or to take a lock again.
#[inline]
fn reads_again(place: &'static Location<'static>, kind: &'static str, number: Number) {
    if spin::yields(place, kind, number) {
        saw(place, || Operation::Thread(step::Thread::YieldInLoop));
    }
}

/// The engines' own primitives.
use ::{loom, shuttle};
