//! The world of the current thread, and its current task.

use super::{Hooks, HostId, Kernel, TaskId};
use crate::sim::stack;
use std::{cell::Cell, task::Waker};

thread_local! {
    static WORLD: Cell<World> = const { Cell::new(World::None) };
    static CURRENT: Cell<TaskId> = const { Cell::new(0) };
    static HOOKS: Cell<Option<Hooks>> = const { Cell::new(None) };
    static WATCHED: Cell<bool> = const { Cell::new(false) };
    static IN_TIMER: Cell<bool> = const { Cell::new(false) };
    static KEEP: Cell<Option<fn(&Kernel)>> = const { Cell::new(None) };
}

/// The world of a thread.
enum World {
    None,
    /// It is borrowed.
    InUse,
    /// It lives as long as its process.
    Here(&'static mut Kernel),
}

/// A world that is taken from its thread, and returned when this is dropped.
struct Taken(Option<&'static mut Kernel>);

impl Taken {
    /// Takes the world if it is here.
    fn new() -> Result<Taken, World> {
        match WORLD.replace(World::InUse) {
            World::Here(kernel) => Ok(Taken(Some(kernel))),
            World::InUse => Err(World::InUse),
            World::None => {
                WORLD.set(World::None);
                Err(World::None)
            }
        }
    }

    /// Takes it and sets its clock.
    #[track_caller]
    fn at(due: u64) -> Taken {
        let mut taken = Taken::new().unwrap_or_else(|world| match world {
            World::InUse => panic!("the simulated world is used while it is in use"),
            _ => no_simulation(),
        });
        let kernel = taken.kernel();
        kernel.set_now(due);
        before_change(kernel);
        taken
    }

    fn kernel(&mut self) -> &mut Kernel {
        self.0.as_mut().expect("it is taken until this is dropped")
    }

    /// Returns it, and wakes what is to be woken.
    fn end(mut self) {
        let kernel = self.kernel();
        let died = std::mem::take(&mut kernel.current_died);
        match kernel.wakes.len() {
            0 if !died => return,
            // Mostly there is one.
            1 => {
                let waker = kernel.wakes.pop();
                drop(self);
                waker.into_iter().for_each(Waker::wake);
            }
            _ => {
                let wakes = std::mem::take(&mut kernel.wakes);
                drop(self);
                wakes.into_iter().for_each(Waker::wake);
            }
        }
        if died {
            stack::abandon();
        }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if let Some(kernel) = self.0.take() {
            WORLD.set(World::Here(kernel));
        }
    }
}

/// What is this thread's, for the thread that has the turn next.
pub(super) struct Own {
    world: World,
    hooks: Option<Hooks>,
    is_watched: bool,
    keep: Option<fn(&Kernel)>,
}

/// Takes it from this thread.
pub(super) fn take_own() -> Own {
    let world = WORLD.replace(World::None);
    Own { world, hooks: HOOKS.get(), is_watched: WATCHED.get(), keep: KEEP.get() }
}

/// Makes it this thread's.
pub(super) fn set_own(Own { world, hooks, is_watched, keep }: Own) {
    WORLD.set(world);
    HOOKS.set(hooks);
    WATCHED.set(is_watched);
    KEEP.set(keep);
}

/// Installs a world on this thread.
pub(crate) fn install(kernel: Kernel, hooks: Hooks) {
    WORLD.set(World::Here(Box::leak(Box::new(kernel))));
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
    let mut taken = Taken::at(due);
    let result = f(taken.kernel());
    taken.end();
    result
}

/// Borrows the world to record waits and holders; wakes nothing. `None` outside a simulation or while it is torn down: destructors may
/// call this anywhere.
pub(crate) fn try_with<R>(f: impl FnOnce(&mut Kernel) -> R) -> Option<R> {
    let mut taken = Taken::new().ok()?;
    let kernel = taken.kernel();
    kernel.set_now(kernel.now);
    before_change(kernel);
    Some(f(kernel))
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

/// Whether the world is here and nothing is about to change it: code that blocks may give its turn to others.
pub(crate) fn is_free() -> bool {
    !IN_TIMER.get() && Taken::new().is_ok()
}

/// Borrows the world if this thread has one that is not borrowed: for code that may be called from anywhere.
pub(crate) fn with_if_free<R>(f: impl FnOnce(&mut Kernel) -> R) -> Option<R> {
    let is_free = Taken::new().is_ok();
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
    !matches!(Taken::new(), Err(World::None))
}

/// Looks at the world of this thread, unless it is in use.
pub(crate) fn peek<R>(f: impl FnOnce(&Kernel) -> R) -> Option<R> {
    Taken::new().ok().map(|mut taken| f(taken.kernel()))
}

/// Returns a random number for the current task, which is a thread: its nth.
pub(crate) fn thread_chance(n: u64) -> u64 {
    const STREAM: u64 = 0x7468_7265_6164;
    peek(|k| k.random(STREAM, ((CURRENT.get() as u64) << 32) + n)).unwrap_or(n)
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
