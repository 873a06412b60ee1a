//! Makes one run after the other in the same process. After each, the process becomes again what it was before the first: its memory
//! ([`memory`]), and what the kernel keeps for it ([`kernel`]). So every run begins as in a process that was just forked, for a fraction of the
//! cost.
//!
//! The process has one thread and two stacks. The controller's is not rewound; the run's is, and is left for good when the run has passed. A run
//! that does not pass ends the process, and so does whatever cannot be undone. The worker repeats a run that has not passed in a process of
//! its own, and only that verdict counts.

mod kernel;
mod mappings;
mod memory;
mod stack;
mod written;

use super::temporary;
use crate::{
    engine::{self, Engine, Outlet, Watch, call_places, exit},
    job::Source,
};
use corosensei::{Coroutine, CoroutineResult, Yielder};
use kernel::Kernel;
use memory::Memory;
use stack::Fixed;
use std::{
    cell::Cell,
    fs::File,
    io,
    mem::ManuallyDrop,
    os::fd::{FromRawFd, IntoRawFd, OwnedFd, RawFd},
    ptr,
};
use tokio::control;

/// The exit code of a process that cannot be rewound at all.
pub const CANNOT: i32 = 3;
/// That of one whose last run has found out what is to be known to the next ones, and was told to the worker.
pub const LEARNT: i32 = 4;
/// From where on the descriptors of the process's own memory are: behind those that runs have.
const FDS: RawFd = 1002;
/// Where the content of the memory is, behind the stacks.
const CONTENT: usize = 0x1f10_0000_0000;

thread_local! {
    /// How the run's stack is left.
    static LEAVE: Cell<*const Yielder<(), ()>> = const { Cell::new(ptr::null()) };
}

/// Makes runs in this process, which was forked for them, and exits: with 0 once all of them have passed, or one of them has and cannot be
/// undone. The worker hears of each on the pipe.
pub fn make(
    engine: &'static dyn Engine,
    sources: impl Iterator<Item = Source> + 'static,
    watch: Watch,
    pipe: OwnedFd,
) -> ! {
    let [controller, run] = Fixed::both().unwrap_or_else(|_| exit(CANNOT));
    let control = move |_: &Yielder<(), ()>, ()| match controlled(engine, sources, watch, pipe, [controller, run]) {
        Ok(()) => exit(0),
        Err(error) => {
            eprintln!("{error}");
            exit(CANNOT)
        }
    };
    let mut controller = ManuallyDrop::new(Coroutine::<(), (), (), _>::with_stack(controller, control));
    controller.resume(());
    unreachable!("the controller exits")
}

fn controlled(
    engine: &'static dyn Engine,
    sources: impl Iterator<Item = Source>,
    watch: Watch,
    pipe: OwnedFd,
    [controller, run]: [Fixed; 2],
) -> io::Result<()> {
    engine::after_passing(leave);
    let pipe = pipe.into_raw_fd();
    let open = |path| Ok::<_, io::Error>(rustix::io::fcntl_dupfd_cloexec(File::open(path)?, FDS)?.into_raw_fd());
    let (maps, pages) = (open("/proc/self/maps")?, open("/proc/self/pagemap")?);
    let known = call_places::count();
    let mut kernel = Kernel::new([pipe, temporary::FD, maps, pages]);
    let mut memory = Memory::new(maps, pages, CONTENT, control::addresses_of_runs());
    memory.keep(&controller.range())?;
    for (made, source) in sources.enumerate() {
        // Before the first one, too: to keep the memory has changed it.
        if !memory.rewind() {
            return if made > 0 { Ok(()) } else { Err(io::Error::other("what was mapped is not as it was")) };
        }
        watch.heartbeat.clear();
        // SAFETY: it is open, and the run that owned it before is forgotten.
        let pipe = unsafe { OwnedFd::from_raw_fd(pipe) };
        let body = move |yielder: &Yielder<(), ()>, ()| {
            LEAVE.set(yielder);
            engine.run(source, watch, Outlet::new(pipe));
        };
        // Nothing on this stack is dropped: what it owns is forgotten with the memory.
        let mut running = ManuallyDrop::new(Coroutine::<(), (), (), _>::with_stack(run, body));
        match running.resume(()) {
            CoroutineResult::Yield(()) if control::unguarded(call_places::count) > known => exit(LEARNT),
            CoroutineResult::Yield(()) if control::unguarded(|| kernel.rewind()) => {}
            CoroutineResult::Yield(()) => return Ok(()),
            // It has said why it could not be made.
            CoroutineResult::Return(()) => exit(1),
        }
    }
    Ok(())
}

/// Leaves the run's stack.
fn leave() {
    let yielder = LEAVE.get();
    // SAFETY: it is null, or that of the run's stack, which goes on.
    if let Some(yielder) = unsafe { yielder.as_ref() } {
        yielder.suspend(());
    }
}
