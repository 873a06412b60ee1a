//! Says that a task has overflowed its stack. Rust's runtime knows the stacks of threads only, and tasks have others.

use nix::{
    libc::{c_int, c_void, siginfo_t},
    sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction},
    unistd::write,
};
use std::{io::stderr, process::abort, sync::OnceLock};
use tokio::control;

/// As the runtime says it of a thread: the worker looks for these words.
const MESSAGE: &[u8] = b"a task has overflowed its stack\n";

/// Who handles the signal otherwise: Rust's runtime.
static BEFORE: OnceLock<SigAction> = OnceLock::new();

/// Watches from now on, in this process.
pub(super) fn watch() -> nix::Result<()> {
    let flags = SaFlags::SA_SIGINFO | SaFlags::SA_ONSTACK;
    let action = SigAction::new(SigHandler::SigAction(handle), flags, SigSet::empty());
    // SAFETY: the handler calls what a handler may call, and nothing else.
    let before = unsafe { sigaction(Signal::SIGSEGV, &action) }?;
    let _ = BEFORE.set(before);
    Ok(())
}

extern "C" fn handle(_: c_int, info: *mut siginfo_t, _: *mut c_void) {
    // SAFETY: the kernel gives a handler that asks for it what is known of the signal.
    let address = unsafe { (*info).si_addr() } as usize;
    if control::is_stack_guard(address) {
        let _ = write(stderr(), MESSAGE);
        abort();
    }
    if let Some(before) = BEFORE.get() {
        // The instruction faults again, and the other handler is asked.
        // SAFETY: it was in place when the process began.
        let _ = unsafe { sigaction(Signal::SIGSEGV, before) };
    }
}
