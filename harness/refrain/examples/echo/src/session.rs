//! What several threads share: it names its primitives by way of `super::sync`, so that a model can put others there.

use super::sync::atomic::{AtomicUsize, Ordering::AcqRel};

/// A session that several share; whoever gives it back last closes it.
pub struct Session(AtomicUsize);

impl Session {
    /// A session that so many share.
    pub fn shared(by: usize) -> Session {
        Session(AtomicUsize::new(by))
    }

    /// Gives it back; whether this was the last one.
    pub fn release(&self) -> bool {
        self.0.fetch_sub(1, AcqRel) == 1
    }
}
