//! A lock without a value, for the locks of this directory in a model.
//!
//! It is a word and a queue, as std's own locks are. The value is in a lock of `std`, which is then always free.

use super::atomic::{AtomicU32, Ordering::*};
use crate::{model::Model, parking};

/// Locked, without threads that wait.
const LOCKED: u32 = 1;
/// Locked, with threads that may wait.
const CONTENDED: u32 = 2;

/// A mutex.
#[derive(Debug)]
pub(super) struct RawMutex(AtomicU32);

impl RawMutex {
    pub const fn new() -> RawMutex {
        RawMutex(AtomicU32::new(0))
    }

    #[track_caller]
    pub fn lock(&self, model: &dyn Model) {
        if self.try_lock() {
            return;
        }
        while self.0.swap(CONTENDED, Acquire) != 0 {
            parking::park(model, self.key(), || self.0.load(Relaxed) == CONTENDED, || {}, |_, _| {}, 0, false);
        }
    }

    #[track_caller]
    pub fn try_lock(&self) -> bool {
        self.0.compare_exchange(0, LOCKED, Acquire, Relaxed).is_ok()
    }

    #[track_caller]
    pub fn unlock(&self, model: &dyn Model) {
        if self.0.swap(0, Release) == CONTENDED {
            parking::unpark_one(model, self.key(), |_| 0);
        }
    }

    fn key(&self) -> usize {
        (&raw const *self).addr()
    }
}

/// A reader-writer lock: 0 if it is free, the number of readers, or `WRITTEN`.
#[derive(Debug)]
pub(super) struct RawRwLock(AtomicU32);

const WRITTEN: u32 = u32::MAX;

impl RawRwLock {
    pub const fn new() -> RawRwLock {
        RawRwLock(AtomicU32::new(0))
    }

    #[track_caller]
    pub fn read(&self, model: &dyn Model) {
        while !self.try_read() {
            parking::park(model, self.key(), || self.0.load(Relaxed) == WRITTEN, || {}, |_, _| {}, 0, false);
        }
    }

    #[track_caller]
    pub fn try_read(&self) -> bool {
        self.0.fetch_update(Acquire, Relaxed, |readers| readers.checked_add(1)).is_ok()
    }

    #[track_caller]
    pub fn write(&self, model: &dyn Model) {
        while !self.try_write() {
            parking::park(model, self.key(), || self.0.load(Relaxed) != 0, || {}, |_, _| {}, 0, false);
        }
    }

    #[track_caller]
    pub fn try_write(&self) -> bool {
        self.0.compare_exchange(0, WRITTEN, Acquire, Relaxed).is_ok()
    }

    #[track_caller]
    pub fn unlock_read(&self, model: &dyn Model) {
        if self.0.fetch_sub(1, Release) == 1 {
            parking::unpark_all(model, self.key(), 0);
        }
    }

    #[track_caller]
    pub fn unlock_write(&self, model: &dyn Model) {
        self.0.store(0, Release);
        parking::unpark_all(model, self.key(), 0);
    }

    fn key(&self) -> usize {
        (&raw const *self).addr()
    }
}
