//! tokio's `RwLock`, with the tasks that hold it and those that wait for it.

use super::{
    guard::{guard, writes},
    label::{Labelled, Part, wait_at},
    mutex::TryLockError,
    owned::Uncounted,
};
use real::sync as tokio;
use refrain_core::event::{
    Operation::{Read, Write},
    Primitive,
};
use std::{
    fmt,
    ops::{Deref, DerefMut},
    ptr,
    sync::Arc,
};

pub use super::owned::RwLock;

guard! {
    /// Shared guard of a [`RwLock`]. As tokio's.
    RwLockReadGuard<'a, T> of T,
    tokio::RwLockReadGuard<'a, T>, guard => **guard
}

guard! {
    /// Exclusive guard of a [`RwLock`]. As tokio's.
    RwLockWriteGuard<'a, T> of T,
    tokio::RwLockWriteGuard<'a, Labelled<T>>, guard => guard.value
}

writes! { RwLockWriteGuard<'a, T> of T, guard => guard.value }

guard! {
    /// Exclusive guard for a component of the data of a [`RwLock`]. As tokio's.
    RwLockMappedWriteGuard<'a, T> of T,
    tokio::RwLockMappedWriteGuard<'a, T>, guard => **guard
}

writes! { RwLockMappedWriteGuard<'a, T> of T, guard => **guard }

guard! {
    /// Shared, owned guard of a [`RwLock`]. As tokio's.
    OwnedRwLockReadGuard<T, U = T> of U,
    tokio::OwnedRwLockReadGuard<Labelled<T>, U>, guard => **guard, lock: Uncounted<RwLock<T>>
}

guard! {
    /// Exclusive, owned guard of a [`RwLock`]. As tokio's.
    OwnedRwLockWriteGuard<T> of T,
    tokio::OwnedRwLockWriteGuard<Labelled<T>>, guard => guard.value, lock: Uncounted<RwLock<T>>
}

writes! { OwnedRwLockWriteGuard<T> of T, guard => guard.value }

guard! {
    /// Exclusive, owned guard for a component of the data of a [`RwLock`]. As tokio's.
    OwnedRwLockMappedWriteGuard<T, U = T> of U,
    tokio::OwnedRwLockMappedWriteGuard<Labelled<T>, U>, guard => **guard, lock: Uncounted<RwLock<T>>
}

writes! { OwnedRwLockMappedWriteGuard<T, U> of U, guard => **guard }

impl<T> RwLock<T> {
    /// Creates an unlocked lock.
    #[track_caller]
    pub fn new(value: T) -> RwLock<T> {
        RwLock(tokio::RwLock::new(Labelled::new(Primitive::RwLock, value)))
    }

    /// Creates an unlocked lock for at most `max_reads` concurrent readers.
    #[track_caller]
    pub fn with_max_readers(value: T, max_reads: u32) -> RwLock<T> {
        RwLock(tokio::RwLock::with_max_readers(Labelled::new(Primitive::RwLock, value), max_reads))
    }

    /// Creates an unlocked lock in a constant context.
    #[track_caller]
    pub const fn const_new(value: T) -> RwLock<T> {
        RwLock(tokio::RwLock::const_new(Labelled::new(Primitive::RwLock, value)))
    }

    /// Creates an unlocked lock for at most `max_reads` concurrent readers in a constant context.
    #[track_caller]
    pub const fn const_with_max_readers(value: T, max_reads: u32) -> RwLock<T> {
        RwLock(tokio::RwLock::const_with_max_readers(Labelled::new(Primitive::RwLock, value), max_reads))
    }

    /// Consumes the lock and returns the data.
    pub fn into_inner(self) -> T {
        self.0.into_inner().value
    }
}

impl<T: ?Sized> RwLock<T> {
    fn address(&self) -> usize {
        ptr::from_ref(&self.0).addr()
    }

    fn reads<'a>(&'a self, guard: tokio::RwLockReadGuard<'a, Labelled<T>>) -> RwLockReadGuard<'a, T> {
        let part = guard.held(self.address());
        RwLockReadGuard { guard: tokio::RwLockReadGuard::map(guard, |labelled| &labelled.value), part }
    }

    fn writes<'a>(&'a self, guard: tokio::RwLockWriteGuard<'a, Labelled<T>>) -> RwLockWriteGuard<'a, T> {
        RwLockWriteGuard { part: guard.held(self.address()), guard }
    }

    fn owned_reads(
        lock: Uncounted<RwLock<T>>,
        guard: tokio::OwnedRwLockReadGuard<Labelled<T>>,
    ) -> OwnedRwLockReadGuard<T> {
        let part = guard.held(lock.address());
        OwnedRwLockReadGuard { guard: tokio::OwnedRwLockReadGuard::map(guard, |labelled| &labelled.value), part, lock }
    }

    fn owned_writes(
        lock: Uncounted<RwLock<T>>,
        guard: tokio::OwnedRwLockWriteGuard<Labelled<T>>,
    ) -> OwnedRwLockWriteGuard<T> {
        OwnedRwLockWriteGuard { part: guard.held(lock.address()), guard, lock }
    }

    /// Locks it for reading.
    pub async fn read(&self) -> RwLockReadGuard<'_, T> {
        self.reads(wait_at(self.address(), Read, self.0.read()).await)
    }

    /// Blocking version of `read`, outside asynchronous contexts.
    #[track_caller]
    pub fn blocking_read(&self) -> RwLockReadGuard<'_, T> {
        self.reads(self.0.blocking_read())
    }

    /// Locks it for reading; the guard owns an `Arc` of the lock.
    pub async fn read_owned(self: Arc<Self>) -> OwnedRwLockReadGuard<T> {
        let (inner, lock) = Uncounted::split(self);
        let guard = wait_at(lock.address(), Read, inner.read_owned()).await;
        RwLock::owned_reads(lock, guard)
    }

    /// Locks it for reading, if no writer holds it.
    pub fn try_read(&self) -> Result<RwLockReadGuard<'_, T>, TryLockError> {
        self.0.try_read().map(|guard| self.reads(guard))
    }

    /// Locks it for reading, if no writer holds it; the guard owns an `Arc` of the lock.
    pub fn try_read_owned(self: Arc<Self>) -> Result<OwnedRwLockReadGuard<T>, TryLockError> {
        let (inner, lock) = Uncounted::split(self);
        inner.try_read_owned().map(|guard| RwLock::owned_reads(lock, guard))
    }

    /// Locks it for writing.
    pub async fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.writes(wait_at(self.address(), Write, self.0.write()).await)
    }

    /// Blocking version of `write`, outside asynchronous contexts.
    #[track_caller]
    pub fn blocking_write(&self) -> RwLockWriteGuard<'_, T> {
        self.writes(self.0.blocking_write())
    }

    /// Locks it for writing; the guard owns an `Arc` of the lock.
    pub async fn write_owned(self: Arc<Self>) -> OwnedRwLockWriteGuard<T> {
        let (inner, lock) = Uncounted::split(self);
        let guard = wait_at(lock.address(), Write, inner.write_owned()).await;
        RwLock::owned_writes(lock, guard)
    }

    /// Locks it for writing, if it is unlocked.
    pub fn try_write(&self) -> Result<RwLockWriteGuard<'_, T>, TryLockError> {
        self.0.try_write().map(|guard| self.writes(guard))
    }

    /// Locks it for writing, if it is unlocked; the guard owns an `Arc` of the lock.
    pub fn try_write_owned(self: Arc<Self>) -> Result<OwnedRwLockWriteGuard<T>, TryLockError> {
        let (inner, lock) = Uncounted::split(self);
        inner.try_write_owned().map(|guard| RwLock::owned_writes(lock, guard))
    }

    /// Returns a mutable reference to the data, without locking: the lock is borrowed mutably.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.0.get_mut().value
    }
}

