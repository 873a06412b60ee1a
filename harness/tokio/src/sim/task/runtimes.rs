//! Which runtime each task belongs to. That of a host's process, and the test's, is number 0 and ends with the process; a
//! runtime that the service builds ends when it is dropped, and its tasks with it. A thread of a process belongs to none at first.

use super::{AbortHandle, InnerAbort};
use crate::sim::{
    common::{Common, hand_on},
    kernel::{self, TaskId},
};
use std::collections::BTreeMap;

/// A runtime, counted from 1 in the order in which they are built.
pub(crate) type RuntimeId = u64;

thread_local! {
    /// The tasks of each runtime that has been built.
    static TASKS: Common<BTreeMap<RuntimeId, Vec<AbortHandle>>> = const { Common::new() };
}

/// Gives what this thread knows to the one that calls the result.
pub(crate) fn hand_on_runtimes() -> Box<dyn FnOnce()> {
    hand_on(&TASKS)
}

pub(crate) fn new_runtime() -> RuntimeId {
    let id = kernel::with(|k| {
        k.runtimes += 1;
        k.runtimes
    });
    TASKS.with(|tasks| tasks.get().borrow_mut().insert(id, vec![]));
    id
}

/// Notes that a task was spawned: it ends with the runtime that it belongs to.
pub(super) fn joins(id: TaskId, abort: impl FnOnce() -> InnerAbort) {
    let runtime = kernel::with(|k| k.tasks[id].runtime);
    if runtime != 0 {
        TASKS.with(|tasks| {
            let mut all = tasks.get().borrow_mut();
            if let Some(tasks) = all.get_mut(&runtime) {
                tasks.push(AbortHandle { inner: abort(), id });
            }
        });
    }
}

/// Cancels the tasks of a runtime.
pub(crate) fn end_runtime(runtime: RuntimeId) {
    let tasks = TASKS.with(|tasks| tasks.get().borrow_mut().remove(&runtime)).unwrap_or_default();
    tasks.iter().filter(|task| !task.is_finished()).for_each(AbortHandle::abort);
}

/// The runtime in which the current task spawns.
pub(crate) fn current_runtime() -> RuntimeId {
    kernel::with(|k| k.tasks[kernel::current_task()].runtime)
}

/// Lets the current task spawn in another runtime, and returns the one before.
pub(crate) fn enter(runtime: RuntimeId) -> RuntimeId {
    kernel::with(|k| std::mem::replace(&mut k.tasks[kernel::current_task()].runtime, runtime))
}
