//! The session as it was: how many hold it is one thing, whether it is deleted another, and a release decides about the
//! second by looking at the first. All else is sound.

use super::sync::{
    Mutex,
    atomic::{AtomicU32, Ordering},
};

/// A session, and how many hold it.
#[derive(Debug)]
pub struct Session {
    holds: AtomicU32,
    is_deleted: Mutex<bool>,
}

impl Session {
    /// A session that its opener holds.
    pub fn opened() -> Self {
        Self { holds: AtomicU32::new(1), is_deleted: Mutex::new(false) }
    }

    /// One more holds it.
    pub fn acquired(&self) {
        self.holds.fetch_add(1, Ordering::AcqRel);
    }

    /// One holds it no more. First step of a release.
    pub fn let_go(&self) {
        self.holds.fetch_sub(1, Ordering::AcqRel);
    }

    /// Whether nobody holds it by now, whoever let go last. Second step of a release.
    pub fn is_unused(&self) -> bool {
        self.holds.load(Ordering::Acquire) == 0
    }

    /// Deletes it. Deleting what is deleted corrupts the heap: the process crashes then, or at any time after.
    pub fn delete(&self) {
        let mut is_deleted = self.is_deleted.lock().expect("nobody panics with it");
        assert!(!*is_deleted, "the session is deleted twice");
        *is_deleted = true;
    }

    /// Lowers the count, and then tests it: what it is by now, not what this release made of it.
    pub fn released(&self) {
        self.let_go();
        if self.is_unused() {
            self.delete();
        }
    }

    /// Lowers the count, and then deletes what there is to delete.
    pub fn released_and_reaped(&self) {
        self.let_go();
        self.reaped();
    }

    /// Checks whether there is something to delete, and then deletes it: what the reaper does, and the last release.
    pub fn reaped(&self) {
        if self.is_unused() && !self.is_deleted() {
            self.delete();
        }
    }

    /// Everybody has let go.
    pub fn at_rest(&self) {
        assert!(self.is_deleted(), "the session is not deleted");
    }

    fn is_deleted(&self) -> bool {
        *self.is_deleted.lock().expect("nobody panics with it")
    }
}
