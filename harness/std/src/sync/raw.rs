//! Locks without a value, for those of this directory in a model.
//!
//! Each is a word and a queue, as std's own are. The value is in a lock of `std`, which is then always free. A guard is
//! dropped at the end of its scope, which has no location of its own: its unlock has that of its lock.

use super::atomic::{AtomicU32, Ordering::*};
use crate::{
    model::{Model, Place},
    parking,
};

/// Locked, without threads that wait.
const LOCKED: u32 = 1;
/// Locked, with threads that may wait.
const CONTENDED: u32 = 2;
/// Locked for writing.
const WRITTEN: u32 = u32::MAX;

/// A mutex.
#[derive(Debug)]
pub(super) struct RawMutex(AtomicU32);

impl RawMutex {
    pub const fn new() -> RawMutex {
        RawMutex(AtomicU32::new(0))
    }

    pub fn lock(&self, model: &dyn Model, place: Place) {
        if self.try_lock(place) {
            return;
        }
        while self.0.swap_at(CONTENDED, Acquire, place) != 0 {
            park(model, place, &self.0, |state| state == CONTENDED);
        }
    }

    pub fn try_lock(&self, place: Place) -> bool {
        self.0.compare_exchange_at((0, LOCKED), (Acquire, Relaxed), place).is_ok()
    }

    pub fn unlock(&self, model: &dyn Model, place: Place) {
        if self.0.swap_at(0, Release, place) == CONTENDED {
            parking::unpark_one((model, place), key(&self.0), |_| 0);
        }
    }
}

/// A reader-writer lock: 0 if it is free, the number of readers, or `WRITTEN`.
#[derive(Debug)]
pub(super) struct RawRwLock(AtomicU32);

impl RawRwLock {
    pub const fn new() -> RawRwLock {
        RawRwLock(AtomicU32::new(0))
    }

    pub fn read(&self, model: &dyn Model, place: Place) {
        while !self.try_read(place) {
            park(model, place, &self.0, |state| state == WRITTEN);
        }
    }

    pub fn try_read(&self, place: Place) -> bool {
        self.change(|readers| readers.checked_add(1), Acquire, place).is_some()
    }

    pub fn write(&self, model: &dyn Model, place: Place) {
        while !self.try_write(place) {
            park(model, place, &self.0, |state| state != 0);
        }
    }

    pub fn try_write(&self, place: Place) -> bool {
        self.0.compare_exchange_at((0, WRITTEN), (Acquire, Relaxed), place).is_ok()
    }

    pub fn unlock_read(&self, model: &dyn Model, place: Place) {
        if self.change(|readers| readers.checked_sub(1), Release, place) == Some(0) {
            parking::unpark_all((model, place), key(&self.0), 0);
        }
    }

    pub fn unlock_write(&self, model: &dyn Model, place: Place) {
        self.0.store_at(0, Release, place);
        parking::unpark_all((model, place), key(&self.0), 0);
    }

    /// Changes the number of readers, and returns the new one; `None` if `to` returns that.
    fn change(&self, to: impl Fn(u32) -> Option<u32>, order: super::atomic::Ordering, place: Place) -> Option<u32> {
        let mut was = self.0.load_at(Relaxed, place);
        loop {
            let new = to(was)?;
            match self.0.compare_exchange_at((was, new), (order, Relaxed), place) {
                Ok(_) => return Some(new),
                Err(is) => was = is,
            }
        }
    }
}

/// Parks the running thread while the state is as `while_` says.
pub(super) fn park(model: &dyn Model, place: Place, state: &AtomicU32, while_: impl FnOnce(u32) -> bool) {
    let validate = || while_(state.load_at(Relaxed, place));
    parking::park((model, place), key(state), validate, || {}, |_, _| {}, 0, false);
}

/// The key of the queue of an atomic.
pub(super) fn key(atomic: &AtomicU32) -> usize {
    (&raw const *atomic).addr()
}