impl<T> From<T> for RwLock<T> {
    #[track_caller]
    fn from(value: T) -> RwLock<T> {
        RwLock::new(value)
    }
}

impl<T: Default> Default for RwLock<T> {
    #[track_caller]
    fn default() -> RwLock<T> {
        RwLock::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'a, T: ?Sized> RwLockReadGuard<'a, T> {
    /// Makes a guard for a component of the locked data.
    pub fn map<F: FnOnce(&T) -> &U, U: ?Sized>(this: Self, f: F) -> RwLockReadGuard<'a, U> {
        RwLockReadGuard { guard: tokio::RwLockReadGuard::map(this.guard, f), part: this.part }
    }

    /// Makes a guard for a component of the locked data; returns the original guard if `f` returns `None`.
    pub fn try_map<F: FnOnce(&T) -> Option<&U>, U: ?Sized>(this: Self, f: F) -> Result<RwLockReadGuard<'a, U>, Self> {
        let Self { guard, part } = this;
        match tokio::RwLockReadGuard::try_map(guard, f) {
            Ok(guard) => Ok(RwLockReadGuard { guard, part }),
            Err(guard) => Err(Self { guard, part }),
        }
    }
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    /// Makes a guard for a component of the locked data.
    pub fn map<F: FnOnce(&mut T) -> &mut U, U: ?Sized>(this: Self, f: F) -> RwLockMappedWriteGuard<'a, U> {
        let guard = tokio::RwLockWriteGuard::map(this.guard, |labelled| f(&mut labelled.value));
        RwLockMappedWriteGuard { guard, part: this.part }
    }

    /// Downgrades to a shared guard for a component of the locked data.
    pub fn downgrade_map<F: FnOnce(&T) -> &U, U: ?Sized>(this: Self, f: F) -> RwLockReadGuard<'a, U> {
        let guard = tokio::RwLockWriteGuard::downgrade_map(this.guard, |labelled| f(&labelled.value));
        RwLockReadGuard { guard, part: this.part }
    }

    /// Makes a guard for a component of the locked data; returns the original guard if `f` returns `None`.
    pub fn try_map<F: FnOnce(&mut T) -> Option<&mut U>, U: ?Sized>(
        this: Self,
        f: F,
    ) -> Result<RwLockMappedWriteGuard<'a, U>, Self> {
        let Self { guard, part } = this;
        match tokio::RwLockWriteGuard::try_map(guard, |labelled| f(&mut labelled.value)) {
            Ok(guard) => Ok(RwLockMappedWriteGuard { guard, part }),
            Err(guard) => Err(Self { guard, part }),
        }
    }

    /// Downgrades to a shared guard for a component of the locked data; returns the original guard if `f` returns `None`.
    pub fn try_downgrade_map<F: FnOnce(&T) -> Option<&U>, U: ?Sized>(
        this: Self,
        f: F,
    ) -> Result<RwLockReadGuard<'a, U>, Self> {
        let Self { guard, part } = this;
        match tokio::RwLockWriteGuard::try_downgrade_map(guard, |labelled| f(&labelled.value)) {
            Ok(guard) => Ok(RwLockReadGuard { guard, part }),
            Err(guard) => Err(Self { guard, part }),
        }
    }

    /// Converts to a mapped guard for the same data.
    pub fn into_mapped(this: Self) -> RwLockMappedWriteGuard<'a, T> {
        RwLockWriteGuard::map(this, |value| value)
    }

    /// Downgrades to a shared guard.
    pub fn downgrade(self) -> RwLockReadGuard<'a, T> {
        RwLockWriteGuard::downgrade_map(self, |value| value)
    }
}

