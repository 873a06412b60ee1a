//! A condition variable under loom, built on its `park`. loom's own lets other threads run before it registers a
//! waiter, within one call, so that the moment of registration cannot be observed.

use ::loom::{
    sync::atomic::AtomicUsize,
    thread::{self, Thread},
};
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, atomic::Ordering::Relaxed},
};

/// The threads that wait for a notification.
#[derive(Debug)]
pub(crate) struct Waiters {
    /// Makes loom explore the order of waits and notifications. Does not synchronize.
    turns: AtomicUsize,
    parked: Mutex<VecDeque<Thread>>,
}

impl Waiters {
    /// Creates a condition variable without waiters.
    pub fn new() -> Waiters {
        Waiters { turns: AtomicUsize::new(0), parked: Mutex::default() }
    }

    /// Blocks the running thread after calling `unlock`.
    pub fn wait(&self, unlock: impl FnOnce()) {
        self.turns.fetch_add(1, Relaxed);
        let own = thread::current();
        self.parked().push_back(own.clone());
        unlock();
        // The thread may also be unparked because of an earlier wait for something else.
        while self.parked().iter().any(|parked| parked.id() == own.id()) {
            thread::park();
        }
    }

    /// Wakes the longest waiting thread.
    pub fn notify_one(&self) {
        self.turns.fetch_add(1, Relaxed);
        let first = self.parked().pop_front();
        first.iter().for_each(Thread::unpark);
    }

    /// Wakes every thread.
    pub fn notify_all(&self) {
        self.turns.fetch_add(1, Relaxed);
        self.wake_all();
    }

    /// Wakes every thread, without exploring other orders.
    pub fn wake_all(&self) {
        let all = std::mem::take(&mut *self.parked());
        all.iter().for_each(Thread::unpark);
    }

    fn parked(&self) -> MutexGuard<'_, VecDeque<Thread>> {
        self.parked.lock().expect("no thread panics with it")
    }
}
