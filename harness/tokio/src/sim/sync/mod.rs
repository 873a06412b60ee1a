//! tokio's `sync`: tokio's own primitives, each with the place where it was created, the tasks that hold it and those that wait for it.

mod barrier;
mod guard;
mod label;
mod mutex;
mod notify;
mod once;
mod owned;
mod rwlock;
mod semaphore;

pub mod broadcast;
pub mod mpsc;
pub mod oneshot;
pub mod watch;

pub use barrier::{Barrier, BarrierWaitResult};
pub use mutex::{MappedMutexGuard, Mutex, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard, TryLockError};
pub use notify::Notify;
pub use once::{OnceCell, SetError, SetOnce, SetOnceError};
pub use rwlock::{
    OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock, RwLockMappedWriteGuard,
    RwLockReadGuard, RwLockWriteGuard,
};
pub use semaphore::{AcquireError, OwnedSemaphorePermit, Semaphore, SemaphorePermit, TryAcquireError};

/// Named future types.
pub mod futures {
    pub use super::notify::{Notified, OwnedNotified};
}
