//! Shared by several threads. It imports its primitives from `super::sync`, which a model replaces.

use super::sync::atomic::{AtomicUsize, Ordering::AcqRel};

/// A shared session; its last holder closes it.
pub struct Session(AtomicUsize);

impl Session {
    /// Creates a session with this many holders.
    pub fn shared(by: usize) -> Session {
        Session(AtomicUsize::new(by))
    }

    /// Releases it; returns whether this was the last holder.
    pub fn release(&self) -> bool {
        self.0.fetch_sub(1, AcqRel) == 1
    }
}
