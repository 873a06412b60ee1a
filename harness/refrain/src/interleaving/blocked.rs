//! Refuses a model that blocks the engine's thread in the kernel, with the backtrace of that wait.
//!
//! The threads of a model are coroutines on one thread of the operating system. If one of them blocks there, on a lock
//! of `std`, `parking_lot` or `tokio`, it blocks forever: the coroutine that holds the lock cannot run either.

mod explain;

use super::outlet::refuse;
use crate::sources;
use explain::explain;
use nix::{
    libc,
    sys::{
        pthread::pthread_kill,
        signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction},
    },
    unistd::{Pid, gettid},
};
use std::{
    backtrace::Backtrace,
    env, fs,
    os::unix::thread::JoinHandleExt,
    sync::OnceLock,
    thread::{self, JoinHandle},
    time::Duration,
};

/// The polling interval.
const POLL_EVERY: Duration = Duration::from_millis(50);
/// Number of consecutive polls that must observe the same wait before it counts as a deadlock.
const POLLS: u32 = 6;
/// The signal that makes the thread capture its backtrace. It is ignored by default.
const CAPTURE: Signal = Signal::SIGURG;

/// The backtrace of the blocked thread.
static BACKTRACE: OnceLock<Backtrace> = OnceLock::new();

/// Watches the engine's thread until it ends.
pub(super) fn watch(engine: &JoinHandle<()>, id: Pid) {
    let (mut polls, mut before) = (0, None);
    while !engine.is_finished() {
        thread::sleep(POLL_EVERY);
        let wait = futex_wait(id).filter(|_| others_sleep(id));
        polls = if wait.is_some() && wait == before { polls + 1 } else { 0 };
        before = wait;
        if polls == POLLS {
            request_backtrace(engine);
        }
        if let Some(backtrace) = BACKTRACE.get() {
            let here = env::current_dir().unwrap_or_default();
            refuse(&explain(&backtrace.to_string(), &here, sources::current()));
        }
    }
}

fn request_backtrace(engine: &JoinHandle<()>) {
    let action = SigAction::new(SigHandler::Handler(capture), SaFlags::SA_RESTART, SigSet::empty());
    // SAFETY: the signal is sent to one thread only, which waits for a futex. So the handler interrupts no allocation
    // and no other capture of a backtrace.
    let installed = unsafe { sigaction(CAPTURE, &action) };
    let _ = installed.and_then(|_| pthread_kill(engine.as_pthread_t(), CAPTURE));
}

/// Runs on the blocked thread. A coroutine's stack is small, so symbols are resolved later, on the watching thread.
extern "C" fn capture(_: libc::c_int) {
    BACKTRACE.get_or_init(Backtrace::force_capture);
}

/// Returns the futex call in which a thread waits, as the kernel shows it: equal texts are the same wait.
fn futex_wait(id: Pid) -> Option<String> {
    let call = fs::read_to_string(format!("/proc/self/task/{id}/syscall")).ok()?;
    call.starts_with(&format!("{} ", libc::SYS_futex)).then_some(call)
}

/// Returns whether every other thread of this process sleeps, so that none of them is about to end the wait.
fn others_sleep(id: Pid) -> bool {
    let known = [id, gettid()].map(|id| id.to_string());
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let others = threads.filter(|thread| known.iter().all(|known| thread.file_name() != **known));
    let mut stats = others.filter_map(|thread| fs::read_to_string(thread.path().join("stat")).ok());
    stats.all(|stat| stat.rsplit_once(')').is_some_and(|(_, fields)| fields.trim_start().starts_with('S')))
}
