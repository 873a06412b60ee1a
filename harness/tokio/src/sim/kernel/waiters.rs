//! Who waits for the same thing: each is woken once it happens, and none takes another's place.

use std::task::Waker;

/// Of more than this, the first is woken early; it will ask again.
const WAITERS_MAX: usize = 64;

/// Tasks, or parts of one, that wait for the same thing.
#[derive(Debug, Default)]
pub(crate) struct Waiters(Vec<Waker>);

impl Waiters {
    /// Adds one. The one that it returns is to be woken: a waker is never dropped here, where the kernel is borrowed,
    /// for its last clone may own a socket.
    #[must_use]
    pub fn add(&mut self, waker: &Waker) -> Option<Waker> {
        if self.0.iter().any(|known| known.will_wake(waker)) {
            return None;
        }
        self.0.push(waker.clone());
        (self.0.len() > WAITERS_MAX).then(|| self.0.remove(0))
    }

    /// Takes them all.
    pub fn take(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.0)
    }
}
