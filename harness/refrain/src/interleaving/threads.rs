//! The threads of an execution: which one runs, how many there are, and where they are parked.

use super::{Engine, Number, engine};
use ::{loom, shuttle};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    sync::Arc,
};

/// Maximum number of threads in an exhaustive search, including the model's main thread.
pub(crate) const THREADS_MAX: usize = loom::MAX_THREADS;

thread_local! {
    /// Number of threads that the execution has spawned.
    static SPAWNED: Cell<usize> = const { Cell::new(0) };
    /// Number of threads whose code has ended.
    static ENDED: Cell<usize> = const { Cell::new(0) };
    /// Parked threads under loom. loom's own `unpark` also wakes a thread that waits for a lock, and synchronizes
    /// immediately instead of with the `park`.
    static PARKED: RefCell<BTreeMap<Number, Arc<loom::sync::Notify>>> = const { RefCell::new(BTreeMap::new()) };
}

thread_local! {
    /// Known thread numbers under loom, cached because they are needed at each operation.
    static NUMBERS: RefCell<Vec<(loom::thread::ThreadId, usize)>> = const { RefCell::new(vec![]) };
}

/// Resets the state for a new execution, which has only its main thread.
pub(super) fn forget() {
    SPAWNED.set(0);
    ENDED.set(0);
    NUMBERS.with(|numbers| numbers.borrow_mut().clear());
    PARKED.with(|parked| parked.borrow_mut().clear());
}

/// Returns the running thread, numbered in spawn order; 0 is the model's main thread.
pub(crate) fn running() -> usize {
    match engine() {
        Engine::Std => 0,
        Engine::Loom => running_under_loom(),
        Engine::Shuttle => shuttle::current::me().into(),
    }
}

/// Like [`running`], if loom is known to be the engine.
pub(super) fn running_under_loom() -> usize {
    let id = loom::thread::current().id();
    NUMBERS.with(|numbers| {
        let mut numbers = numbers.borrow_mut();
        if let Some((_, number)) = numbers.iter().find(|(other, _)| *other == id) {
            return *number;
        }
        let number = number_under_loom(id);
        numbers.push((id, number));
        number
    })
}

/// Returns the number of a thread under loom.
pub(crate) fn number_under_loom(id: loom::thread::ThreadId) -> usize {
    // loom exposes it only as text: `ThreadId(2)`.
    let id = format!("{id:?}");
    id.chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0)
}

/// Assigns a number to a thread that is about to be spawned.
pub(crate) fn next() -> Number {
    SPAWNED.set(SPAWNED.get() + 1);
    SPAWNED.get() as Number
}

/// Counts the running thread, whose code has ended; returns whether that of every thread has.
pub(super) fn ends() -> bool {
    ENDED.set(ENDED.get() + 1);
    ENDED.get() > SPAWNED.get()
}

/// Returns whether another thread than the running one has not ended.
pub(super) fn others_run() -> bool {
    running() != 0 || ENDED.get() < SPAWNED.get()
}

/// Returns the number of threads that the execution has spawned.
pub(super) fn spawned() -> usize {
    SPAWNED.get()
}

/// Returns where a thread is parked under loom.
pub(crate) fn parked(number: Number) -> Arc<loom::sync::Notify> {
    PARKED.with(|parked| parked.borrow_mut().entry(number).or_default().clone())
}

/// Unparks every thread that is parked under loom.
pub(super) fn unpark_all() {
    let all: Vec<_> = PARKED.with(|parked| parked.borrow().values().cloned().collect());
    all.iter().for_each(|parked| parked.notify());
}
