//! Reports a stack overflow of a task. Rust's runtime knows the guard pages of threads only, and tasks run on their own
//! stacks.

use nix::{
    libc::{c_int, c_void, siginfo_t},
    sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction},
    unistd::write,
};
use std::{io::stderr, process::abort, sync::OnceLock};
use tokio::control;

/// Worded like the runtime's message about a thread: the worker looks for these words.
const MESSAGE: &[u8] = b"a task has overflowed its stack\n";

/// The previous signal action, which Rust's runtime installed.
static BEFORE: OnceLock<SigAction> = OnceLock::new();

/// Installs the handler in this process.
pub(super) fn watch() -> nix::Result<()> {
    let flags = SaFlags::SA_SIGINFO | SaFlags::SA_ONSTACK;
    let action = SigAction::new(SigHandler::SigAction(handle), flags, SigSet::empty());
    // SAFETY: the handler calls only async-signal-safe functions.
    let before = unsafe { sigaction(Signal::SIGSEGV, &action) }?;
    let _ = BEFORE.set(before);
    Ok(())
}

extern "C" fn handle(_: c_int, info: *mut siginfo_t, _: *mut c_void) {
    // SAFETY: the kernel passes a valid `siginfo_t` to a handler installed with `SA_SIGINFO`.
    let address = unsafe { (*info).si_addr() } as usize;
    if control::is_stack_guard(address) {
        let _ = write(stderr(), MESSAGE);
        abort();
    }
    if let Some(before) = BEFORE.get() {
        // Restores the previous handler and returns: the instruction faults again and that handler runs.
        // SAFETY: this action was installed when the process started.
        let _ = unsafe { sigaction(Signal::SIGSEGV, before) };
    }
}