impl<'a, T: ?Sized> RwLockMappedWriteGuard<'a, T> {
    /// Makes a guard for a component of the locked data.
    pub fn map<F: FnOnce(&mut T) -> &mut U, U: ?Sized>(this: Self, f: F) -> RwLockMappedWriteGuard<'a, U> {
        RwLockMappedWriteGuard { guard: tokio::RwLockMappedWriteGuard::map(this.guard, f), part: this.part }
    }

    /// Makes a guard for a component of the locked data; returns the original guard if `f` returns `None`.
    pub fn try_map<F: FnOnce(&mut T) -> Option<&mut U>, U: ?Sized>(
        this: Self,
        f: F,
    ) -> Result<RwLockMappedWriteGuard<'a, U>, Self> {
        let Self { guard, part } = this;
        match tokio::RwLockMappedWriteGuard::try_map(guard, f) {
            Ok(guard) => Ok(RwLockMappedWriteGuard { guard, part }),
            Err(guard) => Err(Self { guard, part }),
        }
    }
}

impl<T: ?Sized, U: ?Sized> OwnedRwLockReadGuard<T, U> {
    /// Makes a guard for a component of the locked data.
    pub fn map<F: FnOnce(&U) -> &V, V: ?Sized>(this: Self, f: F) -> OwnedRwLockReadGuard<T, V> {
        let Self { guard, part, lock } = this;
        OwnedRwLockReadGuard { guard: tokio::OwnedRwLockReadGuard::map(guard, f), part, lock }
    }

