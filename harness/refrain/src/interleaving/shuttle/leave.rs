//! Leaves a plan at an event: from then on any thread that can goes on.

use super::super::log;
use crate::seed::seed_of;
use ::shuttle::scheduler::{Task, TaskId};
use std::cell::Cell;

thread_local! {
    /// Number of events that are those of the plan, and the seed of what comes after.
    static LEAVES: Cell<Option<(usize, u64)>> = const { Cell::new(None) };
}

/// Lets the execution that comes leave its plan after this many events.
pub(in super::super) fn leave_after(events: usize, seed: u64) {
    LEAVES.set(Some((events, seed)));
}

/// Returns the thread that goes on, once the plan is left.
pub(super) fn another(runnable: &[&Task], step: usize) -> Option<TaskId> {
    let (_, seed) = LEAVES.get().filter(|(events, _)| log::events() >= *events)?;
    let random = seed_of(seed, step as u64) as usize;
    Some(runnable[random % runnable.len()].id())
}
