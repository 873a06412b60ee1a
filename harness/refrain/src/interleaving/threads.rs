//! The threads of an execution: which one runs, how many there are, and where they are parked.

use super::{Engine, Number, engine};
use ::{loom, shuttle};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    sync::Arc,
};

/// The most threads of an execution that is searched exhaustively, the model's own among them.
pub(crate) const THREADS_MAX: usize = loom::MAX_THREADS;

thread_local! {
    /// How many threads the execution has spawned.
    static SPAWNED: Cell<usize> = const { Cell::new(0) };
    /// Where threads are parked under loom. Its own `unpark` also ends a wait for a lock, and hands on at once what only a
    /// `park` receives.
    static PARKED: RefCell<BTreeMap<Number, Arc<loom::sync::Notify>>> = const { RefCell::new(BTreeMap::new()) };
}

thread_local! {
    /// The threads under loom whose numbers are known: it is asked at each operation.
    static NUMBERS: RefCell<Vec<(loom::thread::ThreadId, usize)>> = const { RefCell::new(vec![]) };
}

/// An execution begins: it has its own thread only.
pub(super) fn forget() {
    SPAWNED.set(0);
    NUMBERS.with(|numbers| numbers.borrow_mut().clear());
    PARKED.with(|parked| parked.borrow_mut().clear());
}

/// The thread that runs now, by the order in which they were spawned; 0 is the model's own.
pub(crate) fn running() -> usize {
    match engine() {
        Engine::Std => 0,
        Engine::Loom => running_under_loom(),
        Engine::Shuttle => shuttle::current::me().into(),
    }
}

/// The same where it is known that loom runs it.
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

/// The number of a thread under loom.
pub(crate) fn number_under_loom(id: loom::thread::ThreadId) -> usize {
    // It has no other way out than its text: `ThreadId(2)`.
    let id = format!("{id:?}");
    id.chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0)
}

/// Counts a thread that is about to be spawned.
pub(crate) fn next() -> Number {
    SPAWNED.set(SPAWNED.get() + 1);
    SPAWNED.get() as Number
}

/// How many threads the execution has spawned.
pub(super) fn spawned() -> usize {
    SPAWNED.get()
}

/// Where a thread is parked under loom.
pub(crate) fn parked(number: Number) -> Arc<loom::sync::Notify> {
    PARKED.with(|parked| parked.borrow_mut().entry(number).or_default().clone())
}

/// Every thread goes on that is parked under loom.
pub(super) fn unpark_all() {
    let all: Vec<_> = PARKED.with(|parked| parked.borrow().values().cloned().collect());
    all.iter().for_each(|parked| parked.notify());
}
