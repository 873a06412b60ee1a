//! `Mutex`.

use super::raw::RawMutex;
use crate::model::{self, Place};
use std::{
    fmt,
    ops::{Deref, DerefMut},
    panic::Location,
    sync::{LockResult, PoisonError, TryLockError, TryLockResult},
};

/// Like `std::sync::Mutex`.
pub struct Mutex<T: ?Sized> {
    pub(super) raw: RawMutex,
    pub(super) value: std::sync::Mutex<T>,
}

/// Like `std::sync::MutexGuard`.
pub struct MutexGuard<'a, T: ?Sized> {
    /// `None` only during a wait on a condition variable, and while dropping.
    pub(super) value: Option<std::sync::MutexGuard<'a, T>>,
    pub(super) mutex: &'a Mutex<T>,
    /// Where it was locked.
    pub(super) place: Place,
}

impl<T> Mutex<T> {
    /// See `std`.
    pub const fn new(value: T) -> Mutex<T> {
        Mutex { raw: RawMutex::new(), value: std::sync::Mutex::new(value) }
    }

    /// See `std`: access is exclusive.
    ///
    /// # Errors
    /// See `std`.
    pub fn into_inner(self) -> LockResult<T> {
        self.value.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// See `std`.
    ///
    /// # Errors
    /// See `std`.
    #[track_caller]
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        self.lock_at(Location::caller())
    }

    pub(super) fn lock_at(&self, place: Place) -> LockResult<MutexGuard<'_, T>> {
        if let Some(model) = model::current() {
            self.raw.lock(model, place);
        }
        let guard = |value| MutexGuard { value: Some(value), mutex: self, place };
        match self.value.lock() {
            Ok(value) => Ok(guard(value)),
            Err(poisoned) => Err(PoisonError::new(guard(poisoned.into_inner()))),
        }
    }

    /// See `std`.
    ///
    /// # Errors
    /// See `std`.
    #[track_caller]
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        let place = Location::caller();
        if model::current().is_some() && !self.raw.try_lock(place) {
            return Err(TryLockError::WouldBlock);
        }
        let guard = |value| MutexGuard { value: Some(value), mutex: self, place };
        match self.value.try_lock() {
            Ok(value) => Ok(guard(value)),
            Err(TryLockError::Poisoned(poisoned)) => {
                Err(TryLockError::Poisoned(PoisonError::new(guard(poisoned.into_inner()))))
            }
            Err(TryLockError::WouldBlock) => Err(TryLockError::WouldBlock),
        }
    }

    /// See `std`.
    pub fn is_poisoned(&self) -> bool {
        self.value.is_poisoned()
    }

    /// See `std`.
    pub fn clear_poison(&self) {
        self.value.clear_poison();
    }

    /// See `std`: access is exclusive.
    ///
    /// # Errors
    /// See `std`.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.value.get_mut()
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect("only a wait takes it away")
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect("only a wait takes it away")
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        let Some(value) = self.value.take() else { return };
        drop(value);
        if let Some(model) = model::current() {
            self.mutex.raw.unlock(model, self.place);
        }
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Mutex<T> {
        Mutex::new(T::default())
    }
}

impl<T> From<T> for Mutex<T> {
    fn from(value: T) -> Mutex<T> {
        Mutex::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
