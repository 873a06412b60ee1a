//! `std::sync`.

pub mod atomic;
mod condvar;
mod mutex;
mod once;
mod raw;
mod rwlock;

pub use ::std::sync::*;
pub use condvar::{Condvar, WaitTimeoutResult};
pub use mutex::{Mutex, MutexGuard};
pub use once::{Once, OnceState};
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
