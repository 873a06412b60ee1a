//! The default schedule, without deviations.

use ::shuttle::scheduler::{Task, TaskId};

/// Returns the current thread as long as it can run, then the next one by number.
pub(super) fn in_turn(runnable: &[&Task], current: Option<TaskId>, yields: bool) -> TaskId {
    let ids = || runnable.iter().map(|task| task.id());
    let first = ids().next().expect("shuttle asks only where some thread can go on");
    let Some(current) = current else { return first };
    if !yields && ids().any(|id| id == current) {
        return current;
    }
    ids().find(|id| usize::from(*id) > usize::from(current)).unwrap_or(first)
}

/// Returns whether running another thread is a preemption, because the current one could have continued.
pub(super) fn preempts(runnable: &[&Task], current: Option<TaskId>, yields: bool) -> bool {
    !yields && runnable.iter().any(|task| Some(task.id()) == current)
}
