//! Two orders that loom does not implement. It treats `SeqCst` accesses as acquire and release, and only fences as more, so
//! it reports failures of correct code such as Dekker's algorithm. And a read-modify-write may read a store although
//! another store, which happens before it, follows that one.
//!
//! Each failure is executed again with this check enabled, and if it is impossible, the search is repeated. When loom lets
//! a load read a store that no such order allows, the execution does not exist and is abandoned: its threads unwind,
//! whatever they wait for, and nothing below is searched. If one of them cannot, because another thread holds a lock, the
//! search ends there, as at any limit.
//!
//! Simpler approaches would be wrong:
//!
//! - Confirming a failure with a sequentially consistent execution, such as shuttle's, would excuse every relaxed
//!   access of a model that also has one `SeqCst` access.
//! - A `SeqCst` fence before each `SeqCst` access also orders other accesses: a relaxed store before a `SeqCst` load
//!   would be performed before it, and Dekker's algorithm with such a store would seem correct.
//! - Using the execution order as the total order would forbid what processors do: a relaxed flag may overtake the
//!   `SeqCst` store that it announces.
//! - Making such a load read another store is too late: loom orders the stores of an atomic by what its loads see.

mod history;
#[cfg(test)]
mod tests;

use super::{
    Number,
    outlet::limit,
    threads::{running_under_loom, spawned, unpark_all},
    tickets,
    waiters::Waiters,
};
use crate::protocol::EngineLimit;
use history::{Clock, History, OPERATIONS_MAX};
use std::{
    cell::RefCell,
    collections::BTreeMap,
    panic::{self, AssertUnwindSafe},
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering, Ordering::Relaxed},
    },
    thread,
};

static WATCHES: AtomicBool = AtomicBool::new(false);

thread_local! {
    static WATCH: RefCell<Watch> = RefCell::default();
}

/// The state of the check during one execution.
#[derive(Debug, Default)]
struct Watch {
    history: History,
    handed_on: BTreeMap<Through, Clock>,
    /// The condition variables at which threads may wait.
    condvars: Vec<Weak<Waiters>>,
    /// Number of threads that have ended, and that wait for another one's end.
    ended: usize,
    joining: usize,
    /// Whether the execution does not exist.
    is_left: bool,
}

/// What synchronizes two threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Through {
    /// A mutex, from the thread that unlocked it to the one that locks it.
    Mutex(Number),
    /// The same for a reader-writer lock.
    RwLock(Number),
    /// From the thread that spawns another to that one; by the number of the spawn.
    Spawn(Number),
    /// From a thread that ended to the one that joins it.
    Join(Number),
    /// From the thread that unparks another to that one.
    Park(Number),
    /// From the thread that wakes another, which sleeps in a queue of a dependency, to that one; by the number of the
    /// wait.
    Wake(Number),
    /// From a thread that drops a reference to the one that drops the last one.
    Arc(Number),
    /// From the thread that initialized a lazy value to those that read it; by its address.
    Lazy(usize),
}

/// Enables or disables the check for the following executions.
pub(super) fn watch(watches: bool) {
    WATCHES.store(watches, Relaxed);
}

/// Returns whether the check is enabled. Checked first, because everything here costs time.
#[inline]
pub(crate) fn watches() -> bool {
    WATCHES.load(Relaxed)
}

/// Resets the state for a new execution.
#[inline]
pub(super) fn forget() {
    if watches() {
        WATCH.with(|watch| *watch.borrow_mut() = Watch::default());
    }
}

/// Checks a load of the running thread, given the store's name. Does not return if no order allows it.
#[inline]
pub(crate) fn load(atomic: Number, order: Ordering, store: u64) {
    if with(|watch, thread| watch.history.load(thread, atomic, order, store)) == Some(false) {
        leave_all();
    }
}

/// Records a store of the running thread with this name.
#[inline]
pub(crate) fn store(atomic: Number, order: Ordering, store: u64) {
    with(|watch, thread| watch.history.store(thread, atomic, order, store));
}

