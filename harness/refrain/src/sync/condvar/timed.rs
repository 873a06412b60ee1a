//! A condition variable under shuttle, whose own one does not know that a time is over.

use super::super::{mutex::unpoisoned, shuttle};
use std::sync::{
    Arc, Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
};

/// Who waits for a notification, with a time and without.
#[derive(Debug)]
pub(super) struct Timed {
    raw: shuttle::sync::Condvar,
    /// How many threads wait without a time.
    untimed: AtomicUsize,
    /// Whether each thread that waits with a time was notified.
    timed: Mutex<Vec<Arc<AtomicBool>>>,
}

impl Timed {
    pub fn new() -> Timed {
        Timed { raw: shuttle::sync::Condvar::new(), untimed: AtomicUsize::new(0), timed: Mutex::default() }
    }

    /// Waits until it is notified.
    pub fn wait<'a, T>(&self, guard: shuttle::sync::MutexGuard<'a, T>) -> shuttle::sync::MutexGuard<'a, T> {
        self.untimed.fetch_add(1, Relaxed);
        let guard = unpoisoned(self.raw.wait(guard));
        self.untimed.fetch_sub(1, Relaxed);
        guard
    }

    /// Unlocks and waits until it is notified or its time is over, which is when it is chosen to go on; whether that was
    /// before any notification.
    pub fn wait_timeout(&self, unlock: impl FnOnce()) -> bool {
        unlock();
        let notified = Arc::new(AtomicBool::new(false));
        self.timed().push(notified.clone());
        shuttle::thread::yield_now();
        self.timed().retain(|other| !Arc::ptr_eq(other, &notified));
        !notified.load(Relaxed)
    }

    /// Wakes a thread. One that waits with a time is woken if no other waits: it may always have been late.
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
