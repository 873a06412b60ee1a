//! The old stores that loads of a sampled execution read.
//!
//! A store becomes the newest of its atomic when it is made. A read-modify-write and a `SeqCst` load read the newest; any other
//! load may read an older one, unless something that happens before it has seen a newer one, or an order of `SeqCst`
//! operations has; `clocks` knows both. C++20 allows each of these executions: a failure needs no confirmation.
//! A thread reads an old store of an atomic once, then the newest, so that a loop that waits terminates.

use super::{log::records, outlet::send, threads};
use crate::{job::RunMessage, plan::Deviation};
use fastrand::Rng;
use std::cell::{Cell, RefCell};

/// Which stores loads read.
#[derive(Debug, Clone, Default)]
pub(super) enum Reads {
    #[default]
    Newest,
    /// The oldest, if the thread has since made or read a later store than the one that overwrote it: as if the load had
    /// been made before. Other old values are those of another schedule.
    Reordered,
    /// Any.
    Random(Rng),
    /// Those of a plan: the number of the load, and how many stores follow the one that it reads.
    Planned(Vec<(usize, usize)>),
}

/// The state of the current execution.
#[derive(Debug, Default)]
struct State {
    reads: Reads,
    /// Whether deviations are reported.
    reports: bool,
    /// Number of loads.
    loads: usize,
    /// Number of planned loads that read the planned store.
    followed: usize,
    /// Number of stores.
    stores: usize,
    /// The number of the latest store that each thread has made or read; 0 after what nothing is reordered with.
    latest: Vec<usize>,
}

impl State {
    fn choose(&mut self, unseen: &[usize], thread: usize) -> usize {
        match &mut self.reads {
            Reads::Reordered if unseen.last().is_some_and(|oldest| *oldest < self.latest[thread]) => unseen.len(),
            Reads::Newest | Reads::Reordered => 0,
            Reads::Random(random) => random.usize(..=unseen.len()),
            Reads::Planned(planned) => {
                let is_this = |(nth, before): &&(usize, usize)| *nth == self.loads && *before <= unseen.len();
                let before = planned.iter().find(is_this).map(|(_, before)| *before);
                self.followed += usize::from(before.is_some());
                before.unwrap_or(0)
            }
        }
    }
}

thread_local! {
    /// Whether loads may read old stores. Checked first, because everything here costs time.
    static IS_ENABLED: Cell<bool> = const { Cell::new(false) };
    static STATE: RefCell<State> = RefCell::default();
}

/// Determines which stores the loads of the following executions read.
pub(super) fn choose(reads: Reads) {
    IS_ENABLED.set(!matches!(reads, Reads::Newest));
    STATE.with(|state| state.borrow_mut().reads = reads);
}

/// Determines whether loads that read old stores in the following executions are reported.
pub(super) fn report(reports: bool) {
    STATE.with(|state| state.borrow_mut().reports = reports);
}

/// Resets the state for a new execution.
pub(super) fn forget() {
    STATE.with(|state| {
        let mut state = state.borrow_mut();
        let State { reads, reports, .. } = std::mem::take(&mut *state);
        *state = State { reads, reports, ..State::default() };
    });
}

/// Returns how many planned loads read the planned store.
pub(super) fn followed() -> usize {
    STATE.with(|state| state.borrow().followed)
}

/// Returns whether loads may read old stores.
#[inline]
pub(crate) fn is_enabled() -> bool {
    IS_ENABLED.get()
}

/// Records a store of the running thread and returns its number in the execution.
#[inline]
pub(crate) fn store() -> usize {
    with(|state, thread| {
        state.stores += 1;
        state.latest[thread] = state.stores;
        state.stores
    })
    .unwrap_or(0)
}

/// The same for the first store of an atomic that exists since the execution began, which the thread did not make.
pub(crate) fn first_store() -> usize {
    with(|state, _| {
        state.stores += 1;
        state.stores
    })
    .unwrap_or(0)
}

/// The same for a read-modify-write, which processors rarely reorder with a later load.
#[inline]
pub(crate) fn exchange() -> usize {
    fence();
    first_store()
}

/// Records that the loads of the running thread are not reordered with what it did before.
#[inline]
pub(crate) fn fence() {
    with(|state, thread| state.latest[thread] = 0);
}

/// Returns how many stores follow the one that a load of the running thread reads, given the numbers of the stores that
/// it need not see, from the newest on.
#[inline]
pub(crate) fn load(unseen: &[usize]) -> usize {
    let before = with(|state, thread| {
        state.loads += 1;
        let before = state.choose(unseen, thread);
        // A store that it had seen before is no news.
        let read = unseen.get(before).copied().unwrap_or(0);
        state.latest[thread] = read.max(state.latest[thread]);
        before
    })
    .unwrap_or(0);
    if before > 0 {
        tell(before);
    }
    before
}

fn tell(before: usize) {
    let (reports, nth) = STATE.with(|state| (state.borrow().reports, state.borrow().loads));
    if reports || records() {
        send(&RunMessage::Deviates(Deviation::Load { nth, before }));
    }
}

#[inline]
fn with<R>(f: impl FnOnce(&mut State, usize) -> R) -> Option<R> {
    if !is_enabled() {
        return None;
    }
    let thread = threads::running();
    STATE.with(|state| {
        let mut state = state.borrow_mut();
        if state.latest.len() <= thread {
            state.latest.resize(thread + 1, 0);
        }
        Some(f(&mut state, thread))
    })
}
