//! tokio's `Mutex`, with the task that holds it and those that wait for it.

use super::{
    guard::{guard, writes},
    label::{Labelled, Part, wait_at},
    owned::Uncounted,
};
use real::sync as tokio;
use refrain_core::event::{Operation::Lock, Primitive};
use std::{
    fmt,
    ops::{Deref, DerefMut},
    ptr,
    sync::Arc,
};

#[doc(no_inline)]
pub use real::sync::TryLockError;

pub use super::owned::Mutex;

guard! {
    /// Guard of a [`Mutex`]. As tokio's.
    MutexGuard<'a, T> of T,
    tokio::MutexGuard<'a, Labelled<T>>, guard => guard.value, lock: &'a Mutex<T>
}

writes! { MutexGuard<'a, T> of T, guard => guard.value }

guard! {
    /// Owned guard of a [`Mutex`]. As tokio's.
    OwnedMutexGuard<T> of T,
    tokio::OwnedMutexGuard<Labelled<T>>, guard => guard.value, lock: Uncounted<Mutex<T>>
}

writes! { OwnedMutexGuard<T> of T, guard => guard.value }

guard! {
    /// Guard for a component of the data of a [`Mutex`]. As tokio's.
    MappedMutexGuard<'a, T> of T,
    tokio::MappedMutexGuard<'a, T>, guard => **guard
}

writes! { MappedMutexGuard<'a, T> of T, guard => **guard }

guard! {
    /// Owned guard for a component of the data of a [`Mutex`]. As tokio's.
    OwnedMappedMutexGuard<T, U = T> of U,
    tokio::OwnedMappedMutexGuard<Labelled<T>, U>, guard => **guard
}

writes! { OwnedMappedMutexGuard<T, U> of U, guard => **guard }

impl<T> Mutex<T> {
    /// Creates an unlocked lock.
    #[track_caller]
    pub fn new(value: T) -> Mutex<T> {
        Mutex(tokio::Mutex::new(Labelled::new(Primitive::Mutex, value)))
    }

    /// Creates it in a constant context.
    #[track_caller]
    pub const fn const_new(value: T) -> Mutex<T> {
        Mutex(tokio::Mutex::const_new(Labelled::new(Primitive::Mutex, value)))
    }

    /// Consumes the lock and returns the data.
    pub fn into_inner(self) -> T {
        self.0.into_inner().value
    }
}

impl<T: ?Sized> Mutex<T> {
    fn address(&self) -> usize {
        ptr::from_ref(&self.0).addr()
    }

    fn guard<'a>(&'a self, guard: tokio::MutexGuard<'a, Labelled<T>>) -> MutexGuard<'a, T> {
        MutexGuard { part: guard.held(self.address()), guard, lock: self }
    }

    fn owned(lock: Uncounted<Mutex<T>>, guard: tokio::OwnedMutexGuard<Labelled<T>>) -> OwnedMutexGuard<T> {
        OwnedMutexGuard { part: guard.held(lock.address()), guard, lock }
    }

    /// Locks it.
    pub async fn lock(&self) -> MutexGuard<'_, T> {
        self.guard(wait_at(self.address(), Lock, self.0.lock()).await)
    }

    /// Blocking version of `lock`, outside asynchronous contexts.
    #[track_caller]
    pub fn blocking_lock(&self) -> MutexGuard<'_, T> {
        self.guard(self.0.blocking_lock())
    }

    /// Blocking version of `lock_owned`, outside asynchronous contexts.
    #[track_caller]
    pub fn blocking_lock_owned(self: Arc<Self>) -> OwnedMutexGuard<T> {
        let (inner, lock) = Uncounted::split(self);
        Mutex::owned(lock, inner.blocking_lock_owned())
    }

    /// Locks it; the guard owns an `Arc` of the lock.
    pub async fn lock_owned(self: Arc<Self>) -> OwnedMutexGuard<T> {
        let (inner, lock) = Uncounted::split(self);
        let guard = wait_at(lock.address(), Lock, inner.lock_owned()).await;
        Mutex::owned(lock, guard)
    }

    /// Locks it, if it is unlocked.
    pub fn try_lock(&self) -> Result<MutexGuard<'_, T>, TryLockError> {
        self.0.try_lock().map(|guard| self.guard(guard))
    }

    /// Locks it, if it is unlocked; the guard owns an `Arc` of the lock.
    pub fn try_lock_owned(self: Arc<Self>) -> Result<OwnedMutexGuard<T>, TryLockError> {
        let (inner, lock) = Uncounted::split(self);
        inner.try_lock_owned().map(|guard| Mutex::owned(lock, guard))
    }

    /// Returns a mutable reference to the data, without locking: the lock is borrowed mutably.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.0.get_mut().value
    }
}

