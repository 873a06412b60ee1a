//! Reports a stack overflow of a task, or of a model's thread. Rust's runtime knows the guard pages of threads only, and these
//! run on stacks of their own.

use nix::{
    libc::{c_int, c_void, siginfo_t, ucontext_t},
    sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction},
    unistd::write,
};
use std::{io::stderr, process::abort, sync::OnceLock};

/// Worded like the runtime's message about a thread: the worker looks for these words.
const MESSAGE: &[u8] = b"a task has overflowed its stack\n";

/// Returns whether an address that cannot be accessed is that of a stack's guard, given the stack pointer.
pub(crate) type IsGuard = fn(address: usize, stack: usize) -> bool;

/// What handles other faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Otherwise {
    /// The previous handler.
    Previous,
    /// The kernel: the process dies.
    Kernel,
}

/// How to tell, and what handles other faults.
static OTHERS: OnceLock<(IsGuard, SigAction)> = OnceLock::new();

/// Installs the handler in this process, once.
pub(crate) fn watch(is_guard: IsGuard, otherwise: Otherwise) -> nix::Result<()> {
    if OTHERS.get().is_some() {
        return Ok(());
    }
    let flags = SaFlags::SA_SIGINFO | SaFlags::SA_ONSTACK;
    let action = SigAction::new(SigHandler::SigAction(handle), flags, SigSet::empty());
    // SAFETY: the handler calls only async-signal-safe functions.
    let before = unsafe { sigaction(Signal::SIGSEGV, &action) }?;
    let kernel = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    let _ = OTHERS.set((is_guard, if otherwise == Otherwise::Previous { before } else { kernel }));
    Ok(())
}

extern "C" fn handle(_: c_int, info: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel passes a valid `siginfo_t` to a handler installed with `SA_SIGINFO`.
    let address = unsafe { (*info).si_addr() } as usize;
    // SAFETY: and a valid context.
    let stack = stack_pointer(unsafe { &*context.cast::<ucontext_t>() });
    if let Some((is_guard, others)) = OTHERS.get() {
        if is_guard(address, stack) {
            let _ = write(stderr(), MESSAGE);
            abort();
        }
        // Installs it and returns: the instruction faults again.
        // SAFETY: it is the kernel's, or was installed before this one.
        let _ = unsafe { sigaction(Signal::SIGSEGV, others) };
    }
}

#[cfg(target_arch = "x86_64")]
fn stack_pointer(context: &ucontext_t) -> usize {
    context.uc_mcontext.gregs[nix::libc::REG_RSP as usize] as usize
}

#[cfg(target_arch = "aarch64")]
fn stack_pointer(context: &ucontext_t) -> usize {
    context.uc_mcontext.sp as usize
}

/// Unknown.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn stack_pointer(_: &ucontext_t) -> usize {
    0
}
