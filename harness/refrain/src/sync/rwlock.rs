//! `RwLock`.

use super::{
    LockResult, On, TryLockError, TryLockResult, alloc, each, loom, mutex::unpoisoned, on, reads_again, shuttle,
};
use crate::{
    event::step::{self, Operation},
    interleaving::{
        clocks::{self, Through},
        log::{self, Number, begin, log_effect, log_step},
        pending::Effect,
        spin, stuck,
    },
    verdict::ThreadWait,
};
use std::{
    fmt,
    ops::{Deref, DerefMut},
    panic::Location,
};

/// Like `std::sync::RwLock`; never poisoned.
pub struct RwLock<T> {
    raw: On<loom::sync::RwLock<T>, shuttle::sync::RwLock<T>, std::sync::RwLock<T>>,
    number: Number,
}

macro_rules! guard {
    ($name:ident, $unlock:ident) => {
        #[doc = concat!("As `std::sync::", stringify!($name), "`.")]
        pub struct $name<'a, T> {
            /// `None` only while dropping.
            raw: Option<On<loom::sync::$name<'a, T>, shuttle::sync::$name<'a, T>, std::sync::$name<'a, T>>>,
            lock: &'a RwLock<T>,
            place: &'static Location<'static>,
        }

        impl<T> Deref for $name<'_, T> {
            type Target = T;

            fn deref(&self) -> &T {
                each!(self.raw.as_ref().expect("only its drop takes it away"), raw => raw)
            }
        }

        impl<T> Drop for $name<'_, T> {
            fn drop(&mut self) {
                drop(alloc::uses(self.lock, Effect::Unlock, self.place));
                // An engine may run other threads before it unlocks, but not after that.
                drop(self.raw.take());
                clocks::release(Through::RwLock(self.lock.number));
                log_step(self.place, || Operation::RwLock { id: self.lock.number, what: step::RwLock::$unlock });
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

guard!(RwLockReadGuard, UnlockRead);
guard!(RwLockWriteGuard, UnlockWrite);

impl<T> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        stuck::changed();
        each!(self.raw.as_mut().expect("only its drop takes it away"), raw => raw)
    }
}

macro_rules! lock {
    ($lock:ident $lock_step:ident, $try_lock:ident $try_lock_step:ident, $guard:ident) => {
        /// See `std`.
        #[track_caller]
        pub fn $lock(&self) -> LockResult<$guard<'_, T>> {
            let (place, number) = (Location::caller(), self.number);
            let _used = alloc::uses(self, Effect::Lock, place);
            reads_again(place, "rwlock", number);
            begin(place, ThreadWait::$lock_step { rwlock: number });
            let raw = match &self.raw {
                On::Loom(raw) => On::Loom(unpoisoned(raw.$lock())),
                On::Shuttle(raw) => On::Shuttle(unpoisoned(raw.$lock())),
                On::Std(raw) => On::Std(unpoisoned(raw.$lock())),
            };
            clocks::acquire(Through::RwLock(number));
            spin::locked(place, "rwlock", number);
            log_step(place, || Operation::RwLock { id: number, what: step::RwLock::$lock_step });
            Ok($guard { raw: Some(raw), lock: self, place })
        }

        /// See `std`.
        #[track_caller]
        pub fn $try_lock(&self) -> TryLockResult<$guard<'_, T>> {
            let (place, number) = (Location::caller(), self.number);
            let _used = alloc::uses(self, Effect::TryLock, place);
            reads_again(place, "rwlock", number);
            let raw = match &self.raw {
                On::Loom(raw) => raw.$try_lock().ok().map(On::Loom),
                On::Shuttle(raw) => raw.$try_lock().ok().map(On::Shuttle),
                On::Std(raw) => match raw.$try_lock() {
                    Err(TryLockError::WouldBlock) => None,
                    Err(TryLockError::Poisoned(poisoned)) => Some(On::Std(poisoned.into_inner())),
                    Ok(raw) => Some(On::Std(raw)),
                },
            };
            let what = step::RwLock::$try_lock_step { locks: raw.is_some() };
            log_step(place, || Operation::RwLock { id: number, what });
            let Some(raw) = raw else {
                spin::read(place, "rwlock", number, 0);
                return Err(TryLockError::WouldBlock);
            };
            spin::locked(place, "rwlock", number);
            clocks::acquire(Through::RwLock(number));
            Ok($guard { raw: Some(raw), lock: self, place })
        }
    };
}

impl<T> RwLock<T> {
    /// See `std`; but not `const`.
    #[track_caller]
    pub fn new(value: T) -> RwLock<T> {
        let raw = on!(loom::sync::RwLock::new(value), shuttle::sync::RwLock::new(value), std::sync::RwLock::new(value));
        let number = log::number("rwlock");
        log_effect(Location::caller(), || Operation::RwLock { id: number, what: step::RwLock::New });
        RwLock { raw, number }
    }

    lock!(read Read, try_read TryRead, RwLockReadGuard);
    lock!(write Write, try_write TryWrite, RwLockWriteGuard);

    /// See `std`; always false.
    pub fn is_poisoned(&self) -> bool {
        false
    }

    /// See `std`; without effect.
    pub fn clear_poison(&self) {}

    /// See `std`: access is exclusive.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        Ok(each!(&mut self.raw, raw => unpoisoned(raw.get_mut())))
    }

    /// See `std`: access is exclusive.
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
