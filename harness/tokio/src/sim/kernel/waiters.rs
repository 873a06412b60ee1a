//! Wait queues: all waiters are woken when the event happens.

use std::task::Waker;

/// Beyond this many, the oldest waiter is woken early; it will poll again.
const WAITERS_MAX: usize = 64;

/// The wakers of tasks, or parts of one, that wait for the same event.
#[derive(Debug, Default)]
pub(crate) struct Waiters(Vec<Waker>);

impl Waiters {
    /// Adds a waker. The caller must wake the returned one: a waker must not be dropped while the kernel is borrowed,
    /// since its last clone may own a socket.
    #[must_use]
    pub fn add(&mut self, waker: &Waker) -> Option<Waker> {
        if self.0.iter().any(|known| known.will_wake(waker)) {
            return None;
        }
        self.0.push(waker.clone());
        (self.0.len() > WAITERS_MAX).then(|| self.0.remove(0))
    }

    /// Moves all wakers to those that are to be woken. Both keep their memory.
    pub fn wake(&mut self, wakes: &mut Vec<Waker>) {
        wakes.append(&mut self.0);
    }
}
