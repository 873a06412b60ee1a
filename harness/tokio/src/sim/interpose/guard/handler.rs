//! The handler of SIGSYS: it answers a system call in the place of the kernel, or makes it.

use super::{
    calls, is_of_service, log,
    reissue::{Call, reissue},
};
use libc::{c_int, c_void, siginfo_t, ucontext_t};
use std::{io, mem, ptr};

/// Installs the handler in this process.
pub(super) fn install() -> io::Result<()> {
    // SAFETY: of integers and pointers zeros are values.
    let mut action: libc::sigaction = unsafe { mem::zeroed() };
    action.sa_sigaction = handle as *const () as usize;
    // On the stack of whoever makes the call, which has more room than a signal's; and again while it is handled.
    action.sa_flags = libc::SA_SIGINFO | libc::SA_NODEFER | libc::SA_RESTART;
    // SAFETY: the kernel sends this signal only for a system call that a filter traps, so the handler does not interrupt anything
    // that its own code depends on.
    match unsafe { libc::sigaction(libc::SIGSYS, &action, ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// What the kernel says of a trapped system call.
#[repr(C)]
struct Trapped {
    _general: [c_int; 4],
    _address: *mut c_void,
    number: c_int,
    _arch: u32,
}

extern "C" fn handle(_: c_int, info: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: this thread's own.
    let errno = unsafe { *libc::__errno_location() };
    // SAFETY: the kernel passes the information on a trapped system call, and the context to which it will return.
    let (trapped, context) = unsafe { (&*info.cast::<Trapped>(), &mut *context.cast::<ucontext_t>()) };
    let call = Call { number: trapped.number.into(), args: arguments(context) };
    let answer = if is_of_service() { calls::answer(&call) } else { None };
    set_result(
        context,
        answer.unwrap_or_else(|| {
            let result = reissue(call);
            log::made(&call, result);
            result
        }),
    );
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
}

#[cfg(target_arch = "x86_64")]
fn arguments(context: &ucontext_t) -> [usize; 6] {
    let registers = [libc::REG_RDI, libc::REG_RSI, libc::REG_RDX, libc::REG_R10, libc::REG_R8, libc::REG_R9];
    registers.map(|register| context.uc_mcontext.gregs[register as usize] as usize)
}

#[cfg(target_arch = "x86_64")]
fn set_result(context: &mut ucontext_t, result: isize) {
    context.uc_mcontext.gregs[libc::REG_RAX as usize] = result as i64;
}

#[cfg(target_arch = "aarch64")]
fn arguments(context: &ucontext_t) -> [usize; 6] {
    std::array::from_fn(|nth| context.uc_mcontext.regs[nth] as usize)
}

#[cfg(target_arch = "aarch64")]
fn set_result(context: &mut ucontext_t, result: isize) {
    context.uc_mcontext.regs[0] = result as u64;
}
