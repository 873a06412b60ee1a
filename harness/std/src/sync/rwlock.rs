//! `RwLock`.

use super::raw::RawRwLock;
use crate::model::{self, Place};
use std::{
    fmt,
    ops::{Deref, DerefMut},
    panic::Location,
    sync::{LockResult, PoisonError, TryLockError, TryLockResult},
};

/// Like `std::sync::RwLock`.
pub struct RwLock<T: ?Sized> {
    raw: RawRwLock,
    value: std::sync::RwLock<T>,
}

macro_rules! guard {
    ($name:ident, $unlock:ident) => {
        #[doc = concat!("Like `std::sync::", stringify!($name), "`.")]
        pub struct $name<'a, T: ?Sized> {
            /// `None` only while dropping.
            value: Option<std::sync::$name<'a, T>>,
            lock: &'a RwLock<T>,
            /// Where it was locked.
            place: Place,
        }

        impl<T: ?Sized> Deref for $name<'_, T> {
            type Target = T;

            fn deref(&self) -> &T {
                self.value.as_ref().expect("only its drop takes it away")
            }
        }

        impl<T: ?Sized> Drop for $name<'_, T> {
            fn drop(&mut self) {
                drop(self.value.take());
                if let Some(model) = model::current() {
                    self.lock.raw.$unlock(model, self.place);
                }
            }
        }

        impl<T: ?Sized + fmt::Debug> fmt::Debug for $name<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                (**self).fmt(f)
            }
        }

        impl<T: ?Sized + fmt::Display> fmt::Display for $name<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                (**self).fmt(f)
            }
        }
    };
}

guard!(RwLockReadGuard, unlock_read);
guard!(RwLockWriteGuard, unlock_write);

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect("only its drop takes it away")
    }
}

macro_rules! lock {
    ($lock:ident, $try_lock:ident, $guard:ident) => {
        /// See `std`.
        ///
        /// # Errors
        /// See `std`.
        #[track_caller]
        pub fn $lock(&self) -> LockResult<$guard<'_, T>> {
            let place = Location::caller();
            if let Some(model) = model::current() {
                self.raw.$lock(model, place);
            }
            let guard = |value| $guard { value: Some(value), lock: self, place };
            match self.value.$lock() {
                Ok(value) => Ok(guard(value)),
                Err(poisoned) => Err(PoisonError::new(guard(poisoned.into_inner()))),
            }
        }

        /// See `std`.
        ///
        /// # Errors
        /// See `std`.
        #[track_caller]
        pub fn $try_lock(&self) -> TryLockResult<$guard<'_, T>> {
            let place = Location::caller();
            if model::current().is_some() && !self.raw.$try_lock(place) {
                return Err(TryLockError::WouldBlock);
            }
            let guard = |value| $guard { value: Some(value), lock: self, place };
            match self.value.$try_lock() {
                Ok(value) => Ok(guard(value)),
                Err(TryLockError::Poisoned(poisoned)) => {
                    Err(TryLockError::Poisoned(PoisonError::new(guard(poisoned.into_inner()))))
                }
                Err(TryLockError::WouldBlock) => Err(TryLockError::WouldBlock),
            }
        }
    };
}

impl<T> RwLock<T> {
    /// See `std`.
    pub const fn new(value: T) -> RwLock<T> {
        RwLock { raw: RawRwLock::new(), value: std::sync::RwLock::new(value) }
    }

    /// See `std`: access is exclusive.
    ///
    /// # Errors
    /// See `std`.
    pub fn into_inner(self) -> LockResult<T> {
        self.value.into_inner()
    }
}

impl<T: ?Sized> RwLock<T> {
    lock!(read, try_read, RwLockReadGuard);
    lock!(write, try_write, RwLockWriteGuard);

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

impl<T: Default> Default for RwLock<T> {
    fn default() -> RwLock<T> {
        RwLock::new(T::default())
    }
}

impl<T> From<T> for RwLock<T> {
    fn from(value: T) -> RwLock<T> {
        RwLock::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}
