//! The historic session: its number of holds and whether it is deleted are separate, and a release decides about the
//! latter by testing the former. Everything else is correct.

use super::sync::{
    Mutex,
    atomic::{AtomicU32, Ordering},
};

/// A session, and its number of holds.
#[derive(Debug)]
pub struct Session {
    holds: AtomicU32,
    is_deleted: Mutex<bool>,
}

impl Session {
    /// Creates a session held by its opener.
    pub fn opened() -> Self {
        Self { holds: AtomicU32::new(1), is_deleted: Mutex::new(false) }
    }

    /// Adds a hold.
    pub fn acquired(&self) {
        self.holds.fetch_add(1, Ordering::AcqRel);
    }

    /// Removes a hold: the first step of a release.
    pub fn let_go(&self) {
        self.holds.fetch_sub(1, Ordering::AcqRel);
    }

    /// Returns whether it has no holds by now, whoever released last: the second step of a release.
    pub fn is_unused(&self) -> bool {
        self.holds.load(Ordering::Acquire) == 0
    }

    /// Deletes it. A double delete corrupts the heap: the process crashes then, or at any later time.
    pub fn delete(&self) {
        let mut is_deleted = self.is_deleted.lock().expect("nobody panics with it");
        assert!(!*is_deleted, "the session is deleted twice");
        *is_deleted = true;
    }

    /// Decrements the count, then tests it: its current value, not the result of this decrement.
    pub fn released(&self) {
        self.let_go();
        if self.is_unused() {
            self.delete();
        }
    }

    /// Decrements the count, then deletes whatever is to be deleted.
    pub fn released_and_reaped(&self) {
        self.let_go();
        self.reaped();
    }

    /// Checks whether there is something to delete, then deletes it, like the reaper and the last release.
    pub fn reaped(&self) {
        if self.is_unused() && !self.is_deleted() {
            self.delete();
        }
    }

    /// Everybody has released it.
    pub fn at_rest(&self) {
        assert!(self.is_deleted(), "the session is not deleted");
    }

    fn is_deleted(&self) -> bool {
        *self.is_deleted.lock().expect("nobody panics with it")
    }
}
