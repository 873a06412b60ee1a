//! The total order of `SeqCst` operations, which loom does not give them: to it, a `SeqCst` access acquires and releases,
//! and only a fence does more. So it reports Dekker's algorithm, which is right.
//!
//! A find that has `SeqCst` accesses is made again while this watches, and if that is impossible, searched for again. When
//! loom has a load read what no total order allows, there is no such execution: it is left. Its threads unwind, whatever they
//! wait for, and nothing below is searched. Where one of them cannot, because another took a lock with it, the search ends
//! there, as at any limit.
//!
//! It could be done with less, and would be wrong:
//!
//! - To confirm a find by an execution that is sequentially consistent throughout, such as shuttle's, would clear every
//!   relaxed access of a model for one `SeqCst` access that it also has.
//! - A `SeqCst` fence before each `SeqCst` access orders what is not `SeqCst`, too: a relaxed store before a `SeqCst` load
//!   would be made before it, and with it Dekker's algorithm would seem right.
//! - To take the order of the execution for the total order would forbid what processors do: a relaxed flag may overtake
//!   the `SeqCst` store that it announces.
//! - To let such a load read another store is too late: loom orders the stores of an atomic as its loads see them.

mod history;
#[cfg(test)]
mod tests;

use super::{
    Number,
    outlet::limit,
    threads::{running_under_loom, spawned, unpark_all},
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

/// What is kept of one execution.
#[derive(Debug, Default)]
struct Watch {
    history: History,
    handed_on: BTreeMap<Through, Clock>,
    /// Where threads may wait for each other's word.
    condvars: Vec<Weak<Waiters>>,
    /// How many threads have ended, and how many wait for the end of another.
    ended: usize,
    joining: usize,
    /// Whether there is no such execution.
    is_left: bool,
}

/// What hands on from one thread to another what it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Through {
    /// A mutex, from the thread that unlocked it to the one that locks it.
    Mutex(Number),
    /// The same of a lock of readers and writers.
    RwLock(Number),
    /// From the thread that spawns another to that one; by the number of the spawn.
    Spawn(Number),
    /// From a thread that ended to the one that joins it.
    Join(Number),
    /// From the thread that unparks another to that one.
    Park(Number),
    /// From the thread that drops a counted reference to the one that drops the last.
    Arc(Number),
    /// From the thread that made a lazy value to those that read it; by its address.
    Lazy(usize),
}

/// Decides whether the executions that come are watched.
pub(super) fn watch(watches: bool) {
    WATCHES.store(watches, Relaxed);
}

/// Whether somebody watches. Everything else here costs time: ask before.
#[inline]
pub(crate) fn watches() -> bool {
    WATCHES.load(Relaxed)
}

/// An execution begins.
#[inline]
pub(super) fn forget() {
    if watches() {
        WATCH.with(|watch| *watch.borrow_mut() = Watch::default());
    }
}

/// The running thread read a store, by its name. Does not return if no total order allows that.
#[inline]
pub(crate) fn load(atomic: Number, order: Ordering, store: u64) {
    if with(|watch, thread| watch.history.load(thread, atomic, order, store)) == Some(false) {
        leave_all();
    }
}

/// The running thread made a store of this name.
#[inline]
pub(crate) fn store(atomic: Number, order: Ordering, store: u64) {
    with(|watch, thread| watch.history.store(thread, atomic, order, store));
}

/// The running thread read a store and made another, in one step. Does not return if no total order allows that.
#[inline]
pub(crate) fn exchange(atomic: Number, order: Ordering, was: u64, store: u64) {
    if with(|watch, thread| watch.history.exchange(thread, atomic, order, was, store)) == Some(false) {
        leave_all();
    }
}

/// There is no such execution: every thread ends.
fn leave_all() {
    ::loom::skip_branch();
    WATCH.with(|watch| watch.borrow_mut().is_left = true);
    wake_all();
    leave();
}

/// Whoever waits for a lock gets it from who unwinds; who waits for a word gets it here.
fn wake_all() {
    let condvars = WATCH.with(|watch| watch.borrow().condvars.clone());
    condvars.iter().filter_map(Weak::upgrade).for_each(|condvar| condvar.wake_all());
    unpark_all();
}

/// Threads wait for each other's word here.
pub(crate) fn waits_at(condvar: &Arc<Waiters>) {
    if watches() {
        WATCH.with(|watch| watch.borrow_mut().condvars.push(Arc::downgrade(condvar)));
    }
}

/// The running thread waits for the end of another, while this is done.
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

/// Whether there is no such execution.
#[inline]
pub(super) fn is_left() -> bool {
    watches() && WATCH.with(|watch| watch.borrow().is_left)
}

/// The running thread ends, if there is no such execution.
#[inline]
pub(super) fn leave() {
    if is_left() && !thread::panicking() {
        // Without the hook, which would end the process.
        panic::resume_unwind(Box::new("there is no such execution"));
    }
}

/// Runs a thread to its end; `None`: there is no such execution.
#[inline]
pub(crate) fn run<T>(thread: impl FnOnce() -> T) -> Option<T> {
    if !watches() {
        return Some(thread());
    }
    let result = panic::catch_unwind(AssertUnwindSafe(thread)).ok();
    WATCH.with(|watch| watch.borrow_mut().ended += 1);
    // Another may yet begin to wait; who joins a thread waits for its end.
    let others_go_on = || WATCH.with(|watch| watch.borrow().ended + watch.borrow().joining) <= spawned();
    while is_left() && others_go_on() {
        wake_all();
        ::loom::thread::yield_now();
    }
    result
}

/// The running thread made a fence.
#[inline]
pub(super) fn fence(order: Ordering) {
    with(|watch, thread| watch.history.fence(thread, order));
}

/// The running thread hands on what it knows.
#[inline]
pub(super) fn release(through: Through) {
    with(|watch, thread| {
        let clock = watch.history.release(thread);
        history::join(watch.handed_on.entry(through).or_default(), &clock);
    });
}

/// The running thread learns what others handed on.
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
