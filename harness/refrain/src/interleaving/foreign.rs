//! Detects locks that no engine sees: those of `std`, `parking_lot` or `tokio`.
//!
//! Such a lock leaves no trace while it is free whenever a thread takes it. It shows when a thread waits for it in the
//! kernel, which [`super::blocked`] detects. To provoke that, [`Sampler::Overlap`](crate::protocol::Sampler) suspends
//! each thread at its accesses of cells while others run. And a model whose threads share nothing else is refused.

use super::{Engine, Number, engine, log, threads};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

static OVERLAPS: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// The first thread that used each object, by the object's address.
    static USERS: RefCell<BTreeMap<usize, usize>> = const { RefCell::new(BTreeMap::new()) };
    /// What was done with each `Arc`.
    static ARCS: RefCell<BTreeMap<Number, Counted>> = const { RefCell::new(BTreeMap::new()) };
    /// Whether two threads use the same object, or one passes a value to another.
    static SHARES: Cell<bool> = const { Cell::new(false) };
}

/// What the threads have done with an `Arc`.
#[derive(Default)]
struct Counted {
    /// The first thread that cloned or dropped it, or asked for the number of references.
    by: Option<usize>,
    /// The same, of those that dropped it.
    dropped_by: Option<usize>,
    /// Whether several threads did one of that.
    by_several: bool,
    /// Whether a thread borrowed its value, which may contain a lock that no engine sees.
    is_open: bool,
    /// Whether a thread asked for the number of references while other threads could change it.
    is_asked: bool,
}

/// Sets whether accesses of cells overlap in the next executions.
pub(super) fn overlap(overlaps: bool) {
    OVERLAPS.store(overlaps, Relaxed);
}

/// Resets the state for a new execution.
pub(super) fn forget() {
    if log::records() {
        USERS.with(|users| users.borrow_mut().clear());
        ARCS.with(|arcs| arcs.borrow_mut().clear());
        SHARES.set(false);
    }
}

/// Called when the running thread accesses a cell. If accesses overlap, other threads run first, a data race is no
/// failure, and this returns true.
#[inline]
pub(crate) fn overlaps() -> bool {
    let overlaps = OVERLAPS.load(Relaxed) && engine() == Engine::Shuttle;
    if overlaps {
        ::shuttle::thread::yield_now();
    }
    overlaps
}

/// Records that the running thread uses an object.
#[inline]
pub(crate) fn uses(address: usize) {
    if log::records() && !SHARES.get() {
        let thread = threads::running();
        let first = USERS.with(|users| *users.borrow_mut().entry(address).or_insert(thread));
        SHARES.set(first != thread);
    }
}

/// Records that the running thread borrows the value of an `Arc`, which may contain a lock that no engine sees.
#[inline]
pub(crate) fn opens_arc(number: Number) {
    if log::records() && !SHARES.get() {
        ARCS.with(|arcs| arcs.borrow_mut().entry(number).or_default().is_open = true);
    }
}

/// Records that the running thread drops an `Arc`. Two threads share it if they do nothing else with it.
#[inline]
pub(crate) fn drops_arc(number: Number) {
    if log::records() && !SHARES.get() {
        let thread = threads::running();
        let by_others = ARCS.with(|arcs| {
            let mut arcs = arcs.borrow_mut();
            let arc = arcs.entry(number).or_default();
            !arc.is_open && *arc.dropped_by.get_or_insert(thread) != thread
        });
        SHARES.set(by_others);
        uses_count(number, false);
    }
}

/// Records that the running thread clones an `Arc`.
#[inline]
pub(crate) fn clones_arc(number: Number) {
    if log::records() && !SHARES.get() {
        uses_count(number, false);
    }
}

/// Records that the running thread asks how many references of an `Arc` there are. Two threads share it if one of them asks
/// while the other one may clone or drop it.
#[inline]
pub(crate) fn counts_arc(number: Number) {
    if log::records() && !SHARES.get() {
        uses_count(number, threads::others_run());
    }
}

fn uses_count(number: Number, asks: bool) {
    let thread = threads::running();
    ARCS.with(|arcs| {
        let mut arcs = arcs.borrow_mut();
        let arc = arcs.entry(number).or_default();
        arc.by_several |= *arc.by.get_or_insert(thread) != thread;
        arc.is_asked |= asks;
        SHARES.set(SHARES.get() || arc.by_several && arc.is_asked);
    });
}

/// Records that the running thread passes something to another thread.
#[inline]
pub(crate) fn passes() {
    SHARES.set(true);
}

/// Returns why the execution that passed says nothing about the model: no two of its threads use the same object of
/// `refrain::sync`, so that all interleavings are the same execution for an engine.
pub(super) fn nothing_is_shared() -> Option<String> {
    (threads::spawned() > 0 && !SHARES.get()).then(|| {
        "the threads of the model share nothing that refrain sees: no two of them use the same object of refrain::sync, \
         and none returns a value. If they share a lock of std, parking_lot or tokio, or an atomic of std, use the one of \
         refrain::sync instead, which has the same name; or `cargo refrain init --models parking_lot` makes it part of the model"
            .into()
    })
}
