//! `Mutex`.

use super::{LockResult, On, TryLockError, TryLockResult, alloc, each, loom, on, reads_again, shuttle};
use crate::{
    event::step::{self, Operation},
    interleaving::{
        clocks::{self, Through},
        log::{self, Number, begin, log_creation, log_step},
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

/// Like `std::sync::Mutex`; never poisoned.
pub struct Mutex<T> {
    raw: On<loom::sync::Mutex<T>, shuttle::sync::Mutex<T>, std::sync::Mutex<T>>,
    pub(super) number: Number,
}

/// Like `std::sync::MutexGuard`.
pub struct MutexGuard<'a, T> {
    /// `None` only during a wait on a condition variable.
    pub(super) raw: Option<RawGuard<'a, T>>,
    pub(super) mutex: &'a Mutex<T>,
    /// Where it was locked: a guard is dropped at the end of its scope, which has no location of its own.
    pub(super) place: &'static Location<'static>,
}

pub(super) type RawGuard<'a, T> =
    On<loom::sync::MutexGuard<'a, T>, shuttle::sync::MutexGuard<'a, T>, std::sync::MutexGuard<'a, T>>;

impl<T> Mutex<T> {
    /// See `std`; but not `const`.
    #[track_caller]
    pub fn new(value: T) -> Mutex<T> {
        Mutex::new_at(value, Location::caller())
    }

    pub(super) fn new_at(value: T, place: &'static Location<'static>) -> Mutex<T> {
        let raw = on!(loom::sync::Mutex::new(value), shuttle::sync::Mutex::new(value), std::sync::Mutex::new(value));
        let number = log::number("mutex");
        log_creation(place, || Operation::Mutex { id: number, what: step::Mutex::New });
        Mutex { raw, number }
    }

    /// See `std`.
    #[track_caller]
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        Ok(self.lock_at(Location::caller()))
    }

    pub(super) fn lock_at(&self, place: &'static Location<'static>) -> MutexGuard<'_, T> {
        let number = self.number;
        let _used = alloc::uses(self, Effect::Lock, place);
        reads_again(place, "mutex", number);
        begin(place, ThreadWait::Lock { mutex: number });
        let raw = Some(self.lock_raw());
        clocks::acquire(Through::Mutex(number));
        spin::locked(place, "mutex", number);
        log_step(place, || Operation::Mutex { id: number, what: step::Mutex::Lock });
        MutexGuard { raw, mutex: self, place }
    }

    pub(super) fn lock_raw(&self) -> RawGuard<'_, T> {
        match &self.raw {
            On::Loom(raw) => On::Loom(unpoisoned(raw.lock())),
            On::Shuttle(raw) => On::Shuttle(unpoisoned(raw.lock())),
            On::Std(raw) => On::Std(unpoisoned(raw.lock())),
        }
    }

    /// See `std`.
    #[track_caller]
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        let (place, number) = (Location::caller(), self.number);
        let _used = alloc::uses(self, Effect::TryLock, place);
        reads_again(place, "mutex", number);
        let raw = match &self.raw {
            On::Loom(raw) => raw.try_lock().ok().map(On::Loom),
            On::Shuttle(raw) => raw.try_lock().ok().map(On::Shuttle),
            On::Std(raw) => match raw.try_lock() {
                Err(TryLockError::WouldBlock) => None,
                Err(TryLockError::Poisoned(poisoned)) => Some(On::Std(poisoned.into_inner())),
                Ok(raw) => Some(On::Std(raw)),
            },
        };
        log_step(place, || Operation::Mutex { id: number, what: step::Mutex::TryLock { locks: raw.is_some() } });
        let Some(raw) = raw else {
            spin::read(place, "mutex", number, 0);
            return Err(TryLockError::WouldBlock);
        };
        spin::locked(place, "mutex", number);
        clocks::acquire(Through::Mutex(number));
        Ok(MutexGuard { raw: Some(raw), mutex: self, place })
    }

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

/// Ignores poisoning: in a model a panic ends the execution; outside one, the value is left as the panicking thread
/// left it.
pub(super) fn unpoisoned<T>(result: LockResult<T>) -> T {
    result.unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        each!(self.raw.as_ref().expect("only a wait takes it away"), raw => raw)
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        stuck::changed();
        each!(self.raw.as_mut().expect("only a wait takes it away"), raw => raw)
    }
}

impl<T> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        let Some(raw) = self.raw.take() else { return };
        drop(alloc::uses(self.mutex, Effect::Unlock, self.place));
        // An engine may run other threads before it unlocks, but not after that.
        drop(raw);
        clocks::release(Through::Mutex(self.mutex.number));
        log_step(self.place, || Operation::Mutex { id: self.mutex.number, what: step::Mutex::Unlock });
    }
}

impl<T: Default> Default for Mutex<T> {
    #[track_caller]
    fn default() -> Mutex<T> {
        Mutex::new(T::default())
    }
}

impl<T> From<T> for Mutex<T> {
    #[track_caller]
    fn from(value: T) -> Mutex<T> {
        Mutex::new(value)
    }
}

impl<T: fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        each!(&self.raw, raw => fmt::Debug::fmt(raw, f))
    }
}

impl<T: fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
