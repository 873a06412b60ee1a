//! A condition variable under loom, made of its `park`. loom's own lets other threads go on before it registers a waiter, in
//! one call, so that nobody could tell when the waiter is one.

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
    /// What the order of waits and notifications is explored with. It hands on nothing.
    turns: AtomicUsize,
    parked: Mutex<VecDeque<Thread>>,
}

impl Waiters {
    /// Nobody waits.
    pub fn new() -> Waiters {
        Waiters { turns: AtomicUsize::new(0), parked: Mutex::default() }
    }

    /// The running thread waits, after it unlocked what it holds.
    pub fn wait(&self, unlock: impl FnOnce()) {
        self.turns.fetch_add(1, Relaxed);
        let own = thread::current();
        self.parked().push_back(own.clone());
        unlock();
        // A thread may also be unparked because it waited for something else before.
        while self.parked().iter().any(|parked| parked.id() == own.id()) {
            thread::park();
        }
    }

    /// Wakes the thread that waits longest.
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

    /// Wakes every thread, at no other time than now.
    pub fn wake_all(&self) {
        let all = std::mem::take(&mut *self.parked());
        all.iter().for_each(Thread::unpark);
    }

    fn parked(&self) -> MutexGuard<'_, VecDeque<Thread>> {
        self.parked.lock().expect("no thread panics with it")
    }
}