    /// Makes a guard for a component of the locked data; returns the original guard if `f` returns `None`.
    pub fn try_map<F: FnOnce(&U) -> Option<&V>, V: ?Sized>(
        this: Self,
        f: F,
    ) -> Result<OwnedRwLockReadGuard<T, V>, Self> {
        let Self { guard, part, lock } = this;
        match tokio::OwnedRwLockReadGuard::try_map(guard, f) {
            Ok(guard) => Ok(OwnedRwLockReadGuard { guard, part, lock }),
            Err(guard) => Err(Self { guard, part, lock }),
        }
    }

    /// Returns the lock.
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        &this.lock
    }
}

impl<T: ?Sized> OwnedRwLockWriteGuard<T> {
    /// Makes a guard for a component of the locked data.
    pub fn map<F: FnOnce(&mut T) -> &mut U, U: ?Sized>(this: Self, f: F) -> OwnedRwLockMappedWriteGuard<T, U> {
        let Self { guard, part, lock } = this;
        let guard = tokio::OwnedRwLockWriteGuard::map(guard, |labelled| f(&mut labelled.value));
        OwnedRwLockMappedWriteGuard { guard, part, lock }
    }

    /// Downgrades to a shared guard for a component of the locked data.
    pub fn downgrade_map<F: FnOnce(&T) -> &U, U: ?Sized>(this: Self, f: F) -> OwnedRwLockReadGuard<T, U> {
        let Self { guard, part, lock } = this;
        let guard = tokio::OwnedRwLockWriteGuard::downgrade_map(guard, |labelled| f(&labelled.value));
        OwnedRwLockReadGuard { guard, part, lock }
    }

    /// Makes a guard for a component of the locked data; returns the original guard if `f` returns `None`.
    pub fn try_map<F: FnOnce(&mut T) -> Option<&mut U>, U: ?Sized>(
        this: Self,
        f: F,
    ) -> Result<OwnedRwLockMappedWriteGuard<T, U>, Self> {
        let Self { guard, part, lock } = this;
        match tokio::OwnedRwLockWriteGuard::try_map(guard, |labelled| f(&mut labelled.value)) {
            Ok(guard) => Ok(OwnedRwLockMappedWriteGuard { guard, part, lock }),
            Err(guard) => Err(Self { guard, part, lock }),
        }
    }

    /// Downgrades to a shared guard for a component of the locked data; returns the original guard if `f` returns `None`.
    pub fn try_downgrade_map<F: FnOnce(&T) -> Option<&U>, U: ?Sized>(
        this: Self,
        f: F,
    ) -> Result<OwnedRwLockReadGuard<T, U>, Self> {
        let Self { guard, part, lock } = this;
        match tokio::OwnedRwLockWriteGuard::try_downgrade_map(guard, |labelled| f(&labelled.value)) {
            Ok(guard) => Ok(OwnedRwLockReadGuard { guard, part, lock }),
            Err(guard) => Err(Self { guard, part, lock }),
        }
    }

    /// Converts to a mapped guard for the same data.
    pub fn into_mapped(this: Self) -> OwnedRwLockMappedWriteGuard<T> {
        OwnedRwLockWriteGuard::map(this, |value| value)
    }

    /// Downgrades to a shared guard.
    pub fn downgrade(self) -> OwnedRwLockReadGuard<T> {
        OwnedRwLockWriteGuard::downgrade_map(self, |value| value)
    }

    /// Returns the lock.
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        &this.lock
    }
}

impl<T: ?Sized, U: ?Sized> OwnedRwLockMappedWriteGuard<T, U> {
    /// Makes a guard for a component of the locked data.
    pub fn map<F: FnOnce(&mut U) -> &mut V, V: ?Sized>(this: Self, f: F) -> OwnedRwLockMappedWriteGuard<T, V> {
        let Self { guard, part, lock } = this;
        OwnedRwLockMappedWriteGuard { guard: tokio::OwnedRwLockMappedWriteGuard::map(guard, f), part, lock }
    }

    /// Makes a guard for a component of the locked data; returns the original guard if `f` returns `None`.
    pub fn try_map<F: FnOnce(&mut U) -> Option<&mut V>, V: ?Sized>(
        this: Self,
        f: F,
    ) -> Result<OwnedRwLockMappedWriteGuard<T, V>, Self> {
        let Self { guard, part, lock } = this;
        match tokio::OwnedRwLockMappedWriteGuard::try_map(guard, f) {
            Ok(guard) => Ok(OwnedRwLockMappedWriteGuard { guard, part, lock }),
            Err(guard) => Err(Self { guard, part, lock }),
        }
    }

    /// Returns the lock.
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        &this.lock
    }
}
