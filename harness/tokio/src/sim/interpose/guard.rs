//! Keeps a run inside of its simulation: what would leave it ends the run, and what depends on the machine gets an answer that depends on
//! the plan.
//!
//! `interpose` overrides functions of libc by name. What reaches the kernel in other ways, such as system calls that a crate makes
//! itself, meets a seccomp filter, and the handler of SIGSYS answers it. The filter is installed in each worker once, and the runs that the
//! worker forks inherit it: an installation takes as long as several percent of a run.
//!
//! A program that a run starts would inherit the filter without the handler. So a test that allows processes has no filter, as on a kernel
//! without seccomp: then only the functions of libc are caught.

mod answered;
mod answers;
mod calls;
mod changes;
mod files;
mod filter;
mod handler;
mod log;
mod paths;
mod reissue;
pub(crate) mod temporary;
mod tsc;
pub(super) mod wait_in_kernel;
mod watched;

use crate::sim::{
    kernel::{self, Escape},
    section::{is_unguarded, unguarded},
};
use refrain_core::verdict::Outside;
use std::{
    io,
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicU8, Ordering::Relaxed},
    },
};

pub(crate) use answers::own_id;
pub use changes::has_changed_process;
pub use filter::is_available as can_guard;
pub use log::Called;
pub(super) use reissue::call_kernel;
pub use tsc::{reset as reset_time_stamps, sees_time_stamps};

/// How much of a path is read: as much as the kernel reads.
pub(crate) const PATH_BYTES_MAX: usize = libc::PATH_MAX as usize;

/// Whether this process is a worker of simulations, or a run.
static ON: AtomicBool = AtomicBool::new(false);
/// Whether the filter is installed in this process.
static IS_INSTALLED: AtomicBool = AtomicBool::new(false);
/// What the test allows, a bit for each.
static ALLOWED: AtomicU8 = AtomicU8::new(0);

/// Guards the runs that this process will fork: it ends those that reach for what is not allowed.
///
/// # Errors
/// If the kernel has filters, and refuses this one.
pub fn guard(allowed: &[Outside]) -> io::Result<()> {
    ALLOWED.store(allowed.iter().fold(0, |all, outside| all | bit(*outside)), Relaxed);
    ON.store(true, Relaxed);
    temporary::find();
    if is_allowed(Outside::Processes) || !can_guard() {
        return Ok(());
    }
    IS_INSTALLED.store(true, Relaxed);
    files::find_roots();
    tsc::find_vdso();
    handler::install()?;
    filter::install(&mut filter::program(&calls::fates(), reissue::exempt(), reissue::libcs_code()))
}

/// Begins a run in a process that a guarded one has forked: from here on the processor's time stamp is the run's. With a sink, logs the calls
/// through which its machine can be read. Only recorded runs have a log: they install a second filter, which traps these calls as well, and the
/// handler makes them. Of two filters the stricter answer counts, so what the first one refuses stays refused. Without the first one there is
/// no log.
///
/// # Errors
/// If the kernel refuses the filter.
pub fn begin_run(sink: Option<fn(Called)>) -> io::Result<()> {
    if !is_installed() {
        return Ok(());
    }
    tsc::trap(sink.is_some())?;
    let Some(sink) = sink else { return Ok(()) };
    log::begin(sink);
    let calls: Vec<_> = watched::numbers().map(|number| (number, filter::Fate::Handled)).collect();
    filter::install(&mut filter::program(&calls, reissue::exempt(), reissue::libcs_code()))
}

/// Returns whether the filter is installed in this process, which is a worker of simulations, or a run.
pub fn is_installed() -> bool {
    IS_INSTALLED.load(Relaxed)
}

/// Whether this process is a worker of simulations, or a run.
pub(crate) fn is_on() -> bool {
    ON.load(Relaxed)
}

/// Whether a guarded simulation runs on this thread.
pub(crate) fn is_guarded() -> bool {
    is_on() && kernel::is_running()
}

/// Whether the service or the test runs on this thread, rather than the harness.
pub(super) fn is_of_service() -> bool {
    !is_unguarded() && is_guarded()
}

/// Whether the test allows this.
pub(crate) fn is_allowed(outside: Outside) -> bool {
    ALLOWED.load(Relaxed) & bit(outside) != 0
}

fn bit(outside: Outside) -> u8 {
    1 << outside as u8
}

/// Ends the run if it is about to do what the test does not allow.
pub(crate) fn check(call: &'static str, outside: Outside, to: impl FnOnce() -> String) {
    if kernel::is_running() && !is_allowed(outside) {
        let escape = Escape { call, to: to(), outside };
        unguarded(|| (kernel::hooks().escaped)(escape));
    }
}

/// Ends the run: code blocks where nothing else can run, so that nobody would ever wake it.
pub(super) fn refuse_to_wait(call: &'static str) -> ! {
    let to = "a wait in a destructor of a task, or in a timer, where no other task can go on".to_owned();
    unguarded(|| (kernel::hooks().escaped)(Escape { call, to, outside: Outside::Threads }))
}

/// What answers waits at an address.
static FUTEX: OnceLock<Futex> = OnceLock::new();

/// Answers a system call `futex` with these arguments, or lets it pass with `None`.
pub(super) type Futex = fn([usize; 6]) -> Option<isize>;

/// Lets this answer waits at an address.
pub(super) fn answer_futex_with(futex: Futex) {
    let _ = FUTEX.set(futex);
}
