//! The world of the current thread, and its current task.

use super::{Hooks, HostId, Kernel, TaskId};
use crate::sim::stack;
use std::{
    cell::{Cell, RefCell},
    task::Waker,
};

thread_local! {
    static KERNEL: RefCell<Option<Box<Kernel>>> = const { RefCell::new(None) };
    static CURRENT: Cell<TaskId> = const { Cell::new(0) };
    static HOOKS: Cell<Option<Hooks>> = const { Cell::new(None) };
    static WATCHED: Cell<bool> = const { Cell::new(false) };
    static IN_TIMER: Cell<bool> = const { Cell::new(false) };
    static KEEP: Cell<Option<fn(&Kernel)>> = const { Cell::new(None) };
}

/// Installs a world on this thread.
pub(crate) fn install(kernel: Kernel, hooks: Hooks) {
    KERNEL.with(|k| *k.borrow_mut() = Some(Box::new(kernel)));
    HOOKS.set(Some(hooks));
}

/// Borrows the world of this thread.
#[track_caller]
pub(crate) fn with<R>(f: impl FnOnce(&mut Kernel) -> R) -> R {
    with_at(0, f)
}

/// Like [`with`], from a timer that was due at `due`: madsim's clock may not have reached that time yet.
#[track_caller]
pub(crate) fn with_at<R>(due: u64, f: impl FnOnce(&mut Kernel) -> R) -> R {
    let (mut f, mut result) = (Some(f), None);
    borrow(due, &mut |kernel| result = f.take().map(|f| f(kernel)));
    result.expect("it is called once")
}

/// The same, compiled once.
#[track_caller]
fn borrow(due: u64, f: &mut dyn FnMut(&mut Kernel)) {
    KERNEL.with(|cell| {
        let mut borrowed = cell.borrow_mut();
        let Some(kernel) = borrowed.as_mut() else { no_simulation() };
        kernel.set_now(due);
        before_change(kernel);
        f(kernel);
        let died = std::mem::take(&mut kernel.current_died);
        if kernel.wakes.is_empty() && !died {
            return;
        }
        let wakes = std::mem::take(&mut kernel.wakes);
        drop(borrowed);
        wakes.into_iter().for_each(Waker::wake);
        if died {
            stack::abandon();
        }
    })
}

/// Borrows the world to record waits and holders; wakes nothing. `None` outside a simulation or while it is torn down: destructors may
/// call this anywhere.
pub(crate) fn try_with<R>(f: impl FnOnce(&mut Kernel) -> R) -> Option<R> {
    let noted = KERNEL.try_with(|cell| {
        let mut borrowed = cell.try_borrow_mut().ok()?;
        let kernel = borrowed.as_mut()?;
        kernel.set_now(kernel.now);
        before_change(kernel);
        Some(f(kernel))
    });
    noted.ok().flatten()
}

/// Calls what [`keep`] has set.
pub(super) fn before_change(kernel: &Kernel) {
    if let Some(keep) = KEEP.get() {
        keep(kernel);
    }
}

/// Calls this with the state before each change from now on, because an event is reported only after it has happened.
pub(crate) fn keep(keep: fn(&Kernel)) {
    KEEP.set(Some(keep));
}

/// Borrows the world if this thread has one that is not borrowed: for code that may be called from anywhere.
pub(crate) fn with_if_free<R>(f: impl FnOnce(&mut Kernel) -> R) -> Option<R> {
    let is_free = KERNEL.try_with(|cell| cell.try_borrow().is_ok_and(|kernel| kernel.is_some())).unwrap_or(false);
    is_free.then(|| with(f))
}

/// Runs a timer's callback. madsim holds its timer lock meanwhile, so neither the callback nor the wakers it wakes may
/// arm a timer; see `Kernel::later`.
pub(crate) fn in_timer(f: impl FnOnce()) {
    let outer = IN_TIMER.replace(true);
    f();
    IN_TIMER.set(outer);
}

/// Returns whether a simulation runs on this thread.
pub(crate) fn is_running() -> bool {
    KERNEL.try_with(|k| k.try_borrow().map_or(true, |k| k.is_some())).unwrap_or(false)
}

/// Looks at the world of this thread, unless it is in use.
pub(crate) fn peek<R>(f: impl FnOnce(&Kernel) -> R) -> Option<R> {
    KERNEL.try_with(|k| k.try_borrow().ok().and_then(|k| k.as_deref().map(f))).ok().flatten()
}

#[track_caller]
fn no_simulation() -> ! {
    panic!("there is no simulation on this thread: simulated tokio runs only inside #[refrain::test]")
}

/// Returns whether a timer's callback runs.
pub(super) fn is_in_timer() -> bool {
    IN_TIMER.get()
}

pub(crate) fn hooks() -> Hooks {
    HOOKS.get().unwrap_or_else(|| no_simulation())
}

/// Returns the task that is being polled or dropped; the test's own if there is none.
pub(crate) fn current_task() -> TaskId {
    CURRENT.get()
}

/// Sets the current task and returns the previous one.
pub(crate) fn switch_task(task: TaskId) -> TaskId {
    CURRENT.replace(task)
}

#[track_caller]
pub(crate) fn current_host() -> HostId {
    with(|k| k.tasks[CURRENT.get()].host)
}

pub(crate) fn watched() -> bool {
    WATCHED.get()
}

pub(crate) fn watch(on: bool) {
    WATCHED.set(on);
}
