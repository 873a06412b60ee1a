//! A condition variable with timeouts under shuttle, whose own one does not support them.

use super::super::{mutex::unpoisoned, shuttle};
use std::sync::{
    Arc, Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
};

/// The waiting threads, with and without a timeout.
#[derive(Debug)]
pub(super) struct Timed {
    raw: shuttle::sync::Condvar,
    /// Number of threads that wait without a timeout.
    untimed: AtomicUsize,
    /// For each thread that waits with a timeout, whether it was notified.
    timed: Mutex<Vec<Arc<AtomicBool>>>,
}

impl Timed {
    pub fn new() -> Timed {
        Timed { raw: shuttle::sync::Condvar::new(), untimed: AtomicUsize::new(0), timed: Mutex::default() }
    }

    /// Waits for a notification.
    pub fn wait<'a, T>(&self, guard: shuttle::sync::MutexGuard<'a, T>) -> shuttle::sync::MutexGuard<'a, T> {
        self.untimed.fetch_add(1, Relaxed);
        let guard = unpoisoned(self.raw.wait(guard));
        self.untimed.fetch_sub(1, Relaxed);
        guard
    }

    /// Unlocks and waits for a notification or the timeout, which elapses when the scheduler runs the thread; returns
    /// whether it elapsed before a notification.
    pub fn wait_timeout(&self, unlock: impl FnOnce()) -> bool {
        unlock();
        let notified = Arc::new(AtomicBool::new(false));
        self.timed().push(notified.clone());
        shuttle::thread::yield_now();
        self.timed().retain(|other| !Arc::ptr_eq(other, &notified));
        !notified.load(Relaxed)
    }

    /// Wakes a thread. One that waits with a timeout is woken only if no other waits, since its timeout may have
    /// elapsed anyway.
    pub fn notify_one(&self) {
        self.raw.notify_one();
        if self.untimed.load(Relaxed) == 0
            && let Some(notified) = self.timed().iter().find(|notified| !notified.load(Relaxed))
        {
            notified.store(true, Relaxed);
        }
    }

    /// Wakes every thread.
    pub fn notify_all(&self) {
        self.raw.notify_all();
        self.timed().iter().for_each(|notified| notified.store(true, Relaxed));
    }

    fn timed(&self) -> MutexGuard<'_, Vec<Arc<AtomicBool>>> {
        self.timed.lock().expect("no thread panics with it")
    }
}