impl<T> From<T> for Mutex<T> {
    #[track_caller]
    fn from(value: T) -> Mutex<T> {
        Mutex::new(value)
    }
}

impl<T: Default> Default for Mutex<T> {
    #[track_caller]
    fn default() -> Mutex<T> {
        Mutex::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// Makes a guard for a component of the locked data.
    pub fn map<U: ?Sized, F: FnOnce(&mut T) -> &mut U>(this: Self, f: F) -> MappedMutexGuard<'a, U> {
        let guard = tokio::MutexGuard::map(this.guard, |labelled| f(&mut labelled.value));
        MappedMutexGuard { guard, part: this.part }
    }

    /// Makes a guard for a component of the locked data; returns the original guard if `f` returns `None`.
    pub fn try_map<U: ?Sized, F: FnOnce(&mut T) -> Option<&mut U>>(
        this: Self,
        f: F,
    ) -> Result<MappedMutexGuard<'a, U>, Self> {
        let Self { guard, part, lock } = this;
        match tokio::MutexGuard::try_map(guard, |labelled| f(&mut labelled.value)) {
            Ok(guard) => Ok(MappedMutexGuard { guard, part }),
            Err(guard) => Err(Self { guard, part, lock }),
        }
    }

    /// Returns the lock.
    pub fn mutex(this: &Self) -> &'a Mutex<T> {
        this.lock
    }
}

impl<T: ?Sized> OwnedMutexGuard<T> {
    /// Makes a guard for a component of the locked data.
    pub fn map<U: ?Sized, F: FnOnce(&mut T) -> &mut U>(this: Self, f: F) -> OwnedMappedMutexGuard<T, U> {
        let guard = tokio::OwnedMutexGuard::map(this.guard, |labelled| f(&mut labelled.value));
        OwnedMappedMutexGuard { guard, part: this.part }
    }

    /// Makes a guard for a component of the locked data; returns the original guard if `f` returns `None`.
    pub fn try_map<U: ?Sized, F: FnOnce(&mut T) -> Option<&mut U>>(
        this: Self,
        f: F,
    ) -> Result<OwnedMappedMutexGuard<T, U>, Self> {
        let Self { guard, part, lock } = this;
        match tokio::OwnedMutexGuard::try_map(guard, |labelled| f(&mut labelled.value)) {
            Ok(guard) => Ok(OwnedMappedMutexGuard { guard, part }),
            Err(guard) => Err(Self { guard, part, lock }),
        }
    }

    /// Returns the lock.
    pub fn mutex(this: &Self) -> &Arc<Mutex<T>> {
        &this.lock
    }
}

impl<'a, T: ?Sized> MappedMutexGuard<'a, T> {
    /// Makes a guard for a component of the locked data.
    pub fn map<U, F: FnOnce(&mut T) -> &mut U>(this: Self, f: F) -> MappedMutexGuard<'a, U> {
        MappedMutexGuard { guard: tokio::MappedMutexGuard::map(this.guard, f), part: this.part }
    }

    /// Makes a guard for a component of the locked data; returns the original guard if `f` returns `None`.
    pub fn try_map<U, F: FnOnce(&mut T) -> Option<&mut U>>(this: Self, f: F) -> Result<MappedMutexGuard<'a, U>, Self> {
        let Self { guard, part } = this;
        match tokio::MappedMutexGuard::try_map(guard, f) {
            Ok(guard) => Ok(MappedMutexGuard { guard, part }),
            Err(guard) => Err(Self { guard, part }),
        }
    }
}

impl<T: ?Sized, U: ?Sized> OwnedMappedMutexGuard<T, U> {
    /// Makes a guard for a component of the locked data.
    pub fn map<V, F: FnOnce(&mut U) -> &mut V>(this: Self, f: F) -> OwnedMappedMutexGuard<T, V> {
        OwnedMappedMutexGuard { guard: tokio::OwnedMappedMutexGuard::map(this.guard, f), part: this.part }
    }

    /// Makes a guard for a component of the locked data; returns the original guard if `f` returns `None`.
    pub fn try_map<V, F: FnOnce(&mut U) -> Option<&mut V>>(
        this: Self,
        f: F,
    ) -> Result<OwnedMappedMutexGuard<T, V>, Self> {
        let Self { guard, part } = this;
        match tokio::OwnedMappedMutexGuard::try_map(guard, f) {
            Ok(guard) => Ok(OwnedMappedMutexGuard { guard, part }),
            Err(guard) => Err(Self { guard, part }),
        }
    }
}