/// Records the first store of an atomic that exists since the execution began.
#[inline]
pub(crate) fn first_store(atomic: Number, store: u64) {
    with(|watch, _| watch.history.first_store(atomic, store));
}

/// Checks a read-modify-write of the running thread. Does not return if no order allows it.
#[inline]
pub(crate) fn exchange(atomic: Number, order: Ordering, was: u64, store: u64) {
    if with(|watch, thread| watch.history.exchange(thread, atomic, order, was, store)) == Some(false) {
        leave_all();
    }
}

/// Abandons the execution: every thread ends.
fn leave_all() {
    ::loom::skip_branch();
    WATCH.with(|watch| watch.borrow_mut().is_left = true);
    wake_all();
    leave();
}

/// Threads that wait for a lock get it from unwinding threads; those that wait for a notification are woken here.
fn wake_all() {
    let condvars = WATCH.with(|watch| watch.borrow().condvars.clone());
    condvars.iter().filter_map(Weak::upgrade).for_each(|condvar| condvar.wake_all());
    unpark_all();
    tickets::wake_all();
}

/// Registers a condition variable.
pub(crate) fn waits_at(condvar: &Arc<Waiters>) {
    if watches() {
        WATCH.with(|watch| watch.borrow_mut().condvars.push(Arc::downgrade(condvar)));
    }
}

/// Runs `join`, in which the running thread waits for the end of another.
#[inline]
pub(crate) fn joining<T>(join: impl FnOnce() -> T) -> T {
    if !watches() {
        return join();
    }
    WATCH.with(|watch| watch.borrow_mut().joining += 1);
    let joined = join();
    WATCH.with(|watch| watch.borrow_mut().joining -= 1);
    joined
}

/// Returns whether the execution does not exist.
#[inline]
pub(super) fn is_left() -> bool {
    watches() && WATCH.with(|watch| watch.borrow().is_left)
}

/// Ends the running thread if the execution does not exist.
#[inline]
pub(super) fn leave() {
    if is_left() && !thread::panicking() {
        // Bypasses the panic hook, which would end the process.
        panic::resume_unwind(Box::new("there is no such execution"));
    }
}

/// Runs a thread to its end; returns `None` if the execution does not exist.
#[inline]
pub(crate) fn run<T>(thread: impl FnOnce() -> T) -> Option<T> {
    if !watches() {
        return Some(thread());
    }
    let result = panic::catch_unwind(AssertUnwindSafe(thread)).ok();
    WATCH.with(|watch| watch.borrow_mut().ended += 1);
    // Another thread may still start to wait; a joining thread waits for this one's end.
    let others_go_on = || WATCH.with(|watch| watch.borrow().ended + watch.borrow().joining) <= spawned();
    while is_left() && others_go_on() {
        wake_all();
        ::loom::thread::yield_now();
    }
    result
}

/// Records a fence of the running thread.
#[inline]
pub(super) fn fence(order: Ordering) {
    with(|watch, thread| watch.history.fence(thread, order));
}

/// Records that the running thread releases through an object.
#[inline]
pub(super) fn release(through: Through) {
    with(|watch, thread| {
        let clock = watch.history.release(thread);
        history::join(watch.handed_on.entry(through).or_default(), &clock);
    });
}

/// Records that the running thread acquires through an object.
#[inline]
pub(super) fn acquire(through: Through) {
    with(|watch, thread| {
        if let Some(clock) = watch.handed_on.get(&through) {
            watch.history.acquire(thread, clock);
        }
    });
}

#[inline]
fn with<R>(f: impl FnOnce(&mut Watch, usize) -> R) -> Option<R> {
    if !watches() {
        return None;
    }
    leave();
    let thread = running_under_loom();
    WATCH.with(|watch| {
        let mut watch = watch.borrow_mut();
        if !watch.history.has_room() {
            limit(EngineLimit::TooManyOperations { most: OPERATIONS_MAX })
        }
        Some(f(&mut watch, thread))
    })
}
