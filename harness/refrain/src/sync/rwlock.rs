//! `RwLock`.

use super::{LockResult, On, TryLockError, TryLockResult, each, loom, mutex::unpoisoned, on, shuttle};
use crate::interleaving::{
    log::{self, Number, begin, did},
    seq_cst::{self, Through},
};
use std::{
    fmt,
    ops::{Deref, DerefMut},
    panic::Location,
};

/// As `std::sync::RwLock`; never poisoned.
pub struct RwLock<T> {
    raw: On<loom::sync::RwLock<T>, shuttle::sync::RwLock<T>, std::sync::RwLock<T>>,
    number: Number,
}

macro_rules! guard {
    ($name:ident, $what:literal) => {
        #[doc = concat!("As `std::sync::", stringify!($name), "`.")]
        pub struct $name<'a, T> {
            raw: On<loom::sync::$name<'a, T>, shuttle::sync::$name<'a, T>, std::sync::$name<'a, T>>,
            number: Number,
            place: &'static Location<'static>,
        }

        impl<T> Deref for $name<'_, T> {
            type Target = T;

            fn deref(&self) -> &T {
                each!(&self.raw, raw => raw)
            }
        }

        impl<T> Drop for $name<'_, T> {
            fn drop(&mut self) {
                seq_cst::release(Through::RwLock(self.number));
                did(self.place, || format!("rwlock{} unlocked after {}", self.number, $what));
            }
        }

        impl<T: fmt::Display> fmt::Display for $name<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                (**self).fmt(f)
            }
        }

        impl<T: fmt::Debug> fmt::Debug for $name<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                (**self).fmt(f)
            }
        }
    };
}

guard!(RwLockReadGuard, "reading");
guard!(RwLockWriteGuard, "writing");

impl<T> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        each!(&mut self.raw, raw => raw)
    }
}

macro_rules! lock {
    ($lock:ident, $try_lock:ident, $guard:ident) => {
        /// As in `std`.
        #[track_caller]
        pub fn $lock(&self) -> LockResult<$guard<'_, T>> {
            let (place, number) = (Location::caller(), self.number);
            begin(place, || format!("rwlock{number}.{}()", stringify!($lock)));
            let raw = match &self.raw {
                On::Loom(raw) => On::Loom(unpoisoned(raw.$lock())),
                On::Shuttle(raw) => On::Shuttle(unpoisoned(raw.$lock())),
                On::Std(raw) => On::Std(unpoisoned(raw.$lock())),
            };
            seq_cst::acquire(Through::RwLock(number));
            did(place, || format!("rwlock{number}.{}()", stringify!($lock)));
            Ok($guard { raw, number, place })
        }

        /// As in `std`.
        #[track_caller]
        pub fn $try_lock(&self) -> TryLockResult<$guard<'_, T>> {
            let (place, number) = (Location::caller(), self.number);
            let raw = match &self.raw {
                On::Loom(raw) => raw.$try_lock().ok().map(On::Loom),
                On::Shuttle(raw) => raw.$try_lock().ok().map(On::Shuttle),
                On::Std(raw) => match raw.$try_lock() {
                    Err(TryLockError::WouldBlock) => None,
                    Err(TryLockError::Poisoned(poisoned)) => Some(On::Std(poisoned.into_inner())),
                    Ok(raw) => Some(On::Std(raw)),
                },
            };
            did(place, || format!("rwlock{number}.{}() -> {}", stringify!($try_lock), raw.is_some()));
            let raw = raw.ok_or(TryLockError::WouldBlock)?;
            seq_cst::acquire(Through::RwLock(number));
            Ok($guard { raw, number, place })
        }
    };
}

impl<T> RwLock<T> {
    /// As in `std`, but not `const`.
    #[track_caller]
    pub fn new(value: T) -> RwLock<T> {
        let raw = on!(loom::sync::RwLock::new(value), shuttle::sync::RwLock::new(value), std::sync::RwLock::new(value));
        let number = log::number("rwlock");
        did(Location::caller(), || format!("rwlock{number} = RwLock::new"));
        RwLock { raw, number }
    }

    lock!(read, try_read, RwLockReadGuard);
    lock!(write, try_write, RwLockWriteGuard);

    /// As in `std`, but it never is.
    pub fn is_poisoned(&self) -> bool {
        false
    }

    /// As in `std`, with nothing to do.
    pub fn clear_poison(&self) {}

    /// As in `std`: nobody else has it.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        Ok(each!(&mut self.raw, raw => unpoisoned(raw.get_mut())))
    }

    /// As in `std`: nobody else has it.
    pub fn into_inner(self) -> LockResult<T> {
        Ok(each!(self.raw, raw => unpoisoned(raw.into_inner())))
    }
}

impl<T: Default> Default for RwLock<T> {
    #[track_caller]
    fn default() -> RwLock<T> {
        RwLock::new(T::default())
    }
}

impl<T> From<T> for RwLock<T> {
    #[track_caller]
    fn from(value: T) -> RwLock<T> {
        RwLock::new(value)
    }
}

impl<T: fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        each!(&self.raw, raw => fmt::Debug::fmt(raw, f))
    }
}
