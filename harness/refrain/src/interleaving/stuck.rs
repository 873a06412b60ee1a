//! Detects threads that wait for ever in loops that yield.
//!
//! Such a thread never blocks, so that no engine reports a deadlock: its execution has too many steps. So where the sampling
//! engine would abandon an execution, this module tells whether it would ever have ended. (loom's limit is lower: what it
//! cannot search, samples decide.) A yield of a thread since anything last changed is a round. If every thread that can run
//! has made many rounds, all of them have read the newest values again and again, and nothing is going to change.

use super::{Engine, Number, engine, threads};
use std::{
    cell::{Cell, RefCell},
    panic::Location,
};

/// Number of rounds from which on a thread waits for ever.
const ROUNDS_MIN: u32 = 500;
/// Number of rounds that are logged.
const LOGGED_MAX: u32 = 4;

/// The rounds of a thread.
#[derive(Debug, Clone, Copy, Default)]
struct Rounds {
    /// The number of changes before them.
    changes: u64,
    made: u32,
    /// The place of the last yield.
    place: Option<&'static Location<'static>>,
    /// The atomic that was read last.
    atomic: Option<Number>,
}

thread_local! {
    /// How often a thread has changed something in this execution.
    static CHANGES: Cell<u64> = const { Cell::new(0) };
    /// By thread.
    static ROUNDS: RefCell<Vec<Rounds>> = const { RefCell::new(vec![]) };
}

/// Resets the state for a new execution.
pub(super) fn forget() {
    CHANGES.set(0);
    ROUNDS.with(|rounds| rounds.borrow_mut().clear());
}

/// Records that a thread changed something, or has not read the newest value of something.
#[inline]
pub(crate) fn changed() {
    CHANGES.set(CHANGES.get() + 1);
}

/// Records that the running thread read an atomic.
#[inline]
pub(crate) fn read(atomic: Number) {
    if engine() != Engine::Std {
        with(|rounds| rounds.atomic = Some(atomic));
    }
}

/// Returns whether the running thread repeats what it has done often enough to be logged.
pub(super) fn is_repeated() -> bool {
    with(|rounds| rounds.changes == CHANGES.get() && rounds.made > LOGGED_MAX)
}

/// Records that the running thread yields.
#[inline]
pub(crate) fn yields(place: &'static Location<'static>) {
    if engine() != Engine::Std {
        let changes = CHANGES.get();
        with(|rounds| {
            let made = if rounds.changes == changes { rounds.made + 1 } else { 1 };
            *rounds = Rounds { changes, made, place: Some(place), ..*rounds };
        });
    }
}

/// A thread that waits in a loop.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiting {
    pub thread: usize,
    /// The place of the loop's yield.
    pub place: &'static Location<'static>,
    /// The atomic that it read last.
    pub atomic: Option<Number>,
}

/// Returns the threads that wait for ever, if all of these, which can run, do.
pub(super) fn waiting(mut runnable: impl Iterator<Item = usize>) -> Option<Vec<Waiting>> {
    let rounds = ROUNDS.with(|rounds| rounds.borrow().clone());
    let waits = |rounds: &Rounds| rounds.changes == CHANGES.get() && rounds.made >= ROUNDS_MIN;
    let waiting = |(thread, rounds): (usize, &Rounds)| {
        let place = rounds.place.filter(|_| waits(rounds))?;
        Some(Waiting { thread, place, atomic: rounds.atomic })
    };
    let all = runnable.all(|thread| rounds.get(thread).is_some_and(waits));
    all.then(|| rounds.iter().enumerate().filter_map(waiting).collect())
}

#[inline]
fn with<R>(f: impl FnOnce(&mut Rounds) -> R) -> R {
    let thread = threads::running();
    ROUNDS.with(|rounds| {
        let mut rounds = rounds.borrow_mut();
        if rounds.len() <= thread {
            rounds.resize(thread + 1, Rounds::default());
        }
        f(&mut rounds[thread])
    })
}
