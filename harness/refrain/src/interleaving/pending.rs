//! The next operation of each thread, for schedulers that choose by what the threads are about to do.

use super::threads;
use std::{
    cell::RefCell,
    sync::atomic::{
        AtomicBool,
        Ordering::{self, Relaxed},
    },
};

/// What an operation does to its object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It reads.
    Read,
    /// It may write.
    #[default]
    Write,
    /// It may write, and take a lock that the service has made itself: it acquires, and does not release.
    Claim,
    /// It waits for a lock.
    Lock,
    /// It takes a lock if that is free.
    TryLock,
    /// It releases a lock.
    Unlock,
}

impl Effect {
    /// Returns that of a read-modify-write.
    pub fn of_exchange(order: Ordering) -> Effect {
        if order == Ordering::Acquire { Effect::Claim } else { Effect::Write }
    }
}

/// An operation that a thread is about to make.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Pending {
    /// Its number among those of the thread, counted from 1; 0 for none.
    pub nth: u64,
    /// The address of its object.
    pub object: usize,
    pub effect: Effect,
    /// Whether it has been completed, so that nothing comes next that others can observe. That of an unlock is not observed by
    /// those who wait for the lock: they can as well go on after it.
    pub is_over: bool,
}

static IS_ENABLED: AtomicBool = AtomicBool::new(false);

thread_local! {
    static PENDING: RefCell<Vec<Pending>> = const { RefCell::new(vec![]) };
}

/// Enables the records.
pub(super) fn enable() {
    IS_ENABLED.store(true, Relaxed);
}

/// Resets the state for a new execution.
pub(super) fn forget() {
    PENDING.with(|pending| pending.borrow_mut().clear());
}

/// Records that the running thread is about to use an object.
#[inline]
pub(super) fn begin(object: usize, effect: Effect) {
    if IS_ENABLED.load(Relaxed) {
        let thread = threads::running();
        PENDING.with(|pending| {
            let mut pending = pending.borrow_mut();
            if pending.len() <= thread {
                pending.resize(thread + 1, Pending::default());
            }
            let nth = pending[thread].nth + 1;
            pending[thread] = Pending { nth, object, effect, is_over: effect == Effect::Unlock };
        });
    }
}

/// Records that the running thread has completed its operation.
#[inline]
pub(super) fn end() {
    if IS_ENABLED.load(Relaxed) {
        let thread = threads::running();
        PENDING.with(|pending| {
            if let Some(pending) = pending.borrow_mut().get_mut(thread) {
                pending.is_over = true;
            }
        });
    }
}

/// Returns what a thread is about to do.
pub(super) fn of(thread: usize) -> Pending {
    PENDING.with(|pending| pending.borrow().get(thread).copied().unwrap_or_default())
}
